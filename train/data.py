"""A folder of sneaker photos as training samples: sketches and codes made afresh for every one."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from isneaker.languages import LANGUAGES
from isneaker.nets.style import STYLE_HEIGHT, STYLE_WIDTH
from isneaker.strokes import draw
from train import procedural, remote
from train.cache import DataError, opened, read_rows
from train.sketches import imagine


def locate(data: str, caches: Path) -> Path:
    """The folder that a `--data` option means: "procedural" is drawn into `caches`, once; USER/NAME or USER/NAME@REVISION is
    a data set on the Hub. Raises DataError."""
    if data == "procedural":
        return procedural.dataset(caches / data)
    return remote.fetch(data, caches) if remote.is_name(data) else Path(data).resolve()


def draw_sample(index: np.ndarray, seed: int, n: int) -> tuple[int, np.random.Generator]:
    """Sample n of an endless stream over `index`, anew shuffled each time round -> what is drawn, and its generator."""
    epoch, position = divmod(n, len(index))
    i = index[np.random.default_rng((seed, epoch)).permutation(len(index))[position]]
    return i, np.random.default_rng((seed, epoch, position))


class Sneakers(Dataset):
    """Endless samples; number n is the same sample in every run with the same seed, so a resumed run goes on
    with the data that an uninterrupted one would have seen.

    In training, even samples are pairs: sketch and code come from one photo, which is the target. Odd samples get
    another photo's code and have no target.
    """

    def __init__(self, folder: Path, caches: Path, split: str = "train", seed: int = 0):
        rows, pictures = read_rows(folder), opened(folder, caches)
        self.photos, self.lines = pictures.photos, pictures.lines
        of_split = [row["split"] == split for row in rows]
        self.index = np.flatnonzero(pictures.usable & of_split)
        if not len(self.index):
            raise DataError(f"{folder} has no readable pictures in its {split} split")
        self.languages = np.array([LANGUAGES.index(row["language"]) for row in rows])
        self.seed = seed

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        """Sample n -> target [3,H,W] uint8, ink [1,H,W] uint8, fidelity, style [3,96,128] uint8, language."""
        i, rng = draw_sample(self.index, self.seed, n)
        photo = self.photos[i]
        strokes, fidelity = imagine(self.lines[i], rng)
        return {
            "target": torch.from_numpy(np.array(photo)).permute(2, 0, 1),
            "ink": torch.from_numpy(np.array(draw(strokes)))[None],
            "fidelity": torch.tensor(fidelity),
            "style": torch.from_numpy(style_view(photo, rng)).permute(2, 0, 1),
            "language": torch.tensor(self.languages[i]),
        }


class Photos(Sneakers):
    """Endless samples of the photos alone, in the same manner; `subset` names a file with the file names to keep."""

    def __init__(self, folder: Path, caches: Path, split: str = "train", seed: int = 0, subset: str = ""):
        super().__init__(folder, caches, split, seed)
        if subset:
            kept = set(Path(subset).read_text().split())
            names = [row["file_name"] for row in read_rows(folder)]
            self.index = np.array([i for i in self.index if names[i] in kept])

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        """Sample n -> photo [3,H,W] uint8, language."""
        i, _ = draw_sample(self.index, self.seed, n)
        return {
            "photo": torch.from_numpy(np.array(self.photos[i])).permute(2, 0, 1),
            "language": torch.tensor(self.languages[i]),
        }


def style_view(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What the style encoder sees in training: flipped, cropped, stretched and tilted, so that shape does not
    leak into the code. [H,W,3] -> [96,128,3] uint8."""
    picture = Image.fromarray(photo).resize((STYLE_WIDTH, STYLE_HEIGHT), Image.Resampling.BOX, reducing_gap=2.0)
    angle, flip = np.radians(rng.uniform(-8, 8)), rng.choice((-1, 1))
    scale = rng.uniform(0.75, 1.15, 2)
    a, b = np.cos(angle) * flip / scale[0], -np.sin(angle) / scale[1]
    d, e = np.sin(angle) * flip / scale[0], np.cos(angle) / scale[1]
    x, y = STYLE_WIDTH / 2 + rng.uniform(-14, 14), STYLE_HEIGHT / 2 + rng.uniform(-8, 8)
    matrix = (a, b, STYLE_WIDTH / 2 - a * x - b * y, d, e, STYLE_HEIGHT / 2 - d * x - e * y)
    return np.array(
        picture.transform(picture.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor="white")
    )
