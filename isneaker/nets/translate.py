"""The translate model as one module: pictures of one kind to pictures of another, whatever it was trained on."""

import torch
from torch import nn

from isneaker.nets.style import CodeBank
from isneaker.nets.unet import SketchUNet


class TranslateModel(nn.Module):
    """All that lies in a translate model's `model.safetensors`; its arguments are the `config.json` beside it.

    examples [K,height,width] and palettes [K,16,3], uint8: held-out pictures in few colours, to try it on.
    """

    def __init__(
        self,
        ngf: int = 48,
        z_dim: int = 8,
        width: int = 256,
        height: int = 256,
        num_codes: int = 0,
        num_examples: int = 0,
    ):
        super().__init__()
        self.size = (width, height)  # of the pictures that it was trained on
        self.unet = SketchUNet(ngf, z_dim, in_channels=3)
        self.styles = CodeBank(num_codes, z_dim)
        self.register_buffer("examples", torch.zeros(num_examples, height, width, dtype=torch.uint8))
        self.register_buffer("palettes", torch.zeros(num_examples, 16, 3, dtype=torch.uint8))

    def forward(self, source: torch.Tensor, seed: int) -> torch.Tensor:
        """Sources [N,3,H,W] in [0, 1], white = 0, and a seed -> pictures [N,3,H,W], white = 1. H and W are multiples of
        64."""
        z = self.styles.draw(seed, {}).to(source.device).expand(len(source), -1)
        return self.unet(source, source.new_ones(len(source)), z)
