"""Adaptive discriminator augmentation (arXiv 2006.06676): what the critics see is disturbed, the more the more they
tell training photos by heart."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class Controller(nn.Module):
    """The probability p of each disturbance, kept in checkpoints, driven by the overfitting measure r_t, the mean sign of the critics'
    logits on training photos (eq. 1): towards `target`, by at most 1 in `ada_kimg` thousand pictures."""

    def __init__(self, target: float = 0.6, ada_kimg: float = 100):
        super().__init__()
        self.target, self.ada_kimg = target, ada_kimg
        self.register_buffer("p", torch.zeros((), dtype=torch.float64))

    def update(self, r_t: float, pictures: int) -> float:
        """One batch of `pictures` had the measure r_t in [-1, 1] -> the new p in [0, 0.85]."""
        step = math.copysign(pictures / (1000 * self.ada_kimg), r_t - self.target)
        self.p.add_(step).clamp_(0, 0.85)
        return self.p.item()


def disturb(p: float, generator: torch.Generator, *groups: torch.Tensor) -> list[torch.Tensor]:
    """Move, turn, scale, tint, brighten and stretch the contrast of pictures [N,3,H,W] in [-1, 1], each with
    probability p; sample n of every group in the same way, on white ground."""
    if p <= 0:
        return list(groups)
    n, device = len(groups[0]), groups[0].device

    def drawn(spread: float, *shape: int) -> torch.Tensor:
        chosen = torch.rand(n, *[1] * len(shape), generator=generator) < p
        return (torch.randn(n, *shape, generator=generator) * spread * chosen).to(device)

    angle, scale, shift = drawn(0.06), drawn(0.1).exp(), drawn(0.06, 2)
    theta = torch.stack([
        torch.stack([scale * angle.cos(), -scale * angle.sin(), shift[:, 0]], 1),
        torch.stack([scale * angle.sin(), scale * angle.cos(), shift[:, 1]], 1),
    ], 1)  # fmt: skip
    light, contrast, tint = drawn(0.15, 1, 1, 1), drawn(0.2, 1, 1, 1).exp(), drawn(0.1, 3, 1, 1)

    def apply(photo: torch.Tensor) -> torch.Tensor:
        grid = F.affine_grid(theta, list(photo.shape), align_corners=False)
        moved = 1 - F.grid_sample(1 - photo, grid, mode="bilinear", align_corners=False)
        return 1 - (1 - moved) * contrast + light + tint

    return [apply(group) for group in groups]
