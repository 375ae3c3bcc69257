"""What every training job needs around its steps: the stream of samples, checkpoints, moving averages, a log."""

import json
import os
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.data import Dataset


class SamplesFrom(Dataset):
    """The endless stream of a dataset's samples from number `start` up to `stop`."""

    def __init__(self, dataset: Dataset, start: int, stop: int):
        self.dataset, self.start, self.stop = dataset, start, stop

    def __len__(self) -> int:
        return max(0, self.stop - self.start)

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        return self.dataset[self.start + n]


def save_checkpoint(path: Path, parts: dict[str, nn.Module | torch.optim.Optimizer], nimg: int, seconds: float) -> None:
    """Write networks, optimizers, pictures seen and time spent as one safetensors file, all or nothing."""
    tensors = {f"{name}/{key}": value for name, part in parts.items() for key, value in _tensors(part).items()}
    tensors = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, {"nimg": str(nimg), "seconds": str(seconds)})
    os.replace(partial, path)


def load_checkpoint(path: Path, parts: dict[str, nn.Module | torch.optim.Optimizer]) -> tuple[int, float]:
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
    return int(progress["nimg"]), float(progress.get("seconds", 0))


def _tensors(part: nn.Module | torch.optim.Optimizer) -> dict[str, torch.Tensor]:
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


@torch.no_grad()
def update_ema(ema: nn.Module, net: nn.Module, decay: float) -> None:
    """ema <- decay * ema + (1 - decay) * net."""
    for a, b in zip(ema.parameters(), net.parameters()):
        a.lerp_(b, 1 - decay)


def log_stats(path: Path, **stats: float) -> None:
    """Append one line to `stats.jsonl`."""
    with open(path, "a") as file:
        file.write(json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in stats.items()}) + "\n")


def hardware() -> str:
    """What this runs on, for model cards."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{torch.get_num_threads()} CPU cores ({torch.backends.cpu.get_cpu_capability()})"
