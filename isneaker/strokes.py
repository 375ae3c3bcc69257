"""Strokes: the canonical form of a drawing, as polylines on the 512x384 canvas.

A bitmap of ink is thinned to one pixel, traced to polylines, rid of spurs and simplified; drawn again
at one width it is what the network sees, in training as well as on the page.
"""

import numpy as np
from PIL import Image, ImageDraw
from skimage.measure import approximate_polygon
from skimage.morphology import skeletonize

from isneaker.design import HEIGHT, WIDTH

PEN = 2.5  # width of the redrawn line, in pixels
SUPERSAMPLING = 2  # drawn larger and averaged, so that lines are smooth
SPUR = 7  # side branches shorter than this come from thinning, not from the pen
TOLERANCE = 0.9  # pixels that the simplified line may stray from the traced one

Stroke = np.ndarray  # [K,2] x and y in pixels


def trace(ink: np.ndarray, tolerance: float = TOLERANCE) -> list[Stroke]:
    """Ink bitmap [H,W] of bool -> polylines [K,2] of integer x, y, longest first."""
    strokes = (approximate_polygon(path, tolerance) for path in _paths(skeletonize(ink)))
    return sorted(strokes, key=length, reverse=True)


def draw(strokes: list[Stroke]) -> Image.Image:
    """Polylines -> ink on the canvas, an "L" picture, 0 for paper and 255 for ink."""
    s = SUPERSAMPLING
    canvas = Image.new("L", (WIDTH * s, HEIGHT * s))
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        points = [tuple(p) for p in (np.asarray(stroke) * s + s // 2).tolist()]
        if len(points) == 1:
            points = points * 2
        pen.line(points, fill=255, width=round(PEN * s), joint="curve")
        for x, y in (points[0], points[-1]):  # round caps
            r = PEN * s / 2 - 0.5
            pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return canvas.reduce(s)


def length(stroke: Stroke) -> float:
    """Length of a polyline in pixels."""
    return float(np.hypot(*np.diff(stroke, axis=0).T).sum())


def mirror(strokes: list[Stroke]) -> list[Stroke]:
    """The same strokes, left and right exchanged."""
    return [np.asarray(s) * (-1, 1) + (WIDTH - 1, 0) for s in strokes]


def toe_points_left(strokes: list[Stroke]) -> bool:
    """Whether a drawing is clearly of a sneaker with its toe to the left: higher at the right, where the heel is."""
    if not strokes:
        return False
    points = np.concatenate([_dense(s) for s in strokes])
    left, right = points[:, 0].min(), points[:, 0].max()
    if right - left < WIDTH / 5:
        return False
    bins = ((points[:, 0] - left) / (right - left + 1) * 12).astype(int)
    base = points[:, 1].max()
    heights = np.array([base - points[bins == b, 1].min() if (bins == b).any() else 0 for b in range(12)])
    return bool(heights[8:].mean() - heights[:4].mean() > 0.03 * (right - left))


def _dense(stroke: Stroke) -> np.ndarray:
    """Points along a polyline, closer than the bins of a profile."""
    stroke = np.asarray(stroke, float)
    steps = np.linspace(0, len(stroke) - 1, max(2, int(length(stroke) / 8)))
    return np.stack([np.interp(steps, np.arange(len(stroke)), stroke[:, axis]) for axis in (0, 1)], 1)


def _paths(skeleton: np.ndarray) -> list[np.ndarray]:
    """Walk a one-pixel skeleton [H,W] -> pixel paths [K,2] of x, y; from free ends first, then the loops."""
    padded = np.pad(skeleton, 1)
    width = padded.shape[1]
    ring = (1, width + 1, width, width - 1, -1, -width - 1, -width, -width + 1)  # steps to the neighbours, clockwise
    flat = padded.ravel()
    pixels = np.flatnonzero(flat)
    degrees = np.zeros(flat.shape, np.int8)
    degrees[pixels] = sum(flat[pixels + step].astype(np.int8) for step in ring)
    unvisited = set(pixels.tolist())
    paths = []
    for start in pixels[np.argsort(degrees[pixels] != 1, kind="stable")].tolist():
        if start not in unvisited:
            continue
        path, is_spur = _walk(start, unvisited, degrees, ring)
        if is_spur or len(path) < 3 < len(pixels):
            continue
        y, x = np.divmod(np.array(path), width)
        paths.append(np.stack([x - 1, y - 1], 1))
    return paths


def _walk(start: int, unvisited: set, degrees: np.ndarray, ring: tuple) -> tuple[list[int], bool]:
    """Follow unvisited pixels, as straight as they go -> the path, and whether it is only a spur of another."""
    unvisited.discard(start)
    path, heading = [start], None
    while True:
        here = path[-1]
        if degrees[start] == 1 and degrees[here] > 2 and len(path) <= SPUR:
            unvisited.add(here)
            return path, True
        ahead = [i for i, step in enumerate(ring) if here + step in unvisited]
        if not ahead:
            break
        heading = min(ahead, key=lambda i: min((i - heading) % 8, (heading - i) % 8) if heading is not None else i % 2)
        path.append(here + ring[heading])
        unvisited.discard(path[-1])
    joined = 0
    for end, put in ((path[0], lambda p: path.insert(0, p)), (path[-1], path.append)):  # close the gap to a junction
        own = {*path[:3], *path[-3:]}
        touching = [end + step for step in ring if degrees[end + step] and end + step not in own]
        if touching:
            put(touching[0])
            joined += 1
    return path, bool(joined) and len(path) < SPUR
