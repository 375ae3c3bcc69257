"""What several tests share: tiny models in a catalogue of their own, a running app, a browser."""

import csv
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent import futures
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from huggingface_hub import constants, file_download, hf_api
from huggingface_hub.utils import _http
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import sync_playwright
from safetensors.torch import save_file

from isneaker import catalogue, sliders
from isneaker import hub as hub_client
from isneaker.nets.generate import GenerateModel
from isneaker.nets.sketch import SketchModel
from isneaker.strokes import draw
from isneaker.templates import TEMPLATES
from tests.hub import Hub
from tests.visitor import DESKTOP, Visitor
from train.snapshot import save_model

ROOT = Path(__file__).parent.parent
TINY = {"ngf": 48, "nef": 8, "z_dim": 16, "num_codes": 40}


def save_tiny_model(folder: Path, seed: int = 0) -> None:
    """A sketch model of a few channels whose pictures depend on all its inputs."""
    torch.manual_seed(seed)
    model = SketchModel(**TINY)
    torch.nn.init.normal_(model.unet.to_rgb.weight, 0, 0.1)
    model.bank.codes.copy_(torch.randint(-60, 60, model.bank.codes.shape))
    model.bank.languages.copy_(torch.arange(TINY["num_codes"]) // 4)
    save_model(folder, TINY, model)


def save_tiny_generator(folder: Path, seed: int = 0) -> None:
    """A generate model of a few channels with two sliders."""
    torch.manual_seed(seed)
    config = {"w_dim": 16, "ngf": 5, "nef": 8, "num_codes": 40}
    model = GenerateModel(**config)
    G = model.synthesis
    for part in (*G.to_rgb, G.to_blocks, G.thumbnail.linear, G.thumbnail.add, G.details.add):
        torch.nn.init.normal_(part.weight, 0, 0.05)
    model.bank.details.copy_(torch.randint(0, 256, model.bank.details.shape))
    model.bank.tops.copy_(torch.randint(0, 256, model.bank.tops.shape))
    model.bank.codes.copy_(torch.randint(-16, 16, model.bank.codes.shape))
    model.bank.languages.copy_(torch.arange(config["num_codes"]) // 4)
    save_model(folder, config, model)
    directions = {f"{i}/{name}": torch.cat([torch.tensor([i * 5.0, 12.0]), torch.randn(16)]).half()
                  for i, name in enumerate(("sole", "upper red"))}  # fmt: skip
    save_file(directions, folder / sliders.FILE)


def row(folder: Path, **fields) -> dict:
    """The catalogue row of a model's folder."""
    sha256 = catalogue.sha256_of(folder / "model.safetensors")
    more = {f.name: catalogue.sha256_of(f) for f in folder.glob("directions.*")}
    architecture = folder.name.split(".")[0]
    return {
        "name": folder.name,
        "architecture": architecture,
        "sha256": sha256,
        "licence": "MIT",
        "more": more,
    } | fields


def forget() -> None:
    """Drop what the app keeps in memory about weights."""
    from isneaker import render

    for kept in (catalogue.rows, catalogue._pinned, catalogue._choose):
        kept.cache_clear()
    catalogue.load.cache_clear()
    render._read.cache_clear()
    render._recent.clear()
    render._small.cache_clear()
    sliders.load.cache_clear()


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A `weights/` folder with tiny models, sketch.v1 and generate.v1, in place of the real one."""
    folder = tmp_path / "weights"
    save_tiny_model(folder / "sketch.v1")
    save_tiny_generator(folder / "generate.v1")
    rows = [row(folder / name) for name in ("sketch.v1", "generate.v1")]
    (folder / "catalogue.json").write_text(json.dumps(rows))
    monkeypatch.setattr(catalogue, "WEIGHTS", folder)
    forget()
    yield folder
    forget()


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A loopback Hub that `huggingface_hub` talks to, in this process and in those that it starts, as its user maker."""
    with Hub() as hub:
        for name, value in hub.environment(tmp_path / "hf").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(hf_api.api, "endpoint", hub.url)
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "hf" / "token"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)

        def sleep(seconds: float) -> None:
            if hub.closed.wait(seconds):  # no thread goes on asking for a Hub of an earlier test
                raise OSError("the test is over")

        for module in (_http, file_download):
            monkeypatch.setattr(module, "time", SimpleNamespace(**vars(time) | {"sleep": sleep}))
        yield hub
    futures.wait([future for future, _ in list(hub_client._running.values())], 10)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class App:
    """`python app.py` as a process of its own, with the embedded weights; offline unless `environment` says else."""

    def __init__(self, temp: Path, **environment: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        env = {"GRADIO_SERVER_PORT": str(self.port), "GRADIO_TEMP_DIR": str(temp), "HF_HUB_OFFLINE": "1"}
        env = os.environ | env | environment
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

    def __enter__(self) -> "App":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


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


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Ten filled outlines as photos, with soft edges, laid out like the real data."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "photos").mkdir()
    (folder / "edges").mkdir()
    rows, rng = [], np.random.default_rng(0)
    for i in range(10):
        strokes = list(TEMPLATES.values())[i % 5]
        photo = Image.new("RGB", (512, 384), "white")
        ImageDraw.Draw(photo).polygon(strokes[0], fill=tuple(rng.integers(0, 220, 3).tolist()))
        photo.save(folder / "photos" / f"{i:05d}.webp", quality=90)
        draw(strokes).filter(ImageFilter.GaussianBlur(1.5)).point(lambda v: min(255, 2 * v)).save(
            folder / "edges" / f"{i:05d}.webp"
        )
        split = "validation" if i % 5 == 4 else "train"
        rows.append(
            {
                "file_name": f"photos/{i:05d}.webp",
                "edges": f"edges/{i:05d}.webp",
                "language": ("nike", "vans")[i % 2],
                "split": split,
            }
        )
    with open(folder / "metadata.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture
def visit(app, browser):
    """Open the page: `visit(query, device)`, or another tab's link: `visit(query, tab=..., ready=...)`."""
    visitors = []

    def open_page(query: str = "", device: dict = DESKTOP, **tab) -> Visitor:
        visitors.append(Visitor(browser, app.url + query, device, **tab))
        return visitors[-1]

    yield open_page
    for visitor in visitors:
        visitor.context.close()
