"""A folder of product photos becomes a data set, the same however often the job was killed; the report says what was dropped."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import data as pictures

from isneaker import catalogue
from isneaker.poses import fill, outline_of, pose_of
from tests.conftest import ROOT
from tests.hub import Hub
from train.data import Sneakers
from train.prepare import main
from train.prepare.duplicates import duplicates
from train.prepare.labels import language_named
from train.prepare.photo import describe, fingerprint_of
from train.procedural import sneaker

FOLDERS = ("Nike", "adidas shoes", "PUMA", "converse-all-star", "Vans", "New Balance", "reebok", "asics_gel", "under-armour", "misc")  # fmt: skip
LANGUAGES = ("nike", "adidas", "puma", "converse", "vans", "new_balance", "reebok", "asics", "under_armour", "other")


def photograph(n: int, angle: float = 0, mirror: bool = False, ground: str = "white") -> Image.Image:
    """Procedural sneaker n as a shop or a visitor shows it, RGB 900x700."""
    photo = sneaker(n)[1]
    mask = ndimage.binary_fill_holes(np.asarray(photo).min(2) < 250)
    picture = Image.new("RGB", (900, 700), ground)
    size, place = (768, 576), (60, 50)
    picture.paste(photo.resize(size, Image.Resampling.LANCZOS), place, Image.fromarray(mask).convert("L").resize(size))
    picture = picture.rotate(angle, Image.Resampling.BICUBIC, fillcolor=ground)
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirror else picture


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Ten sneakers in folders of their brands, two of them twice, and what else lies about in such folders."""
    raw = tmp_path_factory.mktemp("shop")
    for folder in FOLDERS:
        (raw / folder).mkdir()
    for n, folder in enumerate(FOLDERS):
        ground = ("white", "#c9a98e", "#7f93a8")[n % 3]
        photograph(n, angle=(n % 4 == 2) * 9, mirror=n % 4 == 1, ground=ground).save(
            raw / folder / f"{n}.jpg", quality=92
        )
    for n in (3, 6):
        photograph(n, ground="#c9a98e").resize((600, 467)).save(raw / "misc" / f"again{n}.webp", quality=60)
    jpeg = (raw / "Nike" / "0.jpg").read_bytes()
    (raw / "Nike" / "torn.jpg").write_bytes(jpeg[: len(jpeg) // 3])
    (raw / "Nike" / "read me.txt").write_text("not a picture, and not called one")
    (raw / "PUMA" / "letter.JPG").write_text("not a picture, but called one")
    Image.new("1", (12_000, 9_000)).save(raw / "Vans" / "bomb.png")
    Image.fromarray(pictures.astronaut()).save(raw / "misc" / "astronaut.png")
    return raw


def command(*words, **options) -> subprocess.CompletedProcess:
    return subprocess.run(start(*words), cwd=ROOT, capture_output=True, text=True, **options)


def start(*words) -> list[str]:
    return [sys.executable, "-m", "train.prepare", *map(str, words)]


def rows_of(out: Path) -> dict[str, dict]:
    """Rows of metadata.csv by the picture's name in the raw folder."""
    with open(out / "metadata.csv", newline="") as file:
        return {Path(row["source"]).name: row for row in csv.DictReader(file)}


def bytes_of(out: Path) -> dict[str, bytes]:
    """All that the data set consists of, without the job's own notes."""
    return {
        str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file() and ".prepare" not in p.parts
    }


@pytest.fixture(scope="module")
def done(raw, tmp_path_factory):
    """The folder prepared without a break, and what the command said."""
    out = tmp_path_factory.mktemp("done") / "set"
    return out, command(raw, out, "--licence", "CC-BY-4.0")


def test_photos_come_out_as_training_wants_them(done, raw, tmp_path):
    out, said = done
    rows = rows_of(out)
    silhouettes = catalogue.load(catalogue.newest("cutout")).silhouettes
    assert said.returncode == 0 and said.stdout.splitlines()[-1].startswith(
        "10 of 16 pictures kept, 2 repeat another, 4 dropped"
    )
    assert set(rows) == {f"{n}.jpg" for n in range(10)}
    for n, language in enumerate(LANGUAGES):
        row = rows[f"{n}.jpg"]
        photo = Image.open(out / row["file_name"])
        pose = pose_of(
            fill(outline_of(ndimage.binary_fill_holes(np.asarray(photo.convert("RGB")).min(2) < 240))), silhouettes
        )
        assert row["language"] == language and row["licence"] == "CC-BY-4.0" and row["mirrored"] == str(int(n % 4 == 1))
        assert row["source"] == f"{raw.name}/{FOLDERS[n]}/{n}.jpg" and photo.size == (512, 384)
        assert not pose.mirrored and abs(pose.angle) < 4 and pose.misfit < 5, row
        assert Image.open(out / row["edges"]).size == (512, 384)
    samples = Sneakers(out, tmp_path / "cache")
    assert len(samples) == 9 and samples[0]["ink"].float().mean() > 1


def test_the_report_says_what_was_dropped_and_why(done):
    out, said = done
    report = (out / "report.md").read_text()
    for heading, names in (
        ("2 dropped: this file is not a picture, or is damaged", ("Nike/torn.jpg", "PUMA/letter.JPG")),
        ("1 dropped: this picture has too many pixels", ("Vans/bomb.png",)),
        ("2 dropped: shown by another picture", ("misc/again3.webp` is `converse-all-star/3.jpg", "misc/again6.webp` is `reebok/6.jpg")),
    ):  # fmt: skip
        assert heading in report and all(f"- `{name}`" in report for name in names)
    assert "- `misc/astronaut.png`" in report and "| new_balance | " in report
    assert said.stderr.splitlines() == ['labelled other: 4 in "misc", which names no design language']
    for name in ("kept", "duplicates"):
        assert f"(report/{name}.png)" in report and Image.open(out / "report" / f"{name}.png").width > 300


def test_a_killed_job_goes_on_to_the_same_end(done, raw, tmp_path):
    out, journal = tmp_path / "set", tmp_path / "set" / ".prepare" / "journal.jsonl"
    job = subprocess.Popen(start(raw, out, "--licence", "CC-BY-4.0"), cwd=ROOT, stderr=subprocess.DEVNULL)
    while not journal.exists() or journal.read_text().count("\n") < 5:
        assert job.poll() is None
        time.sleep(0.02)
    job.send_signal(signal.SIGKILL)
    job.wait()
    assert not (out / "metadata.csv").exists()  # training would not take it for a data set
    with open(journal, "a") as file:
        file.write('{"name": "Nike/0.jpg", "sta')  # as if killed while writing
    before = json.loads(journal.read_text().splitlines()[1])
    assert command(raw, out, "--licence", "CC-BY-4.0").returncode == 0
    assert json.loads(journal.read_text().splitlines()[1]) == before and journal.read_text().count("\n") == 17
    assert bytes_of(out) == bytes_of(done[0])


def test_photos_can_be_added_and_taken_away(done, raw, tmp_path):
    more, out = tmp_path / "shop", tmp_path / "set"
    shutil.copytree(raw, more)
    shutil.copytree(done[0], out)
    photograph(13).save(more / "Vans" / "13.jpg", quality=92)
    (more / "reebok" / "6.jpg").unlink()
    assert command(more, out).returncode == 0
    before, after = rows_of(done[0]), rows_of(out)
    assert set(after) == set(before) - {"6.jpg"} | {"13.jpg", "again6.webp"}  # what repeated it stands in for it
    real = {name for name in set(before) & set(after) if int(Path(before[name]["file_name"]).stem, 16) % 20}
    assert all(before[name]["file_name"] == after[name]["file_name"] for name in set(before) & set(after))
    assert sum(before[name]["split"] == after[name]["split"] for name in real) >= len(real) - 1
    files = {str(path.relative_to(out)) for part in ("photos", "edges") for path in (out / part).iterdir()}
    assert files == {row[column] for row in after.values() for column in ("file_name", "edges")}


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing_half_written(raw, tmp_path):
    out = tmp_path / "set"
    limited = ["bash", "-c", f'ulimit -f 4; exec "$0" "$@" 2>{tmp_path}/err', *start(raw / "Nike", out)]
    assert subprocess.run(limited, cwd=ROOT, stdout=subprocess.DEVNULL).returncode == 2
    error = (tmp_path / "err").read_text()
    assert len(error.splitlines()) == 1 and f"{out} can't be written" in error
    assert not [path for path in out.rglob("*") if "partial" in path.name or path.name == "metadata.csv"]


def test_wrong_input_is_one_line_and_status_2(raw, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("ten years of it")
    for words, message in (
        ((tmp_path / "nowhere", tmp_path / "set"), "there is no folder"),
        ((tmp_path / "empty", tmp_path / "set"), "holds no pictures"),
        ((raw, raw), "must lie apart"),
        ((raw, raw / "set"), "must lie apart"),
        ((raw / "Nike", raw), "must lie apart"),
        ((raw, tmp_path / "work"), "was not made by train.prepare"),
        ((raw, tmp_path / "file" / "set"), "can't be written"),
        ((raw, tmp_path / "set", "--language", "nikee"), "unknown language nikee"),
    ):
        assert main([*map(str, words)]) == 2, message
        error = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("labelled other")]
        assert len(error) == 1 and message in error[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file", "work"]


@pytest.mark.parametrize("folder, language", [
    ("Nike", "nike"), ("nike_air_max_97", "nike"), ("Air Jordan 1", "nike"), ("ADIDAS", "adidas"), ("yeezy-350", "adidas"),
    ("New Balance", "new_balance"), ("new-balance", "new_balance"), ("newbalance574", "new_balance"), ("NB", "new_balance"),
    ("Under Armour", "under_armour"), ("under-armor", "under_armour"), ("Chuck Taylor", "converse"), ("other", "other"),
    ("gucci", None), ("nbc", None), ("train", None),
])  # fmt: skip
def test_folders_name_languages_in_many_spellings(folder, language):
    assert language_named(folder) == language


def test_another_colour_is_another_shoe_and_another_file_is_not():
    photo = sneaker(3)[1]
    soft = photo.resize((300, 225)).resize((512, 384))
    blue = Image.merge("RGB", [photo.getchannel(c) for c in "GBR"])
    views = [photo, blue, soft, sneaker(13)[1], sneaker(23)[1]]
    hashes, thumbnails, features = zip(*(fingerprint_of(describe(view)[1]) for view in views))
    assert duplicates(list(hashes), np.stack(thumbnails), np.stack(features)) == [None, None, 0, None, None]


def test_edge_maps_show_the_lines_of_a_shoe():
    for n in (0, 1, 5, 9, 13):
        _, photo, drawn = sneaker(n)
        found, drawn = np.asarray(describe(photo)[0]), np.asarray(drawn)
        outline = np.asarray(photo).min(2) < 250
        outline = ndimage.binary_fill_holes(outline) ^ ndimage.binary_erosion(ndimage.binary_fill_holes(outline))
        assert (ndimage.maximum_filter(found, 5)[outline] > 150).mean() > 0.9
        assert (ndimage.maximum_filter(found, 7)[drawn > 120] > 90).mean() > 0.7  # most of what was drawn is seen
        assert (ndimage.maximum_filter(drawn, 9)[found > 90] > 30).mean() > 0.8  # and little else
        assert (found[:16] < 45).all() and len(np.unique(found)) > 150


def test_pictures_of_a_data_set_are_fetched_with_their_licence(raw, tmp_path):
    files = {f"data/{name}": (raw / name).read_bytes() for name in ("Nike/0.jpg", "Vans/4.jpg")}
    card = b"---\nlicense: cc0-1.0\n---\n# Boots\n"
    with Hub() as hub:
        hub.put("maker/boots", files | {"README.md": card, "data/notes.parquet": b"PAR1"}, kind="dataset")
        env = os.environ | hub.environment(tmp_path / "cache")
        said = command(tmp_path / "raw", tmp_path / "set", "--data-set", "maker/boots", env=env)
        wrong = command(tmp_path / "nothing", tmp_path / "set2", "--data-set", "maker/shoes", env=env)
    rows = rows_of(tmp_path / "set")
    assert said.returncode == 0 and {row["licence"] for row in rows.values()} == {"cc0-1.0"}
    assert {row["source"]: row["language"] for row in rows.values()} == {
        "maker/boots/data/Nike/0.jpg": "nike", "maker/boots/data/Vans/4.jpg": "vans"}  # fmt: skip
    assert not list(tmp_path.rglob("*.parquet"))
    assert wrong.returncode == 2 and len(wrong.stderr.splitlines()) == 1 and "can't be had from the Hub" in wrong.stderr
