"""The shape of a drawn sneaker: outlines, seams and marks as curves.

x goes from the heel, 0, to the toe, 1; y is the height above the ground, in the same unit.
"""

from typing import NamedTuple

import numpy as np

from isneaker.templates import curve
from train.procedural.shoes import Shoe

Line = np.ndarray  # [K,2]
THROAT_END = (0.645, 0.085)  # x, and height above the toe box


class Last(NamedTuple):
    """upper, tongue, lining and sole are closed; collar, throat and the sole's top edge, heel to toe, are lines on them."""

    upper: Line
    tongue: Line
    lining: Line
    sole: Line
    collar: Line
    throat: Line
    top: Line


def last_of(shoe: Shoe) -> Last:
    """The shape of a shoe."""
    top, bottom = _sole(shoe)
    high = float(np.clip((shoe.collar - 0.36) / 0.24, 0, 1))  # 0 for low shoes, 1 for high ones
    back = np.array((0.045 + 0.02 * high, shoe.collar))
    front = np.array((0.37 - 0.04 * high, max(shoe.collar + 0.02, shoe.toe + THROAT_END[1] + 0.15)))
    collar, throat = _collar(back, front, 0.085 - 0.055 * high), _throat(shoe, front)
    upper = np.concatenate([_back(shoe, back), collar, throat, _front(shoe, throat[-1])])
    return Last(
        upper, _tongue(throat), _lining(back, front, collar), np.concatenate([top, bottom]), collar, throat, top
    )


def _sole(shoe: Shoe) -> tuple[Line, Line]:
    """Top edge from heel to toe, and the rest from toe to heel along the ground."""
    heel, fore, spring, bevel = shoe.heel, shoe.fore, shoe.spring, shoe.bevel
    flare = {"chunky": 0.025, "runner": 0.012}.get(shoe.sole, 0.004)
    middle = (heel + fore) / 2
    top = [(0.008 - flare, heel + 0.012), (0.1, heel), (0.28, heel - 0.4 * shoe.arch), (0.48, middle - shoe.arch),
           (0.7, fore), (0.86, fore + 0.4 * spring), (0.96, fore + 0.8 * spring), (1.0, fore * 0.9 + spring)]  # fmt: skip
    bottom = [(1.004, fore * 0.5 + spring), (0.985, spring), (0.92, 0.42 * spring), (0.8, 0.06 * spring), (0.62, 0.0),
              (0.4, 0.004), (0.18, 0.0), (0.06, 0.35 * bevel), (0.012 - flare, bevel + 0.01), (-flare, heel * 0.55)]  # fmt: skip
    return curve(np.array(top)), curve(np.array(bottom))


def _back(shoe: Shoe, back: np.ndarray) -> Line:
    points = [(0.06, 0.03), (0.022, shoe.heel + 0.03), (0.014, 0.2), (0.036, 0.29)]
    points += [(0.05, 0.4)] if shoe.collar > 0.45 else []
    return curve(np.array([*points, back]))


def _collar(back: np.ndarray, front: np.ndarray, dip: float) -> Line:
    """From the heel's top to the throat's, around the ankle."""
    (x0, y0), (x1, y1) = back, front
    wide = x1 - x0
    points = [
        back,
        (x0 + 0.14 * wide, y0 - 0.3 * dip),
        (x0 + 0.45 * wide, y0 - dip),
        (x1 - 0.2 * wide, y1 - 0.8 * dip),
        front,
    ]
    return curve(np.array(points))


def _throat(shoe: Shoe, front: np.ndarray) -> Line:
    """Where the laces are, from the ankle down to the toe box."""
    x, y = THROAT_END[0], shoe.toe + THROAT_END[1]
    knee = (0.45, y + 0.1)
    points = [
        front,
        (0.35 * front[0] + 0.65 * knee[0] - 0.012, 0.5 * (front[1] + knee[1])),
        knee,
        (0.55, y + 0.048),
        (x, y),
    ]
    return evenly(curve(np.array(points)))


def _front(shoe: Shoe, start: np.ndarray) -> Line:
    """Over the toes, down to inside the sole."""
    end = shoe.fore * 0.8 + shoe.spring
    points = [start, (0.74, shoe.toe + 0.048), (0.83, shoe.toe + 0.03), (0.91, shoe.toe + 0.004), (0.968, 0.66 * shoe.toe + 0.34 * end),
              (0.992, end + 0.008), (0.985, end - 0.02), (0.9, 0.03)]  # fmt: skip
    return curve(np.array(points))


def _tongue(throat: Line) -> Line:
    """Looks out above the throat."""
    x, y = throat[0]
    along = throat + np.linspace(0.03, 0.003, len(throat))[:, None] * _normals(throat)
    tip = curve(
        np.array([(x - 0.03, y - 0.1), (x - 0.07, y + 0.025), (x - 0.055, y + 0.062), (x - 0.015, y + 0.055), along[2]])
    )
    return np.concatenate([tip, along[3:], throat[::-1] - (0, 0.05)])


def _lining(back: np.ndarray, front: np.ndarray, collar: Line) -> Line:
    """The far side of the opening for the foot."""
    (x0, y0), (x1, y1) = back, front
    far = [(x0 + 0.004, y0), (x0 + 0.06, y0 + 0.012), ((x0 + x1) / 2, (y0 + y1) / 2 - 0.004), (x1, y1 + 0.01)]
    return np.concatenate([curve(np.array(far)), collar[::-1] - (0, 0.01)])


def evenly(line: Line, count: int = 33) -> Line:
    """Points at equal distances along a line."""
    steps = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    places = np.linspace(0, steps[-1], count)
    return np.stack([np.interp(places, steps, line[:, axis]) for axis in (0, 1)], 1)


def _normals(line: Line) -> Line:
    """Unit vectors to the left of a line's direction, [K,2]."""
    along = np.gradient(line, axis=0)
    return np.stack([-along[:, 1], along[:, 0]], 1) / np.maximum(np.hypot(*along.T), 1e-6)[:, None]


def beside(line: Line, distance: float) -> Line:
    """The line moved to its left."""
    return line + distance * _normals(line)


def ribbon(spine: Line, widths: tuple[float, ...]) -> Line:
    """A closed band along control points, as wide at each as `widths` says."""
    smooth = curve(spine)
    half = np.interp(np.linspace(0, 1, len(smooth)), np.linspace(0, 1, len(widths)), widths)[:, None] / 2
    return np.concatenate([smooth + half * _normals(smooth), (smooth - half * _normals(smooth))[::-1]])


def circle(x: float, y: float, radius: float) -> Line:
    turns = np.linspace(0, 2 * np.pi, 28)
    return np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], 1)


def star(x: float, y: float, radius: float) -> Line:
    turns = np.pi / 2 + np.arange(10) * np.pi / 5
    reach = radius * np.where(np.arange(10) % 2, 0.42, 1)
    return np.stack([x + reach * np.cos(turns), y + reach * np.sin(turns)], 1)


# --- what is on the side ---

# Spines of control points (u, v) and widths there; u from heel to toe, v from the sole's edge, 0, to below the collar, 1.
_BANDS = {
    "sweep": [([(0.6, 0.66), (0.575, 0.4), (0.5, 0.24), (0.34, 0.34), (0.07, 0.72)], (0.004, 0.04, 0.052, 0.034, 0.004))],
    "stripes": [([(0.385 + 0.075 * k, 0.98 - 0.14 * k), (0.485 + 0.07 * k, 0.0)], (0.03, 0.03)) for k in range(3)],
    "strip": [([(0.64, -0.05), (0.53, 0.26), (0.36, 0.6), (0.18, 0.84), (0.03, 0.94)], (0.1, 0.05, 0.034, 0.03, 0.028))],
    "wave": [([(0.05, 0.42), (0.18, 0.46), (0.31, 0.76), (0.42, 0.8), (0.53, 0.5), (0.66, 0.02)], (0.012, 0.016, 0.018, 0.016, 0.012))],
    "cross": [([(0.38, 0.95), (0.5, 0.5), (0.63, 0.02)], (0.02, 0.034, 0.06)), ([(0.14, 0.42), (0.34, 0.44), (0.56, 0.66)], (0.008, 0.03, 0.012)),
              ([(0.16, 0.24), (0.36, 0.26), (0.54, 0.4)], (0.006, 0.022, 0.006))],
    "crossing": [([(0.36, 0.0), (0.42, 0.45), (0.44, 0.95)], (0.018, 0.018, 0.014)), ([(0.46, 0.0), (0.5, 0.4), (0.5, 0.85)], (0.018, 0.018, 0.014)),
                 ([(0.1, 0.62), (0.3, 0.56), (0.52, 0.34), (0.68, 0.0)], (0.012, 0.02, 0.02, 0.016)),
                 ([(0.12, 0.44), (0.28, 0.4), (0.45, 0.22), (0.56, -0.02)], (0.012, 0.02, 0.02, 0.016))],
    "arcs": [([(0.35, 0.2), (0.36, 0.46), (0.43, 0.56), (0.5, 0.46), (0.51, 0.2)], (0.004, 0.02, 0.024, 0.02, 0.004)),
             ([(0.35, 0.86), (0.36, 0.6), (0.43, 0.5), (0.5, 0.6), (0.51, 0.86)], (0.004, 0.02, 0.024, 0.02, 0.004))],
    "band": [([(0.3, 0.0), (0.42, 1.0)], (0.075, 0.06))],
}  # fmt: skip
_SHAPES = {
    "letter": [[(0.36, 0.12), (0.4, 0.92), (0.455, 0.92), (0.5, 0.46), (0.52, 0.92), (0.575, 0.92), (0.535, 0.12), (0.48, 0.12),
                (0.435, 0.58), (0.415, 0.12)]],
    "bolt": [[(0.47, 0.95), (0.35, 0.46), (0.42, 0.48), (0.37, 0.08), (0.52, 0.6), (0.44, 0.58)]],
    "diamond": [[(0.36, 0.5), (0.43, 0.82), (0.5, 0.5), (0.43, 0.18)]],
}  # fmt: skip


def marks_of(shoe: Shoe, last: Last, rng: np.random.Generator) -> list[Line]:
    """The closed shapes of the mark on the side, moved and slanted a little."""
    shift, slant, size = rng.normal(0, 0.01), rng.normal(0, 0.012), rng.uniform(0.94, 1.06)

    def place(points: list[tuple[float, float]]) -> Line:
        u, v = np.array(points).T
        u = 0.45 + (u - 0.45) * size + shift + slant * v
        floor = np.interp(u, last.top[:, 0], last.top[:, 1])
        return np.stack([u, floor + v * (shoe.toe + 0.15 - floor)], 1)

    if shoe.mark == "star":
        x, y, radius = (0.2, 0.42, 0.062) if shoe.collar > 0.5 else (0.24, 0.205, 0.045)
        return [circle(x + shift, y, radius), star(x + shift, y, radius * 0.72)]
    bands = [ribbon(place(spine), widths) for spine, widths in _BANDS.get(shoe.mark, [])]
    return bands + [place(corners) for corners in _SHAPES.get(shoe.mark, [])]
