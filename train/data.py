"""A folder of sneaker photos as training samples: sketches, hints and codes made afresh for every one."""

import csv
from collections.abc import Callable
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.utils.data import Dataset

from isneaker.design import HEIGHT, WIDTH
from isneaker.languages import LANGUAGES
from isneaker.nets.style import STYLE_HEIGHT, STYLE_WIDTH
from isneaker.strokes import draw
from train.sketches import LEVELS, Lines, imagine, lines_of

CELL = 8  # pixels of the canvas to a cell of the colour hints


class Sneakers(Dataset):
    """Endless samples; number n is the same sample in every run with the same seed, so a resumed run goes on
    with the data that an uninterrupted one would have seen.

    Even samples are pairs: sketch and code come from one photo, which is the target, sometimes recoloured
    to make the hints count. Odd samples get another photo's code and have no target.
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
        """Sample n -> target [3,H,W] uint8, ink [1,H,W] uint8, hints [4,H/8,W/8] in [-1, 1], fidelity,
        style [3,96,128] uint8, language, natural (0 where the target was recoloured)."""
        epoch, position = divmod(n, len(self.index))
        i = self.index[np.random.default_rng((self.seed, epoch)).permutation(len(self.index))[position]]
        rng = np.random.default_rng((self.seed, epoch, position))
        photo, lines = self.photos[i], self.lines[i]
        target, hints, natural = photo, np.zeros((HEIGHT // CELL, WIDTH // CELL, 4), np.float32), 1.0
        mask = _inside(lines.outline)
        hinted = mask.any() and rng.random() < 0.45
        if hinted:
            where = mask  # scribble where the colours were exchanged: they can't be known otherwise
            if n % 2 == 0 and rng.random() < 0.4:
                target, changed = recolour(photo, mask, rng)
                where, natural = (changed, 0.0) if changed.any() else (mask, 1.0)
        strokes, fidelity, move = imagine(lines, rng)
        if hinted:
            hints = scribble(target, where, move, rng)
        return {
            "target": torch.from_numpy(np.array(target)).permute(2, 0, 1),
            "ink": torch.from_numpy(np.array(draw(strokes)))[None],
            "hints": torch.from_numpy(hints).permute(2, 0, 1),
            "fidelity": torch.tensor(fidelity),
            "style": torch.from_numpy(style_view(photo, rng)).permute(2, 0, 1),
            "language": torch.tensor(self.languages[i]),
            "natural": torch.tensor(natural),
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


def recolour(photo: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Exchange one or two colours of the shoe: all that is near the colour of a random spot moves to a new one.
    -> the new photo, and where it changed [H,W] of bool."""
    picture = photo.astype(np.float32)
    inside = np.argwhere(mask)
    for _ in range(rng.integers(1, 3)):
        y, x = inside[rng.integers(len(inside))]
        old = np.median(picture[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4].reshape(-1, 3), axis=0)
        near = np.exp(-np.square(picture - old).sum(2) / (2 * rng.uniform(30, 60) ** 2)) * mask
        picture += near[..., None] * (_random_colour(rng) - old)
    picture = picture.clip(0, 255).astype(np.uint8)
    return picture, np.abs(picture.astype(int) - photo).max(2) > 25


def _random_colour(rng: np.random.Generator) -> np.ndarray:
    """A colour as people pick them: strong ones often, whites and blacks too."""
    hue, saturation, value = rng.random(), rng.random() ** 0.7, rng.random() ** 0.6
    wheel = np.clip(np.abs((hue * 6 + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    return 255 * value * (1 - saturation * (1 - wheel))


def scribble(photo: np.ndarray, mask: np.ndarray, move: Callable, rng: np.random.Generator) -> np.ndarray:
    """Colour hints for a photo: a few strokes of local colour, sometimes all of it, moved with the sketch
    -> [H/8,W/8,4], colour in [-1, 1] x mask and mask."""
    rows, columns = HEIGHT // CELL, WIDTH // CELL
    small = np.asarray(Image.fromarray(photo).reduce(CELL), np.float32) / 127.5 - 1
    shoe = mask[CELL // 2 :: CELL, CELL // 2 :: CELL]
    hints = np.zeros((rows, columns, 4), np.float32)

    def put(cells: np.ndarray, colours: np.ndarray) -> None:
        x, y = (move(np.argwhere(cells)[:, ::-1] * CELL + CELL / 2) // CELL).astype(int).T
        seen = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
        hints[y[seen], x[seen], :3] = colours[seen]
        hints[y[seen], x[seen], 3] = 1

    if rng.random() < 0.12:
        kept = shoe & (rng.random((rows, columns)) < rng.uniform(0.3, 1))
        put(kept, small[kept])
        return hints
    inside = np.argwhere(shoe)
    for _ in range(rng.integers(1, 9) if len(inside) else 0):
        start = inside[rng.integers(len(inside))]
        end = start + rng.normal(0, (2.5, 7))
        canvas = Image.new("1", (columns, rows))
        ImageDraw.Draw(canvas).line([*start[::-1].tolist(), *end[::-1].tolist()], fill=1, width=int(rng.integers(1, 5)))
        near = np.abs(small - small[start[0], start[1]]).max(2) < 0.3  # stays on one material
        stroke = np.asarray(canvas) & shoe & near
        if not stroke.any():
            continue
        put(stroke, np.broadcast_to(np.median(small[stroke], axis=0), (stroke.sum(), 3)))
    return hints


def _inside(outline: np.ndarray) -> np.ndarray:
    """Closed polyline -> mask [H,W] of bool."""
    canvas = Image.new("1", (WIDTH, HEIGHT))
    if len(outline) > 2:
        ImageDraw.Draw(canvas).polygon([tuple(p) for p in outline.tolist()], fill=1)
    return np.asarray(canvas)
