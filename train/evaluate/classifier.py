"""Which design language a picture speaks, in the eyes of a classifier that saw photos alone."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from isneaker.design import Design
from isneaker.languages import LANGUAGES
from isneaker.render import render_all
from train.cache import cache_of
from train.data import Sneakers
from train.evaluate import metrics
from train.features import Features

PER_LANGUAGE = 700  # training photos that the classifier sees of a language, at most


class LanguageClassifier:
    """Which design language a picture speaks: logistic regression on frozen features at half size, each language weighing
    the same. Trained on photos alone; no restyled picture, code or weight of ours goes into it."""

    def __init__(self, data: Path, caches: Path):
        self.net = Features()
        x, y = self._training_set(data, caches)
        self.mean, self.scale = x.mean(0), x.std(0) + 1e-3
        self.weight = torch.zeros(x.shape[1] + 1, len(LANGUAGES), requires_grad=True)
        counts = torch.bincount(y, minlength=len(LANGUAGES)).clamp_min(1)
        optimizer = torch.optim.LBFGS([self.weight], max_iter=100, line_search_fn="strong_wolfe")
        x = self._ready(x)

        def loss() -> torch.Tensor:
            optimizer.zero_grad()
            fit = F.cross_entropy(x @ self.weight, y, 1 / counts) + 2e-3 * self.weight.square().sum() / 2
            fit.backward()
            return fit

        optimizer.step(loss)

    def _training_set(self, data: Path, caches: Path) -> tuple[torch.Tensor, torch.Tensor]:
        """Features [N,1280] and languages [N] of training photos, computed once."""
        path = caches / f"{cache_of(data, caches).name}.languages.npz"
        if not path.exists():
            sneakers, rng = Sneakers(data, caches), np.random.default_rng(0)
            languages = sneakers.languages[sneakers.index]
            chosen = [rng.permutation(sneakers.index[languages == i])[:PER_LANGUAGE] for i in range(len(LANGUAGES))]
            index = np.concatenate(chosen)
            parts = np.split(index, range(32, len(index), 32))  # decoded, all of them would fill the memory
            x = [self.features([Image.fromarray(sneakers.photos[i]) for i in part]) for part in parts]
            np.savez(path, x=np.concatenate(x), y=sneakers.languages[index])
        with np.load(path) as arrays:
            return torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"])

    def features(self, pictures: list[Image.Image]) -> np.ndarray:
        """RGB pictures 512x384 -> [N,1280] float32."""
        return metrics.features_of([picture.reduce(2) for picture in pictures], self.net).astype(np.float32)

    def _ready(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([(x - self.mean) / self.scale, torch.ones(len(x), 1)], 1)

    @torch.no_grad()
    def __call__(self, pictures: list[Image.Image]) -> np.ndarray:
        """RGB pictures 512x384 -> probability of each language [N,10]."""
        return torch.softmax(self._ready(torch.from_numpy(self.features(pictures))) @ self.weight, 1).numpy()

    def share(self, pictures: list[Image.Image], language: str) -> float:
        """Share of the pictures that are given to a language."""
        return float((self(pictures).argmax(1) == LANGUAGES.index(language)).mean())


def languages_kept(designs: list[Design], data: Path) -> dict[str, float]:
    """Mean share over the languages, but for "other", in which pictures of designs are called what they were asked for,
    and the same of held-out photos."""
    classify, names = LanguageClassifier(data, Path("runs/cache")), [name for name in LANGUAGES if name != "other"]
    with open(data / "metadata.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "validation"]
    photos = {n: [data / row["file_name"] for row in rows if row["language"] == n][: len(designs)] for n in names}
    shares = [
        classify.share(render_all([replace(design, languages=((name, 100),)) for design in designs]), name)
        for name in names
    ]
    of_photos = [classify.share([Image.open(path).convert("RGB") for path in photos[n]], n) for n in names if photos[n]]
    return {"language_share": float(np.mean(shares)), "language_share_photos": float(np.mean(of_photos))}
