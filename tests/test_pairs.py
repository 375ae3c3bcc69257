"""Training on any pairs of pictures: the layouts of pix2pix, directions, kills, several processes, the example."""

import json
import sys
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file

from isneaker import catalogue
from isneaker.render import render
from isneaker.translate import example, picture_of, reduce_picture, translate
from tests.conftest import forget
from tests.test_loop import curve, finish, start
from train import loop, pairs, procedural_maps
from train.embed import embed
from train.pair_folders import cached_pairs, find_pairs, frame_of

TINY = {"kimg": 0.016, "batch_size": 4, "ngf": 48, "nef": 8, "ndf": 8, "z_dim": 3, "snapshot_kimg": 0.008, "workers": 0,
        "adversary_from": 0, "adversary_full": 0.004, "size": 64, "mixed_precision": "no"}  # fmt: skip


def both(n: int) -> tuple[Image.Image, Image.Image]:
    """A flat picture and another with the same shapes, 72x72."""
    rng = np.random.default_rng(n)
    pictures = Image.new("RGB", (72, 72), "#f2efe9"), Image.new("RGB", (72, 72), "#4f6f3f")
    for colours in (("#9fcfe6", "#304858"), ("#d3c4b6", "#a05040")):
        x, y, w, h = rng.integers(4, 40, 4).tolist()
        for picture, colour in zip(pictures, colours):
            ImageDraw.Draw(picture).rectangle((x, y, x + w, y + h), colour)
    return pictures


def beside(n: int) -> Image.Image:
    """Both in one picture."""
    picture = Image.new("RGB", (144, 72))
    for i, side in enumerate(both(n)):
        picture.paste(side, (72 * i, 0))
    return picture


def fill(folder, layout: dict[str, range]):
    """Save pairs: side by side in folder NAME, or in two folders if the name has a | in it."""
    for name, numbers in layout.items():
        for n in numbers:
            sides = zip(name.split("|"), both(n)) if "|" in name else [(name, beside(n))]
            for part, picture in sides:
                (folder / part).mkdir(parents=True, exist_ok=True)
                picture.save(folder / part / f"tile {n}.png")
    return folder


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("tiles"), {"train": range(6), "val": range(6, 8)})


def config(folder, out, **changes) -> pairs.Config:
    return pairs.Config(pairs=str(folder), out=str(out), **(TINY | changes))


# --- folders ---


@pytest.mark.parametrize(
    "layout",
    [
        {"train": range(6), "val": range(6, 8)},
        {"train": range(6), "test": range(6, 8)},
        {"A|B": range(8)},
        {".": range(8)},
        {"A/train|B/train": range(6), "A/val|B/val": range(6, 8)},
        {"trainA|trainB": range(6), "testA|testB": range(6, 8)},
    ],
)
def test_every_layout_of_pix2pix_is_read(layout, tmp_path):
    folder = fill(tmp_path / "data", layout)
    found = find_pairs(folder)
    names = {int(pair.left.stem.split()[1]): pair.held_out for pair in found}
    assert sorted(names) == list(range(8)) and len(found) == 8
    split = any("train" in name for name in layout)
    chosen = [zlib.crc32(f"tile {n}".encode()) for n in range(8)]
    expected = [n >= 6 if split else h % 10 == 0 or h == min(chosen) for n, h in enumerate(chosen)]
    assert [names[n] for n in range(8)] == expected
    cache = cached_pairs(folder, tmp_path / "cache", False, 64)
    sources, targets = (np.load(cache / f"{name}.npy") for name in ("sources", "targets"))
    for i, pair in enumerate(found):
        for array, side in zip((sources, targets), both(int(pair.left.stem.split()[1]))):
            assert np.abs(array[i].astype(int) - np.asarray(side, int)).mean() < 1


def test_back_swaps_source_and_target(tiles, tmp_path):
    ways = [pairs.Pairs(cached_pairs(tiles, tmp_path, back, 64), False, 0, 0) for back in (False, True)]
    (forth, back) = (way[3] for way in ways)
    assert forth["source"].shape == (3, 64, 64)
    for a, b in (("source", "target"), ("target", "source")):
        assert (forth[a].int() - back[b].int()).abs().float().mean() < 2
    assert (forth["source"].int() - back["source"].int()).abs().float().mean() > 40


def test_samples_are_the_same_in_every_run_and_differ_from_each_other(tiles, tmp_path):
    cache = cached_pairs(tiles, tmp_path, False, 64)
    a, b = (pairs.Pairs(cache, False, 1, 0.5) for _ in range(2))
    assert all(torch.equal(a[3][key], b[3][key]) for key in ("source", "target"))
    assert not torch.equal(a[3]["source"], a[3 + len(a)]["source"])


def test_pictures_keep_their_shape():
    assert frame_of(256, 256, 256) == frame_of(600, 600, 256) == (256, 256)
    assert frame_of(512, 384, 256) == (256, 192) and frame_of(384, 512, 256) == (192, 256)
    assert frame_of(70, 70, 256) == frame_of(20, 20, 256) == (64, 64) and frame_of(600, 600, 128) == (128, 128)
    for width in range(400, 1600, 50):
        frame = frame_of(width, 800, 256)
        assert 0.84 < frame[0] / frame[1] * 800 / width < 1.19 and 0.5 <= frame[0] * frame[1] / 256**2 <= 1


def test_pairs_that_cannot_be_read_are_skipped_and_listed(tmp_path, capfd):
    folder = fill(tmp_path / "data", {"A|B": range(5)})
    (folder / "B" / "tile 2.png").write_bytes(b"no picture")
    (folder / "B" / "tile 3.png").unlink()
    cache = cached_pairs(folder, tmp_path, False, 64)
    said = capfd.readouterr().err
    assert "skipped A/tile 3.png: the other folder has no tile 3" in said
    assert "skipped A/tile 2.png: this file is not a picture" in said
    assert sum(len(pairs.Pairs(cache, part, 0, 0)) for part in (False, True)) == 3


@pytest.mark.parametrize(
    "layout, options, said",
    [
        (None, {}, "is no folder"),
        ({}, {}, "holds no pairs"),
        ({"A": range(3), "C": range(3)}, {}, "holds no pairs"),
        ({".": range(1)}, {}, "no readable pairs to train on"),
        ({".": range(4)}, {"direction": "sideways"}, "forth or AtoB or back or BtoA, not sideways"),
        ({".": range(4)}, {"size": "1000"}, "64 to 256"),
        ({".": range(4)}, {"batch-size": "5", "accumulation": "2"}, "does not divide"),
    ],
)
def test_what_cannot_be_trained_on_is_one_clear_line(layout, options, said, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "data"
    if layout is not None:
        folder.mkdir()
        fill(folder, layout)
    words = [word for key, value in options.items() for word in (f"--{key}", value)]
    monkeypatch.setattr(sys, "argv", ["train.sketch", "--pairs", str(folder), "--out", str(tmp_path / "run"), *words])
    with pytest.raises(SystemExit) as exit:
        loop.main(pairs.PairsTraining, pairs.Config, pairs.__doc__)
    lines = capsys.readouterr().err.splitlines()
    assert exit.value.code == 2 and said in lines[-1] and not any("Traceback" in line for line in lines)


def test_pictures_of_nothing_are_one_clear_line(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n}.jpg").write_bytes(b"no picture")
    with pytest.raises(pairs.DataError, match="none of the pictures can be read"):
        cached_pairs(folder, tmp_path, False, 64)


# --- training ---


def test_a_run_leaves_what_the_app_loads(tiles, tmp_path, weights):
    pairs.train(config(tiles, tmp_path / "run"))
    stats = curve(tmp_path / "run")
    assert [line["kimg"] for line in stats] == [0.008, 0.016]
    assert all(np.isfinite(value) for line in stats for value in line.values())
    assert Image.open(tmp_path / "run" / "samples.png").size == (6 * 64, 8 * 64)
    described = json.loads((tmp_path / "run" / "train_config.json").read_text())
    assert (described["data"], described["architecture"]) == (f"{tiles.name} pairs", "translate")
    assert str(tiles.parent) not in json.dumps(described)
    assert not catalogue.offers("translate")
    embed(tmp_path / "run", "translate.v1")
    forget()
    assert catalogue.newest("translate") == "translate.v1"
    design = translate(beside(3).resize((300, 100)), seed=5)
    assert (design.source.width, design.source.height, design.seed) == (64, 64, 5)
    assert render(design).size == (64, 64)
    held_out = pairs.Pairs(cached_pairs(tiles, tmp_path / "cache", False, 64), True, 0, 0)
    for n in range(3):
        shown = np.asarray(picture_of(example(n)), int)
        assert np.abs(shown - held_out.middle(n)["source"].permute(1, 2, 0).int().numpy()).mean() < 2


def test_a_killed_run_ends_like_an_uninterrupted_one(tiles, tmp_path, monkeypatch):
    pairs.train(config(tiles, tmp_path / "whole"))
    step = pairs.PairsTraining.step

    def killed(self, batch, nimg, first):
        if nimg == 12:
            raise KeyboardInterrupt
        return step(self, batch, nimg, first)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pairs.PairsTraining, "step", killed)
        pairs.train(config(tiles, tmp_path / "killed"))
    pairs.train(config(tiles, tmp_path / "killed"))
    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")
    for file in ("checkpoint.safetensors", "model.safetensors"):
        whole, resumed = (load_file(tmp_path / name / file) for name in ("whole", "killed"))
        assert whole.keys() == resumed.keys() and all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_two_processes_train_like_one(tiles, tmp_path):
    options = {key.replace("_", "-"): value for key, value in TINY.items()} | {"pairs": tiles}
    for processes in (1, 2):
        finish(start("sketch", None, tmp_path / str(processes), options | {"batch-size": 8}, processes))
    one, two = (curve(tmp_path / name) for name in ("1", "2"))
    assert len(one) == 2
    for a, b in zip(one, two, strict=True):
        for key in a.keys() - {"grad_norm"}:
            assert a[key] == pytest.approx(b[key], rel=1e-3), key


# --- what the network sees ---


def test_a_flat_picture_keeps_its_colours_and_a_photo_gets_sixteen():
    flat = both(1)[0].resize((200, 200), Image.Resampling.NEAREST)
    source = reduce_picture(flat, (128, 128))
    near = [min(np.abs(np.array([c >> 16, c >> 8 & 255, c & 255]) - known).max() for c in source.palette)
            for known in {pixel for _, pixel in flat.getcolors()}]  # fmt: skip
    assert len(near) >= 3 and max(near) <= 2
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8))
    source = reduce_picture(noise, (128, 64))
    assert len(source.palette) == 16 and picture_of(source).size == (128, 64)


# --- the example ---


def test_map_tiles_are_the_same_in_every_run_and_flat_where_views_are_not(tmp_path):
    (plan, view), again, other = procedural_maps.tile(2), procedural_maps.tile(2), procedural_maps.tile(3)
    assert plan == again[0] and view == again[1] and plan != other[0]
    assert plan.size == view.size == (256, 256)
    counts = sorted((count for count, _ in plan.getcolors(1 << 16)), reverse=True)
    assert sum(counts[:12]) > 0.85 * 256 * 256 > 5 * sum(sorted(count for count, _ in view.getcolors(1 << 16))[-12:])
    procedural_maps.write(tmp_path, 3)
    assert Image.open(tmp_path / "train" / "00002.png").crop((0, 0, 256, 256)) == plan
    assert len(find_pairs(tmp_path)) == 3
