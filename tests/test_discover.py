"""Discover and Edit in the real browser, with the embedded weights."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from isneaker import catalogue
from isneaker.design import Design
from isneaker.images import to_png
from isneaker.render import _small, render
from isneaker.tokens import from_token, to_token
from isneaker.ui.discover import look_ahead, page_of, turn
from isneaker.ui.tiles import READY, ready_made
from tests.test_render import difference
from tests.visitor import PHONE

SHOE = Design(model="generate.v1", seed=12)


@pytest.fixture
def discover(visit):
    """A visitor on the Discover tab, the first page shown."""
    visitor = visit()
    visitor.page.get_by_role("tab", name="Discover").click()
    visitor.page.wait_for_selector("#tiles-5 img", timeout=60_000)
    return visitor


def tiles(visitor) -> list[str]:
    return visitor.page.locator(".tiles img").evaluate_all("images => images.map((image) => image.src)")


@pytest.fixture
def edit(visit):
    """A visitor who opened a link of a generated sneaker."""
    return lambda design=SHOE, **options: visit(
        f"?d={to_token(design)}", tab="edit-", ready="#edit-picture img", **options
    )


def move(visitor, slider: str, value: str) -> None:
    visitor.page.locator(f"#edit-{slider} input[type=number]").fill(value)
    visitor.page.keyboard.press("Enter")


def test_the_first_tiles_lie_ready():
    first = Design(model=catalogue.newest("generate"))
    assert from_token(page_of(1, 0.7, []).split()[0]) == first
    for seed in (0, 50, READY - 1):
        design = replace(first, seed=seed)
        assert np.abs(np.asarray(ready_made(design), int) - np.asarray(render(design).reduce(2), int)).mean() < 2
    for other in (replace(first, seed=READY), replace(first, psi=0.6), Design(strokes=(((0, 0), (9, 9)),))):
        assert ready_made(other) is None


def test_a_page_holds_24_different_sneakers_and_there_are_more(discover):
    first = tiles(discover)
    assert len(set(first)) == 24
    discover.page.locator("#discover-more").click()
    last = "#tiles-5 img"
    discover.page.wait_for_function("([q, s]) => document.querySelector(q).src != s", arg=[last, first[20]])
    assert not set(first) & set(tiles(discover))
    assert discover.page.locator("#discover-page input").input_value() == "2"


def test_the_next_page_is_begun_before_anyone_asks_for_it():
    look_ahead(4, 0.7, [], row=0)
    made = _small.cache_info().misses
    turn(4, 0.7, [], by=1)
    assert _small.cache_info().misses == made


def test_a_tile_opens_in_the_editor_as_it_looked(discover):
    discover.page.locator("#tiles-1 img").nth(2).click()
    discover.page.wait_for_selector("#edit-picture img", timeout=30_000)
    discover.tab = "edit-"
    discover.page.wait_for_timeout(500)
    design = discover.design()
    assert (design.model, design.seed, design.edits) == ("generate.v1", 6, ())
    assert np.abs(discover.picture() - np.asarray(render(design), int)).mean() < 2


def test_a_language_filters_the_page(discover):
    before = tiles(discover)
    discover.page.locator("#discover-languages input").click()
    discover.page.get_by_role("option", name="Vans").click()
    discover.page.wait_for_function(
        "s => document.querySelector('#tiles-5 img').src != s", arg=before[20], timeout=30_000
    )
    discover.page.locator("#tiles-0 img").first.click()
    discover.page.wait_for_selector("#edit-picture img", timeout=30_000)
    discover.tab = "edit-"
    discover.page.wait_for_timeout(500)
    assert discover.design().languages == (("vans", 100),)


def test_sliders_change_the_picture_and_the_link_shows_the_same_to_others(edit, visit):
    visitor = edit()
    changed = visitor.changes(lambda: move(visitor, "collar", "1.5"))
    visitor.changes(lambda: move(visitor, "upper-red", "-1"))
    design = visitor.design()
    assert dict(design.edits) == {"collar": 150, "upper red": -100}
    assert difference(changed, visitor.picture()) > 5
    other = edit(design)
    assert difference(visitor.picture(), other.picture()) <= 2
    assert other.page.locator("#edit-collar input[type=number]").input_value() == "1.5"


def test_undo_reset_and_compare(edit):
    visitor = edit()
    start = visitor.picture()

    def drag():
        slider = visitor.page.locator("#edit-collar input[type=range]")
        box = slider.bounding_box()
        visitor.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        visitor.page.mouse.down()
        visitor.page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2, steps=5)
        visitor.page.mouse.up()
        visitor.page.wait_for_timeout(800)

    visitor.changes(drag)
    assert dict(visitor.design().edits)["collar"] > 100
    visitor.page.locator("#edit-compare input").click()
    visitor.page.wait_for_selector("#edit-both img", timeout=20_000)
    assert visitor.page.locator("#edit-both img").count() >= 2
    visitor.page.locator("#edit-compare input").click()
    visitor.page.wait_for_selector("#edit-picture img", timeout=20_000)
    visitor.changes(lambda: visitor.page.locator("#edit-undo").click())
    assert visitor.design() == SHOE and difference(visitor.picture(), start) == 0
    visitor.changes(lambda: move(visitor, "bulk", "2"))
    visitor.changes(lambda: visitor.page.locator("#edit-reset").click())
    assert visitor.design() == SHOE


def test_remix_takes_colours_from_another_and_roll_is_another_sneaker(edit):
    visitor = edit()
    visitor.changes(lambda: visitor.page.locator("#edit-remix").click())
    mixed = visitor.design()
    assert mixed.fine and mixed.crossover == 4 and mixed.seed == SHOE.seed
    visitor.changes(lambda: visitor.page.locator("#edit-roll").click())
    assert visitor.design().seed != SHOE.seed and not visitor.design().fine


def test_a_photo_of_ones_own_can_be_edited(edit, tmp_path):
    photo = Image.new("RGB", (900, 700), "white")
    photo.paste(render(Design(model="generate.v1", seed=40)).resize((800, 600)), (50, 40))
    photo.save(tmp_path / "mine.jpg", quality=92)
    visitor = edit()
    visitor.page.get_by_text("Edit a sneaker of yours").click()
    upload = visitor.page.locator("#edit-upload input[type=file]")
    visitor.changes(lambda: upload.set_input_files(tmp_path / "mine.jpg"))
    design = visitor.design()
    assert len(design.codes) == 1 and len(to_token(design)) <= 400
    visitor.changes(lambda: visitor.page.locator("#edit-closer").click())
    assert visitor.design().codes != design.codes
    visitor.changes(lambda: move(visitor, "upper-light", "1"))
    assert visitor.design().codes


def test_what_is_no_shoe_gets_a_word(edit, tmp_path):
    Image.new("RGB", (400, 300), (90, 140, 60)).save(tmp_path / "lawn.png")
    visitor = edit()
    before = visitor.design()
    visitor.page.get_by_text("Edit a sneaker of yours").click()
    visitor.page.locator("#edit-upload input[type=file]").set_input_files(tmp_path / "lawn.png")
    visitor.page.wait_for_selector(".toast-body", timeout=30_000)
    assert visitor.design() == before


def test_a_png_of_a_generated_sneaker_opens_in_the_editor(visit, tmp_path):
    design = Design(model="generate.v1", seed=8, edits=(("collar", 100),))
    (tmp_path / "shoe.png").write_bytes(to_png(render(design), to_token(design)))
    visitor = visit()
    visitor.page.locator("#open-png input[type=file]").set_input_files(tmp_path / "shoe.png")
    visitor.page.wait_for_selector("#edit-picture img", timeout=30_000)
    visitor.tab = "edit-"
    visitor.page.wait_for_timeout(500)
    assert visitor.design() == design


def test_the_editor_works_on_a_phone(edit):
    visitor = edit(device=PHONE)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    visitor.changes(lambda: move(visitor, "upper-light", "1"))
    assert dict(visitor.design().edits) == {"upper light": 100}


def test_what_is_kept_stays_in_the_browser_and_opens_again(edit):
    visitor = edit()
    visitor.page.locator("#edit-heart").click()
    visitor.page.wait_for_selector(".toast-body:has-text('Kept')", timeout=20_000)
    visitor.page.goto(visitor.page.url.split("?")[0])
    visitor.page.wait_for_selector("#picture img", timeout=60_000)
    visitor.page.locator("#kept").get_by_text("Kept in this browser").click()
    visitor.page.wait_for_selector("#kept-tiles-0 img", timeout=30_000)
    assert visitor.page.locator("#kept-tiles-0 img").count() == 1
    visitor.page.locator("#kept-tiles-0 img").click()
    visitor.page.wait_for_selector("#edit-picture img", timeout=30_000)
    visitor.page.wait_for_timeout(500)
    assert visitor.design() == SHOE
    visitor.page.locator("#kept-clear").click()
    visitor.page.wait_for_selector("#kept-tiles-0 img", state="detached", timeout=30_000)


def test_two_sneakers_are_sent_to_combine(edit):
    visitor = edit()
    visitor.page.locator("#edit-combine").click()
    visitor.page.wait_for_selector("#source-1 img", timeout=30_000)
    visitor.page.get_by_role("tab", name="Edit").click()
    visitor.changes(lambda: visitor.page.locator("#edit-roll").click())
    visitor.page.locator("#edit-combine").click()
    visitor.page.wait_for_selector("#source-2 img", timeout=30_000)
    visitor.page.wait_for_selector("#combine-picture img", timeout=60_000)
