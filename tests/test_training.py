"""Training the sketch network, on a handful of drawn sneakers and tiny networks."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from isneaker import catalogue
from isneaker.design import Design
from isneaker.nets.style import CodeBank, StyleEncoder, to_sphere
from isneaker.nets.unet import SketchUNet
from isneaker.render import render
from isneaker.strokes import draw
from isneaker.templates import TEMPLATES
from tests.conftest import forget
from train import losses, sketch
from train.data import Sneakers
from train.embed import embed
from train.evaluate import metrics
from train.evaluate.sketch import evaluate_sketch
from train.features import Features
from train.sketches import imagine, warp


def config(data, out, **changes) -> sketch.Config:
    tiny = {
        "kimg": 0.016,
        "batch_size": 4,
        "ngf": 48,
        "nef": 8,
        "ndf": 8,
        "z_dim": 3,
        "snapshot_kimg": 0.008,
        "workers": 0,
    }
    return sketch.Config(str(data), str(out), adversary_from=0, adversary_full=0.004, **(tiny | changes))


def test_a_run_leaves_what_the_app_loads(data, tmp_path, weights):
    sketch.train(config(data, tmp_path / "run"))
    stats = [json.loads(line) for line in (tmp_path / "run" / "stats.jsonl").read_text().splitlines()]
    assert [line["kimg"] for line in stats] == [0.008, 0.016]
    assert all(np.isfinite(value) for line in stats for value in line.values())
    assert Image.open(tmp_path / "run" / "samples.png").size == (1536, 1536)
    embed(tmp_path / "run", "sketch.v7")
    forget()
    assert catalogue.newest("sketch") == "sketch.v7"
    assert render(Design(model="sketch.v7", strokes=TEMPLATES["low"])).size == (512, 384)
    results, sheet = evaluate_sketch(data, "sketch.v7")
    assert results["pictures"] == 2 and all(np.isfinite(v) for v in results.values()) and sheet.width == 1536


def test_samples_are_the_same_in_every_run_and_differ_from_each_other(data, tmp_path):
    a, b = (Sneakers(data, tmp_path / "cache", seed=1) for _ in range(2))
    first, again, later = a[3], b[3], a[3 + len(a)]
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["ink"], later["ink"])
    assert first["ink"].shape == (1, 384, 512)


def test_full_fidelity_keeps_lines_in_place(data, tmp_path):
    lines = Sneakers(data, tmp_path / "cache").lines[0]
    outline = np.asarray(draw([lines.outline])) > 0
    assert outline.any()

    def moved(strength: float) -> list[float]:
        moves = [warp(strength, np.random.default_rng(seed)) for seed in range(30)]
        return [float(np.linalg.norm(move(lines.outline) - lines.outline, axis=1).mean()) for move in moves]

    assert max(moved(0)) < 3 and np.mean(moved(0)) < np.mean(moved(0.5)) < np.mean(moved(1))
    assert np.mean(moved(1)) > 8
    assert all(0 <= imagine(lines, np.random.default_rng(seed))[1] <= 1 for seed in range(20))


def test_an_untrained_network_draws_white_paper():
    z = to_sphere(torch.randn(1, 64))
    photo = SketchUNet(48)(torch.rand(1, 1, 128, 192), torch.ones(1), z)
    assert photo.shape == (1, 3, 128, 192) and (photo == 1).all()


def test_codes_start_apart():
    photos = torch.rand(64, 3, 96, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    photos *= torch.rand(64, 3, 1, 1, generator=torch.Generator().manual_seed(1))
    encoder = StyleEncoder(8, 4)
    encoder.whiten(photos)
    z = encoder(photos)
    assert z.square().mean(1).sub(1).abs().max() < 1e-3
    assert z.std(0).min() > 0.5


def test_a_language_is_drawn_from_its_own_codes():
    z = to_sphere(torch.randn(60, 8, generator=torch.Generator().manual_seed(0)))
    bank = CodeBank.of(z, torch.arange(60, dtype=torch.int8) % 3)
    own = z[1::3]
    for seed in range(20):
        code = bank.draw(seed, {1: 1.0})
        nearest = (own - code).square().mean(1).min(), (z - code).square().mean(1).min()
        assert nearest[0] == nearest[1]
        assert torch.equal(code, bank.draw(seed, {1: 1.0}))


def test_the_losses_say_what_they_should():
    x, weights = torch.rand(2, 3, 64, 64), torch.ones(2)
    assert losses.l1(x, x, weights) == 0 and losses.l1(x, x + 1, weights) == pytest.approx(1)
    assert losses.l1(x, x + 1, torch.zeros(2)) == 0
    z = torch.eye(4)
    assert losses.contrast(z, z, torch.ones(4)) < 0.01 < losses.contrast(z.roll(1, 0), z, torch.ones(4))


def test_distances_rise_with_damage():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:96, :128]
    pictures = []
    for _ in range(40):
        wave = np.sin(x * rng.uniform(0.1, 1) + y * rng.uniform(0.1, 1) + rng.uniform(0, 6))
        pictures.append(Image.fromarray((127 + 100 * wave[..., None] * rng.uniform(0.2, 1, 3)).astype(np.uint8)))
    net = Features()
    real, same = metrics.features_of(pictures[:20], net), metrics.features_of(pictures[20:], net)
    blurred = metrics.features_of([p.reduce(8).resize(p.size) for p in pictures[20:]], net)
    assert metrics.kernel_distance(same, real) < metrics.kernel_distance(blurred, real)
    assert metrics.frechet_distance(same, real) < metrics.frechet_distance(blurred, real)
    grid = [
        Image.fromarray(np.where(((x % 4 == 0) | (y % 4 == 0))[..., None], 90, np.asarray(p)).astype(np.uint8))
        for p in pictures
    ]
    assert metrics.grid_power(grid) > 3 * metrics.grid_power(pictures)
