"""The network that finds the shoe: its scenes, its training, its silhouettes."""

import json

import numpy as np
import torch
from safetensors.torch import load_file

from isneaker import catalogue
from isneaker.poses import Pose, fill, onto_canvas, outline_of, pose_of, shadow_of
from isneaker.templates import TEMPLATES
from tests.pictures import mask_of, shoe
from train.cutout import Config, train
from train.scenes import scene

OUTLINES = {name: np.array(lines[0]) for name, lines in TEMPLATES.items()}


def test_scenes_are_of_their_kind_and_come_back_by_seed():
    picture = np.asarray(shoe())
    outline = outline_of(mask_of(shoe()))
    for kind in ("plain", "cluttered", "empty"):
        first, again = (scene(picture, outline, np.random.default_rng(3), "train", kind) for _ in range(2))
        assert first[0].shape == (144, 192, 3) and first[0].dtype == np.uint8 and first[1].shape == (144, 192)
        assert (first[0] == again[0]).all() and first[1].any() == (kind != "empty")


def test_training_runs_resumes_and_gives_a_model(data, tmp_path):
    options = {"data": str(data), "out": str(tmp_path / "run"), "ngf": 24, "num_axes": 2,
               "batch_size": 4, "workers": 0}  # fmt: skip
    train(Config(**options, kimg=0.008))
    train(Config(**options, kimg=0.016))
    run = tmp_path / "run"
    assert json.loads((run / "train_config.json").read_text())["kimg_seen"] == 0.016
    model = catalogue.build(
        "cutout", json.loads((run / "config.json").read_text()), load_file(run / "model.safetensors")
    )
    assert model.net(torch.zeros(1, 3, 144, 192)).shape == (1, 1, 144, 192)


def test_silhouettes_know_a_sneaker_its_toe_and_its_sole():
    silhouettes = catalogue.load(catalogue.newest("cutout")).silhouettes
    shadows = torch.from_numpy(np.stack([shadow_of(outline) for outline in OUTLINES.values()]))
    right, left = silhouettes.misfit(shadows), silhouettes.misfit(shadows.flip(2))
    assert (right < left).all() and right.max() < 4
    assert (silhouettes.misfit(shadows.flip(1)) > 2 * right).all()


def test_a_pose_is_found_and_leads_onto_the_canvas():
    silhouettes = catalogue.load(catalogue.newest("cutout")).silhouettes
    for outline in OUTLINES.values():
        mask = fill(outline)
        for turned, mirrored in ((mask, False), (mask[:, ::-1], True)):
            pose = pose_of(turned, silhouettes)
            assert isinstance(pose, Pose) and pose.mirrored == mirrored and abs(pose.angle) < 12
            matrix, offset = onto_canvas(outline_of(turned), pose.angle, pose.mirrored)
            placed = fill(outline_of(turned) @ matrix + offset)
            assert (placed & mask).sum() / (placed | mask).sum() > 0.75
