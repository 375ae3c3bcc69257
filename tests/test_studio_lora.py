"""A LoRA of the maker's own: trained on toy models, resumed, pushed to the loopback Hub, pulled, applied."""

import json
import sys

import pytest
import torch
from safetensors.torch import load_file

from isneaker.render import render
from isneaker.studio.setup import configured
from tests.studio_models import finished, forget_studio, read
from tests.test_render import difference
from train import studio_lora
from train.loop import run
from train.studio_lora import Config, LoraTraining, _caption

pytest_plugins = ["tests.studio_fixtures"]

TINY = {"batch_size": 2, "workers": 0, "rank": 2, "lr": 0.02, "warm_up": 0.002, "mixed_precision": "no"}


def train(data, out, kimg: float, snapshot_kimg: float = 1) -> dict[str, torch.Tensor]:
    run(LoraTraining, Config(data=str(data), out=str(out), kimg=kimg, snapshot_kimg=snapshot_kimg, **TINY))
    return load_file(out / "model.safetensors")


def command(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["studio_lora", *arguments])
    return studio_lora.main()


def test_a_trained_lora_is_pushed_pulled_and_changes_the_picture(studio, hub, data, tmp_path, monkeypatch, capsys):
    plain = render(finished())
    options = [f"--{name.replace('_', '-')}={value}" for name, value in TINY.items()]
    pushed = [f"--data={data}", f"--out={tmp_path / 'run'}", "--kimg=0.004", "--push-to=maker/boots-lora", *options]
    assert command(monkeypatch, *pushed) == 0
    variable, _, pin = capsys.readouterr().out.strip().splitlines()[-1].partition("=")
    repo, commit = pin.split("@")
    assert (variable, repo, len(commit)) == ("ISNEAKER_STUDIO_LORA", "maker/boots-lora", 40)
    files = {"config.json", "train_config.json", "model.safetensors", "samples.png", "README.md", ".gitattributes"}
    assert set(hub.repos["model", repo].at(commit).files) == files
    base = json.loads(hub.read(repo, "config.json"))
    assert (base["repo"], base["commit"]) == ("maker/model", configured().model.commit)

    before = finished()
    monkeypatch.setenv(variable, pin)
    forget_studio()
    changed = render(finished())
    assert finished() != before  # another set-up has another name
    assert difference(plain, changed) > 0
    forget_studio()
    assert difference(changed, render(finished())) == 0


def test_a_stopped_run_goes_on_as_if_it_had_not_been(studio, data, tmp_path, monkeypatch):
    monkeypatch.setattr(studio_lora, "SHOWN", 1)
    whole = train(data, tmp_path / "whole", 0.008, 0.004)
    train(data, tmp_path / "cut", 0.004, 0.004)
    resumed = train(data, tmp_path / "cut", 0.008, 0.004)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert (tmp_path / "whole" / "samples.png").exists()
    assert (tmp_path / "cut" / "checkpoint.safetensors").stat().st_size < 300_000  # the adapters, not the network


def test_captions_say_language_and_what_is_seen():
    photo = torch.full((3, 384, 512), 255, dtype=torch.uint8)
    photo[:, 150:330, 60:450] = torch.tensor([0x21, 0x59, 0xC4])[:, None, None]
    assert _caption(photo, 0).startswith("a blue ") and "in the style of Nike" in _caption(photo, 0)


@pytest.mark.parametrize("option, message", [
    ("--data=nowhere", "has no metadata.csv"), ("--push-to=other/boots", "maker may not write to other/boots"),
])  # fmt: skip
def test_what_can_not_be_is_one_line_and_status_2(studio, data, tmp_path, monkeypatch, capsys, option, message):
    assert command(monkeypatch, f"--data={data}", f"--out={tmp_path}", option) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_pipeline_of_another_family_is_not_trained(put, toys, data, tmp_path, monkeypatch, capsys):
    model = read(toys / "model")
    index = json.loads(model["model_index.json"]) | {"_class_name": "DDPMPipeline"}
    put(model=model | {"model_index.json": json.dumps(index).encode()})
    assert command(monkeypatch, f"--data={data}", f"--out={tmp_path}") == 2
    assert "does not repaint pictures" in capsys.readouterr().err.splitlines()[-1]
