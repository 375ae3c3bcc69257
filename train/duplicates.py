"""Which prepared photos show the same picture: by a perceptual hash, colours, and frozen features."""

import numpy as np
from PIL import Image
from scipy.fft import dctn

THUMBNAIL = (16, 12)
ALIKE = 0.92  # cosine, at least, of the features of two photos of one shoe ...
SAME_HASH, NEAR = 6, 0.87  # ... or bits of 64 that differ at most, and cosine: white shoes have much the same hash ...
SAME_COLOURS = 5.5  # ... whose thumbnails are at most this far apart on average, of 255: a shape comes in many colours
BLOCK = 256  # photos that are compared with all at a time


def hash_of(photo: Image.Image) -> int:
    """Prepared photo -> 64 bits: which low frequencies of its grey version are above their median."""
    grey = np.asarray(photo.convert("L").resize((32, 32), Image.Resampling.BOX), np.float32)
    low = dctn(grey)[:8, :8].ravel()
    return int("".join("01"[value] for value in (low > np.median(low)).astype(int)), 2)


def thumbnail_of(photo: Image.Image) -> np.ndarray:
    """Prepared photo -> [12,16,3] uint8."""
    return np.asarray(photo.resize(THUMBNAIL, Image.Resampling.BOX))


def duplicates(hashes: list[int], thumbnails: np.ndarray, features: np.ndarray) -> list[int | None]:
    """Of photos, the preferred first, hashes, thumbnails [N,12,16,3] and features [N,1280] -> for each the number of the
    kept photo that it repeats, None for those to keep."""
    pairs = _pairs(hashes, thumbnails.reshape(len(hashes), -1).astype(np.float32), features.astype(np.float32))
    twins: list[int | None] = [None] * len(hashes)
    for i, j in pairs:  # j < i
        if twins[i] is None and twins[j] is None:
            twins[i] = j
    return twins


def _pairs(hashes: list[int], colours: np.ndarray, features: np.ndarray) -> list[tuple[int, int]]:
    """All i and j < i that show the same picture, in that order."""
    features = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-6)
    bits = np.array(hashes, np.uint64)
    pairs = []
    for start in range(0, len(bits), BLOCK):
        rows = slice(start, start + BLOCK)
        cosine = features[rows] @ features.T
        apart = np.bitwise_count(bits[rows, None] ^ bits[None])
        i, j = np.nonzero((cosine > ALIKE) | (cosine > NEAR) & (apart <= SAME_HASH))
        i, j = (i + start)[j < i + start], j[j < i + start]
        far = np.abs(colours[i] - colours[j]).mean(1)
        pairs += list(zip(i[far < SAME_COLOURS].tolist(), j[far < SAME_COLOURS].tolist()))
    return pairs
