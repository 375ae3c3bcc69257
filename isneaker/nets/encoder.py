"""The encoder of the generate model: photo -> w, so that an uploaded sneaker can be edited like a generated one."""

import torch
from torch import nn
from torch.nn import functional as F

ENCODED_HEIGHT, ENCODED_WIDTH = 96, 128  # pixels of the photo that the encoder looks at


class PhotoEncoder(nn.Module):
    """Photo -> w: a linear map of the photo at 32x24, which starts as its principal components, and what
    convolutions add."""

    def __init__(self, w_dim: int = 256, nef: int = 48):
        super().__init__()
        self.linear = nn.Linear(3 * 24 * 32, w_dim)
        widths = (3, nef, 2 * nef, 10 * nef // 3, 14 * nef // 3)
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in zip(widths[:-1], widths[1:]))
        for conv in self.convs:
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        self.narrow = nn.Conv2d(widths[-1], nef, 1)
        self.to_w = nn.Linear(nef * 6 * 8, w_dim)
        nn.init.zeros_(self.to_w.weight)
        nn.init.zeros_(self.to_w.bias)

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        """Photos [N,3,96,128] in [-1, 1] -> w [N,w_dim] of mean square about 1."""
        dark = 1 - photo
        x = dark
        for conv in self.convs:
            x = F.silu(conv(x))
        return (self.linear(F.avg_pool2d(dark, 4).flatten(1)) + self.to_w(self.narrow(x).flatten(1))).float()

    @torch.no_grad()
    def start(self, photos: torch.Tensor) -> None:
        """Set the linear map to the principal components of photos [N,3,96,128], N well over w_dim.

        Components are scaled by the fourth root of their variance: leading ones stay larger, so that noise on w
        costs them less.
        """
        dark = F.avg_pool2d(1 - photos, 4).flatten(1)
        mean = dark.mean(0)
        _, deviation, axes = torch.linalg.svd((dark - mean) / len(dark) ** 0.5, full_matrices=False)
        w_dim = self.linear.out_features
        weight = axes[:w_dim] / deviation[:w_dim, None].clamp_min(1e-4).sqrt()
        weight /= deviation[:w_dim].mean().sqrt()
        self.linear.weight.copy_(weight)
        self.linear.bias.copy_(-weight @ mean)
