"""Weights come from the folder or the Hub, are checked, and are refused with a clear word."""

import json

import pytest
from huggingface_hub import constants

from isneaker import catalogue
from isneaker.render import render
from tests.conftest import forget, row, save_tiny_model
from tests.hub import Hub
from tests.test_render import DESIGN, difference

REPO, COMMIT = "someone/sneakers", "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(weights, tmp_path, monkeypatch):
    """The only model lies on the Hub."""
    folder = tmp_path / "repo" / "sketch.v1"
    save_tiny_model(folder)
    (weights / "sketch.v1" / "model.safetensors").unlink()
    (weights / "catalogue.json").write_text(json.dumps([row(folder, repo=REPO, commit=COMMIT)]))
    forget()
    with Hub(folder, REPO, COMMIT) as hub:
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        hub.folder = folder
        yield hub


def test_weights_come_from_the_hub_at_the_pinned_commit(hub):
    picture = render(DESIGN)
    assert any(COMMIT in path for path in hub.requests)
    hub.requests.clear()
    forget()
    assert difference(picture, render(DESIGN)) == 0
    assert not [path for path in hub.requests if "safetensors" in path]  # a pinned commit needs no second look


def test_wrong_bytes_on_the_hub_are_never_loaded(hub):
    data = bytearray((hub.folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (hub.folder / "model.safetensors").write_bytes(data)
    with pytest.raises(catalogue.WeightsUnavailable, match="not the ones"):
        catalogue.load("sketch.v1")


def test_a_hub_without_the_file_is_a_clear_error(hub):
    hub.faults["model.safetensors"] = 404
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
