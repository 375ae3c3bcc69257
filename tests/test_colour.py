"""A scribble colours the part that it lies on, whole, and no other part. With the embedded weights."""

from dataclasses import replace

import numpy as np
import pytest

from isneaker.colour import Scribbles
from isneaker.design import COLUMNS, Design
from isneaker.images import hint_tensor, sketch_tensors
from isneaker.render import render
from isneaker.templates import TEMPLATES

SHOE = Design(strokes=TEMPLATES["low"], fidelity=0.8)
RED, BLUE = 0xD7263D, 0x1F6FD1
SOLE = (slice(322, 342), slice(60, 460))  # rows, columns well inside the sole and the upper of this outline
UPPER = (slice(240, 290), slice(60, 280))


def scribble(row: int, column: int, cells: int, colour: int) -> tuple:
    return ((row * COLUMNS + column, cells, colour),)


def median(picture, area) -> np.ndarray:
    return np.median(np.asarray(picture)[area].reshape(-1, 3).astype(float), axis=0)


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_red_on_the_sole_is_a_red_sole(seed):
    design = replace(SHOE, seed=seed)
    plain, red = render(design), render(replace(design, hints=scribble(41, 20, 6, RED)))
    assert np.abs(median(red, SOLE) - (0xD7, 0x26, 0x3D)).max() < 40
    assert np.abs(median(red, UPPER) - median(plain, UPPER)).max() < 12


def test_two_parts_two_colours():
    picture = render(replace(SHOE, seed=2, hints=scribble(32, 20, 4, BLUE) + scribble(41, 30, 5, RED)))
    assert median(picture, SOLE)[0] > 150 > median(picture, SOLE)[2]
    assert median(picture, UPPER)[2] > 150 > median(picture, UPPER)[0]


def test_paper_stays_white():
    picture = render(replace(SHOE, seed=2, hints=scribble(32, 20, 4, BLUE)))
    assert np.asarray(picture)[:100].min() > 235


def test_a_line_divides_and_open_lines_do_not():
    closed = Design(strokes=(((256, 0), (256, 383)),), hints=scribble(20, 10, 2, RED))
    open_ = replace(closed, strokes=(((256, 100), (256, 300)),))
    ways = []
    for design in (closed, open_):
        ink, _ = sketch_tensors(design)
        ways.append(Scribbles(ink, hint_tensor(design)).ways[0, :, 0].reshape(192, 256))
    assert ways[0][100, 230] > 2 > ways[0][100, 100] + 1
    assert ways[1][100, 230] < 1.5


def test_many_scribbles_of_many_colours_are_done():
    hints = tuple((cell, 1, cell * 5000 % 0xFFFFFF) for cell in range(0, 3072, 4))
    assert render(replace(SHOE, hints=hints)).size == (512, 384)
