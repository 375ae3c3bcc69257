"""What a person might have drawn: canonical sketches made from the soft edge map of a photo.

Everything happens to polylines (`isneaker.strokes`), in the units of the canvas, and ends with the very
function that draws the visitor's own strokes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours

from isneaker.design import HEIGHT, WIDTH
from isneaker.strokes import Stroke, trace

LEVELS = (45, 90, 150)  # thresholds of the edge map, from every crease to the main lines
SPACING = 6.0  # pixels between the points of a resampled stroke
CENTRE = np.array([WIDTH / 2, 262.0])  # of the sneakers, not of the canvas


@dataclass(frozen=True)
class Lines:
    """All that is known of one photo's lines.

    levels: strokes at each of LEVELS, longest first; strengths: mean edge value of each stroke, 0..255;
    outline: the silhouette, a closed polyline.
    """

    levels: list[list[Stroke]]
    strengths: list[np.ndarray]
    outline: Stroke


def lines_of(edges: np.ndarray, photo: np.ndarray) -> Lines:
    """Soft edge map [H,W] and photo [H,W,3], both uint8 -> its lines."""
    levels = [trace(edges > level) for level in LEVELS]
    strengths = [np.array([edges[s[:, 1].astype(int), s[:, 0].astype(int)].mean() for s in level]) for level in levels]
    return Lines(levels, strengths, outline_of(edges, photo))


def outline_of(edges: np.ndarray, photo: np.ndarray) -> Stroke:
    """The silhouette of the largest thing that is not ground, as a closed polyline [K,2]."""
    solid = (photo.min(2) < 238) | (edges > 120)
    solid = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(solid, 8), iterations=4))
    solid = ndimage.binary_opening(solid, iterations=2)[8:-8, 8:-8]
    parts, count = ndimage.label(solid)
    if not count:
        return np.zeros((1, 2)) + CENTRE
    largest = parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])
    contour = max(find_contours(np.pad(largest, 1).astype(np.float32), 0.5), key=len)[:, ::-1] - 1
    return approximate_polygon(contour, 0.8)


def imagine(lines: Lines, rng: np.random.Generator) -> tuple[list[Stroke], float]:
    """Draw one sketch of the photo -> its strokes, and its fidelity in [0, 1] (1: lines lie where the photo's do)."""
    fidelity = 1.0 if rng.random() < 0.4 else float(rng.random())
    strokes = [_resample(s) for s in _choose(lines, fidelity, rng)]
    strokes = [part for s in strokes for part in _break(s, rng)]
    move = warp(1 - fidelity, rng)
    return [move(stroke) for stroke in strokes], fidelity


def _choose(lines: Lines, fidelity: float, rng: np.random.Generator) -> list[Stroke]:
    kind = rng.choice(4, p=(0.6, 0.25, 0.05, 0.1) if fidelity == 1 else (0.35, 0.35, 0.15, 0.15))
    level = rng.integers(len(LEVELS))
    if kind in (0, 3):  # edges, more or less of them
        weakest = rng.uniform(0, 1.1) * LEVELS[level]
        lost = rng.uniform(0, 0.35) ** 2 * 3 if rng.random() < 0.6 else 0
        chosen = [
            s for s, strength in zip(lines.levels[level], lines.strengths[level])
            if strength > weakest and rng.random() > lost
        ]  # fmt: skip
        return _half(chosen, rng) if kind == 3 else chosen
    if kind == 1:  # the outline and a few inner lines: sole, collar, a stripe
        inner = [s for s in lines.levels[2] if not _follows(s, lines.outline)]
        return [lines.outline, *inner[: rng.integers(1, 8)]]
    return [lines.outline]


def _follows(stroke: Stroke, outline: Stroke) -> bool:
    """Whether most of a stroke lies on the outline."""
    middle = stroke[len(stroke) // 4 : max(1, len(stroke) * 3 // 4) + 1]
    border = _resample(outline)
    distances = np.linalg.norm(middle[:, None] - border[None], axis=2).min(1)
    return bool(np.median(distances) < 7)


def _half(strokes: list[Stroke], rng: np.random.Generator) -> list[Stroke]:
    """Half-finished: only what lies on one side of a random line."""
    angle = rng.uniform(0, 2 * np.pi)
    normal, offset = np.array([np.cos(angle), np.sin(angle)]), rng.uniform(-70, 70)
    parts = []
    for stroke in strokes:
        stroke = _resample(stroke)
        inside = (stroke - CENTRE) @ normal < offset
        runs = np.split(np.arange(len(stroke)), np.flatnonzero(np.diff(inside)) + 1)
        parts += [stroke[run] for run in runs if inside[run[0]] and len(run) > 1]
    return parts


def _resample(stroke: Stroke) -> Stroke:
    """Points about SPACING apart, the corners kept."""
    steps = np.hypot(*np.diff(stroke, axis=0).T)
    counts = np.maximum(1, np.ceil(steps / SPACING)).astype(int)
    positions = np.concatenate([np.arange(n) / n + i for i, n in enumerate(counts)] + [[len(steps)]])
    corners = np.arange(len(stroke))
    return np.stack([np.interp(positions, corners, stroke[:, axis]) for axis in (0, 1)], 1)


def _break(stroke: Stroke, rng: np.random.Generator) -> list[Stroke]:
    """Lift the pen now and then."""
    if len(stroke) < 8 or rng.random() > 0.3:
        return [stroke]
    start = rng.integers(1, len(stroke) - 4)
    end = start + rng.integers(1, 5)
    return [part for part in (stroke[:start], stroke[end:]) if len(part) > 1]


def warp(strength: float, rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """A hand's tremor; with strength also tilt, shear, scale, shift and an elastic bend."""
    angle = np.radians(rng.uniform(-18, 18)) * strength
    shear, perspective = rng.uniform(-0.2, 0.2) * strength, rng.uniform(-6e-4, 6e-4) * strength
    scale = 1 + rng.uniform(-0.2, 0.2, 2) * strength
    shift = rng.uniform(-0.07, 0.07, 2) * (WIDTH, HEIGHT) * strength
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = rotation @ np.array([[1, shear], [0, 1]]) @ np.diag(scale)
    bends = [(rng.uniform(0.006, 0.02), 0.04 * WIDTH / 3 * strength) for _ in range(4)]
    tremor = [(rng.uniform(0.05, 0.25), rng.uniform(0, 0.5) + strength * rng.uniform(0, 0.8)) for _ in range(3)]
    waves = [
        (frequency * _unit(rng), rng.uniform(0, 2 * np.pi), amplitude * _unit(rng) * rng.normal())
        for frequency, amplitude in bends + tremor
    ]

    def move(points: Stroke) -> Stroke:
        p = points - CENTRE
        p = p @ matrix.T / (1 + perspective * p[:, :1])
        offset = sum(np.sin(points @ k + phase)[:, None] * amplitude for k, phase, amplitude in waves)
        return p + CENTRE + shift + offset

    return move


def _unit(rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])
