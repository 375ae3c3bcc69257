"""Checkpoints: networks and optimizers as one safetensors file."""

import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

Part = nn.Module | torch.optim.Optimizer


def save_checkpoint(path: Path, parts: dict[str, Part], nimg: int, seconds: float) -> None:
    """Write networks, optimizers, pictures seen and time spent as one safetensors file, all or nothing."""
    tensors = {f"{name}/{key}": value for name, part in parts.items() for key, value in _tensors(part).items()}
    tensors = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, {"nimg": str(nimg), "seconds": str(seconds)})
    os.replace(partial, path)


def load_checkpoint(path: Path, parts: dict[str, Part]) -> tuple[int, float]:
    """Read what `save_checkpoint` wrote, in place -> nimg and seconds so far; 0 and 0 if there is no file."""
    if not path.exists():
        return 0, 0.0
    with safe_open(path, "pt") as file:
        progress = file.metadata()
    tensors = load_file(path)
    for name, part in parts.items():
        own = {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}
        if isinstance(part, nn.Module):
            part.load_state_dict(own)
        else:
            _load_optimizer(part, own)
    return int(progress["nimg"]), float(progress["seconds"])


def _tensors(part: Part) -> dict[str, torch.Tensor]:
    if isinstance(part, nn.Module):
        return part.state_dict()
    state = part.state_dict()["state"]
    return {f"{index}/{key}": value for index, slot in state.items() for key, value in slot.items()}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    params = [param for group in optimizer.param_groups for param in group["params"]]
    state: dict[int, dict] = {}
    for key, value in tensors.items():
        index, slot = key.split("/")
        param = params[int(index)]
        if value.shape == param.shape:  # fused steps walk memory: averages must lie as their parameter does
            value = torch.empty_like(param).copy_(value)
        state.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
