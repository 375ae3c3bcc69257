"""Soft edge maps of photos: read from frozen EfficientNet-lite0 features at all scales, as HED (arXiv 1504.06375) reads
VGG's, in a tenth of its time.

    python -m train.prepare.edges --data FOLDER      # fits what reads them to the edge maps of FOLDER

`edges.safetensors` was fitted to HED's maps of 4,000 sneaker photos from public repositories. On 30 held-out photos, at
each threshold that sketches are made with, 96 % or more of its edges are HED's too, and as many of HED's its, 2 pixels
allowed.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from train.features import CHANNELS, Features

WEIGHTS = Path(__file__).with_suffix(".safetensors")
BATCH, LR, PHOTOS = 4, 4e-3, 4000  # some thousand parameters on frozen features are fitted in minutes on one core
CROP = (192, 256)  # height and width of what is seen of a photo: edges are a local matter


class Edges(nn.Module):
    """Reads edges from a photo and its feature maps."""

    def __init__(self, width: int = 16, side: int = 8):
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels, affine=False) for channels in CHANNELS)
        self.sides = nn.ModuleList(nn.Conv2d(channels, side, 1) for channels in CHANNELS)
        self.fuse = nn.Conv2d(side * len(CHANNELS) + 12, width, 3, padding=1)
        self.to_edges = nn.Conv2d(width, 4, 3, padding=1)

    def forward(self, photo: torch.Tensor, maps: list[torch.Tensor]) -> torch.Tensor:
        """Photos [N,3,H,W] in [-1, 1] and their `Features` -> logits [N,1,H,W]."""
        size = maps[0].shape[2:]
        views = [side(norm(each)) for norm, side, each in zip(self.norms, self.sides, maps)]
        views = [F.interpolate(view, size, mode="bilinear") for view in views] + [F.pixel_unshuffle(photo, 2)]
        return F.pixel_shuffle(self.to_edges(F.relu(self.fuse(torch.cat(views, 1)))), 2)  # [N,4,H/2,W/2] -> [N,1,H,W]


def load() -> Edges:
    """The fitted reader."""
    edges = Edges().eval()
    edges.load_state_dict({name: tensor.float() for name, tensor in load_file(WEIGHTS).items()}, strict=False)
    return edges


def to_picture(logits: torch.Tensor) -> Image.Image:
    """Logits [1,H,W] -> soft edge map, "L": 0 none, 255 sure."""
    return Image.fromarray((torch.sigmoid(logits[0]) * 255).round().byte().numpy())


def photo_tensor(photo: Image.Image) -> torch.Tensor:
    """RGB picture -> [1,3,H,W] in [-1, 1]."""
    return torch.from_numpy(np.array(photo)).permute(2, 0, 1)[None] / 127.5 - 1


def fit(folder: Path, photos: int, seed: int = 0) -> Edges:
    """Fit a reader to the edge maps of a folder's training photos."""
    with open(folder / "metadata.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
    torch.manual_seed(seed)
    rng, edges, features = np.random.default_rng(seed), Edges(), Features()
    optimizer = torch.optim.AdamW(edges.parameters(), LR)
    steps = photos // BATCH
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = LR * (1 + np.cos(np.pi * step / steps)) / 2
        photo, sure = _batch(folder, [rows[i] for i in rng.integers(len(rows), size=BATCH)], rng)
        with torch.no_grad():
            maps = features(photo)
        loss = F.binary_cross_entropy_with_logits(edges(photo, maps), sure, weight=1 + 2 * sure)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"\r{step + 1}/{steps} {loss.item():.4f}", end="", flush=True)
    print()
    return edges.eval()


def _batch(folder: Path, rows: list[dict], rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Pieces of photos [N,3,h,w] in [-1, 1] and of their edge maps [N,1,h,w] in [0, 1]."""
    photos, maps = [], []
    for row in rows:
        photo, edge_map = (
            Image.open(folder / row["file_name"]).convert("RGB"),
            Image.open(folder / row["edges"]).convert("L"),
        )
        left, top = rng.integers(0, photo.width - CROP[1]), rng.integers(photo.height // 6, photo.height - CROP[0])
        box = (left, top, left + CROP[1], top + CROP[0])
        photos.append(photo_tensor(photo.crop(box)))
        maps.append(torch.from_numpy(np.array(edge_map.crop(box), np.float32))[None, None] / 255)
    return torch.cat(photos), torch.cat(maps)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=PHOTOS)
    arguments = parser.parse_args()
    tensors = fit(arguments.data, arguments.photos).state_dict()
    kept = {name: tensor.half().contiguous() for name, tensor in tensors.items() if tensor.is_floating_point()}
    save_file(kept, WEIGHTS)
