"""Restyling: a prepared photo, design languages and a strength -> a Design, which needs the photo no more."""

from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from isneaker import catalogue
from isneaker.cores import on_all_cores
from isneaker.design import COLUMNS, Design, Run
from isneaker.images import CELL
from isneaker.marks import Marks, marks_on
from isneaker.nets.style import CodeBank
from isneaker.photolines import PhotoLines, lines_of, spots_of
from isneaker.photos import Prepared
from isneaker.strokes import Stroke

SIDE_POINTS, DETAIL_POINTS = 300, 260  # of all lines of a kind: together some 1,300 characters of a link
SPOTS, FEW_SPOTS = 44, 14  # coloured cells: all colours of a shoe, its main ones
WHITE = 0xF4F4F4


def restyle(
    prepared: Prepared,
    languages: tuple[tuple[str, int], ...] = (),
    strength: float = 0.7,
    keep_colours: bool = False,
    seed: int = 0,
) -> Design:
    """A prepared photo in other design languages. strength: 0 the shoe itself to 1 a redesign that keeps its outline, sole
    and collar. Raises catalogue.WeightsUnavailable."""
    lines = lines_of(prepared.photo, prepared.mask)
    shown = min(max((strength - 0.3) / 0.4, 0), 1)  # how far the languages' own marks are drawn
    marks = marks_on(prepared.mask, lines.sole, tuple((name, weight * shown) for name, weight in languages), seed)
    colours = _colours(prepared, strength, keep_colours)
    own = round(100 * (1 - strength * (0.5 if keep_colours else 1)))
    design = _design(prepared, [*_kept_lines(lines, strength), *marks.strokes], own)
    return replace(design, hints=_painted(colours, marks, keep_colours), languages=languages, seed=seed)


def _design(prepared: Prepared, strokes: list[Stroke], own: int) -> Design:
    """A Design of these strokes, `own` percent of its style from a prepared photo."""
    model = catalogue.newest("sketch")
    codes = ((own, code_of(prepared.photo, model)),) if own else ()
    return Design(model=model, strokes=as_points(strokes), fidelity=1, codes=codes)


def as_points(strokes: list[Stroke]) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Strokes on the canvas, as a Design keeps them."""
    return tuple(tuple(map(tuple, np.asarray(s).round().astype(int).tolist())) for s in strokes)


def _kept_lines(lines: PhotoLines, strength: float) -> list[Stroke]:
    """Outline, sole and collar; of the side's lines the fewer the more strength, and of the details no less than half."""
    side = _first(lines.side, SIDE_POINTS * (1 - strength) ** 1.5)
    return [
        lines.outline,
        *lines.sole,
        *lines.collar,
        *side,
        *_first(lines.details, DETAIL_POINTS * (1 - strength / 2)),
    ]


def _first(strokes: list[Stroke], points: float) -> list[Stroke]:
    """The first strokes, as many as have so many points together."""
    return strokes[: int(np.searchsorted(np.cumsum([len(s) for s in strokes]), points, side="right"))]


def _colours(prepared: Prepared, strength: float, keep: bool) -> tuple[Run, ...]:
    """The photo's colours as hints: all to begin with, fewer with strength, soon none unless they are to be kept."""
    spots = round(SPOTS + (FEW_SPOTS - SPOTS) * strength) if keep else round(SPOTS * (1 - 2.5 * strength))
    return (
        spots_of(prepared.photo, prepared.mask, round(12 - 7 * strength), spots, round(strength)) if spots > 0 else ()
    )


def _painted(colours: tuple[Run, ...], marks: Marks, keep: bool) -> tuple[Run, ...]:
    """Hints with the marks' panels painted: white, or where colours are kept, in the one that least is like the main one."""
    spots = {first: colour for first, _, colour in colours}
    paint = _accent(list(spots.values())) if keep and spots else WHITE
    spots |= {y // CELL * COLUMNS + x // CELL: paint for x, y in marks.panels}
    return tuple((cell, 1, spots[cell]) for cell in sorted(spots))


def _accent(colours: list[int]) -> int:
    """Of some colours, the one farthest from the middle of all."""
    rgb = np.array([[c >> 16, c >> 8 & 255, c & 255] for c in colours])
    main = np.median(rgb, axis=0)
    return colours[int(np.argmax(np.linalg.norm(rgb - main, axis=1)))]


@on_all_cores
@torch.inference_mode()
def code_of(photo: Image.Image, model: str) -> bytes:
    """The style code of a prepared photo, as a Design keeps it."""
    pixels = torch.from_numpy(np.array(photo)).permute(2, 0, 1)[None] / 127.5 - 1
    return CodeBank.pack(catalogue.load(model).style(F.avg_pool2d(pixels, 4))[0])
