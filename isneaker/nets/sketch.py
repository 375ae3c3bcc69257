"""The sketch model as one module: drawings, seeds and languages to photos; photos to style codes."""

from torch import nn

from isneaker.nets.style import CodeBank, StyleEncoder
from isneaker.nets.unet import SketchUNet


class SketchModel(nn.Module):
    """All that lies in a sketch model's `model.safetensors`; its arguments are the `config.json` beside it."""

    def __init__(self, ngf: int = 96, nef: int = 48, z_dim: int = 64, num_codes: int = 0):
        super().__init__()
        self.unet = SketchUNet(ngf, z_dim)
        self.style = StyleEncoder(nef, z_dim)
        self.bank = CodeBank(num_codes, z_dim)
