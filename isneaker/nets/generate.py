"""The generate model as one module: seeds and languages to photos that do not exist; photos to w."""

from functools import lru_cache

import torch
from torch import nn

from isneaker.nets.encoder import PhotoEncoder
from isneaker.nets.style import CodeBank
from isneaker.nets.stylegan2 import Synthesis

NEIGHBOURS = 16  # of a stored w, from which its partner is drawn
BEYOND = 1.3  # times where 98 of 100 photos lie along a direction
SHAPE_LAYERS = 4  # the first ones, up to 32x24; the others decide colour and material


class GenerateModel(nn.Module):
    """All that lies in a generate model's `model.safetensors`; its arguments are the `config.json` beside it."""

    def __init__(self, w_dim: int = 256, ngf: int = 40, nef: int = 48, num_codes: int = 0):
        super().__init__()
        self.synthesis = Synthesis(w_dim, ngf)
        self.encoder = PhotoEncoder(w_dim, nef)
        self.bank = WBank(num_codes, w_dim)

    def ws(self, w: torch.Tensor) -> torch.Tensor:
        """w [w_dim], or of shape and look [2,w_dim], or of each layer -> the w of each layer [num_ws,w_dim]."""
        if w.ndim == 2 and len(w) == 2:
            return w[(torch.arange(self.synthesis.num_ws) >= SHAPE_LAYERS).long()]
        return w.expand(self.synthesis.num_ws, -1)


class WBank(CodeBank):
    """The w of the training photos: a design language is a density over w, drawn by seed.

    A draw takes its shape from one place and its look from another. Each lies between a stored w and a neighbour of
    the same language, with noise: near enough to what the synthesis network knows, and no copy of anything.
    """

    scale = 8  # w's first principal components reach about +-15
    noise = 0.1

    def draw(self, seed: int, mix: dict[int, float], psi: float = 1.0) -> torch.Tensor:
        """Seed, weights of languages (none: the data's own mix) and truncation in [0, 1] -> w of shape and look
        [2,w_dim].

        A mix is the weighted sum of each language's draw for this seed, so it is continuous in the weights; psi 0 is
        the mean of the languages (arXiv 1812.04948). Looks are truncated less: their mean is grey.
        """
        generator = torch.Generator().manual_seed(seed)
        places, shares = torch.rand(2, generator=generator).tolist(), torch.rand(2, generator=generator).tolist()
        ranks = torch.randint(1, NEIGHBOURS, (2,), generator=generator).tolist()
        w = self.noise * torch.randn(2, self.codes.shape[1], generator=generator)
        for language, weight in (mix or {-1: 1.0}).items():
            stored = self._of(language)
            drawn = torch.stack([_between(stored, *choice) for choice in zip(places, ranks, shares)])
            w = w + weight * (drawn - stored.mean(0))
        average = sum(weight * self._of(language).mean(0) for language, weight in (mix or {-1: 1.0}).items())
        return average + torch.tensor([[psi], [psi**0.5]]) * w

    def reach(self, direction: torch.Tensor) -> tuple[float, float]:
        """How far the photos' w lie along a direction [w_dim], lowest and highest, in steps of it."""
        places = self._of(-1) @ (direction / direction.square().sum())
        middle = places.mean()
        return tuple((middle + BEYOND * (places.quantile(torch.tensor([0.01, 0.99])) - middle)).tolist())

    @lru_cache(maxsize=16)  # a bank lives as long as the app
    def _of(self, language: int) -> torch.Tensor:
        """The stored w [K,w_dim] of a language, -1 for all."""
        start, end = self.share(language)
        return self.codes[start:end].float() / self.scale


def _between(stored: torch.Tensor, place: float, rank: int, share: float) -> torch.Tensor:
    """The w [w_dim] at a place in [0, 1) of stored ones [K,w_dim], moved by up to half towards its rank-th neighbour."""
    own = stored[int(place * len(stored))]
    near = torch.cdist(own[None], stored)[0].argsort()[:NEIGHBOURS]
    return own + share / 2 * (stored[near[rank % len(near)]] - own)
