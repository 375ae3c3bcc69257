"""The critics: patches of pixels, and maps of frozen features."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


class PatchDiscriminator(nn.Module):
    """PatchGAN (arXiv 1611.07004) on 4x4 pixel blocks: is this patch a photo, and does it belong to this ink?"""

    def __init__(self, ndf: int = 64, in_channels: int = 1):
        super().__init__()
        self.layers = nn.Sequential(
            spectral_norm(nn.Conv2d(16 * (3 + in_channels) + 1, ndf, 3, padding=1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(ndf, 2 * ndf, 4, stride=2, padding=1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(2 * ndf, 4 * ndf, 4, stride=2, padding=1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(4 * ndf, 1, 3, padding=1)),
        )

    def forward(self, photo: torch.Tensor, ink: torch.Tensor, fidelity: torch.Tensor) -> torch.Tensor:
        """Photos [N,3,H,W] in [-1, 1], ink [N,in_channels,H,W] in [0, 1], fidelity [N] -> logits [N,1,H/16,W/16]."""
        blocks = F.pixel_unshuffle(torch.cat([1 - photo, ink], 1), 4)
        strength = fidelity[:, None, None, None].expand(-1, 1, *blocks.shape[2:])
        return self.layers(torch.cat([blocks, strength], 1))


class PhotoDiscriminator(nn.Module):
    """The critic of patches without a drawing: no normalisation, regularised by R1 instead."""

    def __init__(self, ndf: int = 64):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(16 * 3, ndf, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(ndf, 2 * ndf, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * ndf, 4 * ndf, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(4 * ndf, 1, 3, padding=1),
        )

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        """Photos [N,3,H,W] in [-1, 1] -> logits [N,1,H/16,W/16]."""
        return self.layers(F.pixel_unshuffle(1 - photo, 4))


class FeatureHead(nn.Module):
    """One head of a projected discriminator (arXiv 2111.01007), conditioned on the language by projection
    (arXiv 1802.05637)."""

    def __init__(self, in_channels: int, num_languages: int, ndf: int):
        super().__init__()
        self.reduce = spectral_norm(nn.Conv2d(in_channels, ndf, 1))
        self.conv = spectral_norm(nn.Conv2d(ndf, ndf, 3, padding=1))
        self.logit = spectral_norm(nn.Conv2d(ndf, 1, 1))
        self.embed = nn.Embedding(num_languages, ndf)
        nn.init.zeros_(self.embed.weight)

    def forward(self, features: torch.Tensor, language: torch.Tensor) -> torch.Tensor:
        h = F.leaky_relu(self.reduce(features), 0.2)
        h = F.leaky_relu(self.conv(h), 0.2)
        projection = (h * self.embed(language)[:, :, None, None]).mean(1, keepdim=True)
        return self.logit(h) + projection


class FeatureDiscriminator(nn.Module):
    """Heads on the maps of a frozen network: does the whole look like a sneaker of this language?"""

    def __init__(self, channels: tuple[int, ...], num_languages: int, ndf: int = 64):
        super().__init__()
        self.heads = nn.ModuleList(FeatureHead(c, num_languages, ndf) for c in channels)
        self.register_buffer("scales", torch.ones(len(channels)))

    def forward(self, maps: list[torch.Tensor], language: torch.Tensor) -> list[torch.Tensor]:
        """Feature maps [N,C,h,w] and languages [N] -> one logit map [N,1,h,w] a head."""
        return [head(m, language) for head, m in zip(self.heads, maps)]
