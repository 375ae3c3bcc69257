"""One raw picture of a shoe -> its prepared photo and edge map on disk, and a record of what it is or why it was dropped."""

import base64
import hashlib
import os
import signal
import threading
import time
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from isneaker.images import PictureError, open_picture
from isneaker.photos import prepare
from train.features import Features
from train.prepare import edges, hed
from train.prepare.duplicates import hash_of, thumbnail_of

SMALLEST = 160  # pixels on the longest side: less says nothing about a shoe's side


def begin(parent: int) -> None:
    """Set up a worker: one thread, and the end when the parent is killed."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the job
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def prepare_photo(raw: Path, out: Path, extractor: str, name: str) -> dict:
    """Picture `name` in folder `raw` -> files in `out`, and a record: what `describe` and `stamp` say, or the reason why it
    was dropped. Raises OSError where `out` can't be written."""
    record = {"name": name, "stamp": stamp(raw / name)}
    try:
        picture = open_picture(raw / name)
        if max(picture.size) < SMALLEST:
            raise PictureError(f"this picture is smaller than {SMALLEST} pixels")
        prepared = prepare(picture)
    except PictureError as error:
        return record | {"dropped": str(error)}
    key = key_of(raw / name)
    edge_map, described = describe(prepared.photo, extractor)
    save(prepared.photo, out / "photos" / f"{key}.webp", quality=90, method=2)
    save(edge_map, out / "edges" / f"{key}.webp", quality=80, method=2)
    mirrored = "mirrored" in prepared.note
    return record | {"key": key, "pixels": picture.width * picture.height, "mirrored": mirrored} | described


def stamp(path: Path) -> list[int]:
    """What changes when a file does."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def key_of(path: Path) -> str:
    """A name for a picture that depends on nothing but its bytes: half of their sha256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]


@torch.inference_mode()
def describe(photo: Image.Image, extractor: str = "edges") -> tuple[Image.Image, dict]:
    """Prepared photo -> its edge map, and by what its duplicates are known: hash, thumbnail and features, as text."""
    features, reader = _networks(extractor)
    pixels = edges.photo_tensor(photo).contiguous(memory_format=torch.channels_last)
    maps = features(pixels)
    vector = features.pool(maps)[0].half().numpy()
    fingerprint = {"hash": hash_of(photo), "thumbnail": _text(thumbnail_of(photo)), "features": _text(vector)}
    logits = reader(pixels, maps) if extractor == "edges" else reader(pixels)
    return edges.to_picture(logits[0]), fingerprint


@cache
def _networks(extractor: str) -> tuple[Features, edges.Edges | hed.HED]:
    return Features(), edges.load() if extractor == "edges" else hed.HED()


def _text(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()


def fingerprint_of(record: dict) -> tuple[int, np.ndarray, np.ndarray]:
    """Record -> hash, thumbnail and features, as `duplicates` takes them."""
    thumbnail = np.frombuffer(base64.b64decode(record["thumbnail"]), np.uint8)
    return record["hash"], thumbnail, np.frombuffer(base64.b64decode(record["features"]), np.float16)


def save(picture: Image.Image, path: Path, **options) -> None:
    """Write a picture whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        picture.save(partial, path.suffix[1:], **options)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
