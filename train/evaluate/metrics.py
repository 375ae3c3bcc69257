"""Measures of pictures, each a function of arrays; `train.evaluate` puts them together."""

import numpy as np
import torch
from PIL import Image
from scipy import linalg, ndimage
from skimage.color import rgb2lab

from train.features import Features
from train.losses import feature_distance


@torch.no_grad()
def features_of(pictures: list[Image.Image], net: Features) -> np.ndarray:
    """RGB pictures of one size -> pooled features [N,1280]."""
    rows = []
    for start in range(0, len(pictures), 16):
        batch = np.stack([np.asarray(p) for p in pictures[start : start + 16]])
        photos = torch.from_numpy(batch).permute(0, 3, 1, 2).float() / 127.5 - 1
        rows.append(net.pooled(photos.contiguous(memory_format=torch.channels_last)).float().numpy())
    return np.concatenate(rows).astype(np.float64)


@torch.no_grad()
def perceptual_distance(pictures: list[Image.Image], others: list[Image.Image], net: Features) -> float:
    """Mean perceptual distance of RGB pictures to as many others: feature maps compared place by place, as in LPIPS (arXiv
    1801.03924) without its learnt weights."""
    total, everyone = 0.0, torch.ones(1)
    for pair in zip(pictures, others):
        maps = [net(torch.from_numpy(np.array(p)).permute(2, 0, 1)[None] / 127.5 - 1) for p in pair]
        total += float(feature_distance(*maps, everyone))
    return total / len(pictures)


def kernel_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared MMD of features [N,D] and [M,D] under the kernel (xy/D + 1)^3, times 1000 (arXiv 1801.01401)."""
    d = x.shape[1]
    xx, yy, xy = ((a @ b.T / d + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    n, m = len(x), len(y)
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(1000 * (within - 2 * xy.mean()))


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Fréchet distance of Gaussians fitted to features [N,D] and [M,D] (arXiv 1706.08500); biased for small N."""
    cx, cy = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    eigenvalues = linalg.eigvals(cx @ cy)
    root = np.sqrt(np.clip(eigenvalues.real, 0, None)).sum()
    return float(np.square(x.mean(0) - y.mean(0)).sum() + np.trace(cx) + np.trace(cy) - 2 * root)


def ink_recall(ink: np.ndarray, picture: Image.Image, reach: int = 3) -> float:
    """Share of a sketch's ink [H,W] in 0..255 that has a slope of over 4 grey levels a pixel within `reach` pixels.

    On held-out photos: 0.98 for a photo's own edges, 0.59 for another photo's; noise would score 1.
    """
    smooth = ndimage.gaussian_filter(np.asarray(picture.convert("L"), np.float32), 1)
    slope = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1)) / 8
    near = ndimage.distance_transform_edt(slope <= 4) <= reach
    lines = ink > 127
    return float(near[lines].mean()) if lines.any() else 1.0


def pair_distances(x: np.ndarray) -> np.ndarray:
    """Euclidean distances of all pairs of rows."""
    return np.sqrt(np.clip(np.square(x[:, None] - x[None]).sum(2), 0, None))[np.triu_indices(len(x), 1)]


def grid_power(pictures: list[Image.Image], period: int = 4) -> float:
    """Mean power of the luminance at waves of `period` pixels across or down (and 2 bins beside them)."""
    total = 0.0
    for picture in pictures:
        grey = np.asarray(picture.convert("L"), np.float64)
        spectrum = np.abs(np.fft.fft2(grey - grey.mean())) ** 2
        height, width = grey.shape
        total += spectrum[:, width // period].mean() + spectrum[height // period].mean()
    return total / len(pictures)


def lab_cells(picture: Image.Image) -> np.ndarray:
    """CIE Lab of the mean colours of the 8x8 pixel cells: [H/8,W/8,3]."""
    return rgb2lab(np.asarray(picture.reduce(8)) / 255.0)


def colour_spread(pictures: list[Image.Image]) -> dict[str, float]:
    """How colours vary from shoe to shoe: mean chroma, and deviation between pictures of lightness and of a, b."""
    means, chromas = [], []
    for picture in pictures:
        lab = lab_cells(picture)
        shoe = lab[lab[..., 0] < 95]
        shoe = shoe if len(shoe) else lab.reshape(-1, 3)
        means.append(shoe.mean(0))
        chromas.append(np.hypot(shoe[:, 1], shoe[:, 2]).mean())
    deviation = np.std(means, axis=0)
    return {
        "chroma": float(np.mean(chromas)),
        "lightness_std": float(deviation[0]),
        "hue_std": float(np.hypot(*deviation[1:])),
    }
