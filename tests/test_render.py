"""render(design): the same Design is the same picture, and every field of it matters."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from isneaker import catalogue
from isneaker.design import MAX_SEED, Design
from isneaker.images import open_picture, to_png
from isneaker.render import render, render_all
from isneaker.templates import TEMPLATES
from isneaker.tokens import from_token, to_token
from tests.conftest import ROOT, forget, row, save_tiny_model

DESIGN = Design(strokes=TEMPLATES["runner"], hints=((1500, 6, 0xD7263D),), seed=3, languages=(("nike", 100),))


def difference(a, b) -> int:
    return int(np.abs(np.asarray(a, int) - np.asarray(b, int)).max())


def test_same_design_same_picture_alone_and_in_a_batch(weights):
    designs = [replace(DESIGN, seed=s) for s in range(4)]
    alone = [render(d) for d in designs]
    forget()
    assert max(map(difference, alone, render_all(designs))) <= 1


def test_same_design_same_picture_in_another_process(tmp_path):
    token = to_token(DESIGN)
    command = [sys.executable, "-m", "isneaker", "render", token, "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert difference(open_picture(tmp_path / "0.png"), render(DESIGN)) <= 1


@pytest.mark.parametrize(
    "other",
    [
        {"strokes": TEMPLATES["high"]}, {"hints": ((1500, 6, 0x1F6FD1),)}, {"hints": ()}, {"fidelity": 0.1}, {"seed": 4},
        {"languages": (("vans", 100),)}, {"languages": (("nike", 50), ("vans", 50))}, {"mirrored": True},
        {"codes": ((50, bytes(range(16))),)},
    ],
)  # fmt: skip
def test_every_field_changes_the_picture(weights, other):
    assert difference(render(DESIGN), render(replace(DESIGN, **other))) > 3


def test_a_mix_is_continuous_in_its_weights(weights):
    a, b, c = (render(replace(DESIGN, languages=(("nike", n), ("vans", 100 - n)))) for n in (50, 51, 95))
    near, far = (np.abs(np.asarray(a, float) - np.asarray(x, float)).mean() for x in (b, c))
    assert near < far / 5


def test_pictures_have_the_size_and_ground_they_should():
    picture = render(DESIGN)
    assert picture.size == (512, 384) and picture.mode == "RGB"
    assert np.asarray(picture)[:30].min() > 235  # embedded weights: white above the shoe


def test_extreme_designs_render(weights):
    for design in (Design(), Design(strokes=(((0, 0),),)), replace(DESIGN, seed=MAX_SEED, fidelity=0)):
        assert render(design).size == (512, 384)


def test_a_png_carries_its_design(weights, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(to_png(render(DESIGN), to_token(DESIGN)))
    assert from_token(open_picture(path).info["isneaker"]) == DESIGN


def test_an_old_link_keeps_its_weights_when_a_model_is_added(weights):
    before = render(DESIGN)
    save_tiny_model(weights / "sketch.v2", seed=1)
    (weights / "catalogue.json").write_text(json.dumps([row(weights / "sketch.v1"), row(weights / "sketch.v2")]))
    forget()
    assert difference(before, render(DESIGN)) == 0
    assert catalogue.newest("sketch") == "sketch.v2"
    assert difference(before, render(replace(DESIGN, model="sketch.v2"))) > 3
