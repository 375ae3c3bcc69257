"""The synthesis network of StyleGAN2 (arXiv 1912.04958), shaped for two CPU cores.

Modulation is not fused into the weights: activations are scaled, weights are shared by the batch, which is several
times faster on a CPU. Up-sampling is bilinear, after the convolution. The 4x4 constant is a linear image of w: shapes
are learnt sooner than through modulations alone. The last doubling is a pixel shuffle. The thumbnail comes in at 32x24,
after the shape, and details at 64x48.
"""

import torch
from torch import nn
from torch.nn import functional as F

from isneaker.nets.details import COLUMNS, DetailDecoder
from isneaker.nets.thumbnail import Thumbnail

WIDTHS = (8, 16, 32, 64, 128, 256)  # of the feature maps, at 4:3; the picture is twice as wide as the last
COLOURED = 1  # the doubling after which the thumbnail comes in
DETAILED = 2  # the one after which details come in
BARE = 0.01  # how dark the ground of a picture is at most


class ModulatedConv(nn.Module):
    """A convolution whose input channels are scaled by a style made from w, and whose output, where `demodulate`,
    is brought back to unit variance (eq. 1 and 3)."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, w_dim: int, demodulate: bool = True):
        super().__init__()
        fan_in = in_channels * kernel_size**2
        weight = torch.randn(out_channels, in_channels, kernel_size, kernel_size) / fan_in**0.5
        self.weight = nn.Parameter(weight if demodulate else torch.zeros_like(weight))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.affine = nn.Linear(w_dim, in_channels)
        nn.init.normal_(self.affine.weight, 0, w_dim**-0.5)
        nn.init.ones_(self.affine.bias)
        self.padding, self.demodulate = kernel_size // 2, demodulate

    def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        """Features [N,in_channels,H,W] and w [N,w_dim] -> [N,out_channels,H,W]."""
        style = self.affine(w)
        x = F.conv2d(x * style[:, :, None, None].to(x.dtype), self.weight, padding=self.padding)
        bias = self.bias[None, :, None, None].to(x.dtype)
        if not self.demodulate:
            return x + bias
        power = style.float().square() @ self.weight.float().square().sum((2, 3)).T
        scale = torch.rsqrt(power + 1e-8)[:, :, None, None].to(x.dtype)
        return torch.addcmul(bias, x, scale)


class Layer(nn.Module):
    """A modulated 3x3 convolution, doubled in size where `up`, with noise and a leaky ReLU of unit gain."""

    def __init__(self, in_channels: int, out_channels: int, w_dim: int, width: int, up: bool = False):
        super().__init__()
        self.conv = ModulatedConv(in_channels, out_channels, 3, w_dim)
        generator = torch.Generator().manual_seed(width + up)
        self.register_buffer("noise", torch.randn(1, 1, width * 3 // 4, width, generator=generator), persistent=False)
        self.strength = nn.Parameter(torch.zeros(()))
        self.up = up

    def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        x = self.conv(x, w)
        if self.up:
            x = _double(x)
        return F.leaky_relu(x + (self.noise * self.strength).to(x.dtype), 0.2) * 2**0.5


class Synthesis(nn.Module):
    """ws -> photo: one w for each layer, the first ones for shape, the last ones for colour and material.

    The picture is a sum over all widths (skip connections to RGB), counted from white, and starts at white.
    """

    def __init__(self, w_dim: int = 256, ngf: int = 40):
        super().__init__()
        channels = (8 * ngf, 8 * ngf, 32 * ngf // 5, 4 * ngf, 2 * ngf, ngf)  # at WIDTHS
        self.w_dim, self.num_ws = w_dim, 2 * len(channels)
        self.input_channels = channels[0] * 3 // 5
        self.input = nn.Linear(w_dim, self.input_channels * 6 * 8)
        nn.init.normal_(self.input.weight, 0, w_dim**-0.5)
        self.first = Layer(self.input_channels, channels[0], w_dim, WIDTHS[0])
        self.ups = nn.ModuleList(
            Layer(a, b, w_dim, width, up=True) for a, b, width in zip(channels, channels[1:], WIDTHS[1:])
        )
        self.convs = nn.ModuleList(Layer(c, c, w_dim, width) for c, width in zip(channels[1:], WIDTHS[1:]))
        self.to_rgb = nn.ModuleList(ModulatedConv(c, 3, 1, w_dim, demodulate=False) for c in channels[1:])
        self.to_blocks = ModulatedConv(channels[-1], 12, 3, w_dim, demodulate=False)
        self.thumbnail = Thumbnail(w_dim, channels[COLOURED + 1], 8 * ngf // 5)
        self.details = DetailDecoder(channels[DETAILED], channels[DETAILED + 1], ngf)

    def shape_layers(self) -> list[nn.Module]:
        """The parts before the thumbnail."""
        return [self.input, self.first, self.ups[: COLOURED + 1], self.convs[:COLOURED], self.to_rgb[:COLOURED]]

    def forward(self, ws: torch.Tensor, details: torch.Tensor | None = None, width: int = 512) -> torch.Tensor:
        """ws [N,num_ws,w_dim] and details [N,4,12,16], 0 for none, -> photos [N,3,3/4 width,width] in about [-1, 1];
        width 16, 32, ... 512."""
        x = (
            self.input(ws[:, 0])
            .reshape(len(ws), self.input_channels, 6, 8)
            .contiguous(memory_format=torch.channels_last)
        )
        x = self.first(x, ws[:, 0])
        picture = x.new_zeros(len(ws), 3, 6, 8)
        for i, (up, conv, to_rgb) in enumerate(zip(self.ups, self.convs, self.to_rgb)):
            shape, x = x, up(x, ws[:, 2 * i + 1])
            if i == COLOURED:
                x = x + self.thumbnail(ws[:, 2 * i + 2], x)
            if i == DETAILED and details is not None:
                x = x + self.details(details * _shoe(picture), shape)
            x = conv(x, ws[:, 2 * i + 2])
            picture = _double(picture) + to_rgb(x, ws[:, 2 * i + 2])
            if picture.shape[3] == width:
                return 1 - picture
        return 1 - _double(picture) - F.pixel_shuffle(self.to_blocks(x, ws[:, -1]), 2)


def _shoe(dark: torch.Tensor) -> torch.Tensor:
    """A picture [N,3,H,W], counted from white, -> which cells of the details [N,1,12,16] are not bare ground, in [0, 1]."""
    cells = F.avg_pool2d(dark.detach().amax(1, keepdim=True), dark.shape[3] // COLUMNS)
    return (cells / BARE - 1).clamp(0, 1)


def _double(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear")
