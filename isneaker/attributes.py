"""A sneaker in numbers, measured on its picture."""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.color import rgb2lab

NAMES = (
    "upper_lightness", "upper_red", "upper_yellow", "sole_lightness", "sole_red", "sole_yellow",
    "sole_thickness", "collar_height", "toe_height", "bulk", "side_contrast",
)  # fmt: skip
THINNEST, THICKEST = 8, 48  # of a sole, in pixels of the picture at half size, as all below
GROUND = 177  # first row below the shoe: what is there is a reflection


class Parts(NamedTuple):
    """A shoe on a picture at half size: its colours, CIE Lab [192,256,3]; where it, its upper and its sole are, [192,256]
    of bool; the sole's thickness in pixels, smoothly; the columns from heel to toe; per column the height of the shoe."""

    lab: np.ndarray
    shoe: np.ndarray
    upper: np.ndarray
    sole: np.ndarray
    thickness: float
    columns: slice
    tall: np.ndarray


def parts_of(picture: Image.Image) -> Parts | None:
    """RGB picture 512x384, toe right -> the shoe's parts; None where there is no shoe."""
    picture = picture.reduce(2)
    mask = shoe_mask(np.asarray(picture))
    columns = np.flatnonzero(mask.sum(0) > 4)
    if len(columns) < 32:
        return None
    left, length = columns[0], columns[-1] - columns[0] + 1
    top, ground = mask.argmax(0), mask.shape[0] - mask[::-1].argmax(0)  # the first row, and the one below the last
    tall = np.where(mask.any(0), ground - top, 0)[left : left + length]
    lab = rgb2lab(np.asarray(picture) / 255.0)
    end, thickness = sole_heights(lab, mask, ground, left, length)
    above = ground[None] - np.arange(mask.shape[0])[:, None]  # pixels above the ground, column by column
    upper, sole = mask & (above > 1.25 * end), mask & (above <= 0.8 * end)
    return Parts(lab, mask, upper, sole, thickness, slice(left, left + length), tall)


def measure(picture: Image.Image) -> dict[str, float]:
    """RGB picture 512x384, toe right -> its attributes; NaN where there is no shoe.

    Lightness, red (a) and yellow (b) are CIE Lab means; lengths are shares of the shoe's length, bulk its area over
    the square of the length; side_contrast is the deviation of lightness on the side; upper_hue and sole_hue (degrees)
    and the chromas are there to be read, not for sliders.
    """
    parts = parts_of(picture)
    if parts is None:
        return dict.fromkeys(NAMES, float("nan"))
    lab, left, length = parts.lab, parts.columns.start, len(parts.tall)
    tall, side = parts.tall / length, parts.upper.copy()
    side[:, : left + length // 4], side[:, left + 3 * length // 4 :] = False, False
    upper_lab, sole_lab = _mean(lab, parts.upper), _mean(lab, parts.sole)
    return {
        "upper_lightness": upper_lab[0], "upper_red": upper_lab[1], "upper_yellow": upper_lab[2],
        "sole_lightness": sole_lab[0], "sole_red": sole_lab[1], "sole_yellow": sole_lab[2],
        "sole_thickness": parts.thickness / length,
        "collar_height": float(np.percentile(tall[: int(0.4 * length)], 90)),
        "toe_height": float(np.mean(tall[int(0.82 * length) : int(0.92 * length)])),
        "bulk": float(parts.shoe.sum() / length**2),
        "side_contrast": float(lab[..., 0][side].std()) if side.any() else 0.0,
        **{f"{part}_chroma": float(np.hypot(*m[1:])) for part, m in (("upper", upper_lab), ("sole", sole_lab))},
        **{f"{part}_hue": float(np.degrees(np.arctan2(m[2], m[1]))) for part, m in (("upper", upper_lab), ("sole", sole_lab))},
    }  # fmt: skip


def shoe_mask(rgb: np.ndarray) -> np.ndarray:
    """RGB [192,256,3] on white -> where the shoe is, holes filled, [192,256] of bool."""
    dark = rgb.min(2) < 243
    dark[GROUND:] = False
    solid = ndimage.binary_closing(np.pad(dark, 4), iterations=2)
    solid = ndimage.binary_opening(ndimage.binary_fill_holes(solid))[4:-4, 4:-4]
    parts, count = ndimage.label(solid)
    return parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]) if count else solid


def sole_heights(lab: np.ndarray, mask: np.ndarray, ground: np.ndarray, left: int, length: int) -> tuple[float, float]:
    """Heights above the ground, in pixels, at which colours change in the middle of the shoe: where that of its mean colour
    does most, which is where a sole ends; and the mean of all heights by how much those of each column change there, which
    grows with a sole of any number of bands."""
    columns = np.arange(left + length // 6, left + 5 * length // 6)
    columns = columns[mask[:, columns].any(0)]
    rows = ground[columns][None] - np.arange(1, THICKEST + 6)[:, None]
    profile = ndimage.gaussian_filter1d(lab[rows.clip(0), columns[None]], 1, axis=0)  # [height,columns,3], from below
    changes = np.diff(profile, axis=0)
    return _mean_height(np.abs(changes.mean(1)).sum(1) ** 4), _mean_height(np.median(np.abs(changes).sum(2), 1) ** 2)


def _mean_height(weights: np.ndarray) -> float:
    """The mean of all heights that a sole may have, by the weight of each [height]."""
    weights, heights = weights[THINNEST:THICKEST], np.arange(THINNEST, THICKEST)
    return float((weights @ heights) / (weights.sum() + 1e-9)) or float(THINNEST)


def _mean(lab: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return lab[mask].mean(0) if mask.any() else np.zeros(3)
