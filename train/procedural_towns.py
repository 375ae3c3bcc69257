"""What lies where in a small town, from a seed: the plan from which both the map and the aerial picture are drawn.

One unit is about a metre; a tile shows SIZE x SIZE of them, and the plan goes on beyond it.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

SIZE = 256
REACH = 200  # from the middle, in every direction: the tile's corners are 181 away
MINOR, MAJOR, RAIL = 7, 12, 8  # widths
KINDS = ("houses", "courts", "works", "park", "wood")

Polygon = np.ndarray  # [K,2], x and y


@dataclass
class Town:
    """Blocks and buildings by kind; roads and rail as polylines; water as polygons."""

    blocks: list[tuple[str, Polygon]] = field(default_factory=list)
    buildings: list[tuple[str, Polygon]] = field(default_factory=list)
    minor: list[Polygon] = field(default_factory=list)
    major: list[Polygon] = field(default_factory=list)
    water: list[Polygon] = field(default_factory=list)
    rail: list[Polygon] = field(default_factory=list)


class Warp:
    """The way from the plan's straight grid to the ground: turned, and bent a little."""

    def __init__(self, rng: np.random.Generator):
        angle = rng.uniform(0, np.pi)
        self.turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        self.bend, self.phase = rng.uniform(0, 7), rng.uniform(0, 2 * np.pi, 2)

    def __call__(self, points) -> Polygon:
        """Points [K,2] of the grid -> of the tile."""
        points = np.asarray(points, float)
        bent = points + self.bend * np.sin(points[:, ::-1] / 45 + self.phase)
        return bent @ self.turn + SIZE / 2

    def line(self, start, end) -> Polygon:
        """A straight line of the grid, in steps of about 12."""
        start, end = np.asarray(start, float), np.asarray(end, float)
        return self(start + (end - start) * np.linspace(0, 1, 2 + int(np.abs(end - start).max() // 12))[:, None])

    def box(self, left: float, top: float, right: float, bottom: float) -> Polygon:
        """A rectangle of the grid."""
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        return np.concatenate([self.line(a, b)[:-1] for a, b in pairwise(corners)])


def imagine_town(rng: np.random.Generator) -> Town:
    """A town: streets around blocks, what stands in them, and perhaps a main road, a river or a lake, and a railway."""
    town, warp = Town(), Warp(rng)
    us, vs = _cuts(rng), _cuts(rng)
    kinds = _zones(len(us) - 1, len(vs) - 1, rng)
    main = us[len(us) // 2 + rng.integers(-1, 2)] if rng.random() < 0.75 else None
    _streets(town, warp, us, vs, kinds, main)
    for i, u in enumerate(pairwise(us)):
        for j, v in enumerate(pairwise(vs)):
            _fill_block(town, warp, kinds[i, j], (u[0], v[0], u[1], v[1]), rng)
    draw = rng.random()
    if draw < 0.35:
        town.water.append(_river(rng))
    elif draw < 0.5:
        town.water.append(_lake(rng))
    if rng.random() < 0.35:
        town.rail.append(_across(rng, bend=18))
    return town


def _cuts(rng: np.random.Generator) -> np.ndarray:
    """Where the streets of one direction lie."""
    steps = rng.uniform(46, 88, 2 * REACH // 46)
    cuts = -REACH - rng.uniform(0, 40) + np.cumsum(steps)
    return cuts[cuts < REACH + 60]


def _zones(columns: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    """The kind of each block; parks, woods and works often go on in the next one."""
    weights = rng.dirichlet((2.5, 1.2, 0.7, 0.8, 0.5))
    kinds = rng.choice(KINDS, (columns, rows), p=0.85 * weights + 0.15 * np.array((0.4, 0.2, 0.1, 0.2, 0.1)))
    for i, j in np.ndindex(columns - 1, rows):
        if kinds[i, j] in KINDS[2:] and rng.random() < 0.45:
            kinds[i + 1, j] = kinds[i, j]
    return kinds


def _streets(town: Town, warp: Warp, us, vs, kinds: np.ndarray, main: float | None) -> None:
    """Streets between the blocks, but none through a park or a wood; one may be the main road."""
    open_land = np.isin(kinds, ("park", "wood"))
    for i, u in enumerate(us):
        if u == main:
            town.major.append(warp.line((u, -REACH - 60), (u, REACH + 60)))
            continue
        for j, v in enumerate(pairwise(vs)):
            if not (0 < i < len(us) - 1 and open_land[i - 1, j] and open_land[i, j]):
                town.minor.append(warp.line((u, v[0]), (u, v[1])))
    for j, v in enumerate(vs):
        for i, u in enumerate(pairwise(us)):
            if not (0 < j < len(vs) - 1 and open_land[i, j - 1] and open_land[i, j]):
                town.minor.append(warp.line((u[0], v), (u[1], v)))


# --- blocks ---


def _fill_block(town: Town, warp: Warp, kind: str, box: tuple, rng: np.random.Generator) -> None:
    """Add a block and what stands in it."""
    town.blocks.append((kind, warp.box(*box)))
    left, top, right, bottom = box[0] + 8, box[1] + 8, box[2] - 8, box[3] - 8
    boxes = {"houses": _houses, "courts": _courts, "works": _works}.get(kind, lambda *_: [])(
        left, top, right, bottom, rng
    )
    town.buildings += [(kind, warp([(a, b), (c, b), (c, d), (a, d)])) for a, b, c, d in boxes]


def _houses(left, top, right, bottom, rng) -> list[tuple]:
    """Two rows of houses that face the streets."""
    boxes, u = [], left + rng.uniform(0, 4)
    while u + 9 < right:
        wide = rng.uniform(9, 15)
        for near in (True, False):
            deep, back = rng.uniform(9, 13), rng.uniform(0, 4)
            if u + wide <= right and rng.random() < 0.9 and (near or bottom - top > 30):
                v = top + back if near else bottom - back - deep
                boxes.append((u, v, u + wide, v + deep))
        u += wide + rng.uniform(4, 9)
    return boxes


def _courts(left, top, right, bottom, rng) -> list[tuple]:
    """Houses wall to wall around a court."""
    deep = rng.uniform(10, 13)
    gap = rng.uniform(0, 8)
    bars = [(left, top, right, top + deep), (left, bottom - deep, right, bottom)]
    sides = [
        (left, top + deep + gap, left + deep, bottom - deep),
        (right - deep, top + deep, right, bottom - deep - gap),
    ]
    if bottom - top > 3 * deep and right - left > 3 * deep:
        bars += sides
    return [bar for bar in bars if rng.random() < 0.93]


def _works(left, top, right, bottom, rng) -> list[tuple]:
    """One to four halls."""
    u, v = (left + (right - left) * rng.uniform(0.4, 0.65)), (top + (bottom - top) * rng.uniform(0.4, 0.65))
    us = [(left, u - 3), (u + 3, right)] if rng.random() < 0.6 else [(left, right)]
    vs = [(top, v - 3), (v + 3, bottom)] if rng.random() < 0.4 else [(top, bottom)]
    return [(a, b, c, d) for a, c in us for b, d in vs if rng.random() < 0.85]


# --- water, rail ---


def _across(rng: np.random.Generator, bend: float) -> Polygon:
    """A line from side to side, near the middle."""
    along = np.linspace(-REACH, REACH, 60)
    aside = rng.uniform(-70, 70) + bend * np.sin(along / rng.uniform(50, 90) + rng.uniform(0, 6))
    angle = rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.stack([along, aside], 1) @ turn + SIZE / 2


def _river(rng: np.random.Generator) -> Polygon:
    middle = _across(rng, bend=rng.uniform(10, 30))
    ahead = np.gradient(middle, axis=0)
    normal = np.stack([-ahead[:, 1], ahead[:, 0]], 1) / np.linalg.norm(ahead, axis=1, keepdims=True)
    half = rng.uniform(12, 24) * (1 + 0.2 * np.sin(np.arange(len(middle)) / 6 + rng.uniform(0, 6)))[:, None]
    return np.concatenate([middle + half * normal, (middle - half * normal)[::-1]])


def _lake(rng: np.random.Generator) -> Polygon:
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    radius = rng.uniform(35, 65) * (1 + sum(0.22 / n * np.sin(n * angles + rng.uniform(0, 6)) for n in (2, 3, 5)))
    return rng.uniform(50, 206, 2) + radius[:, None] * np.stack([np.cos(angles), 0.8 * np.sin(angles)], 1)
