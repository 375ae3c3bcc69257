"""The generate model as one module: seeds and languages to photos that do not exist; photos to w."""

from collections.abc import Sequence
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
STRIPS = 12  # from heel to toe, in each of which the height of an outline is known
FAINT = 0.1  # how dark a shoe is at least
LIMIT = 63  # steps of w in a code, to either side
MILD = 0.5  # power of psi that is left of a sneaker's difference from the mean: what lies half-way is dull
UNUSUAL = 0.15  # share of a language's photos that psi 0 would leave out of a draw
TRIES, HASH = 8, 997  # to find one that is not left out; from one place to the next
EXACT = "donot_use_mm_for_euclid_dist"  # machines agree on which of two stored vectors is nearer
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
    def look(self, latent: Latent, psi: float, seed: int) -> Latent:
        """The w of a sneaker whose look goes with a latent's shape (see `WBank.look`), for its later layers."""
        tops = tops_of(self([latent], 128))[0]
        return Latent(self.bank.look(tops, -1, psi, torch.Generator().manual_seed(seed))[None], grid.nothing())

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

    details [K,192] uint8, packed; tops [K,12] uint8, the outlines, as `tops_of` has them, times 255.
    """

    scale = 8  # w's first principal components reach about +-15
    link_scale = 2  # in a code; finer steps bring little back, and at 3 some photos take more than 400 characters
    noise = 0.1

    def __init__(self, count: int, w_dim: int):
        super().__init__(count, w_dim)
        self.register_buffer("details", torch.zeros(count, grid.CELLS, dtype=torch.uint8))
        self.register_buffer("tops", torch.zeros(count, STRIPS, dtype=torch.uint8))

    @classmethod
    def of(cls, codes: torch.Tensor, languages: torch.Tensor, details: torch.Tensor, tops: torch.Tensor) -> "WBank":
        """w [K,w_dim], languages [K], packed details [K,192] and tops [K,12] of K photos -> their bank: of each language the
        usual ones first, those with neighbours close by."""
        apart = torch.cat([_apart(codes, languages, part) for part in torch.arange(len(codes)).split(64)])
        usual = torch.argsort(apart)
        codes, languages, details, tops = (each[usual] for each in (codes, languages, details, tops))
        bank, order = super().of(codes, languages), torch.argsort(languages, stable=True)
        bank.details, bank.tops = details[order], (255 * tops[order]).round().byte()
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

    def draw(self, seed: int, mix: dict[int, float], psi: float = 1.0) -> Latent:
        """Seed, weights of languages (none: the data's own mix) and truncation in [0, 1] -> a sneaker of w for shape and for
        look.

        A mix is the weighted sum of each language's draw for this seed, so w is continuous in the weights; psi 0 is
        the mean of the languages (arXiv 1812.04948), which is grey. Of the details, each language gives those of as
        many columns as its weight says.
        """
        generator = torch.Generator().manual_seed(seed)
        noise = self.noise * torch.randn(2, self.codes.shape[1], generator=generator)
        kept, w, state = psi**MILD, torch.zeros(2, self.codes.shape[1]), generator.get_state()
        for language, weight in (mix or {-1: 1.0}).items():
            generator.set_state(state)
            average = self._of(language).mean(0)
            shape, tops = self._between(language, torch.arange(len(self._of(language))), psi, generator)
            look = self.look(tops, language, psi, generator)
            shape = torch.lerp(shape, look, TOWARDS)
            w = w + weight * torch.lerp(average, torch.stack([shape, look]), kept)
        w = w + kept * noise
        return Latent(w, min(1.0, psi / UNSAID) * self._details_on(w[0], mix or {-1: 1.0}, generator))

    def look(self, tops: torch.Tensor, language: int, psi: float, generator: torch.Generator) -> torch.Tensor:
        """An outline [12], a language and how unusual it may be -> a look [w_dim] drawn from the outline's mates, the photos
        most like it."""
        count = max(NEIGHBOURS, round(MATES * len(self._of(language))))
        return self._between(language, nearest(tops[None], self._tops_of(language), count), psi, generator)[0]

    def _choose(self, language: int, numbers: torch.Tensor, place: float, psi: float) -> int:
        """The one at a place in [0, 1) of some numbers of a language's photos; where that is too unusual for psi, another. So
        most sneakers of a seed stay what they are while psi changes."""
        start, _ = self.share(language)
        for _ in range(TRIES):
            chosen = int(numbers[int(place * len(numbers))])
            if self._ranks[start + chosen] <= 1 - (1 - psi) * UNUSUAL:
                break
            place = HASH * place % 1
        return chosen

    @cached_property
    def _ranks(self) -> torch.Tensor:
        """How unusual each stored photo is for its language, [K] in [0, 1]."""
        counts = torch.bincount(self.languages.long())
        return torch.cat([torch.linspace(0, 1, int(count)) for count in counts])

    def _between(
        self, language: int, numbers: torch.Tensor, psi: float, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One of a language's photos of these numbers, moved by up to half towards one of its neighbours: its w [w_dim] and
        its tops [12]."""
        place, share = torch.rand(2, generator=generator).tolist()
        rank = int(torch.randint(1, NEIGHBOURS, (), generator=generator))
        own, stored = self._choose(language, numbers, place, psi), self._of(language)
        near = nearest(stored[own : own + 1], stored, NEIGHBOURS)
        other = near[rank % len(near)]
        return tuple(torch.lerp(each[own], each[other], share / 2) for each in (stored, self._tops_of(language)))

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

    def _tops_of(self, language: int) -> torch.Tensor:
        """The outlines [K,12] of a language, in [0, 1]."""
        start, end = self.share(language)
        return self.tops[start:end] / 255

    def photos(self, every: int) -> list[Latent]:
        """The latents of every so-manieth stored photo."""
        return [Latent(w[None], grid.unpack(said)) for w, said in zip(self.w[::every], self.details[::every])]


def tops_of(photos: torch.Tensor) -> torch.Tensor:
    """Photos [N,3,3/4 W,W] in [-1, 1], W a multiple of 128, -> how high the shoe reaches in each of 12 strips from left to right:
    [N,12] in [0, 1]."""
    dark = F.avg_pool2d(1 - photos, photos.shape[3] // 128).amax(1) > FAINT  # [N,96,128]
    heights = (dark * torch.linspace(1, 1 / 96, 96, device=photos.device)[:, None]).amax(1)
    return F.adaptive_avg_pool1d(heights[:, None], STRIPS)[:, 0]


def _apart(codes: torch.Tensor, languages: torch.Tensor, part: torch.Tensor) -> torch.Tensor:
    """How far the codes of these numbers [N] are from their neighbours of the same language, [N]."""
    distances = torch.cdist(codes[part], codes, compute_mode=EXACT)
    distances[languages[part][:, None] != languages] = torch.inf
    near = distances.sort(1).values[:, : NEIGHBOURS + 1]
    return near.where(near.isfinite(), 0).amax(1)


def nearest(x: torch.Tensor, stored: torch.Tensor, count: int) -> torch.Tensor:
    """The numbers of those `count` of the stored vectors [K,D] that are nearest to x [1,D], nearest first; no more than K."""
    distances = torch.cdist(x, stored, compute_mode=EXACT)[0]
    return distances.topk(min(count, len(stored)), largest=False).indices


def _count(cases: np.ndarray, kinds: int) -> np.ndarray:
    """Cases [K,places], numbers below `kinds`, -> how many of each kind in each place [places,kinds]."""
    places = cases.shape[1]
    return np.bincount((cases + kinds * np.arange(places)).ravel(), minlength=places * kinds).reshape(places, kinds)


def _cumulative(counts: np.ndarray) -> np.ndarray:
    """Counts [...,K] -> their sums from the left [...,K+1], from 0 on."""
    return np.concatenate([np.zeros_like(counts[..., :1]), counts.cumsum(-1)], -1)
