"""The loop of every training job: kills, several processes, the log, data that can't be trained on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import ROOT
from train import cutout
from train.data import Sneakers
from train.loop import Shares
from train.publish import PublishError

TINY = {"kimg": 0.032, "batch-size": 4, "ngf": 48, "nef": 8, "ndf": 8, "z-dim": 3, "snapshot-kimg": 0.008, "workers": 0,
        "adversary-from": 0, "adversary-full": 0.004}  # fmt: skip
TINY_CUTOUT = {"kimg": 0.024, "batch-size": 8, "ngf": 24, "num-axes": 2, "snapshot-kimg": 0.008, "workers": 0}


def start(job: str, data: Path | None, out: Path, options: dict, processes: int = 1) -> subprocess.Popen:
    """A training command as a process of its own, or as several that train together."""
    several = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [sys.executable, *(several if processes > 1 else []), "-m", f"train.{job}"]
    for key, value in {**({"data": data} if data else {}), "out": out, **options}.items():
        command += [f"--{key}", str(value)]
    env = os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> str:
    """Wait for a process that must succeed -> its standard error."""
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return errors


def curve(run: Path) -> list[dict]:
    """The lines of `stats.jsonl` without the clock."""
    return [json.loads(line) | {"seconds": 0} for line in (run / "stats.jsonl").read_text().splitlines()]


def test_a_run_killed_at_any_moment_ends_like_an_uninterrupted_one(data, tmp_path):
    finish(start("sketch", data, tmp_path / "whole", TINY))
    checkpoint = tmp_path / "killed" / "checkpoint.safetensors"
    for moment in (0.0, 0.4):  # while it writes its first snapshot; later on
        before = checkpoint.stat().st_mtime if checkpoint.exists() else 0
        process = start("sketch", data, tmp_path / "killed", TINY)
        while not checkpoint.exists() or checkpoint.stat().st_mtime == before:
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
    finish(start("sketch", data, tmp_path / "killed", TINY))
    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")
    for file in ("checkpoint.safetensors", "model.safetensors"):
        whole, resumed = (load_file(tmp_path / name / file) for name in ("whole", "killed"))
        assert whole.keys() == resumed.keys() and all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_a_run_that_ended_without_its_result_writes_it(data, tmp_path):
    options = {key.replace("-", "_"): value for key, value in TINY_CUTOUT.items()}
    cutout.train(cutout.Config(str(data), str(tmp_path / "run"), **options))
    (tmp_path / "run" / "train_config.json").unlink()
    cutout.train(cutout.Config(str(data), str(tmp_path / "run"), **options))
    assert json.loads((tmp_path / "run" / "train_config.json").read_text())["kimg_seen"] == 0.024


@pytest.mark.parametrize("processes, accumulation", [(2, 1), (1, 2)])
def test_parts_of_a_batch_train_like_the_whole(data, tmp_path, processes, accumulation):
    finish(start("cutout", data, tmp_path / "whole", TINY_CUTOUT))
    options = TINY_CUTOUT | {"accumulation": accumulation}
    finish(start("cutout", data, tmp_path / "parts", options, processes))
    whole, parts = (curve(tmp_path / name) for name in ("whole", "parts"))
    assert len(whole) == 3
    for a, b in zip(whole, parts, strict=True):
        assert a["kimg"] == b["kimg"] and a["loss"] == pytest.approx(b["loss"], rel=1e-4)


def test_two_processes_train_a_sketch_model(data, tmp_path):
    finish(start("sketch", data, tmp_path / "run", TINY | {"kimg": 0.016, "batch-size": 8}, processes=2))
    assert [line["kimg"] for line in curve(tmp_path / "run")] == [0.008, 0.016]
    assert json.loads((tmp_path / "run" / "train_config.json").read_text())["processes"] == 2


def test_processes_share_out_every_sample_once():
    shares = [list(Shares(16, 64, 8, parts=2, rank=rank, processes=2)) for rank in range(2)]
    steps = [sorted(n for share in shares for part in share[2 * i : 2 * i + 2] for n in part) for i in range(6)]
    assert steps == [list(range(start, start + 8)) for start in range(16, 64, 8)]
    assert all(len(part) == 2 for share in shares for part in share)


def folder_with(data: Path, tmp_path: Path, change) -> Path:
    """A copy of the data whose metadata.csv is changed."""
    folder = tmp_path / "changed"
    folder.mkdir()
    for name in ("photos", "edges"):
        (folder / name).symlink_to(data / name)
    (folder / "metadata.csv").write_text(change((data / "metadata.csv").read_text()))
    return folder


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda text: text.replace("vans", "crocs"), "unknown language, crocs"),
        (lambda text: text.splitlines()[0], "lists no pictures"),
        (lambda text: text.replace("split", "part"), "no column split"),
        (lambda text: text.replace("validation", "train"), "no readable pictures in its validation split"),
    ],
)
def test_data_that_cannot_be_trained_on_is_one_clear_line(data, tmp_path, change, said):
    process = start("sketch", folder_with(data, tmp_path, change), tmp_path / "run", TINY)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2 and said in errors.splitlines()[-1]
    assert "Traceback" not in errors


def test_no_data_and_no_place_for_a_run_are_one_clear_line(data, tmp_path):
    (tmp_path / "file").write_text("")
    for folder, out, said in ((tmp_path, tmp_path / "run", "no metadata.csv"), (data, tmp_path / "file", "exists")):
        process = start("sketch", folder, out, TINY)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 2 and said in errors.splitlines()[-1] and "Traceback" not in errors


def test_pictures_that_cannot_be_read_are_skipped_and_listed(data, tmp_path, capfd):
    folder = tmp_path / "broken"
    for name in ("photos", "edges"):
        (folder / name).mkdir(parents=True)
        for file in (data / name).iterdir():
            (folder / name / file.name).write_bytes(file.read_bytes())
    (folder / "metadata.csv").write_text((data / "metadata.csv").read_text())
    (folder / "photos" / "00002.webp").write_bytes(b"RIFF, but not a picture")
    (folder / "photos" / "00003.webp").unlink()
    sneakers = Sneakers(folder, tmp_path / "caches")
    assert not {2, 3} & set(sneakers.index.tolist()) and len(sneakers) == len(Sneakers(data, tmp_path / "caches")) - 2
    assert np.mean(sneakers.photos[2]) == 255
    said = capfd.readouterr().err
    assert "skipped photos/00002.webp: can't be read" in said and "skipped photos/00003.webp" in said


def test_a_run_is_pushed_at_its_end(hub, data, tmp_path, capsys):
    options = {key.replace("-", "_"): value for key, value in TINY_CUTOUT.items()}
    cutout.train(cutout.Config(str(data), str(tmp_path / "run"), push_to="maker/boots", **options))
    row = json.loads(capsys.readouterr().out)
    assert row["architecture"] == "cutout" and hub.repos["model", "maker/boots"].at("v1").oid == row["commit"]


def test_a_run_that_could_not_be_pushed_does_not_begin(hub, data, tmp_path):
    with pytest.raises(PublishError, match="may not write to someone/boots"):
        cutout.train(cutout.Config(str(data), str(tmp_path / "run"), push_to="someone/boots"))
    assert not (tmp_path / "run").exists()
