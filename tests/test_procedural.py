"""Drawn sneakers stand in for photos: the same in each run, framed as photos are, with edges that training can trace."""

import csv
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from isneaker import catalogue
from isneaker.languages import LANGUAGES
from isneaker.poses import fill, outline_of, pose_of
from tests.conftest import ROOT
from train.data import Sneakers
from train.procedural import dataset, sneaker, write

FIRST = range(0, 40, 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    write(folder, 20)
    return folder


@pytest.fixture(scope="module")
def drawn():
    return [sneaker(n) for n in FIRST]


def solid(photo: Image.Image) -> np.ndarray:
    return ndimage.binary_fill_holes(np.asarray(photo).min(2) < 250)


def test_a_number_is_the_same_sneaker_in_each_run():
    again = [sneaker(7), sneaker(7)]
    assert again[0][0] == again[1][0] and again[0][1].tobytes() == again[1][1].tobytes()
    assert sneaker(7, seed=1)[1].tobytes() != again[0][1].tobytes() != sneaker(17)[1].tobytes()


def test_it_lies_as_photos_do(drawn):
    silhouettes = catalogue.load(catalogue.newest("cutout")).silhouettes
    for _, photo, _ in drawn:
        rows, columns = np.flatnonzero(solid(photo).any(1)), np.flatnonzero(solid(photo).any(0))
        assert photo.size == (512, 384) and abs(rows[-1] - 352) <= 2 and abs(columns[0] + columns[-1] - 511) <= 4
        assert len(columns) <= 468 and len(rows) <= 334 and (len(columns) > 455 or len(rows) > 320)
        pose = pose_of(fill(outline_of(solid(photo))), silhouettes)
        assert pose.misfit < 3 and not pose.mirrored and abs(pose.angle) < 3


def test_its_edges_are_soft_and_lie_on_it(drawn):
    for _, photo, edges in drawn:
        lines, shoe = np.asarray(edges), solid(photo)
        border = shoe & ~ndimage.binary_erosion(shoe, iterations=2)
        assert edges.mode == "L" and edges.size == photo.size and 0.02 < (lines > 45).mean() < 0.2
        assert (ndimage.maximum_filter(lines, 5)[border] > 150).mean() > 0.95  # all of the outline is there
        assert (lines[~ndimage.binary_dilation(shoe, iterations=6)] < 20).all()
        inner = ndimage.binary_erosion(shoe, iterations=8)
        assert len(np.unique(lines)) > 100 and (lines[inner] > 90).mean() > 0.01  # and more than the outline


def test_languages_have_marks_of_their_own_and_shoes_differ(drawn):
    marks = {language: {sneaker(i + 10 * k)[0].mark for k in range(3)} for i, language in enumerate(LANGUAGES[:-1])}
    assert all(len(own) == 1 for own in marks.values()) and len(set.union(*marks.values())) == len(marks)
    shoes = [shoe for shoe, _, _ in drawn]
    assert len({shoe.upper_colour for shoe in shoes}) == len(shoes) and np.ptp([s.collar for s in shoes]) > 0.15
    assert len({shoe.sole for shoe in shoes}) >= 3 and len({shoe.tip for shoe in shoes}) >= 3


def test_training_reads_the_folder(folder, tmp_path):
    with open(folder / "metadata.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["language"] for row in rows] == 2 * list(LANGUAGES) and {row["licence"] for row in rows} == {"MIT"}
    assert [row["split"] for row in rows].count("validation") == 2
    samples = Sneakers(folder, tmp_path / "cache")
    sample = samples[0]
    assert len(samples) == 18 and sample["target"].shape == (3, 384, 512) and sample["ink"].float().mean() > 1
    assert len(samples.lines[0].levels[0]) > 5 and len(samples.lines[0].outline) > 20


def test_a_cached_set_is_written_once_and_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("train.procedural.write", lambda folder: write(folder, 3))
    folder = dataset(tmp_path / "set")
    written = (folder / "metadata.csv").stat().st_mtime_ns
    assert dataset(folder) == folder and (folder / "metadata.csv").stat().st_mtime_ns == written
    assert [p.name for p in tmp_path.iterdir()] == ["set"]  # nothing half-written lies about


def test_the_command_says_what_is_wrong_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for words in ([tmp_path / "file" / "set"], [tmp_path / "set", "--count", "0"]):
        done = subprocess.run(
            [sys.executable, "-m", "train.procedural", *words], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and not done.stdout
