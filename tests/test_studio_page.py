"""The Studio tab of the real page in a real browser, with toy models that come from the loopback Hub."""

import io
import time
from dataclasses import replace
from urllib.parse import urlsplit

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from isneaker.design import Design, Finish
from isneaker.images import design_of
from isneaker.studio.setup import Pin, Setup
from isneaker.templates import TEMPLATES
from isneaker.tokens import to_token
from tests.conftest import App
from tests.hub import Fault, Hub
from tests.visitor import DESKTOP, PHONE, Visitor

pytest_plugins = ["tests.studio_fixtures"]

PICTURE = "#studio-picture img"


@pytest.fixture(scope="module")
def served(toys, tmp_path_factory):
    """A Hub with toy models, and the app that is set up with them: `.hub`, `.setup`, `.cache` of the app."""
    cache = tmp_path_factory.mktemp("hf")
    with Hub() as hub:
        pins = {
            part: Pin(f"maker/{part}", hub.put_folder(f"maker/{part}", toys / part)) for part in ("model", "decoder")
        }
        own = {f"ISNEAKER_STUDIO_{part.upper()}": f"{pin.repo}@{pin.commit}" for part, pin in pins.items()}
        app = App(tmp_path_factory.mktemp("gradio"), **hub.environment(cache), **own, ISNEAKER_STUDIO="1")
        app.hub, app.setup, app.cache = hub, Setup(**pins), cache
        yield app
        app.stop()


@pytest.fixture
def open_page(served, browser):
    """`open_page(query, device)` of that app; `studio=True` where a link leads to the Studio tab."""
    visitors = []

    def open_page(query: str = "", device: dict = DESKTOP, studio: bool = False) -> Visitor:
        ready = PICTURE if studio else "#variants img:nth-of-type(1)"
        visitors.append(Visitor(browser, served.url + query, device, "studio-" if studio else "", ready))
        return visitors[-1]

    yield open_page
    served.hub.faults.clear()
    for visitor in visitors:
        visitor.context.close()


def bring(visitor: Visitor, prefix: str = "") -> None:
    """Send the sneaker of a tab to the Studio tab."""
    visitor.page.locator(f"#{prefix}studio").click()
    visitor.page.wait_for_selector(PICTURE, timeout=20_000)
    visitor.tab = "studio-"
    visitor.page.wait_for_timeout(500)


def word(visitor: Visitor, text: str) -> None:
    visitor.page.wait_for_selector(f"#studio-message >> text={text}", timeout=60_000)


def write(visitor: Visitor, prompt: str) -> None:
    visitor.page.locator("#studio-prompt textarea, #studio-prompt input").first.fill(prompt)


# The first test finds an app that has not fetched anything yet.


def test_a_download_is_told_of_can_be_stopped_and_leaves_nothing_while_strokes_are_answered(served, open_page):
    visitor = open_page()
    bring(visitor)
    visitor.page.wait_for_selector("#studio-about >> text=The first one fetches 0.3 MB", timeout=20_000)
    assert "licence: openrail++" in visitor.page.locator("#studio-about").inner_text()
    fast = visitor.source()
    other = open_page()  # somebody else
    served.hub.faults["/unet/diffusion"] = Fault(drip=0.004)
    visitor.page.locator("#studio-finish").click()
    visitor.page.wait_for_selector("#studio-picture >> text=Fetching maker/model", timeout=90_000)

    start = time.monotonic()
    other.changes(lambda: other.stroke((0.3, 0.3), (0.5, 0.5)))
    assert time.monotonic() - start < 10

    visitor.page.locator("#studio-stop").click()
    word(visitor, "Stopped")
    assert visitor.source() == fast
    deadline = time.monotonic() + 20  # the client gives up at the end of a block of 10 MB, or of the file
    while list(served.cache.rglob("*.incomplete")) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not list(served.cache.rglob("*.incomplete"))
    assert not list(served.cache.rglob("unet/*.safetensors"))


def test_a_sneaker_is_finished_shared_and_downloaded_at_both_sizes(served, open_page, tmp_path):
    visitor = open_page()
    bring(visitor)
    write(visitor, "  suede,  gum sole ")
    picture = visitor.changes(lambda: visitor.page.locator("#studio-finish").click())
    design = visitor.design()
    assert design.finish == Finish(served.setup.name, prompt="suede, gum sole")
    assert picture.shape == (384, 512, 3)
    visitor.page.wait_for_selector("#studio-about >> text=A finish takes", timeout=20_000)

    for button, size in (("save", (512, 384)), ("enlarge", (1024, 768))):
        with visitor.page.expect_download(timeout=60_000) as download:
            visitor.page.locator(f"#studio-{button}").click()
        path = tmp_path / f"{button}.png"
        download.value.save_as(path)
        assert Image.open(path).size == size
        assert design_of(path) == design

    link = visitor.link()
    other = open_page("?" + urlsplit(link).query, studio=True)
    other.page.wait_for_timeout(1500)  # the fast picture comes first
    assert np.abs(other.picture() - picture).max() <= 1
    assert other.design() == design
    assert other.page.locator("#studio-prompt textarea, #studio-prompt input").first.input_value() == "suede, gum sole"


def test_every_tab_sends_its_sneaker_and_gets_it_back_plain(served, open_page):
    visitor = open_page()
    visitor.page.get_by_role("tab", name="Edit").click()
    visitor.page.wait_for_selector("#edit-picture img", timeout=20_000)
    bring(visitor, "edit-")
    finished = visitor.changes(lambda: visitor.page.locator("#studio-finish").click())
    design = visitor.design()
    assert design.model == "generate.v1" and design.finish and finished.std() > 5
    visitor.tab = "edit-"
    visitor.page.locator("#studio-change").click()
    visitor.page.wait_for_selector("#edit-picture img", timeout=20_000)
    assert visitor.design() == Design(model="generate.v1", seed=design.seed)


def test_a_finish_by_other_models_is_shown_fast_with_a_word_and_fits_a_phone(open_page):
    token = to_token(Design(strokes=TEMPLATES["low"], finish=Finish("boots-00000000", prompt="suede")))
    visitor = open_page(f"?d={token}", PHONE, studio=True)
    word(visitor, "this was finished by boots-00000000, which is not set up here")
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert visitor.picture().std() > 20


def test_a_program_gets_a_finish_and_a_word_about_a_prompt_that_is_too_long(served):
    client = Client(served.url, verbose=False)
    link = to_token(Design(strokes=TEMPLATES["mid"]))
    picture, token = client.predict(link, "suede", 0.5, 1, 3, api_name="/studio")
    assert Image.open(io.BytesIO(open(picture, "rb").read())).size == (512, 384)
    plain = client.predict(token, api_name="/render")
    assert np.abs(np.asarray(Image.open(plain), int) - np.asarray(Image.open(picture), int)).max() > 20
    with pytest.raises(AppError, match="at most 200 characters, not 10000"):
        client.predict(link, "x" * 10_000, 0.5, 1, 3, api_name="/studio")


def test_where_there_is_no_studio_there_is_no_tab_and_its_links_show_the_fast_picture(app, visit):
    design = Design(strokes=TEMPLATES["low"], seed=4)
    visitor = visit(f"?d={to_token(replace(design, finish=Finish('sd-turbo-00000000')))}")
    assert visitor.page.get_by_role("tab", name="Studio").count() == 0
    assert not visitor.page.locator("#studio").is_visible()
    assert visitor.design() == design
