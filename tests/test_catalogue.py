"""Weights come from the folder or the Hub, are checked, and are refused with a clear word."""

import json

import pytest

from isneaker import catalogue
from isneaker.render import render
from tests.conftest import forget, row, save_tiny_model
from tests.hub import Fault
from tests.test_render import DESIGN, difference

REPO = "maker/boots"


@pytest.fixture
def commit(hub, weights, tmp_path):
    """The only model lies on the Hub, at this commit."""
    folder = tmp_path / "repo" / "sketch.v1"
    save_tiny_model(folder)
    commit = hub.put_folder(REPO, folder)
    hub.put(REPO, {"model.safetensors": b"newer ones, which the row does not name"})
    (weights / "sketch.v1" / "model.safetensors").unlink()
    (weights / "catalogue.json").write_text(json.dumps([row(folder, repo=REPO, commit=commit)]))
    forget()
    return commit


def test_weights_come_from_the_hub_at_the_pinned_commit(hub, commit):
    picture = render(DESIGN)
    assert any(commit in path for path in hub.requests)
    hub.requests.clear()
    forget()
    assert difference(picture, render(DESIGN)) == 0
    assert not [path for path in hub.requests if "safetensors" in path]  # a pinned commit needs no second look


def test_wrong_bytes_on_the_hub_are_never_loaded(hub, commit):
    hub.faults["/cdn/"] = Fault(wrong=True)
    with pytest.raises(catalogue.WeightsUnavailable, match="not the ones"):
        catalogue.load("sketch.v1")


def test_a_hub_without_the_file_is_a_clear_error(hub, commit):
    hub.faults["model.safetensors"] = Fault(status=404)
    with pytest.raises(catalogue.WeightsUnavailable, match="could not be fetched"):
        catalogue.load("sketch.v1")


def test_altered_embedded_weights_are_not_loaded(weights):
    with open(weights / "sketch.v1" / "model.safetensors", "r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    forget()
    with pytest.raises(catalogue.WeightsUnavailable):
        catalogue.load("sketch.v1")


def test_an_unknown_model_is_a_clear_error(weights):
    with pytest.raises(catalogue.WeightsUnavailable, match="sketch.v99"):
        catalogue.load("sketch.v99")


def test_the_embedded_weights_match_the_catalogue_and_the_limits():
    for name, fields in catalogue.rows().items():
        file = catalogue.WEIGHTS / name / "model.safetensors"
        assert catalogue.sha256_of(file) == fields.sha256
        assert file.stat().st_size <= 25_000_000
    assert sum(f.stat().st_size for f in catalogue.WEIGHTS.rglob("*")) <= 60_000_000
