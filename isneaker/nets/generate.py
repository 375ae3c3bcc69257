"""The generate model as one module: seeds and languages to photos that do not exist; photos to w."""

import torch
from torch import nn

from isneaker.nets.encoder import PhotoEncoder
from isneaker.nets.style import CodeBank
from isneaker.nets.stylegan2 import Synthesis

NEIGHBOURS = 16  # of a stored w, from which its partners are drawn
PARTNERS = 3


class GenerateModel(nn.Module):
    """All that lies in a generate model's `model.safetensors`; its arguments are the `config.json` beside it."""

    def __init__(self, w_dim: int = 256, nef: int = 48, channels: tuple[int, ...] | None = None, num_codes: int = 0):
        super().__init__()
        self.synthesis = Synthesis(w_dim, tuple(channels)) if channels else Synthesis(w_dim)
        self.encoder = PhotoEncoder(w_dim, nef)
        self.bank = WBank(num_codes, w_dim)


class WBank(CodeBank):
    """The w of the training photos: a design language is a density over w, drawn by seed.

    A draw lies between a stored w and some of its neighbours of the same language, with noise: near enough to what
    the synthesis network knows, and no copy of anything.
    """

    scale = 8  # w's first principal components reach about +-15
    noise = 0.1

    def draw(self, seed: int, mix: dict[int, float], psi: float = 1.0) -> torch.Tensor:
        """Seed, weights of languages (none: the data's own mix) and truncation in [0, 1] -> w [1,w_dim].

        A mix is the weighted sum of each language's draw for this seed, so it is continuous in the weights; psi 0 is
        the mean of the languages (arXiv 1812.04948).
        """
        generator = torch.Generator().manual_seed(seed)
        place, shares = torch.rand((), generator=generator).item(), torch.rand(PARTNERS + 1, generator=generator)
        ranks = torch.randint(1, NEIGHBOURS, (PARTNERS,), generator=generator)
        noise = self.noise * torch.randn(1, self.codes.shape[1], generator=generator)
        w = psi * noise
        for language, weight in (mix or {-1: 1.0}).items():
            stored, average = self._of(language), self._average(language)
            near = torch.cdist(stored[[int(place * len(stored))]], stored)[0].argsort()[:NEIGHBOURS]
            chosen = stored[near[torch.cat([torch.zeros(1, dtype=torch.int64), ranks % len(near)])]]
            between = (shares / shares.sum()) @ chosen
            w = w + weight * (average + psi * (between - average))
        return w

    def _of(self, language: int) -> torch.Tensor:
        """The stored w [K,w_dim] of a language, -1 for all."""
        start, end = self.share(language)
        return self.codes[start:end].float() / self.scale

    def _average(self, language: int) -> torch.Tensor:
        """w_avg of a language, [w_dim]."""
        return self._of(language).mean(0)
