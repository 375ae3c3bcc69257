"""The generate model as one module: seeds and languages to photos that do not exist; photos to w."""

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from isneaker import entropy
from isneaker.nets import details as grid
from isneaker.nets.details import DetailEncoder
from isneaker.nets.encoder import ENCODED_WIDTH, PhotoEncoder
from isneaker.nets.style import CodeBank
from isneaker.nets.stylegan2 import Synthesis

NEIGHBOURS = 16  # of a stored w, from which its partner is drawn
BEYOND = 1.3  # times where 98 of 100 photos lie along a direction
SHAPE_LAYERS = 4  # the first ones, up to 32x24; the others decide colour and material
MATES = 0.01  # of a language's photos, those most like a shape in outline, from which its look is drawn
TOWARDS = 0.7  # how far a shape moves towards its look: what contradicts itself comes out as a white patch
ALIKE = 4  # photos most like a drawn shape, two of which give their details
FAINT = 0.2  # how dark a shoe is at least, in a thumbnail
LIMIT = 63  # steps of w in a code, to either side
UNSAID = 0.5  # psi from which on details are as strong as a photo's


class Latent(NamedTuple):
    """What the synthesis network makes a sneaker of: w of shape and look [2,w_dim], or one for both [1,w_dim], or one
    for each layer [num_ws,w_dim]; details [4,12,16], 0 where nothing is said."""

    w: torch.Tensor
    details: torch.Tensor


class GenerateModel(nn.Module):
    """All that lies in a generate model's `model.safetensors`; its arguments are the `config.json` beside it."""

    def __init__(self, w_dim: int = 256, ngf: int = 40, nef: int = 48, num_codes: int = 0):
        super().__init__()
        self.synthesis = Synthesis(w_dim, ngf)
        self.encoder = PhotoEncoder(w_dim, nef)
        self.detail_encoder = DetailEncoder(nef)
        self.bank = WBank(num_codes, w_dim)

    def ws(self, w: torch.Tensor) -> torch.Tensor:
        """w of shape and look [2,w_dim], of all [1,w_dim], or of each layer -> the w of each layer [num_ws,w_dim]."""
        if len(w) == 2:
            return w[(torch.arange(self.synthesis.num_ws) >= SHAPE_LAYERS).long()]
        return w.expand(self.synthesis.num_ws, -1)

    def encode(self, photos: torch.Tensor) -> list[Latent]:
        """Photos [N,3,384,512] in [-1, 1] -> what brings each back."""
        w = self.encoder(F.avg_pool2d(photos, photos.shape[3] // ENCODED_WIDTH))
        seen = F.avg_pool2d(photos, photos.shape[3] // grid.READ_WIDTH)
        details = grid.quantise(self.detail_encoder(seen, self.synthesis.thumbnail.colours(w)))
        return [Latent(each[None], said) for each, said in zip(w, details)]

    @torch.no_grad()
    def draw(self, seed: int, mix: dict[int, float], psi: float = 1.0) -> Latent:
        """A sneaker of the bank's (see `WBank.draw`)."""
        return self.bank.draw(seed, mix, psi, self._mates)

    def _mates(self, shape: torch.Tensor, language: int) -> torch.Tensor:
        """The numbers, among a language's photos, of those most like a w [w_dim] in outline."""
        start, end = self.bank.share(language)
        count = max(NEIGHBOURS, round(MATES * (end - start)))
        return nearest(self._outline(shape[None]), self._outlines[start:end], count)

    @cached_property
    def _outlines(self) -> torch.Tensor:
        """The outlines of the stored photos."""
        return self._outline(self.bank.w)

    def _outline(self, w: torch.Tensor) -> torch.Tensor:
        """w [K,w_dim] -> where their thumbnails are not white, roughly: [K,192] in [0, 1]."""
        dark = 1 - self.synthesis.thumbnail.colours(w)
        return F.avg_pool2d((dark.amax(1) / FAINT).clamp(0, 1), 2).flatten(1)

    def forward(self, latents: list[Latent], width: int = 512) -> torch.Tensor:
        """Latents -> photos [N,3,3/4 width,width] in about [-1, 1]."""
        ws, details = torch.stack([self.ws(latent.w) for latent in latents]), [latent.details for latent in latents]
        return self.synthesis(ws, torch.stack(details), width)


class WBank(CodeBank):
    """The w and the details of the training photos: a design language is a density over them, drawn by seed.

    A draw takes its shape from one place and its look from another of like outline. Each lies between a stored w and a
    neighbour of the same language, with noise: near enough to what the synthesis network knows, and no copy of
    anything. Its details come from two photos that are like the drawn shape, from one at the heel and from the other at
    the toe.

    details [K,192] uint8, packed.
    """

    scale = 8  # w's first principal components reach about +-15
    link_scale = 2  # in a code; finer steps bring little back, and at 3 some photos take more than 400 characters
    noise = 0.1

    def __init__(self, count: int, w_dim: int):
        super().__init__(count, w_dim)
        self.register_buffer("details", torch.zeros(count, grid.CELLS, dtype=torch.uint8))

    @classmethod
    def of(cls, codes: torch.Tensor, languages: torch.Tensor, details: torch.Tensor) -> "WBank":
        """w [K,w_dim], languages [K] and packed details [K,192] of K photos -> their bank."""
        bank = super().of(codes, languages)
        bank.details = details[torch.argsort(languages, stable=True)]
        return bank

    @property
    def w(self) -> torch.Tensor:
        """The stored w [K,w_dim]."""
        return self.codes.float() / self.scale

    def pack(self, latent: Latent) -> bytes:
        """A latent of one w -> the bytes that a Design keeps of it, entropy-coded: what is usual among the stored photos
        takes little."""
        steps = (latent.w[0] * self.link_scale).round().clamp(-LIMIT, LIMIT).long() + LIMIT
        said = grid.levels(latent.details).flatten().tolist() if latent.details.any() else []
        return entropy.encode(steps.tolist() + said, self._bounds)

    def unpack(self, code: bytes) -> Latent:
        """What `pack` made -> the latent. Raises ValueError where it is not one of this model's."""
        w_dim, details = self.codes.shape[1], grid.nothing()
        try:
            symbols = entropy.decode(code, w_dim, self._bounds)
        except ValueError:
            symbols = entropy.decode(code, w_dim + details.numel(), self._bounds)
            details = grid.values(torch.tensor(symbols[w_dim:]).view_as(details))
        return Latent((torch.tensor(symbols[:w_dim])[None] - LIMIT) / self.link_scale, details)

    def _bounds(self, n: int, symbols: Sequence[int]) -> np.ndarray:
        """The cumulative counts of symbol n of a code: steps of w, then levels of details, which depend on those of the
        cells to the left and above."""
        place = n - self.codes.shape[1]
        if place < 0:
            return self._usual_w[n]
        row, column = divmod(place % grid.CELLS, grid.COLUMNS)
        left = symbols[n - 1] if column else 0
        above = symbols[n - grid.COLUMNS] if row else 0
        return self._usual_details[place, left, above]

    @cached_property
    def _usual_w(self) -> np.ndarray:
        """How often each step of each number of w occurs, and those beside it a little: cumulative [w_dim,steps+1]."""
        steps = (self.w * self.link_scale).round().clamp(-LIMIT, LIMIT).long() + LIMIT
        counts = _count(steps.numpy(), 2 * LIMIT + 1)
        near = sum(weight * np.roll(counts, by, 1) for by, weight in zip(range(-3, 4), (1, 2, 4, 6, 4, 2, 1)))
        return _cumulative(1 + near)

    @cached_property
    def _usual_details(self) -> np.ndarray:
        """How often each level occurs in each place, given those to the left and above: cumulative
        [places,levels,levels,levels+1]."""
        levels = grid.unpack_levels(self.details).numpy()  # [K,4,12,16]
        left, above = np.zeros_like(levels), np.zeros_like(levels)
        left[..., 1:], above[..., 1:, :] = levels[..., :-1], levels[..., :-1, :]
        cases = ((left * grid.LEVELS + above) * grid.LEVELS + levels).reshape(len(levels), -1)  # below 64
        counts = 1 + 2 * _count(cases, grid.LEVELS**3).reshape(-1, *3 * [grid.LEVELS])
        return _cumulative(counts)

    def draw(
        self, seed: int, mix: dict[int, float], psi: float, mates: Callable[[torch.Tensor, int], torch.Tensor]
    ) -> Latent:
        """Seed, weights of languages (none: the data's own mix), truncation in [0, 1], and what tells which photos of a language
        are like a shape -> a sneaker of w for shape and for look.

        A mix is the weighted sum of each language's draw for this seed, so w is continuous in the weights; psi 0 is
        the mean of the languages (arXiv 1812.04948). Looks are truncated less, towards the mean of the shape's mates:
        it is grey. Of the details, each language gives those of as many columns as its weight says.
        """
        generator = torch.Generator().manual_seed(seed)
        places, shares = torch.rand(2, generator=generator).tolist(), torch.rand(2, generator=generator).tolist()
        ranks = torch.randint(1, NEIGHBOURS, (2,), generator=generator).tolist()
        w = torch.tensor([[psi], [psi**0.5]]) * self.noise * torch.randn(2, self.codes.shape[1], generator=generator)
        for language, weight in (mix or {-1: 1.0}).items():
            stored = self._of(language)
            average = stored.mean(0)
            shape = _between(stored, int(places[0] * len(stored)), ranks[0], shares[0])
            like = mates(shape, language)
            look = _between(stored, int(like[int(places[1] * len(like))]), ranks[1], shares[1])
            shape, usual = torch.lerp(shape, look, TOWARDS), stored[like].mean(0)
            drawn = psi * (torch.stack([shape, usual]) - average)
            drawn[1] += psi**0.5 * (look - usual)
            w = w + weight * (average + drawn)
        return Latent(w, min(1.0, psi / UNSAID) * self._details_on(w[0], mix or {-1: 1.0}, generator))

    def _details_on(self, shape: torch.Tensor, mix: dict[int, float], generator: torch.Generator) -> torch.Tensor:
        """Details [4,12,16] for a w [w_dim]: two of the photos that are most like it, one up to a seam and one from there on;
        of each language of a mix as many columns as its weight says."""
        details, start = grid.nothing(), 0.0
        along, seam = torch.arange(grid.COLUMNS) / grid.COLUMNS, float(torch.rand((), generator=generator))
        chosen = torch.randperm(ALIKE, generator=generator)[:2]
        for language, weight in mix.items():
            like = nearest(shape[None], self._of(language), ALIKE)
            heel, toe = grid.unpack(self.details[self.share(language)[0] + like[chosen % len(like)]])
            mine = (along >= start) & (along < start + weight)
            details = torch.where(mine, torch.where(along < seam, heel, toe), details)
            start += weight
        return details

    def reach(self, direction: torch.Tensor) -> tuple[float, float]:
        """How far the photos' w lie along a direction [w_dim], lowest and highest, in steps of it."""
        places = self._of(-1) @ (direction / direction.square().sum())
        middle = places.mean()
        return tuple((middle + BEYOND * (places.quantile(torch.tensor([0.01, 0.99])) - middle)).tolist())

    @lru_cache(maxsize=16)  # a bank lives as long as the app
    def _of(self, language: int) -> torch.Tensor:
        """The stored w [K,w_dim] of a language, -1 for all."""
        start, end = self.share(language)
        return self.w[start:end]

    def photos(self, every: int) -> list[Latent]:
        """The latents of every so-manieth stored photo."""
        return [Latent(w[None], grid.unpack(said)) for w, said in zip(self.w[::every], self.details[::every])]


def _between(stored: torch.Tensor, number: int, rank: int, share: float) -> torch.Tensor:
    """One of the stored w [K,w_dim], moved by up to half towards its rank-th neighbour."""
    own = stored[number]
    near = nearest(own[None], stored, NEIGHBOURS)
    return own + share / 2 * (stored[near[rank % len(near)]] - own)


def nearest(x: torch.Tensor, stored: torch.Tensor, count: int) -> torch.Tensor:
    """The numbers of those `count` of the stored vectors [K,D] that are nearest to x [1,D], nearest first; no more than K."""
    return (stored - x).square().sum(1).topk(min(count, len(stored)), largest=False).indices


def _count(cases: np.ndarray, kinds: int) -> np.ndarray:
    """Cases [K,places], numbers below `kinds`, -> how many of each kind in each place [places,kinds]."""
    places = cases.shape[1]
    return np.bincount((cases + kinds * np.arange(places)).ravel(), minlength=places * kinds).reshape(places, kinds)


def _cumulative(counts: np.ndarray) -> np.ndarray:
    """Counts [...,K] -> their sums from the left [...,K+1], from 0 on."""
    return np.concatenate([np.zeros_like(counts[..., :1]), counts.cumsum(-1)], -1)
