"""What several tests share: tiny models in a catalogue of their own, a running app, a browser."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import torch
from playwright.sync_api import sync_playwright
from safetensors.torch import save_file

from isneaker import catalogue
from isneaker.nets.sketch import SketchModel

ROOT = Path(__file__).parent.parent
TINY = {"ngf": 48, "nef": 8, "z_dim": 16, "num_codes": 40}


def save_tiny_model(folder: Path, seed: int = 0) -> None:
    """A sketch model of a few channels whose pictures depend on all its inputs."""
    torch.manual_seed(seed)
    model = SketchModel(**TINY)
    torch.nn.init.normal_(model.unet.to_rgb.weight, 0, 0.1)
    model.bank.codes.copy_(torch.randint(-60, 60, model.bank.codes.shape))
    model.bank.languages.copy_(torch.arange(TINY["num_codes"]) // 4)
    folder.mkdir(parents=True)
    tensors = {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(TINY))


def row(folder: Path, **fields) -> dict:
    """The catalogue row of a model's folder."""
    sha256 = catalogue.sha256_of(folder / "model.safetensors")
    return {"name": folder.name, "architecture": "sketch", "sha256": sha256, "licence": "MIT"} | fields


def forget() -> None:
    """Drop what the app keeps in memory about weights."""
    from isneaker import render

    catalogue.rows.cache_clear()
    catalogue.load.cache_clear()
    render._read.cache_clear()
    render._recent.clear()


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A `weights/` folder with one tiny model, sketch.v1, in place of the real one."""
    folder = tmp_path / "weights"
    save_tiny_model(folder / "sketch.v1")
    (folder / "catalogue.json").write_text(json.dumps([row(folder / "sketch.v1")]))
    monkeypatch.setattr(catalogue, "WEIGHTS", folder)
    forget()
    yield folder
    forget()


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class App:
    """`python app.py` as a process of its own, with the embedded weights."""

    def __init__(self, temp: Path):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        env = os.environ | {"GRADIO_SERVER_PORT": str(self.port), "GRADIO_TEMP_DIR": str(temp), "HF_HUB_OFFLINE": "1"}
        start = time.monotonic()
        self.process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
        while True:
            try:
                urllib.request.urlopen(self.url, timeout=5).read()
                break
            except OSError:
                assert self.process.poll() is None and time.monotonic() - start < 90
                time.sleep(0.1)
        self.seconds_to_page = time.monotonic() - start

    def memory(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """The running app, shared by all tests that only visit it."""
    app = App(tmp_path_factory.mktemp("gradio"))
    yield app
    app.stop()


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, headless."""
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync",
             "--disable-component-update", "--no-first-run"]  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield browser
        browser.close()
