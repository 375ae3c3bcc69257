"""A folder of sneaker photos as training samples: sketches and codes made afresh for every one."""

import csv
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from isneaker.design import HEIGHT, WIDTH
from isneaker.languages import LANGUAGES
from isneaker.nets.style import STYLE_HEIGHT, STYLE_WIDTH
from isneaker.strokes import draw
from train.sketches import LEVELS, Lines, imagine, lines_of


class Sneakers(Dataset):
    """Endless samples; number n is the same sample in every run with the same seed, so a resumed run goes on
    with the data that an uninterrupted one would have seen.

    In training, even samples are pairs: sketch and code come from one photo, which is the target. Odd samples get
    another photo's code and have no target.
    """

    def __init__(self, folder: Path, cache: Path, split: str = "train", seed: int = 0):
        with open(folder / "metadata.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        prepare(folder, rows, cache)
        self.photos = np.load(cache / "photos.npy", mmap_mode="r")
        self.lines = StoredLines(cache / "lines.npz")
        self.index = np.array([i for i, row in enumerate(rows) if row["split"] == split])
        self.languages = np.array([LANGUAGES.index(row["language"]) for row in rows])
        self.seed = seed

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        """Sample n -> target [3,H,W] uint8, ink [1,H,W] uint8, fidelity, style [3,96,128] uint8, language."""
        epoch, position = divmod(n, len(self.index))
        i = self.index[np.random.default_rng((self.seed, epoch)).permutation(len(self.index))[position]]
        rng = np.random.default_rng((self.seed, epoch, position))
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

    def __init__(self, folder: Path, cache: Path, split: str = "train", seed: int = 0, subset: str = ""):
        super().__init__(folder, cache, split, seed)
        if subset:
            kept = set(Path(subset).read_text().split())
            with open(folder / "metadata.csv", newline="") as file:
                names = [row["file_name"] for row in csv.DictReader(file)]
            self.index = np.array([i for i in self.index if names[i] in kept])

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        """Sample n -> photo [3,H,W] uint8, language."""
        epoch, position = divmod(n, len(self.index))
        i = self.index[np.random.default_rng((self.seed, epoch)).permutation(len(self.index))[position]]
        return {
            "photo": torch.from_numpy(np.array(self.photos[i])).permute(2, 0, 1),
            "language": torch.tensor(self.languages[i]),
        }


def prepare(folder: Path, rows: list[dict], cache: Path) -> None:
    """Decode the photos and trace the edge maps once, into `cache`."""
    if (cache / "lines.npz").exists():
        return
    cache.mkdir(parents=True, exist_ok=True)
    photos = np.lib.format.open_memmap(cache / "photos.npy", "w+", np.uint8, (len(rows), HEIGHT, WIDTH, 3))
    jobs = [(folder / row["file_name"], folder / row["edges"]) for row in rows]
    with Pool() as pool:
        for i, (photo, lines) in enumerate(pool.imap(_read, jobs, chunksize=16)):
            photos[i] = photo
            jobs[i] = lines
            print(f"\rpreparing {i + 1}/{len(rows)}", end="", flush=True)
    print()
    photos.flush()
    StoredLines.save(cache / "lines.npz", jobs)


def _read(paths: tuple[Path, Path]) -> tuple[np.ndarray, Lines]:
    photo = np.asarray(Image.open(paths[0]).convert("RGB"))
    return photo, lines_of(np.asarray(Image.open(paths[1]).convert("L")), photo)


class StoredLines:
    """The `Lines` of all photos as flat arrays in one file."""

    def __init__(self, path: Path):
        with np.load(path) as arrays:
            self.points, self.ends, self.owners = arrays["points"], arrays["ends"], arrays["owners"]
            self.strengths = arrays["strengths"]
        photos = self.owners // (len(LEVELS) + 1)
        self.starts = np.searchsorted(photos, np.arange(photos[-1] + 2))

    def __getitem__(self, i: int) -> Lines:
        groups: list[list] = [[] for _ in range(len(LEVELS) + 1)]
        strengths: list[list] = [[] for _ in groups]
        for s in range(self.starts[i], self.starts[i + 1]):
            group = self.owners[s] % len(groups)
            start = self.ends[s - 1] if s else 0
            groups[group].append(self.points[start : self.ends[s]].astype(np.float64))
            strengths[group].append(self.strengths[s])
        return Lines(groups[:-1], [np.array(s) for s in strengths[:-1]], groups[-1][0])

    @staticmethod
    def save(path: Path, photos: list[Lines]) -> None:
        strokes, owners, strengths = [], [], []
        for i, lines in enumerate(photos):
            for group, (level, strength) in enumerate(
                zip([*lines.levels, [lines.outline]], [*lines.strengths, np.zeros(1)])
            ):
                strokes += level
                strengths += strength.tolist()
                owners += [i * (len(LEVELS) + 1) + group] * len(level)
        np.savez(
            path,
            points=np.concatenate(strokes).round().astype(np.int16),
            ends=np.cumsum([len(s) for s in strokes]),
            owners=np.array(owners),
            strengths=np.array(strengths, np.float32),
        )


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
