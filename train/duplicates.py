"""Which prepared photos show the same picture: by a perceptual hash, colours, and frozen features."""

import numpy as np
from PIL import Image
from scipy.fft import dctn

THUMBNAIL = (16, 12)
ALIKE, ITS_COLOURS = 0.92, 5.5  # cosine of the features of two photos of a shoe; thumbnails are so far apart at most
SAME_HASH, SAME_COLOURS = 6, 2.5  # bits of 64 that differ between two files of a photo; white shoes share most bits too


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
    bits = np.array(hashes, np.uint64)
    colours = thumbnails.reshape(len(bits), -1).astype(np.float32)
    features = features.astype(np.float32)
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-6)
    kept, twins = np.empty(len(bits), int), []
    count = 0
    for i in range(len(bits)):  # what is kept is moved to the front of the arrays, over what is not needed any more
        cosine, apart = features[:count] @ features[i], np.bitwise_count(bits[:count] ^ bits[i])
        close = np.flatnonzero((cosine > ALIKE) | (apart <= SAME_HASH))
        far = np.abs(colours[close] - colours[i]).mean(1)  # of 255: one shape comes in many colours
        same = close[far < np.where(cosine[close] > ALIKE, ITS_COLOURS, SAME_COLOURS)]
        twins.append(int(kept[same[0]]) if len(same) else None)
        if not len(same):
            bits[count], colours[count], features[count], kept[count] = bits[i], colours[i], features[i], i
            count += 1
    return twins
