"""A photo becomes a Design in another language, and the page shows it."""

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from isneaker.design import Design
from isneaker.photolines import lines_of, spots_of
from isneaker.poses import fill
from isneaker.render import render
from isneaker.restyle import restyle
from isneaker.tokens import from_token, to_token
from tests.pictures import mask_of, on_carpet, prepared, shoe
from tests.visitor import DESKTOP, PHONE, Visitor


def difference(a: Design, b: Design) -> float:
    """Mean difference of two Designs' pictures, of 255."""
    return np.abs(np.asarray(render(a), int) - np.asarray(render(b), int)).mean()


@pytest.fixture(scope="module")
def photo():
    return prepared("low", 3)


def test_a_restyled_photo_is_all_in_its_link(photo):
    for strength in (0, 0.5, 1):
        for keep in (False, True):
            design = restyle(photo, (("adidas", 100),), strength, keep, seed=4)
            token = to_token(design)
            assert from_token(token) == design and len(token) < 2_500
            assert np.abs(np.asarray(render(from_token(token)), int) - np.asarray(render(design), int)).max() <= 1


def test_the_shape_is_kept_at_any_strength(photo):
    for strength in (0, 1):
        there = mask_of(render(restyle(photo, (("nike", 100),), strength)))
        assert (there & photo.mask).sum() / (there | photo.mask).sum() > 0.85


def test_strength_0_gives_the_shoe_back_and_1_another(photo):
    def colour(picture: Image.Image) -> np.ndarray:
        return np.asarray(picture.reduce(8), float)[photo.mask.reshape(48, 8, 64, 8).mean((1, 3)) > 0.95]

    same, other = (colour(render(restyle(photo, (("vans", 100),), strength, seed=5))) for strength in (0, 1))
    assert np.abs(same - colour(photo.photo)).mean() < 20 < np.abs(other - colour(photo.photo)).mean()
    kept = colour(render(restyle(photo, (("vans", 100),), 1, keep_colours=True, seed=5)))
    assert np.abs(kept - colour(photo.photo)).mean() < np.abs(other - colour(photo.photo)).mean()


def test_side_lines_go_and_marks_come_with_strength(photo):
    plain = [len(restyle(photo, (), strength).strokes) for strength in (0, 0.5, 1)]
    assert plain[0] >= plain[1] >= plain[2] >= 1
    marked = restyle(photo, (("adidas", 100),), 1)
    assert len(marked.strokes) - plain[2] == 3 and marked.languages == (("adidas", 100),)
    outline = restyle(photo, (), 1).strokes[0]
    assert (fill(np.array(outline)) & photo.mask).sum() / photo.mask.sum() > 0.98


def test_a_mix_is_continuous_and_lies_between_its_languages(photo):
    def design(share: int) -> Design:
        return restyle(photo, tuple((n, w) for n, w in (("nike", 100 - share), ("adidas", share)) if w), 0.5, seed=2)

    ends = difference(design(0), design(100))
    steps = [difference(design(share), design(share + 5)) for share in range(0, 100, 5)]
    assert max(steps) < 0.4 * ends
    assert max(difference(design(0), design(50)), difference(design(100), design(50))) < ends


def test_spots_are_few_and_lie_on_the_shoe(photo):
    spots = spots_of(photo.photo, photo.mask, colours=6, count=20)
    assert 1 <= len(spots) <= 20 and len({colour for _, _, colour in spots}) <= 6
    cells = photo.mask.reshape(48, 8, 64, 8).mean((1, 3)).ravel()
    assert all(cells[cell] > 0.9 and count == 1 for cell, count, _ in spots)


def test_lines_of_a_black_shoe_are_found():
    y, x = np.mgrid[:384, :512]
    mask = (abs(x - 256) < 220) & (abs(y - 270) < 80)
    dark = np.where(((x // 60) % 2 == 0) & mask, 14, 30)
    picture = Image.fromarray(np.where(mask, dark, 255).astype(np.uint8)).convert("RGB")
    lines = lines_of(picture, mask)
    assert len(lines.side) >= 3


# --- in the browser ---


class RestyleVisitor(Visitor):
    """A person at the Restyle tab, whose picture is a slider between two."""

    def __init__(self, browser, url: str, device: dict):
        super().__init__(browser, url, device, tab="restyle-", ready="#picture img")
        self.page.get_by_role("tab", name="Restyle").click()
        self.page.wait_for_selector("#restyle-variants img", timeout=60_000)  # of the example
        self.page.wait_for_timeout(500)

    def upload(self, path) -> None:
        self.page.locator("#photo input[type=file]").set_input_files(path)


@pytest.fixture
def visit(app, browser):
    visitors = []

    def open_page(device: dict = DESKTOP) -> RestyleVisitor:
        visitors.append(RestyleVisitor(browser, app.url, device))
        return visitors[-1]

    yield open_page
    for visitor in visitors:
        visitor.context.close()


def test_a_visitor_restyles_a_photo(visit, tmp_path):
    picture, _ = on_carpet(shoe("low", 3), 6)
    picture.save(tmp_path / "photo.jpg")
    visitor = visit()
    visitor.changes(lambda: visitor.upload(tmp_path / "photo.jpg"))
    assert visitor.page.locator("#photo-note").inner_text().startswith("Found the shoe")

    assert visitor.design().languages == (("adidas", 100),)

    def pick_puma():
        visitor.page.locator("#restyle-languages input").click()
        visitor.page.get_by_role("option", name="Puma").last.click()

    visitor.changes(pick_puma)
    design = visitor.design()
    assert design.languages == (("adidas", 50), ("puma", 50)) and design.strokes
    assert np.abs(visitor.picture() - np.asarray(render(design), int)).mean() < 3
    visitor.page.wait_for_selector("#restyle-variants img", timeout=20_000)
    visitor.changes(lambda: visitor.page.locator("#restyle-variants img").nth(2).click())
    assert visitor.design().seed == design.seed + 2
    visitor.page.locator("#restyle-edit").click()
    visitor.page.wait_for_selector("#pad canvas", state="visible", timeout=20_000)
    visitor.page.wait_for_timeout(1_500)
    link = visitor.page.locator("#link textarea, #link input").first.input_value()
    assert from_token(parse_qs(urlsplit(link).query)["d"][0]) == visitor.design()


def test_a_visitor_on_a_phone_tries_one_of_ours(visit):
    visitor = visit(PHONE)
    visitor.changes(lambda: visitor.page.locator("#photo-ours").click())
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    visitor.changes(lambda: visitor.page.get_by_label("Keep its colours").click())
    assert visitor.design().hints


def test_what_is_no_shoe_gets_a_word_on_the_page(visit, tmp_path):
    (tmp_path / "manual.jpg").write_bytes(b"%PDF-1.7\n" + b"stream" * 100)
    Image.new("RGB", (600, 400), "white").save(tmp_path / "nothing.png")
    visitor = visit()
    for name, message in (("manual.jpg", "not a picture"), ("nothing.png", "no shoe was found")):
        visitor.upload(tmp_path / name)
        visitor.page.wait_for_selector(f"#photo-note:has-text('{message}')", timeout=20_000)
        visitor.page.locator(
            "#photo button[aria-label='Clear'], #photo button[aria-label='Remove Image']"
        ).first.click()
        visitor.page.wait_for_timeout(500)


def test_a_png_dropped_onto_the_photo_box_is_a_photo(visit, tmp_path):
    shoe("low", 3).save(tmp_path / "photo.png")
    visitor = visit()
    drop = """bytes => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(bytes)], "photo.png", {type: "image/png"}));
        const box = document.querySelector("#photo button[aria-label*='pload']");
        box.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true}));
    }"""
    data = list((tmp_path / "photo.png").read_bytes())
    visitor.changes(lambda: visitor.page.evaluate(drop, data))
    assert visitor.page.locator("#photo-note").inner_text().startswith("Found the shoe")
