"""A data folder as training reads it: decoded photos and traced lines, made once, in a folder of their own."""

import csv
import os
import shutil
import sys
import zlib
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from isneaker.design import HEIGHT, WIDTH
from isneaker.languages import LANGUAGES
from train.sketches import LEVELS, Lines, lines_of

COLUMNS = ("file_name", "edges", "language", "split")


class DataError(ValueError):
    """The data can't be trained on; the message is one line for whoever started the command."""


def read_rows(folder: Path) -> list[dict[str, str]]:
    """The rows of a data folder's `metadata.csv`. Raises DataError."""
    path = folder / "metadata.csv"
    if not path.is_file():
        raise DataError(f"{folder} has no metadata.csv; `python -m train.prepare` makes one from a folder of photos")
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise DataError(f"{path} lists no pictures")
    missing = [column for column in COLUMNS if column not in rows[0]]
    if missing:
        raise DataError(f"{path} has no column {missing[0]}")
    unknown = {row["language"] for row in rows} - set(LANGUAGES)
    if unknown:
        raise DataError(f"{path} has an unknown language, {sorted(unknown)[0]}; known are {', '.join(LANGUAGES)}")
    return rows


def cached(folder: Path, caches: Path) -> Path:
    """Where in `caches` the decoded data of a folder lie; another metadata.csv is another place. Raises DataError.

    Pictures that can't be read are listed on standard error and in `skipped.txt`.
    """
    rows = read_rows(folder)
    cache = caches / f"{folder.resolve().name}-{zlib.crc32((folder / 'metadata.csv').read_bytes()):08x}"
    if not cache.exists():
        partial = cache.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _decode(folder, rows, partial)
        os.replace(partial, cache)
    return cache


def _decode(folder: Path, rows: list[dict], cache: Path) -> None:
    photos = np.lib.format.open_memmap(cache / "photos.npy", "w+", np.uint8, (len(rows), HEIGHT, WIDTH, 3))
    lines, reasons = [], []
    with Pool() as pool:
        results = pool.imap(_read, [(folder / row["file_name"], folder / row["edges"]) for row in rows], chunksize=16)
        for photo, traced, reason in tqdm(results, "decoding", len(rows), unit="img", mininterval=5):
            photos[len(lines)] = photo
            lines.append(traced)
            reasons.append(reason)
    photos.flush()
    StoredLines.save(cache / "lines.npz", lines)
    np.save(cache / "usable.npy", [not reason for reason in reasons])
    skipped = [f"skipped {row['file_name']}: {reason}\n" for row, reason in zip(rows, reasons) if reason]
    (cache / "skipped.txt").write_text("".join(skipped))
    sys.stderr.writelines(skipped)


def _read(paths: tuple[Path, Path]) -> tuple[np.ndarray, Lines, str]:
    """A photo, its lines, and why they are nothing but white if they are."""
    reason = ""
    try:
        photo, edges = Image.open(paths[0]).convert("RGB"), Image.open(paths[1]).convert("L")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        reason = "can't be read"
    else:
        if {photo.size, edges.size} != {(WIDTH, HEIGHT)}:
            reason = f"picture and edges must be {WIDTH}x{HEIGHT}"
    if reason:
        photo, edges = Image.new("RGB", (WIDTH, HEIGHT), "white"), Image.new("L", (WIDTH, HEIGHT))
    return np.asarray(photo), lines_of(np.asarray(edges), np.asarray(photo)), reason


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
