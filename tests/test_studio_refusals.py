"""What can go wrong with a studio finish: it is said, nothing is half-loaded, and the fast picture is still there."""

import json
from dataclasses import replace

import pytest
import torch

from isneaker.design import Design, Finish
from isneaker.render import render
from isneaker.studio import engine
from isneaker.studio.setup import StudioUnavailable, configured
from tests.hub import Fault
from tests.studio_models import SKETCHED, finished, forget_studio, read

pytest_plugins = ["tests.studio_fixtures"]


def refused(match: str, design: Design | None = None) -> None:
    """Making a finish is refused with these words; the fast picture is still there, and nothing is half-loaded."""
    with pytest.raises(StudioUnavailable, match=match):
        render(design or finished())
    assert not engine._loaded
    assert render(SKETCHED).size == (512, 384)


def test_pickles_are_refused_before_anything_is_fetched(put, toys, hub, weights):
    model = read(toys / "model")
    model["unet/diffusion_pytorch_model.bin"] = model.pop("unet/diffusion_pytorch_model.safetensors")
    put(model=model)
    refused("only has pickled weights, unet/diffusion_pytorch_model.bin; safetensors are needed")
    assert not [request for request in hub.requests if "/cdn/" in request]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"_class_name": "DDPMPipeline"}, "is a DDPMPipeline, which does not repaint pictures"),
        ({"_class_name": "SomethingPipeline"}, "is a SomethingPipeline, which does not repaint pictures"),
        ({"unet": ["my_unet", "MyUNet"]}, "needs code of its own for its unet"),
        (None, "is no diffusers pipeline: it has no model_index.json"),
    ],
)
def test_another_architecture_is_refused_before_anything_is_fetched(put, toys, hub, weights, changes, message):
    model = read(toys / "model")
    index = json.loads(model.pop("model_index.json"))
    put(model=model | ({"model_index.json": json.dumps(index | changes).encode()} if changes else {}))
    refused(message)
    assert not [request for request in hub.requests if "/cdn/" in request]


def test_weights_of_other_shapes_are_refused(put, toys, weights):
    model = read(toys / "model")
    config = json.loads(model["unet/config.json"]) | {"cross_attention_dim": 24}
    put(model=model | {"unet/config.json": json.dumps(config).encode()})
    refused("could not be loaded: ")


@pytest.mark.parametrize("lora, message", [
    ({"a.safetensors": b"", "b.safetensors": b""}, "it has 2 safetensors files, not one"),
    ({"lora.bin": b""}, "it has no safetensors file"),
    ({"lora.safetensors": b"no safetensors"}, "could not be loaded"),
])  # fmt: skip
def test_what_is_no_lora_is_refused(studio, put, lora, message):
    put(lora=lora)
    refused(message)


def test_too_little_memory_is_said(studio, monkeypatch):
    monkeypatch.setattr(engine, "free_memory", lambda: 1e9)
    refused(r"not enough memory here for a studio finish: 1.5 GB are needed, 1.0 GB are free")


def test_memory_that_runs_out_on_the_way_is_given_back(studio, monkeypatch):
    def fail(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    with monkeypatch.context() as patch:
        patch.setattr(engine, "arguments", fail)
        refused("not enough memory here for a studio finish")
    assert render(finished()).size == (512, 384)


def test_a_stopped_download_leaves_nothing_behind(studio, hub, tmp_path):
    class Stop(Exception):
        pass

    def tell(share: float, what: str) -> None:
        if share > 0.5:
            raise Stop

    hub.faults["/cdn/"] = Fault(drip=0.0005)
    with pytest.raises(Stop):
        render(finished(), tell)
    assert not list((tmp_path / "hf").rglob("*.incomplete")) and not engine._loaded
    hub.faults.clear()
    assert render(finished()).size == (512, 384)


@pytest.mark.parametrize("fault, message", [
    (Fault(wrong=True), "arrived damaged; try again"), (Fault(status=403), "could not be fetched from the Hub"),
])  # fmt: skip
def test_damaged_or_refused_files_are_not_loaded_and_can_be_had_later(studio, hub, fault, message):
    hub.faults["/cdn/maker/model"] = fault
    refused(message)
    hub.faults.clear()
    assert render(finished()).size == (512, 384)


def test_an_unknown_commit_and_a_broken_pin_are_said(studio, monkeypatch):
    monkeypatch.setenv("ISNEAKER_STUDIO_MODEL", "maker/model@" + "0" * 40)
    forget_studio()
    refused("could not be fetched from the Hub: there is no such commit")
    monkeypatch.setenv("ISNEAKER_STUDIO_MODEL", "maker/model@main")
    forget_studio()
    with pytest.raises(StudioUnavailable, match="ISNEAKER_STUDIO_MODEL must be USER/REPO@COMMIT"):
        configured()


def test_a_link_of_another_setup_is_not_made_by_this_one(studio):
    refused(
        "finished by sd-turbo-00000000, which is not set up here", replace(SKETCHED, finish=Finish("sd-turbo-00000000"))
    )
