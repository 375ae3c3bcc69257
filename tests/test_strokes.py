"""The canonical form of drawings."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from isneaker.design import Design
from isneaker.images import PictureError, read_drawing, sketch_of, sketch_tensors
from isneaker.strokes import draw, length, mirror, toe_points_left, trace
from isneaker.templates import TEMPLATES

LINE = ((60, 300), (200, 120), (420, 280))


def drawing(width: int, colour="black", paper="white") -> Image.Image:
    picture = Image.new("RGB", (512, 384), paper)
    ImageDraw.Draw(picture).line(LINE, fill=colour, width=width, joint="curve")
    return picture


def ink(picture: Image.Image) -> np.ndarray:
    return np.asarray(draw(read_drawing(picture).strokes)) > 127


@pytest.mark.parametrize("picture", [drawing(3), drawing(8), drawing(3, "#777"), drawing(4, "#555", "#cfc8b8")])
def test_pen_marker_and_pencil_on_paper_look_alike(picture):
    found, exact = ink(picture), np.asarray(draw([np.array(LINE)])) > 127
    near = np.asarray(Image.fromarray(exact).convert("L").resize((512, 384))) > 0
    grown = np.pad(near, 4)
    grown = sum(np.roll(grown, (dy, dx), (0, 1)) for dy in range(-4, 5) for dx in range(-4, 5))[4:-4, 4:-4] > 0
    assert (found & ~grown).sum() == 0
    assert 0.85 * exact.sum() < found.sum() < 1.15 * exact.sum()


def test_the_canonical_form_is_stable_when_read_again():
    first = read_drawing(sketch_of(Design(strokes=TEMPLATES["runner"])))
    again = read_drawing(sketch_of(Design(strokes=first.strokes)))
    a, b = (np.asarray(draw(d.strokes), float) for d in (first, again))
    assert np.abs(a - b).mean() < 1.5


def test_spurs_are_pruned():
    bitmap = np.zeros((384, 512), bool)
    bitmap[200, 50:450] = True
    bitmap[196:200, 250] = True  # a side branch of four pixels
    (stroke,) = trace(bitmap)
    assert length(stroke) == pytest.approx(399, abs=2)


def test_colour_is_a_hint_and_black_is_a_line():
    picture = drawing(3)
    ImageDraw.Draw(picture).line(((100, 340), (400, 340)), fill="#d7263d", width=16)
    result = read_drawing(picture)
    assert {colour for _, _, colour in result.hints} == {0xD7263D}
    assert 60 <= sum(cells for _, cells, _ in result.hints) <= 120
    assert len(result.strokes) == len(read_drawing(drawing(3)).strokes)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_toe_is_found(name):
    strokes = [np.array(s) for s in TEMPLATES[name]]
    assert not toe_points_left(strokes)
    assert toe_points_left(mirror(strokes))


def test_a_mirrored_design_shows_the_network_the_same_sketch():
    strokes = TEMPLATES["high"]
    flipped = tuple(tuple(map(tuple, s.tolist())) for s in mirror(strokes))
    hints = ((64 * 20 + 10, 5, 0xFF0000),)
    flipped_hints = ((64 * 20 + 64 - 15, 5, 0xFF0000),)
    plain = sketch_tensors(Design(strokes=strokes, hints=hints))
    mirrored = sketch_tensors(Design(strokes=flipped, hints=flipped_hints, mirrored=True))
    assert all((a == b).all() for a, b in zip(plain, mirrored))


def test_nothing_drawn_is_an_empty_drawing():
    assert read_drawing(Image.new("RGB", (512, 384), "white")) == ((), (), False)


def test_one_dot_is_a_stroke():
    picture = Image.new("RGB", (512, 384), "white")
    ImageDraw.Draw(picture).ellipse((250, 200, 255, 205), fill="black")
    assert len(read_drawing(picture).strokes) == 1


def test_a_black_canvas_is_refused():
    with pytest.raises(PictureError):
        read_drawing(Image.new("RGB", (512, 384), "black"))


def test_of_a_photo_edges_and_colours_are_taken():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:384, :512]
    shaded = np.stack([x / 2, y / 2, 255 - x / 3], 2) + rng.normal(0, 12, (384, 512, 3))
    inside = ((x - 256) / 200) ** 2 + ((y - 220) / 110) ** 2 < 1
    photo = np.where(inside[..., None], shaded, 255).clip(0, 255).astype(np.uint8)
    result = read_drawing(Image.fromarray(photo))
    assert result.strokes and result.hints
    assert len({colour for _, _, colour in result.hints}) <= 12


def test_noise_does_not_overflow_a_design():
    noise = np.random.default_rng(0).choice([0, 255], (384, 512)).astype(np.uint8)
    try:
        Design(**read_drawing(Image.fromarray(noise).convert("RGB"))._asdict())
    except PictureError:
        pass
