"""A data folder as training reads it: decoded photos and traced lines, made once, in a folder of their own."""

import csv
import functools
import io
import os
import shutil
import sys
import zlib
from collections.abc import Callable
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
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        hint = "`python -m train.prepare` makes one from a folder of photos"
        raise DataError(f"{folder} has no metadata.csv; {hint}") from None
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    if not rows:
        raise DataError(f"{folder}/metadata.csv lists no pictures")
    missing = [column for column in COLUMNS if column not in rows[0]]
    if missing:
        raise DataError(f"{folder}/metadata.csv has no column {missing[0]}")
    unknown = {row["language"] for row in rows} - set(LANGUAGES)
    if unknown:
        known = ", ".join(LANGUAGES)
        raise DataError(f"{folder}/metadata.csv has an unknown language, {sorted(unknown)[0]}; known are {known}")
    return rows


def decoded_bytes(pictures: int) -> int:
    """What `cached` takes on the disk, at most."""
    return pictures * (WIDTH * HEIGHT * 3 + 40_000)


def free_bytes(folder: Path) -> int:
    """Room on the disk of a folder that need not be there yet."""
    return shutil.disk_usage(next(parent for parent in (folder, *folder.resolve().parents) if parent.exists())).free


class Decoded:
    """Photos [H,W,3] uint8 and lines by number, decoded once. Pictures that can't be read are listed on standard error and
    in `skipped.txt`."""

    def __init__(self, folder: Path, caches: Path):
        cache = cached(folder, caches)
        self.photos, self.lines = np.load(cache / "photos.npy", mmap_mode="r"), StoredLines(cache / "lines.npz")
        self.usable = np.load(cache / "usable.npy")


class Streamed:
    """The same, read when they are asked for: for data that are larger than the disk. What can't be read is white."""

    def __init__(self, folder: Path, rows: list[dict]):
        self.folder, self.rows = folder, rows
        self.photos, self.lines = By(self.photo), By(self.lines_of)
        self.usable = np.ones(len(rows), bool)
        self._last: list = []  # photo and lines of one sample are asked for one after the other

    def lines_of(self, i: int) -> Lines:
        """The lines of one photo."""
        return self._read(int(i))[1]

    def photo(self, i: int | np.ndarray) -> np.ndarray:
        """One photo [H,W,3], or several [N,H,W,3]."""
        return np.stack([self._read(k)[0] for k in i]) if np.ndim(i) else self._read(int(i))[0]

    def _read(self, i: int) -> tuple[np.ndarray, Lines]:
        if not self._last or self._last[0] != i:
            photo, lines, reason = _read(self.folder, self.rows[i])
            self._last = [i, photo, _as_stored(lines)]
            if reason:
                print(f"skipped {self.rows[i]['file_name']}: {reason}", file=sys.stderr)
        return self._last[1:]


def _as_stored(lines: Lines) -> Lines:
    """Lines on whole pixels."""
    levels = [[stroke.round().astype(np.float64) for stroke in level] for level in lines.levels]
    strengths = [each.astype(np.float32) for each in lines.strengths]
    return Lines(levels, strengths, lines.outline.round().astype(np.float64))


class By:
    """`By(f)[i]` is `f(i)`."""

    def __init__(self, get: Callable):
        self.get = get

    def __getitem__(self, i):
        return self.get(i)


def opened(folder: Path, caches: Path) -> Decoded | Streamed:
    """A folder's pictures: decoded once if they fit on the disk. Raises DataError."""
    rows = read_rows(folder)
    fits = cache_of(folder, caches).exists() or decoded_bytes(len(rows)) < free_bytes(caches)
    return Decoded(folder, caches) if fits else Streamed(folder, rows)


def made_once(folder: Path, fill: Callable[[Path], None]) -> Path:
    """A folder that `fill` makes if it is not there; others see it whole or not at all."""
    if not folder.exists():
        partial = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.rmtree(partial, ignore_errors=True)
        fill(partial)
        try:
            partial.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(partial)
    return folder


def cache_of(folder: Path, caches: Path) -> Path:
    """Where in `caches` the decoded data of a folder lie; another metadata.csv is another place."""
    return caches / f"{folder.name}-{zlib.crc32((folder / 'metadata.csv').read_bytes()):08x}"


def cached(folder: Path, caches: Path) -> Path:
    """The `cache_of` a folder, filled. Raises DataError."""
    rows, cache = read_rows(folder), cache_of(folder, caches)
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
        results = pool.imap(functools.partial(_read, folder), rows, chunksize=16)
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


def _read(folder: Path, row: dict[str, str]) -> tuple[np.ndarray, Lines, str]:
    """A photo, its lines, and why they are nothing but white if they are."""
    reason = ""
    try:
        photo, edges = (Image.open(io.BytesIO((folder / row[key]).read_bytes())) for key in ("file_name", "edges"))
        photo, edges = photo.convert("RGB"), edges.convert("L")
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
