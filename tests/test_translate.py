"""Translations: the command line, and the tab in the real browser, of an app that a loopback Hub gives its model."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image, ImageDraw

from isneaker.__main__ import main
from isneaker.combine import source_of
from isneaker.design import Design, DesignError
from isneaker.images import to_png
from isneaker.nets.translate import TranslateModel
from isneaker.render import render
from isneaker.tokens import from_token, to_token
from isneaker.translate import example, picture_of, translate
from tests.conftest import App, forget
from tests.hub import Hub
from tests.test_render import difference
from tests.visitor import Visitor
from train.snapshot import save_model

REPO = "maker/maps"
TINY = {"ngf": 48, "z_dim": 3, "width": 128, "height": 64, "num_codes": 9, "num_examples": 2}


def save_tiny_translator(folder) -> None:
    """A translate model of a few channels whose pictures depend on source and seed, with two examples."""
    torch.manual_seed(0)
    model = TranslateModel(**TINY)
    torch.nn.init.normal_(model.unet.to_rgb.weight, 0, 0.1)
    model.styles.codes.copy_(torch.randint(-60, 60, model.styles.codes.shape))
    model.examples[:, 16:40, 30:90] = 1
    model.examples[1, 48:] = 2
    model.palettes.copy_(torch.randint(0, 255, model.palettes.shape))
    save_model(folder, TINY, model)


def tile(**colours) -> Image.Image:
    """A small map, too wide for the model."""
    picture = Image.new("RGB", (400, 150), colours.get("land", "#f2efe9"))
    ImageDraw.Draw(picture).line(((60, 0), (300, 150)), "#9fcfe6", 30)
    return picture


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """An app whose translate model lies on a loopback Hub, and what it needs to find it."""
    folder = tmp_path_factory.mktemp("model")
    save_tiny_translator(folder)
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    with Hub() as hub:
        commit = hub.put(REPO, files)
        environment = {"ISNEAKER_WEIGHTS": f"{REPO}@{commit}", **hub.environment(tmp_path_factory.mktemp("hf"))}
        with App(tmp_path_factory.mktemp("gradio"), **environment) as app:
            yield app


@pytest.fixture
def model(weights):
    """The same model in the tests' own catalogue."""
    from train.embed import embed

    save_tiny_translator(weights.parent / "run")
    (weights.parent / "run" / "train_config.json").write_text("{}")
    embed(weights.parent / "run", "translate.v1")
    forget()


@pytest.fixture
def visit(served, browser):
    """Open the page on the Translate tab."""
    visitors = []

    def open_page(query: str = "") -> Visitor:
        visitors.append(Visitor(browser, served.url + query, {"viewport": {"width": 1280, "height": 900}},
                                tab="translate-", ready="#translate-picture img" if query else "#picture img"))  # fmt: skip
        if not query:
            visitors[-1].page.get_by_role("tab", name="Translate").click()
            visitors[-1].page.wait_for_selector("#translate-picture img", timeout=60_000)
            visitors[-1].page.wait_for_timeout(500)
        return visitors[-1]

    yield open_page
    for visitor in visitors:
        visitor.context.close()


# --- without a page ---


def test_a_picture_and_a_seed_are_all_that_a_translation_depends_on(model):
    design = translate(tile(), seed=3)
    assert render(design).size == (128, 64) and from_token(to_token(design)) == design
    assert difference(render(design), render(replace(design, seed=4))) > 2
    assert difference(render(design), render(translate(tile(land="#203040"), seed=3))) > 2
    assert example(0) != example(1) and example(2) == example(0)


def test_a_translation_is_no_sneaker_and_a_drawing_no_translation(model):
    with pytest.raises(DesignError, match="no sneaker"):
        source_of(translate(tile()))
    with pytest.raises(DesignError, match="no picture to translate"):
        render(Design(model="translate.v1"))


def test_the_command_line_translates_and_its_links_render_the_same(model, tmp_path, capsys):
    tile().save(tmp_path / "tile.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "out"
    assert (
        main(["translate", str(tmp_path / "tile.png"), str(tmp_path / "broken.png"), "--seed", "7", "--out", str(out)])
        == 2
    )
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1 and "not a picture" in said.err
    path, link = said.out.strip().split("\t")
    assert path == str(out / "tile.png") and from_token(link.removeprefix("?d=")) == translate(tile(), 7)
    assert main(["render", path, "--out", str(tmp_path / "again")]) == 0
    assert difference(Image.open(tmp_path / "again" / "tile.png"), Image.open(path)) == 0


def test_without_a_model_the_command_line_says_so(weights, tmp_path, capsys):
    tile().save(tmp_path / "tile.png")
    assert main(["translate", str(tmp_path / "tile.png"), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"isneaker: {tmp_path / 'tile.png'}: there is no translate model here\n"


# --- the page ---


def test_a_visitor_translates_a_picture_rolls_and_sends_the_link(visit, tmp_path):
    visitor = visit()
    shown = visitor.design()
    assert picture_of(shown.source).size == (128, 64) and shown.model.startswith("translate.maker-maps")
    visitor.changes(lambda: visitor.page.locator("#translate-ours").click())
    assert visitor.design().source != shown.source
    tile().save(tmp_path / "tile.png")
    upload = visitor.page.locator("#translate-upload input[type=file]")
    visitor.changes(lambda: upload.set_input_files(tmp_path / "tile.png"))
    design = visitor.design()
    assert design.source not in (shown.source, None) and design.seed == shown.seed
    rolled = visitor.changes(lambda: visitor.page.locator("#translate-roll").click())
    assert visitor.design().source == design.source and visitor.design().seed != design.seed
    other = visit(f"?d={to_token(visitor.design())}")
    assert np.abs(rolled - other.picture()).max() <= 2 and other.design() == visitor.design()
    with other.page.expect_download() as download:
        other.page.locator("#translate-save").click()
    (tmp_path / "mine.png").write_bytes(download.value.path().read_bytes())
    visitor.changes(lambda: visitor.page.locator("#translate-roll").click())
    visitor.changes(lambda: visitor.page.locator("#open-png input[type=file]").set_input_files(tmp_path / "mine.png"))
    assert visitor.design() == other.design()


def test_what_is_no_picture_gets_a_word_and_too_much_detail_the_png(visit, tmp_path):
    visitor = visit()
    before = visitor.design()
    (tmp_path / "broken.png").write_bytes(b"no picture")
    visitor.page.locator("#translate-upload input[type=file]").set_input_files(tmp_path / "broken.png")
    visitor.page.wait_for_selector(".toast-body:has-text('not a picture')", timeout=30_000)
    assert visitor.design() == before
    noise = np.random.default_rng(0).integers(0, 256, (64, 128, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    visitor.changes(lambda: visitor.page.locator("#translate-ours").click())  # empties the box
    upload = visitor.page.locator("#translate-upload input[type=file]")
    visitor.changes(lambda: upload.set_input_files(tmp_path / "noise.png"))
    assert visitor.link() == ""
    assert "Download the PNG" in visitor.page.locator("#translate-message").inner_text()


def test_a_program_translates(served, tmp_path):
    tile().save(tmp_path / "tile.png")
    client = Client(served.url, verbose=False, download_files=tmp_path / "got")
    path, token = client.predict(handle_file(tmp_path / "tile.png"), 5, api_name="/translate")
    assert from_token(token).seed == 5 and Image.open(path).size == (128, 64)
    assert difference(Image.open(path), Image.open(client.predict(token, api_name="/render"))) <= 1
    (tmp_path / "broken.png").write_bytes(to_png(Image.new("RGB", (9, 9)), "1")[:60])
    with pytest.raises(AppError, match="not a picture"):
        client.predict(handle_file(tmp_path / "broken.png"), 5, api_name="/translate")


def test_without_a_model_there_is_no_tab(app, browser):
    visitor = Visitor(browser, app.url, {"viewport": {"width": 1280, "height": 900}}, ready="#picture img")
    assert visitor.page.get_by_role("tab", name="Translate").count() == 0
    visitor.context.close()
