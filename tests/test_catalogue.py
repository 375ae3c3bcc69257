"""Weights come from the folder or the Hub, are checked, and are refused with a clear word."""

import json
import time
import urllib.request

import pytest

from isneaker import catalogue
from isneaker import hub as hub_client
from isneaker.design import Design
from isneaker.render import render
from tests.conftest import App, forget, row, save_tiny_generator, save_tiny_model
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


def test_a_row_whose_weights_cannot_be_had_is_not_served(hub, commit, weights, monkeypatch):
    monkeypatch.setattr(hub_client, "PATIENCE", 2.0)
    rows = [row(weights / "generate.v1"), *json.loads((weights / "catalogue.json").read_text())]
    save_tiny_model(weights / "sketch.v0")
    (weights / "catalogue.json").write_text(json.dumps([row(weights / "sketch.v0"), *rows]))
    hub.faults["/cdn/"] = Fault(drip=0.5)
    forget()
    start = time.monotonic()
    reason = "the weights of sketch.v1 could not be fetched from the Hub (it takes too long)"
    assert catalogue.served() == ("sketch.v0, generate.v1", [reason])
    with pytest.raises(catalogue.WeightsUnavailable, match="takes too long"):
        catalogue.load("sketch.v1")  # a link that names it
    assert time.monotonic() - start < 2 * hub_client.PATIENCE  # that was one wait, not two


# --- ISNEAKER_WEIGHTS ---


@pytest.fixture
def pin(hub, weights, tmp_path, monkeypatch):
    """Put a run's folder on the Hub and let `ISNEAKER_WEIGHTS` name it: `pin(folder, repo)` -> its commit."""
    pins = []

    def put(repo: str = REPO, save=save_tiny_model, notes: dict = {"kimg": 1}) -> str:
        folder = tmp_path / repo
        save(folder, seed=1)
        (folder / "train_config.json").write_text(json.dumps(notes))
        commit = hub.put_folder(repo, folder)
        pins.append(f"{repo}@{commit}")
        monkeypatch.setenv("ISNEAKER_WEIGHTS", ",".join(pins))
        forget()
        return commit

    return put


def test_new_designs_use_the_weights_that_are_named_and_old_links_theirs(hub, pin):
    old = render(DESIGN)
    commit = pin()
    name = catalogue.newest("sketch")
    assert name == f"sketch.maker-boots-{commit[:7]}"
    assert catalogue.served() == (f"{name} ({REPO}@{commit[:7]}), generate.v1", [])
    assert difference(render(Design(model=name, strokes=DESIGN.strokes)), old) > 0
    assert difference(render(DESIGN), old) == 0


def test_several_are_told_apart_by_what_they_are(hub, pin):
    pin()
    pin("maker/rolls", save_tiny_generator)
    assert [catalogue.newest(name)[:13] for name in ("sketch", "generate")] == ["sketch.maker-", "generate.make"]
    assert list(catalogue.rows()[catalogue.newest("generate")].more) == ["directions.safetensors"]
    pin("maker/untold", notes={"architecture": "sketch"})
    assert catalogue.newest("sketch").startswith("sketch.maker-untold-")


def test_what_was_fetched_once_is_served_without_the_hub(hub, pin, monkeypatch):
    pin()
    name = catalogue.newest("sketch")
    hub.faults[""] = Fault(status=500)
    forget()
    assert catalogue.newest("sketch") == name


FAULTS = {
    "500": ({"": Fault(status=500)}, "it takes too long"),
    "429": ({"": Fault(status=429, retry_after=60)}, "it takes too long"),
    "cut connections": ({"/cdn/": Fault(cut=True)}, "it takes too long"),
    "slow drip": ({"/cdn/": Fault(drip=0.5)}, "it takes too long"),
    "wrong bytes": ({"/cdn/": Fault(wrong=True)}, "the bytes of model.safetensors are wrong"),
    "wrong configuration": ({"/config.json": Fault(wrong=True)}, "the bytes of config.json are wrong"),
    "401": ({"": Fault(status=401)}, "access refused"),
    "403 at the file": ({"model.safetensors": Fault(status=403)}, "access refused"),
    "404": ({"model.safetensors": Fault(status=404)}, "not there"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_little_time_and_is_told(hub, pin, fault, monkeypatch):
    commit = pin()
    faults, reason = FAULTS[fault]
    hub.faults.update(faults)
    monkeypatch.setattr(hub_client, "PATIENCE", 1.0 if reason == "it takes too long" else 10.0)
    start = time.monotonic()
    models, problems = catalogue.served()
    assert time.monotonic() - start < hub_client.PATIENCE + 2
    assert models == "sketch.v1, generate.v1"
    assert problems == [f"{REPO}@{commit[:7]} can't be had from the Hub: {reason}"]
    if "wrong" in fault:  # once it is mended, nothing wrong has stayed behind
        hub.faults.clear()
        forget()
        assert catalogue.served()[1] == []


def test_a_hub_that_is_away_is_waited_for_once(hub, pin, monkeypatch):
    pin()
    pin("maker/rolls", save_tiny_generator)
    hub.server.server_close()
    monkeypatch.setattr(hub_client, "PATIENCE", 1.0)
    start = time.monotonic()
    assert len(catalogue.served()[1]) == 2
    assert catalogue.offers("sketch") and catalogue.newest("generate") == "generate.v1"
    assert time.monotonic() - start < hub_client.PATIENCE + 2


@pytest.mark.parametrize("pinned", [f"{REPO}@v1", f"{REPO}@main", f"{REPO}@0123456", REPO])
def test_what_is_not_a_full_commit_is_refused(hub, weights, monkeypatch, pinned):
    monkeypatch.setenv("ISNEAKER_WEIGHTS", pinned)
    forget()
    models, (problem,) = catalogue.served()
    assert models == "sketch.v1, generate.v1"
    assert "all 40 digits of the commit" in problem and pinned in problem
    assert not hub.requests


def test_a_broken_name_is_told(weights, monkeypatch):
    monkeypatch.setenv("ISNEAKER_WEIGHTS", f"../x@{'0' * 40}")
    forget()
    assert catalogue.served()[1] == ["../x@0000000 can't be had from the Hub: not a repository's name"]


def test_a_pickle_is_never_loaded(hub, weights, monkeypatch):
    commit = hub.put(REPO, {"config.json": b"{}", "pytorch_model.bin": b"cos\nsystem\n(S'false'\ntR."})
    monkeypatch.setenv("ISNEAKER_WEIGHTS", f"{REPO}@{commit}")
    forget()
    assert "pickles are never loaded" in catalogue.served()[1][0]
    assert not [request for request in hub.requests if "pytorch_model" in request]


def test_weights_of_another_architecture_are_told(hub, pin):
    pin(notes={"architecture": "generate"})
    models, (problem,) = catalogue.served()
    assert models == "sketch.v1, generate.v1" and "not those of a generate model" in problem
    pin(notes={"architecture": "sundial"})
    assert "its architecture is none of" in catalogue.served()[1][0]


def test_the_app_serves_and_says_what(hub, pin, tmp_path):
    """Slow, wrong and busy: the page is there all the same, and names each."""
    sketch, wrong, busy = pin(), pin("maker/wrong"), pin("maker/busy", save_tiny_generator)
    hub.faults |= {"/cdn/maker/wrong": Fault(wrong=True), "maker/busy": Fault(status=429, retry_after=60)}
    pins = f"maker/wrong@{wrong},{REPO}@{sketch},maker/busy@{busy}"
    with App(tmp_path / "gradio", ISNEAKER_WEIGHTS=pins, **hub.environment(tmp_path / "hf")) as app:
        page = urllib.request.urlopen(app.url).read().decode().replace("\\u0027", "'")
    served = page.split("Served: ")[1].split(";")[0]
    assert f"sketch.maker-boots-{sketch[:7]} (maker/boots@{sketch[:7]})" in served and "generate.v1" in served
    assert f"maker/wrong@{wrong[:7]} can't be had from the Hub: the bytes of model.safetensors are wrong;" in page
    assert f"maker/busy@{busy[:7]} can't be had from the Hub: it takes too long." in page


# --- embedded weights ---


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
