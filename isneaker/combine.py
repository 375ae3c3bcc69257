"""Combining: two to four sneakers, and how much of each, -> a Design; their children, and the way from one to another."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from isneaker import catalogue
from isneaker.design import COLUMNS, MAX_CODES, Design, DesignError, Run
from isneaker.images import CELL, PNG_KEY, open_picture
from isneaker.photolines import PhotoLines, lines_of
from isneaker.photos import Prepared, of_picture, prepare
from isneaker.poses import BASE, fill
from isneaker.render import render
from isneaker.restyle import as_points, code_of
from isneaker.strokes import Stroke
from isneaker.tokens import from_token

FOOT = 96  # columns at which a shoe's height is taken for blending
CHILDREN = 8
LINE_POINTS = 420  # of the inner lines of all sources together
FRAMES = 24  # of a morph, one way
SOLE_ROW, UPPER = 26, 62  # pixels above the ground: where the sole's colour is looked up, where the upper begins
ALONG = (0.05, 0.16, 0.28, 0.4, 0.52, 0.64, 0.76, 0.87, 0.95)  # where colours are looked up, heel 0 to toe 1,
ABOVE = (0.12, 0.38, 0.64, 0.88)  # and from the sole 0 to the top edge 1


@dataclass(frozen=True)
class Source:
    """What a sneaker gives to its children: its lines, the height of its top edge at FOOT columns from heel to toe, heel
    and toe in pixels, its style code, and its colours [K,3] of 0..255 at the places of `_places`."""

    lines: PhotoLines
    tops: np.ndarray
    ends: tuple[int, int]
    code: bytes
    colours: np.ndarray
    picture: Image.Image


def source_of(sneaker: Prepared | Design) -> Source:
    """A prepared photo or a sneaker's Design, without its finish, -> a Source. Raises DesignError where that is another
    picture, and what `render` raises."""
    if isinstance(sneaker, Design) and sneaker.source:
        raise DesignError("this is a translation, and no sneaker")
    found = sneaker if isinstance(sneaker, Prepared) else of_picture(render(replace(sneaker, finish=None)))
    columns = np.flatnonzero(found.mask.any(0))
    at = np.linspace(columns[0], columns[-1], FOOT).round().astype(int)
    code = code_of(found.photo, catalogue.newest("sketch"))
    tops, ends = found.mask[:, at].argmax(0).astype(float), (int(columns[0]), int(columns[-1]))
    colours = _colours_at(found, _places(tops, ends))
    return Source(lines_of(found.photo, found.mask), tops, ends, code, colours, found.photo)


def read_source(path: str | Path) -> Source:
    """A picture file -> a Source: the Design in one of our PNGs, else the shoe in the photo. Raises PictureError,
    DesignError and what `render` raises."""
    picture = open_picture(path)
    token = picture.info.get(PNG_KEY)
    return source_of(from_token(token) if token else prepare(picture))


def _places(tops: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    """Points [K,2] all over a shoe: a row on the sole, the others between it and the top edge."""
    x = ends[0] + np.array(ALONG) * (ends[1] - ends[0])
    top = np.interp(ALONG, np.linspace(0, 1, FOOT), tops)
    rows = [
        np.full(len(ALONG), BASE - SOLE_ROW),
        *((BASE - UPPER) * (1 - v) + np.minimum(top, BASE - UPPER) * v for v in ABOVE),
    ]
    return np.concatenate([np.stack([x, y], 1) for y in rows])


def _colours_at(found: Prepared, places: np.ndarray, reach: int = 9) -> np.ndarray:
    """The median colour of the shoe around each place, [K,3]; the whole shoe's where there is none of it."""
    rgb, colours = np.asarray(found.photo, float), []
    for x, y in places.astype(int):
        window = slice(max(0, y - reach), y + reach), slice(max(0, x - reach), x + reach)
        near = rgb[window][found.mask[window]]
        colours.append(np.median(near if len(near) else rgb[found.mask], axis=0))
    return np.array(colours)


def combine(
    sources: list[Source], weights: list[float], shape: list[float] | None = None, seed: int = 0, free: float = 0
) -> Design:
    """Sources and how much of each (any scale), in colour and material, and in shape where that differs -> their child.
    free: share of the style, 0 to 1, that the seed draws from all sneakers. Raises ValueError where no weight is positive.
    """
    style = (1 - free) * _shares(weights)
    percents = np.floor(100 * style + 1e-6).astype(int)
    if not free:  # what rounding down left over
        percents[np.argsort(percents - 100 * style)[: 100 - percents.sum()]] += 1
    codes = tuple((int(w), source.code) for w, source in zip(percents, sources) if w > 0)[:MAX_CODES]
    form = _shares(shape if shape is not None else weights)
    tops = sum(share * source.tops for share, source in zip(form, sources))
    ends = tuple(sum(share * np.array(source.ends) for share, source in zip(form, sources)).tolist())
    colours = sum(share * source.colours for share, source in zip(_shares(weights), sources))
    strokes = _blend_lines(sources, form, tops, ends)
    return Design(
        model=catalogue.newest("sketch"), strokes=as_points(strokes), fidelity=1,
        hints=_hints(_places(tops, ends), colours, strokes[0]), codes=codes, seed=seed,
    )  # fmt: skip


def _hints(places: np.ndarray, colours: np.ndarray, outline: Stroke) -> tuple[Run, ...]:
    """Colours [K,3] at places [K,2] -> hints of one cell each, where the cell is well inside the outline: a spot on the
    ground would colour the ground."""
    inside = ndimage.binary_erosion(fill(outline), iterations=CELL + 3)
    x, y = places.astype(int).T
    places, colours = places[inside[y, x]], colours[inside[y, x]]
    column, row = (places // CELL).astype(int).T
    values = colours.round().astype(int) @ (65536, 256, 1)
    return tuple(
        (cell, 1, value)
        for cell, value in sorted(dict(zip((row * COLUMNS + column).tolist(), values.tolist())).items())
    )


def _shares(weights: list[float]) -> np.ndarray:
    weights = np.array(weights, float)
    if not np.isfinite(weights).all() or weights.min() < 0 or weights.sum() <= 0:
        raise ValueError("weights are numbers from 0 on, one of them above 0")
    return weights / weights.sum()


def _blend_lines(
    sources: list[Source], shares: np.ndarray, tops: np.ndarray, ends: tuple[float, float]
) -> list[Stroke]:
    """Lines of a shoe with these tops and ends: outline, sole and collar of the main source, and of each source's other
    lines as many as its share says; two half sources give few, for the lines of both would cross."""
    main = sources[int(np.argmax(shares))].lines
    move = _mover(sources[int(np.argmax(shares))], tops, ends)
    strokes = [move(stroke) for stroke in (main.outline, *main.sole, *main.collar)]
    for share, source in zip(shares, sources):
        move, inner = _mover(source, tops, ends), [*source.lines.side, *source.lines.details]
        room = LINE_POINTS * min(1.0, max(0.0, (share - 0.42) / 0.38))
        counts = np.cumsum([len(stroke) for stroke in inner])
        strokes += [move(stroke) for stroke in inner[: int(np.searchsorted(counts, room, side="right"))]]
    return strokes


def _mover(source: Source, tops: np.ndarray, ends: tuple[float, float]) -> Callable[[Stroke], Stroke]:
    """The function that moves points of a source to where they belong on a shoe with these tops and ends."""
    columns = np.linspace(0, 1, FOOT)

    def move(stroke: Stroke) -> Stroke:
        along = (stroke[:, 0] - source.ends[0]) / (source.ends[1] - source.ends[0])
        own, new = (np.interp(along, columns, each) for each in (source.tops, tops))
        x = ends[0] + along * (ends[1] - ends[0])
        y = BASE - (BASE - stroke[:, 1]) * (BASE - new) / np.maximum(BASE - own, 8)
        return np.stack([x, np.minimum(y, np.maximum(BASE, stroke[:, 1]))], 1)

    return move


def children(sources: list[Source], weights: list[float], shape: int | None, seed: int) -> list[Design]:
    """Eight different children; shape: the source that all take their shape from, None for a blend in each. The first has
    the weights as they are."""
    rng = np.random.default_rng(seed)
    family = []
    for i in range(CHILDREN):
        style = np.array(weights, float) if i == 0 else rng.dirichlet(0.3 + 1.5 * _shares(weights))
        form = np.eye(len(sources))[shape] if shape is not None else rng.dirichlet(0.2 + 2 * _shares(weights))
        if i == 0 and shape is None:
            form = style
        family.append(combine(sources, list(style), list(form), seed + i, free=0 if i == 0 else 0.2 * rng.random()))
    return family


def morph(first: Source, last: Source, frames: int = FRAMES) -> Iterator[Image.Image]:
    """The pictures on the way from one sneaker to another."""
    for t in np.linspace(0, 1, frames):
        t = t * t * (3 - 2 * t)  # starts and ends slowly
        yield render(combine([first, last], [1 - t, t]))


def to_webp(frames: list[Image.Image], milliseconds: int = 70) -> bytes:
    """Pictures -> an endless WebP animation there and back."""
    file, loop = io.BytesIO(), [*frames, *frames[-2:0:-1]]
    pauses = [milliseconds * (8 if i in (0, len(frames) - 1) else 1) for i in range(len(loop))]
    loop[0].save(file, "WEBP", save_all=True, append_images=loop[1:], duration=pauses, loop=0, quality=80, method=2)
    return file.getvalue()
