"""Folders of picture pairs in the layouts of pix2pix, found and decoded for training.

Side by side in one picture, in `train/` and `val/` or `test/` or all in one folder; or in two folders with the same
names: `A/` and `B/` (with `train/` ... inside or not), or `trainA/` and `trainB/` ...
"""

import math
import os
import shutil
import sys
import zlib
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from isneaker.images import PictureError, open_picture
from isneaker.translate import reduce_colours
from train.cache import DataError

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
HELD_OUT = ("val", "validation", "test")
MARGIN = 8  # pictures are kept larger by one part in so many, for crops
LAYOUTS = "neither pictures side by side, here or in train/ and val/, nor two folders A/ and B/ with the same names"


@dataclass(frozen=True)
class Pair:
    """One pair: both sides in one file, or in two."""

    left: Path
    right: Path | None
    held_out: bool = False


# --- which there are ---


def find_pairs(folder: Path) -> list[Pair]:
    """All pairs of a folder, in the order of their names; where no split is held out, about a tenth is. Raises DataError."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder")
    pairs = [pair for split in ("", "train", *HELD_OUT) for pair in _of_split(folder, split)]
    if not pairs:
        raise DataError(f"{folder} holds no pairs: {LAYOUTS}")
    return pairs if any(pair.held_out for pair in pairs) else _hold_out(pairs)


def _of_split(folder: Path, split: str) -> list[Pair]:
    pairs = [Pair(path, None, split in HELD_OUT) for path in _pictures(folder / split).values()]
    for a, b in dict.fromkeys(
        [(folder / "A" / split, folder / "B" / split), (folder / f"{split}A", folder / f"{split}B")]
    ):
        left, right = _pictures(a), _pictures(b)
        pairs += [Pair(left[name], right[name], split in HELD_OUT) for name in left if name in right]
        lonely = [*(left[n] for n in left if n not in right), *(right[n] for n in right if n not in left)]
        sys.stderr.writelines(
            f"skipped {path.relative_to(folder)}: the other folder has no {path.stem}\n" for path in lonely
        )
    return pairs


def _pictures(folder: Path) -> dict[str, Path]:
    """The pictures of a folder by stem, sorted; none where there is no such folder."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return {path.stem: path for path in files if path.suffix.lower() in PICTURES}


def _hold_out(pairs: list[Pair]) -> list[Pair]:
    """Hold out a tenth by the names' hashes, and at least one."""
    hashes = [zlib.crc32(pair.left.stem.encode()) for pair in pairs]
    first = hashes.index(min(hashes))
    return [replace(pair, held_out=h % 10 == 0 or i == first) for i, (pair, h) in enumerate(zip(pairs, hashes))]


def frame_of(width: int, height: int, size: int) -> tuple[int, int]:
    """Size of a dataset's pictures -> the size at which they are trained on: multiples of 64 of nearly the same shape, at
    most size x size pixels."""
    most = min(size * size, max(64 * 64, width * height))
    sides = range(64, 64 * 17, 64)
    frames = [(w, h) for w, h in product(sides, sides) if w * h <= most]
    return min(frames, key=lambda f: abs(math.log(f[0] * height / f[1] / width)) - 0.25 * math.log(f[0] * f[1]))


# --- decoded, once ---


def cached_pairs(folder: Path, caches: Path, back: bool, size: int) -> Path:
    """Where in `caches` the decoded pairs of a folder lie; other files or settings are another place. Raises DataError.

    Pairs that can't be read are listed on standard error and in `skipped.txt`.
    """
    pairs = find_pairs(folder)
    frame = _frame(pairs, size)
    paths = [path for pair in pairs for path in (pair.left, pair.right) if path]
    facts = [(str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
    cache = caches / f"{folder.resolve().name}-pairs-{zlib.crc32(repr((facts, frame, back)).encode()):08x}"
    if not cache.exists():
        unfinished = cache.with_suffix(".partial")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _decode(pairs, folder, frame, back, unfinished)
        os.replace(unfinished, cache)
    return cache


def _frame(pairs: list[Pair], size: int) -> tuple[int, int]:
    """By the first pair that can be read. Raises DataError."""
    for pair in pairs:
        try:
            left, _ = _open(pair)
        except PictureError:
            continue
        return frame_of(*left.size, size)
    raise DataError("none of the pictures can be read")


def _open(pair: Pair) -> tuple[Image.Image, Image.Image]:
    """Both sides, RGB. Raises PictureError."""
    picture = open_picture(pair.left)
    if pair.right:
        return picture, open_picture(pair.right)
    width, height = picture.size
    if width < 2:
        raise PictureError("it is too narrow for two pictures")
    return picture.crop((0, 0, width // 2, height)), picture.crop((width - width // 2, 0, width, height))


def _decode(pairs: list[Pair], folder: Path, frame: tuple[int, int], back: bool, cache: Path) -> None:
    room = tuple(side + side // MARGIN for side in frame)
    arrays = [
        np.lib.format.open_memmap(cache / f"{name}.npy", "w+", np.uint8, (len(pairs), *room[::-1], 3))
        for name in ("sources", "targets")
    ]
    reasons = []
    with Pool() as pool:
        results = pool.imap(partial(_read, room=room, back=back), pairs, chunksize=16)
        for both, reason in tqdm(results, "decoding", len(pairs), unit="pair", mininterval=5):
            for array, picture in zip(arrays, both):
                array[len(reasons)] = picture
            reasons.append(reason)
    np.save(cache / "held_out.npy", [pair.held_out for pair in pairs])
    np.save(cache / "usable.npy", [not reason for reason in reasons])
    skipped = [f"skipped {p.left.relative_to(folder)}: {reason}\n" for p, reason in zip(pairs, reasons) if reason]
    (cache / "skipped.txt").write_text("".join(skipped))
    sys.stderr.writelines(skipped)


def _read(pair: Pair, room: tuple[int, int], back: bool) -> tuple[list[np.ndarray], str]:
    """Source, in few colours, and target, [H,W,3] uint8, and why they are nothing but black if they are."""
    try:
        source, target = (
            ImageOps.fit(side, room, Image.Resampling.BICUBIC) for side in _open(pair)[:: -1 if back else 1]
        )
    except PictureError as error:
        return [np.zeros((*room[::-1], 3), np.uint8)] * 2, str(error)
    return [np.asarray(reduce_colours(source).convert("RGB")), np.asarray(target)], ""
