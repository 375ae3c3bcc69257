"""The sketch network: a style-modulated U-Net from lines to a photo.

Pix2pix (arXiv 1611.07004) brought up to date. The trunk works on 8x8 pixel blocks of the drawing, because
full-resolution layers are what costs on a CPU; only the decoder sees the style, so that all variants of a
drawing share one pass of the encoder.
"""

import torch
from torch import nn
from torch.nn import functional as F

PALETTE = 8  # parts of a shoe that the code colours directly: upper, sole, accents ...


class ResBlock(nn.Module):
    """Two normalised 3x3 convolutions and a skip; with `w_dim` the normalisations are scaled and shifted by w."""

    def __init__(self, in_channels: int, out_channels: int, w_dim: int = 0):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(8, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.skip = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else nn.Identity()
        self.affine = nn.Linear(w_dim, 2 * (in_channels + out_channels)) if w_dim else None
        self.split = (in_channels, in_channels, out_channels, out_channels)

    def forward(self, x: torch.Tensor, w: torch.Tensor | None = None) -> torch.Tensor:
        h1, h2 = self.norm1(x), None
        if self.affine is None:
            h2 = self.norm2(self.conv1(F.silu(h1)))
        else:
            scale1, shift1, scale2, shift2 = self.affine(w)[:, :, None, None].split(self.split, 1)
            h2 = self.norm2(self.conv1(F.silu(torch.addcmul(shift1, h1, 1 + scale1))))
            h2 = torch.addcmul(shift2, h2, 1 + scale2)
        return self.skip(x) + self.conv2(F.silu(h2))


class Attention(nn.Module):
    """Self-attention over a small grid, pre-normalised, heads of 32 channels (arXiv 1706.03762)."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        self.heads = max(1, channels // 32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, c, height, width = x.shape
        qkv = self.qkv(self.norm(x)).reshape(n, 3, self.heads, c // self.heads, height * width)
        q, k, v = qkv.transpose(-1, -2).unbind(1)  # [N,heads,HW,c/heads]
        h = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2)
        return x + self.out(h.reshape(n, c, height, width))


class SketchUNet(nn.Module):
    """Ink, fidelity and a style code -> photo. Another kind of picture than ink may have more channels.

    The last layer predicts white minus photo and starts at zero: an untrained network draws white paper.
    """

    def __init__(self, ngf: int = 96, z_dim: int = 64, w_dim: int = 256, in_channels: int = 1):
        super().__init__()
        c8, c16, c32, c64 = ngf, ngf * 5 // 3, ngf * 8 // 3, ngf * 8 // 3  # at strides 8 to 64
        c4, c2 = ngf // 2, ngf // 4
        self.mapping = nn.Sequential(nn.Linear(z_dim + 1, w_dim), nn.SiLU(), nn.Linear(w_dim, w_dim), nn.SiLU())

        self.stem = nn.Conv2d(64 * in_channels + 1, c8, 3, padding=1)
        self.enc8 = ResBlock(c8, c8)
        self.down16 = nn.Conv2d(c8, c16, 2, stride=2)
        self.enc16 = nn.ModuleList([ResBlock(c16, c16), ResBlock(c16, c16)])
        self.down32 = nn.Conv2d(c16, c32, 2, stride=2)
        self.enc32 = nn.ModuleList([ResBlock(c32, c32), Attention(c32)])
        self.down64 = nn.Conv2d(c32, c64, 2, stride=2)
        self.enc64 = nn.ModuleList([ResBlock(c64, c64), Attention(c64)])

        self.dec64 = ResBlock(c64, c64, w_dim)
        self.up32 = nn.Conv2d(c64, c32, 1)
        self.dec32 = nn.ModuleList([ResBlock(c32, c32, w_dim), Attention(c32), ResBlock(c32, c32, w_dim)])
        self.up16 = nn.Conv2d(c32, c16, 1)
        self.dec16 = nn.ModuleList([ResBlock(c16, c16, w_dim), ResBlock(c16, c16, w_dim)])
        self.up8 = nn.Conv2d(c16, c8, 1)
        self.dec8 = nn.ModuleList([ResBlock(c8, c8, w_dim), ResBlock(c8, c8, w_dim)])
        self.up4 = nn.Conv2d(c8, c4, 1)
        self.ink4 = nn.Conv2d(16 * in_channels, c4, 3, padding=1)  # the head looks at the fine lines once more
        self.dec4 = ResBlock(c4, c4, w_dim)
        self.segments = nn.Conv2d(c4, PALETTE, 1)
        self.palette = nn.Linear(z_dim, 3 * PALETTE, bias=False)
        self.up2 = nn.Conv2d(c4, 4 * c2, 1)
        self.to_rgb = nn.Conv2d(c2 + 4 * in_channels, 4 * 3, 3, padding=1)
        nn.init.zeros_(self.palette.weight)
        nn.init.zeros_(self.to_rgb.weight)
        nn.init.zeros_(self.to_rgb.bias)

    def encode(self, ink: torch.Tensor, fidelity: torch.Tensor) -> list[torch.Tensor]:
        """Ink [N,in_channels,H,W] in [0, 1], fidelity [N] in [0, 1] -> features for `decode`. H and W are multiples of 64."""
        blocks = F.pixel_unshuffle(ink, 8)
        strength = fidelity[:, None, None, None].expand(-1, 1, *blocks.shape[2:])
        x8 = self.enc8(self.stem(torch.cat([blocks, strength], 1)))
        x16 = _through(self.enc16, self.down16(x8))
        x32 = _through(self.enc32, self.down32(x16))
        x64 = _through(self.enc64, self.down64(x32))
        return [ink, fidelity, x8, x16, x32, x64]

    def decode(self, features: list[torch.Tensor], z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features of `encode` for the N drawings and style codes z [N,z_dim] -> photos [N,3,H,W], white = 1, and
        the parts that the palette colours [N,PALETTE,H/4,W/4], which sum to 1."""
        ink, fidelity, x8, x16, x32, x64 = features
        w = self.mapping(torch.cat([z, fidelity[:, None]], 1))
        x = self.dec64(x64, w)
        x = _through(self.dec32, _double(self.up32(x)) + x32, w)
        x = _through(self.dec16, _double(self.up16(x)) + x16, w)
        x = _through(self.dec8, _double(self.up8(x)) + x8, w)
        x = self.dec4(_double(self.up4(x)) + self.ink4(F.pixel_unshuffle(ink, 4)), w)
        segments = self.segments(x).permute(0, 2, 3, 1).softmax(3)  # [N,H/4,W/4,P]: stays channels_last
        colours = self._paint(segments, self.palette(z))
        x = F.silu(F.pixel_shuffle(self.up2(x), 2))  # [N,c2,H/2,W/2]
        x = self.to_rgb(torch.cat([x, F.pixel_unshuffle(ink, 2)], 1))
        return 1 - (F.pixel_shuffle(x, 2) + colours), segments.permute(0, 3, 1, 2)

    @staticmethod
    def _paint(segments: torch.Tensor, palette: torch.Tensor) -> torch.Tensor:
        """Give each part of the shoe its colour: segments [N,H/4,W/4,P], palette [N,3P] -> [N,3,H,W].

        A straight way from the code to the colours: through the modulations alone, hues are learnt very late.
        """
        n, height, width, parts = segments.shape
        weights = segments.reshape(n, -1, parts)
        painted = weights @ palette.reshape(n, 3, parts).transpose(1, 2).to(weights.dtype)
        painted = painted.reshape(n, height, width, 3).permute(0, 3, 1, 2)
        return F.interpolate(painted, scale_factor=4.0, mode="bilinear")

    def forward(self, ink: torch.Tensor, fidelity: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """The photos of `decode(encode(ink, fidelity), z)`: [N,3,H,W]."""
        return self.decode(self.encode(ink, fidelity), z)[0]


def _double(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")


def _through(blocks: nn.ModuleList, x: torch.Tensor, w: torch.Tensor | None = None) -> torch.Tensor:
    for block in blocks:
        x = block(x, w) if w is not None and isinstance(block, ResBlock) else block(x)
    return x
