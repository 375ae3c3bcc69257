"""Speed in one run: our networks at 512x384 beside the originals at 256x256, `python -m isneaker.bench`."""

import argparse
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from isneaker import catalogue
from isneaker.design import HEIGHT, WIDTH, Design
from isneaker.images import sketch_tensors
from isneaker.nets.details import nothing
from isneaker.templates import TEMPLATES


class Pix2PixUNet(nn.Module):
    """The U-Net-256 of arXiv 1611.07004, section 6.1.1, ngf 64: eight strided convolutions down, eight up."""

    def __init__(self, ngf: int = 64):
        super().__init__()
        widths = [ngf, 2 * ngf, 4 * ngf, *[8 * ngf] * 5]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, (before, width) in enumerate(zip([3, *widths], widths)):
            outermost, innermost = i == 0, i == len(widths) - 1
            norm = nn.Identity() if outermost or innermost else nn.BatchNorm2d(width)
            act = nn.Identity() if outermost else nn.LeakyReLU(0.2)
            self.down.append(nn.Sequential(act, nn.Conv2d(before, width, 4, 2, 1), norm))
            incoming, outgoing = width if innermost else 2 * width, 3 if outermost else before
            norm = nn.Tanh() if outermost else nn.BatchNorm2d(outgoing)
            self.up.insert(0, nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(incoming, outgoing, 4, 2, 1), norm))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Edges [N,3,256,256] -> photos [N,3,256,256]."""
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = self.up[0](skips.pop())
        for block in self.up[1:]:
            x = block(torch.cat([x, skips.pop()], 1))
        return x


class FusedConv(nn.Module):
    """A 3x3 convolution of StyleGAN2 as arXiv 1912.04958 has it: every sample has weights of its own, doubling is a
    transposed convolution and a FIR filter."""

    def __init__(self, in_channels: int, out_channels: int, up: bool = False):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 3, 3))
        self.affine, self.up = nn.Linear(512, in_channels), up
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.register_buffer("fir", (taps[:, None] * taps / 16).expand(out_channels, 1, 4, 4).contiguous())

    def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        n, c, height, width = x.shape
        weight = self.weight * self.affine(w)[:, None, :, None, None]  # [N,out,in,3,3]
        weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
        x = x.reshape(1, n * c, height, width)
        if not self.up:
            x = F.conv2d(x, weight.flatten(0, 1), padding=1, groups=n)
            return F.leaky_relu(x.reshape(n, -1, height, width), 0.2)
        x = F.conv_transpose2d(x, weight.transpose(1, 2).flatten(0, 1), stride=2, groups=n)
        x = x.reshape(n, -1, 2 * height + 1, 2 * width + 1)
        return F.leaky_relu(F.conv2d(F.pad(x, (1, 1, 1, 1)), self.fir, groups=x.shape[1]), 0.2)


class StockSynthesis(nn.Module):
    """StyleGAN2's synthesis at 256x256, channel base 16384, at most 512 channels."""

    def __init__(self):
        super().__init__()
        widths = [min(512, 16384 // size) for size in (4, 8, 16, 32, 64, 128, 256)]
        self.const = nn.Parameter(torch.randn(1, 512, 4, 4))
        self.first = FusedConv(512, widths[0])
        self.ups = nn.ModuleList(FusedConv(a, b, up=True) for a, b in zip(widths, widths[1:]))
        self.convs = nn.ModuleList(FusedConv(c, c) for c in widths[1:])
        self.to_rgb = nn.ModuleList(nn.Conv2d(c, 3, 1) for c in widths[1:])

    def forward(self, w: torch.Tensor) -> torch.Tensor:
        """w [N,512] -> photos [N,3,256,256]."""
        x = self.first(self.const.expand(len(w), -1, -1, -1), w)
        picture = x.new_zeros(len(w), 3, 4, 4)
        for up, conv, to_rgb in zip(self.ups, self.convs, self.to_rgb):
            x = conv(up(x, w), w)
            picture = F.interpolate(picture, scale_factor=2, mode="bilinear") + to_rgb(x)
        return picture


@torch.inference_mode()
def measure(run: Callable, rounds: int) -> list[float]:
    """Seconds of each of `rounds` calls, after three that do not count; sorted."""
    times = []
    for i in range(rounds + 3):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return sorted(times[3:])


@torch.inference_mode()
def multiply_adds(run: Callable) -> float:
    """Billions of multiply-adds of one call."""
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 2e9


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    model = catalogue.load(catalogue.newest("sketch"))
    ink, fidelity = sketch_tensors(Design(strokes=TEMPLATES["runner"]))
    z = model.bank.draw(0, {})
    original = Pix2PixUNet().eval().to(memory_format=torch.channels_last)
    edges = torch.rand(1, 3, 256, 256).contiguous(memory_format=torch.channels_last)
    features = [f.expand(3, *f.shape[1:]) for f in model.unet.encode(ink, fidelity)]
    cases = {
        "sketch 512x384": (lambda: model.unet(ink, fidelity, z), model.unet, WIDTH * HEIGHT),
        "three more variants": (lambda: model.unet.decode(features, z.expand(3, -1)), model.unet, 3 * WIDTH * HEIGHT),
        "pix2pix U-Net 256x256": (lambda: original(edges), original, 256 * 256),
    }
    if catalogue.offers("generate"):
        G, stock = catalogue.load(catalogue.newest("generate")).synthesis, StockSynthesis().requires_grad_(False)
        ws, details, w = torch.randn(1, G.num_ws, G.w_dim), torch.ones(1, *nothing().shape), torch.randn(1, 512)
        cases["generate 512x384"] = (lambda: G(ws, details), G, WIDTH * HEIGHT)
        cases["StyleGAN2 256x256"] = (lambda: stock(w), stock, 256 * 256)
    print(f"{torch.get_num_threads()} threads, fp32, channels_last, {rounds} rounds")
    print(f"{'':24}{'median ms':>10}{'p95 ms':>8}{'M params':>10}{'G mult-adds':>13}{'Mpixel/s':>10}")
    for name, (run, net, pixels) in cases.items():
        times = measure(run, rounds)
        median, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
        params = sum(p.numel() for p in net.parameters()) / 1e6
        print(
            f"{name:24}{median * 1e3:10.1f}{p95 * 1e3:8.1f}{params:10.1f}{multiply_adds(run):13.2f}{pixels / median / 1e6:10.2f}"
        )


if __name__ == "__main__":
    main()
