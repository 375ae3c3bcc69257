"""The lines and colours of a prepared photo, as a Design keeps them: sorted by what they mean on a shoe."""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.feature import canny

from isneaker.design import COLUMNS, HEIGHT, ROWS, WIDTH, Run
from isneaker.images import CELL
from isneaker.poses import BASE, outline_of
from isneaker.strokes import Stroke, length, trace

SOLE = 92  # pixels above the ground in which long level lines are the sole's
SHORTEST = 14  # pixels of an inner line that counts
LACES = 36  # pixels from the top edge to where the side begins
SOLE_WIDTH = 46  # pixels across of a line of the sole


@dataclass(frozen=True)
class PhotoLines:
    """The lines of one photo, as strokes on the canvas, of each kind the most telling first: the outline; what is on the
    sole and at the collar; the side, where a language puts its marks; and all else, as laces, toe and heel."""

    outline: Stroke
    sole: list[Stroke]
    collar: list[Stroke]
    side: list[Stroke]
    details: list[Stroke]


def lines_of(photo: Image.Image, mask: np.ndarray) -> PhotoLines:
    """Prepared photo, RGB 512x384, and its shoe [384,512] of bool -> its lines."""
    outline = outline_of(mask).round().clip(0, (WIDTH - 1, HEIGHT - 1))
    groups: dict[str, list[Stroke]] = {"sole": [], "collar": [], "side": [], "details": []}
    for stroke in _inner_strokes(photo, mask):
        groups[_role(stroke, mask)].append(stroke)
    return PhotoLines(outline, groups["sole"][:6], groups["collar"][:3], groups["side"], groups["details"])


def _inner_strokes(photo: Image.Image, mask: np.ndarray) -> list[Stroke]:
    """Edges inside the shoe as strokes, long and clear ones first. Thresholds follow the shoe's own contrasts, so that a
    black shoe has lines too, and a busy one not too many."""
    rgb = np.asarray(photo, np.float32) / 255
    inside = ndimage.binary_erosion(mask, iterations=5)
    views = [rgb.mean(2), (rgb - rgb[mask].mean(0)) @ _main_axis(rgb[mask])]
    slopes = [ndimage.gaussian_gradient_magnitude(view, 1.6) for view in views]
    edges = np.zeros(mask.shape, bool)
    for view, slope in zip(views, slopes):
        high = max(0.012, float(np.percentile(slope[inside], 92)))
        edges |= canny(view, 1.6, 3.2 * high * 0.45, 3.2 * high, mask=inside)
    strokes = [s for s in trace(edges) if length(s) >= SHORTEST]
    contrast = [np.maximum(*slopes)[s[:, 1], s[:, 0]].mean() for s in strokes]
    order = np.argsort([-length(s) * c**0.5 for s, c in zip(strokes, contrast)])
    return [strokes[i] for i in order]


def _main_axis(colours: np.ndarray) -> np.ndarray:
    """The direction in which colours [K,3] differ most: red on blue is an edge, also where both are as light."""
    return np.linalg.svd(colours[::16] - colours.mean(0), full_matrices=False)[2][0]


def _role(stroke: Stroke, mask: np.ndarray) -> str:
    """What a stroke is, by where it lies: level lines near the ground are the sole's, those just below the opening for the
    foot the collar's, and the side begins a hand's breadth below the shoe's top edge."""
    wide, high = np.ptp(stroke, axis=0)
    x, y = stroke.mean(0)
    if wide > max(SOLE_WIDTH, 2.5 * high) and BASE - SOLE < y < BASE - 6:
        return "sole"
    columns = np.flatnonzero(mask.any(0))
    along = (x - columns[0]) / (columns[-1] - columns[0])
    top = np.flatnonzero(mask.any(1))[0]
    if along < 0.5 and wide > 24 and y < top + 0.34 * (BASE - top):
        return "collar"
    below = y - mask[:, int(x)].argmax()
    return "side" if 0.14 < along < 0.74 and below > LACES and y < BASE - 40 else "details"


def spots_of(photo: Image.Image, mask: np.ndarray, colours: int, count: int, smooth: int = 0) -> tuple[Run, ...]:
    """The shoe's colours as hints: at most `colours` different ones, as `count` cells at most, in the middle of the areas
    of one colour. A spot colours its part, so a few say it all; smooth: areas under 2 * smooth + 1 cells are passed over.
    """
    areas = _areas(_colour_cells(photo, mask, colours, smooth))
    total = sum(area.sum() for area, _ in areas)
    spots: dict[int, int] = {}
    for area, colour in areas:
        share = int(np.clip(round(0.9 * count * area.sum() / total), 1, 8))
        spots |= dict.fromkeys(_middles(area, share), colour)
    return tuple((cell, 1, spots[cell]) for cell in sorted(list(spots)[:count]))


def _colour_cells(photo: Image.Image, mask: np.ndarray, colours: int, smooth: int) -> np.ndarray:
    """The colour 0xRRGGBB of each cell of the grid [48,64], -1 off the shoe."""
    rgb = np.asarray(photo, np.float32).reshape(ROWS, CELL, COLUMNS, CELL, 3).mean((1, 3))
    shoe = mask.reshape(ROWS, CELL, COLUMNS, CELL).mean((1, 3)) >= 0.95
    strip = Image.fromarray(rgb[shoe].round().astype(np.uint8)[None])
    strip = strip.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=3, dither=Image.Dither.NONE)
    palette = np.array(strip.getpalette()).reshape(-1, 3) @ (65536, 256, 1)
    cells = np.full((ROWS, COLUMNS), -1)
    cells[shoe] = palette[np.asarray(strip)[0]]
    return np.where(shoe, _most_common(cells, 2 * smooth + 1), -1) if smooth else cells


def _most_common(cells: np.ndarray, window: int) -> np.ndarray:
    """The most common colour in a window around each cell."""
    colours = np.unique(cells[cells >= 0])
    votes = np.stack([ndimage.uniform_filter((cells == colour).astype(np.float32), window) for colour in colours])
    return colours[votes.argmax(0)]


def _areas(cells: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """Connected areas of one colour, of three cells or more, the largest first: mask [48,64] and colour."""
    areas = []
    for colour in np.unique(cells[cells >= 0]).tolist():
        parts, count = ndimage.label(cells == colour)
        areas += [(parts == i, colour) for i in range(1, count + 1) if (parts == i).sum() >= 3]
    return sorted(areas, key=lambda area: -area[0].sum())


def _middles(area: np.ndarray, count: int) -> list[int]:
    """Up to `count` cells deep inside an area [48,64], away from each other: their places in row order."""
    area, cells = np.pad(area, 1), []
    for _ in range(count):
        depth = ndimage.distance_transform_edt(area)
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        if depth[y, x] == 0:
            break
        cells.append(int((y - 1) * COLUMNS + x - 1))
        area[y - 1 : y + 2, x - 1 : x + 2] = False
    return cells
