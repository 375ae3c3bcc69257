"""Pictures of a run's progress, and its result in the folder layout that the app loads."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from isneaker.images import to_picture
from isneaker.nets.details import quantise
from train.data import Photos, Sneakers

COLUMNS, ROWS = 6, 4  # ROWS of sketches above their pictures


class SampleSheet:
    """The same held-out sketches with the same borrowed codes at every snapshot, every second with its own code."""

    def __init__(self, held_out: Sneakers, donors: Sneakers):
        count = COLUMNS * ROWS
        samples = [held_out[n * 7] for n in range(count)]
        self.ink = torch.stack([s["ink"] for s in samples]) / 255
        self.fidelity = torch.stack([s["fidelity"] for s in samples]).float()
        styles = [s["style"] if i % 2 else donors[i]["style"] for i, s in enumerate(samples)]
        self.style = torch.stack(styles) / 127.5 - 1

    @torch.no_grad()
    def draw(self, G: nn.Module, E: nn.Module) -> Image.Image:
        """Sketches and the pictures made of them, at half size."""
        device = next(G.parameters()).device
        photos = G(*(t.to(device) for t in (self.ink, self.fidelity)), E(self.style.to(device))).cpu()
        sheet = Image.new("RGB", (COLUMNS * 256, ROWS * 2 * 192), "white")
        for i in range(COLUMNS * ROWS):
            x, y = i % COLUMNS * 256, i // COLUMNS * 384
            ink = (1 - 2 * self.ink[i]).expand(3, -1, -1)
            for part, top in ((ink, y), (photos[i], y + 192)):
                sheet.paste(to_picture(part).reduce(2), (x, top))
            sheet.paste(to_picture(self.style[i]).reduce(2), (x, y))
        return sheet


class PhotoSheet:
    """The same held-out photos, what comes back of them by w alone and with details, and crossings of each with the next,
    at every snapshot."""

    def __init__(self, held_out: Photos):
        self.photos = torch.stack([held_out[n * 7]["photo"] for n in range(COLUMNS * 2)]) / 127.5 - 1

    @torch.no_grad()
    def draw(self, G: nn.Module, E: nn.Module, R: nn.Module, width: int) -> Image.Image:
        """Four rows of pictures, twice, at half size; pictures made `width` wide."""
        device = next(G.parameters()).device
        w = E(F.avg_pool2d(self.photos, 4).to(device))
        said = R(F.avg_pool2d(self.photos, 2).to(device), G.thumbnail.colours(w))
        details, rows = quantise(said), [self.photos]
        for source, said in ((w, None), (w, details), ((w + w.roll(1, 0)) / 2, details)):
            photos = G(source[:, None].expand(-1, G.num_ws, -1), said, width).float().cpu()
            rows.append(F.interpolate(photos, (384, 512), mode="bilinear"))
        sheet = Image.new("RGB", (COLUMNS * 256, 2 * len(rows) * 192), "white")
        for r, row in enumerate(rows):
            for i, photo in enumerate(row):
                place = (i % COLUMNS * 256, (i // COLUMNS * len(rows) + r) * 192)
                sheet.paste(to_picture(photo).reduce(2), place)
        return sheet


class CutoutSheet:
    """The same training scenes at every snapshot, and what the network leaves of them on white."""

    def __init__(self, scenes: Dataset):
        self.scenes = torch.stack([scenes[n][0] for n in range(COLUMNS * 2)]) / 127.5 - 1

    @torch.no_grad()
    def draw(self, net: nn.Module) -> Image.Image:
        """Two rows of scenes, each with a row of cut-outs below."""
        scenes = self.scenes.to(next(net.parameters()).device)
        left = 1 + (scenes - 1) * torch.sigmoid(net(scenes))
        sheet = Image.new("RGB", (COLUMNS * 192, 4 * 144), "white")
        for i, pair in enumerate(zip(scenes.cpu(), left.cpu())):
            for r, picture in enumerate(pair):
                sheet.paste(to_picture(picture), (i % COLUMNS * 192, (i // COLUMNS * 2 + r) * 144))
        return sheet


def assemble(kind: type[nn.Module], config: dict[str, int], bank: nn.Module, **networks: nn.Module) -> nn.Module:
    """A model with a bank of codes and the given networks by their names in it."""
    model = kind(**config, num_codes=len(bank.codes))
    for name, net in networks.items():
        getattr(model, name).load_state_dict(net.state_dict())
    model.bank = bank
    return model


def export(out: Path, config: dict[str, int], model: nn.Module) -> None:
    """Write a run's result: a model that `assemble` made."""
    save_model(out, config | {"num_codes": len(model.bank.codes)}, model)


def save_model(out: Path, config: dict[str, int], model: nn.Module) -> None:
    """Write `config.json` and `model.safetensors` (fp16), which is never half-written."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    save_file({k: v.contiguous() for k, v in tensors.items()}, out / "model.partial")
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    os.replace(out / "model.partial", out / "model.safetensors")


@torch.no_grad()
def encode_photos(
    encode: Callable[[torch.Tensor], torch.Tensor], device: torch.device, dataset: Sneakers, every: int = 1
) -> tuple[torch.Tensor, torch.Tensor]:
    """Every so-manieth photo of a dataset, [N,3,384,512] in [-1, 1] on a device, -> their codes [K,...] and languages [K]."""
    codes, index = [], dataset.index[::every]
    for part in np.array_split(index, max(1, len(index) // 64)):
        photos = torch.from_numpy(dataset.photos[part]).permute(0, 3, 1, 2).to(device) / 127.5 - 1
        codes.append(encode(photos).cpu())
    return torch.cat(codes), torch.from_numpy(dataset.languages[index]).to(torch.int8)
