"""What the design languages put onto a shoe's side and sole, as a few strokes: bars, sweeps, bands, toe caps.

Drawn by hand from memory of how these shoes are built, as gestures and not as logos; the network makes panels of them.
Every stroke is control points (u, v) on the shoe: u from heel 0 to toe 1, v from the sole's top edge 0 to the throat 1;
below 0 is the sole.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from isneaker.poses import BASE
from isneaker.strokes import Stroke
from isneaker.templates import curve


def _bar(bottom: float, top: float, width: float, high: float = 0.86) -> list[tuple[float, float]]:
    """A straight slanted bar, its long sides only."""
    return [(bottom, 0.02), (top, high), (top + width, high - 0.05), (bottom + width, 0.02), (bottom, 0.02)]


_STRAIGHT = {
    "adidas": [_bar(0.47, 0.37, 0.04), _bar(0.555, 0.455, 0.04), _bar(0.64, 0.54, 0.04, 0.8)],
    "new_balance": [[(0.36, 0.12), (0.4, 0.72), (0.45, 0.72), (0.5, 0.36), (0.51, 0.72), (0.57, 0.72), (0.53, 0.12),
                     (0.48, 0.12), (0.43, 0.48), (0.42, 0.12), (0.36, 0.12)]],
    "reebok": [[(0.42, 0.8), (0.56, 0.04), (0.66, 0.04), (0.46, 0.8)], [(0.18, 0.32), (0.44, 0.4)], [(0.18, 0.22), (0.47, 0.28)]],
}  # fmt: skip
_CURVED = {
    "nike": [[(0.1, 0.6), (0.22, 0.38), (0.4, 0.22), (0.52, 0.2), (0.6, 0.3), (0.63, 0.5)],
             [(0.63, 0.5), (0.56, 0.4), (0.46, 0.37), (0.3, 0.44), (0.1, 0.6)]],
    "puma": [[(0.1, 0.72), (0.24, 0.62), (0.38, 0.44), (0.5, 0.22), (0.56, 0.02)],
             [(0.12, 0.84), (0.28, 0.76), (0.46, 0.56), (0.62, 0.28), (0.7, 0.02)]],
    "converse": [[(0.83, 0.02), (0.82, 0.2), (0.86, 0.42)], [(0.02, -0.3), (0.3, -0.32), (0.6, -0.32), (0.97, -0.3)],
                 [(0.3, 0.02), (0.34, 0.4), (0.44, 0.8)]],
    "vans": [[(0.06, 0.42), (0.2, 0.5), (0.34, 0.68), (0.44, 0.7), (0.54, 0.42), (0.64, 0.04)],
             [(0.06, 0.5), (0.2, 0.58), (0.34, 0.78), (0.46, 0.78), (0.58, 0.48), (0.7, 0.04)]],
    "asics": [[(0.34, 0.04), (0.44, 0.4), (0.48, 0.82)], [(0.46, 0.04), (0.52, 0.4), (0.54, 0.78)],
              [(0.14, 0.5), (0.34, 0.5), (0.54, 0.3), (0.68, 0.04)], [(0.14, 0.38), (0.32, 0.38), (0.5, 0.2), (0.58, 0.04)]],
    "under_armour": [[(0.36, 0.3), (0.42, 0.46), (0.5, 0.46), (0.56, 0.3)], [(0.36, 0.56), (0.42, 0.4), (0.5, 0.4), (0.56, 0.56)]],
    "other": [[(0.66, 0.04), (0.68, 0.3), (0.74, 0.46)], [(0.1, 0.04), (0.14, 0.3), (0.08, 0.56)]],
}  # fmt: skip

# Where the panels between those strokes are, to be painted.
_PANELS = {
    "adidas": [(0.44, 0.4), (0.525, 0.4), (0.61, 0.38)],
    "puma": [(0.4, 0.5), (0.54, 0.27)], "converse": [(0.92, 0.2)], "vans": [(0.36, 0.72), (0.58, 0.38)],
    "new_balance": [(0.4, 0.45), (0.53, 0.42)], "reebok": [(0.55, 0.25)],
}  # fmt: skip


PAINTED = 0.5  # of their height from which panels are painted


class Marks(NamedTuple):
    """strokes: lines on the canvas; panels: points [x, y] between them, one a panel, to be painted."""

    strokes: list[Stroke]
    panels: list[tuple[int, int]]


def marks_on(mask: np.ndarray, sole: list[Stroke], languages: tuple[tuple[str, float], ...], seed: int) -> Marks:
    """What languages, with weights 0..100 that add up to about 100 at most, put onto a shoe, given its mask [384,512] of bool and
    the lines of its sole. A language's strokes rise from the sole the higher the more it weighs, so that mixes are continuous;
    the seed moves and slants them a little."""
    rng = np.random.default_rng(seed)
    shift, slant, size = rng.normal(0, 0.015), rng.normal(0, 0.03), rng.uniform(0.9, 1.08)
    frame = _frame(mask, sole)

    def place(points: np.ndarray) -> Stroke:
        u, v = points.T
        return frame(np.stack([0.45 + (u - 0.45) * size + shift + slant * v, v * size], 1))

    strokes, panels = [], []
    for name, weight in languages:
        share = min(1.0, max(0.0, (weight - 15) / 60))
        lines = [np.array(line) for line in _STRAIGHT.get(name, [])]
        lines += [curve(np.array(line), 0.25) for line in _CURVED.get(name, [])]
        strokes += [place(line * (1, share)) for line in lines if share]
        if share >= PAINTED and name in _PANELS:
            panels += place(np.array(_PANELS[name]) * (1, share)).astype(int).tolist()
    return Marks(strokes, [tuple(panel) for panel in panels])


def _frame(mask: np.ndarray, sole: list[Stroke]) -> Callable[[np.ndarray], Stroke]:
    """The function from (u, v) on a shoe to the canvas, never above the shoe's top edge."""
    columns = np.flatnonzero(mask.any(0))
    left, width = columns[0], columns[-1] - columns[0]
    top = mask.argmax(0)
    edge = float(np.median([s[:, 1].mean() for s in sole])) if sole else BASE - 0.13 * width
    edge = min(max(edge, BASE - 0.2 * width), BASE - 0.08 * width)
    throat = np.median(top[left + int(0.42 * width) : left + int(0.58 * width)])
    throat = min(max(throat, BASE - 0.52 * width), BASE - 0.33 * width)

    def place(points: np.ndarray) -> Stroke:
        x = np.clip(left + points[:, 0] * width, left + 4, left + width - 4)
        y = edge - points[:, 1] * (edge - throat)
        return np.stack([x, np.clip(y, top[x.astype(int)] + 6, BASE - 4)], 1)

    return place
