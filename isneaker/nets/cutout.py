"""Where in a photo the shoe is, and whether its silhouette is a sneaker's from the side."""

import torch
from torch import nn
from torch.nn import functional as F

from isneaker.nets.unet import Attention, ResBlock

CUTOUT_HEIGHT, CUTOUT_WIDTH = 144, 192  # pixels of the photo that the network looks at


class CutoutNet(nn.Module):
    """Photo -> which of its pixels are shoe: a small U-Net (arXiv 1505.04597) on 4x4 pixel blocks."""

    def __init__(self, ngf: int = 48):
        super().__init__()
        c2, c4, c8, c16 = ngf // 3, ngf, ngf * 2, ngf * 8 // 3  # at strides 2 to 16
        self.stem2 = nn.Conv2d(12, c2, 3, padding=1)
        self.down4 = nn.Conv2d(4 * c2, c4, 1)
        self.enc4 = ResBlock(c4, c4)
        self.down8 = nn.Conv2d(c4, c8, 2, stride=2)
        self.enc8 = ResBlock(c8, c8)
        self.down16 = nn.Conv2d(c8, c16, 2, stride=2)
        self.middle = nn.Sequential(ResBlock(c16, c16), Attention(c16), ResBlock(c16, c16))
        self.up8 = nn.Conv2d(c16, c8, 1)
        self.dec8 = ResBlock(c8, c8)
        self.up4 = nn.Conv2d(c8, c4, 1)
        self.dec4 = ResBlock(c4, c4)
        self.up2 = nn.Conv2d(c4, c2, 1)
        self.head = nn.Sequential(nn.SiLU(), nn.Conv2d(c2, c2, 3, padding=1), nn.SiLU(), nn.Conv2d(c2, 4, 3, padding=1))

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        """Photos [N,3,144,192] in [-1, 1] -> logits of being shoe [N,1,144,192]."""
        x2 = self.stem2(F.pixel_unshuffle(photo, 2))
        x4 = self.enc4(self.down4(F.pixel_unshuffle(F.silu(x2), 2)))
        x8 = self.enc8(self.down8(x4))
        x = self.middle(self.down16(x8))
        x = self.dec8(_double(self.up8(x)) + x8)
        x = self.dec4(_double(self.up4(x)) + x4)
        return F.pixel_shuffle(self.head(_double(self.up2(x)) + x2), 2)


class Silhouettes(nn.Module):
    """What sneakers look like as shadows: a Gaussian with a few principal axes (arXiv 1302.0947: probabilistic PCA)."""

    def __init__(self, rows: int = 48, columns: int = 64, num_axes: int = 24):
        super().__init__()
        self.register_buffer("mean", torch.zeros(rows * columns))
        self.register_buffer("axes", torch.zeros(num_axes, rows * columns))
        self.register_buffer("deviations", torch.ones(num_axes))
        self.register_buffer("noise", torch.ones(()))

    @torch.no_grad()
    def fit(self, shadows: torch.Tensor) -> None:
        """Shadows [N,rows,columns] in [0, 1] of sneakers on the canvas, toe right."""
        x = shadows.flatten(1)
        self.mean.copy_(x.mean(0))
        _, scales, axes = torch.linalg.svd((x - self.mean) / len(x) ** 0.5, full_matrices=False)
        count = len(self.axes)
        self.axes.copy_(axes[:count])
        self.deviations.copy_(scales[:count])
        self.noise.copy_(scales[count:].square().mean().sqrt())

    def misfit(self, shadows: torch.Tensor) -> torch.Tensor:
        """Shadows [N,rows,columns] in [0, 1] -> [N], about 1 for a sneaker, more for what is none."""
        x = shadows.flatten(1) - self.mean
        along = x @ self.axes.T
        across = x.square().sum(1) - along.square().sum(1)
        energy = (along / self.deviations).square().sum(1) + across / self.noise.square()
        return energy / x.shape[1]


class CutoutModel(nn.Module):
    """All that lies in a cut-out model's `model.safetensors`; its arguments are the `config.json` beside it."""

    def __init__(self, ngf: int = 48, num_axes: int = 24):
        super().__init__()
        self.net = CutoutNet(ngf)
        self.silhouettes = Silhouettes(num_axes=num_axes)


def _double(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")
