"""Two to four sneakers make one, on the page, in the API and on the command line."""

import io

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from isneaker.__main__ import main
from isneaker.combine import CHILDREN, combine, morph, read_source, source_of, to_webp
from isneaker.combine import children as make_children
from isneaker.design import Design
from isneaker.images import to_png
from isneaker.render import render
from isneaker.templates import TEMPLATES
from isneaker.tokens import from_token, to_token
from tests.pictures import mask_of, prepared, shoe

LOW = Design(strokes=TEMPLATES["low"], seed=3, fidelity=0.6)
HIGH = Design(strokes=TEMPLATES["high"], seed=8, fidelity=0.6, hints=((2000, 4, 0xD7263D),))


def pixels(design: Design) -> np.ndarray:
    return np.asarray(render(design), int)


def height(picture: Image.Image) -> int:
    return int(mask_of(picture).any(1).sum())


@pytest.fixture(scope="module")
def sources():
    return [source_of(LOW), source_of(HIGH)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A photo and a PNG of ours."""
    folder = tmp_path_factory.mktemp("sneakers")
    shoe("low", 3).save(folder / "photo.jpg", quality=95)
    (folder / "ours.png").write_bytes(to_png(render(HIGH), to_token(HIGH)))
    return folder / "photo.jpg", folder / "ours.png"


def test_a_child_is_all_in_its_link(sources):
    design = combine(sources, [1, 3], seed=4)
    assert from_token(to_token(design)) == design and len(to_token(design)) < 2_500
    assert [weight for weight, _ in design.codes] == [25, 75]


def test_shape_can_come_from_one_and_style_from_another(sources):
    low, high = (render(combine(sources, [1, 1], shape)) for shape in ([1, 0], [0, 1]))
    assert height(low) < height(render(combine(sources, [1, 1]))) < height(high)
    assert abs(height(low) - height(sources[0].picture)) < 12 and abs(height(high) - height(sources[1].picture)) < 12
    a, b = (combine(sources, style, [1, 0]) for style in ([1, 0], [0, 1]))
    assert a.strokes == b.strokes and np.abs(pixels(a) - pixels(b)).mean() > 3


def test_blends_are_continuous(sources):
    way = [pixels(combine(sources, [100 - share, share])) for share in range(0, 101, 5)]
    steps = [np.abs(a - b).mean() for a, b in zip(way, way[1:])]
    assert max(steps) < 0.45 * np.abs(way[0] - way[-1]).mean()


def test_three_and_four_sneakers_combine(sources):
    others = [source_of(prepared("runner", 5)), source_of(prepared("slip-on", 6))]
    for count in (3, 4):
        design = combine([*sources, *others][:count], [1] * count)
        assert sum(weight for weight, _ in design.codes) == 100 and len(design.codes) == count


@pytest.mark.parametrize("weights", [[0, 0], [-1, 2], [float("nan"), 1]])
def test_weights_that_are_none_are_refused(sources, weights):
    with pytest.raises(ValueError):
        combine(sources, weights)


def test_eight_children_differ_and_come_back_by_seed(sources):
    family = make_children(sources, [1, 1], None, 5)
    assert len(set(family)) == CHILDREN and family == make_children(sources, [1, 1], None, 5)
    assert family[1] != make_children(sources, [1, 1], None, 6)[1]


def test_a_png_of_ours_gives_its_design_and_a_photo_its_shoe(files):
    photo, ours = map(read_source, files)
    assert np.abs(np.asarray(ours.picture, int) - pixels(HIGH)).max() <= 1
    assert abs(height(photo.picture) - height(shoe("low", 3))) < 12


def test_a_morph_goes_there_and_back(sources):
    frames = list(morph(*sources, frames=4))
    animation = Image.open(io.BytesIO(to_webp(frames)))
    assert animation.format == "WEBP" and animation.n_frames == 6 and animation.size == (512, 384)
    assert height(frames[0]) < height(frames[1]) < height(frames[-1])


# --- command line and API ---


def test_the_command_line_combines_photos_pngs_and_links(files, tmp_path, capsys):
    inputs = [*map(str, files), f"?d={to_token(LOW)}"]
    assert main(["combine", *inputs, "--weights", "0.5,0.25,0.25", "--out", str(tmp_path)]) == 0
    path, link = capsys.readouterr().out.strip().split("\t")
    assert path == str(tmp_path / "combined.png")
    design = from_token(link.removeprefix("?d="))
    assert [weight for weight, _ in design.codes] == [50, 25, 25]
    assert np.abs(np.asarray(Image.open(path), int) - pixels(design)).max() <= 1


@pytest.mark.parametrize(
    "inputs, options",
    [(["1x"], []), (["a"] * 5, []), (["1x", "1y"], []), (["1x", "1y"], ["--weights", "1"]),
     (["1x", "1y"], ["--weights", "nan,1"]), (["missing.jpg", "1y"], [])],
)  # fmt: skip
def test_bad_combinations_are_one_line_and_status_2(inputs, options, tmp_path, capsys):
    try:
        status = main(["combine", *inputs, *options, "--out", str(tmp_path)])
    except SystemExit as exit:
        status = exit.code
    captured = capsys.readouterr()
    assert status == 2 and captured.out == "" and len(captured.err.splitlines()) == 1


def test_the_command_line_restyles_and_goes_on_after_a_bad_photo(files, tmp_path, capsys):
    Image.new("RGB", (400, 300), "white").save(tmp_path / "nothing.png")
    inputs = [str(tmp_path / "nothing.png"), str(files[0])]
    assert main(["restyle", *inputs, "--language", "adidas", "--strength", "1", "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"isneaker: {tmp_path}/nothing.png: no shoe was found in this picture\n"
    path, link = captured.out.strip().split("\t")
    design = from_token(link.removeprefix("?d="))
    assert path == str(tmp_path / "out" / "photo.png") and design.languages == (("adidas", 100),)
    assert np.abs(np.asarray(Image.open(path), int) - pixels(design)).max() <= 1


def test_a_program_restyles_and_combines(app, files, tmp_path):
    client = Client(app.url, verbose=False)
    _, token = client.predict(handle_file(files[0]), "nike=1,vans=1", 0.5, True, 7, api_name="/restyle")
    restyled = from_token(token)
    assert (restyled.seed, restyled.languages) == (7, (("nike", 50), ("vans", 50)))
    path, token = client.predict([handle_file(file) for file in files], token, "1,1,2", api_name="/combine")
    design = from_token(token)
    assert [weight for weight, _ in design.codes] == [25, 25, 50]
    assert np.abs(np.asarray(Image.open(path).convert("RGB"), int) - pixels(design)).max() <= 1
    Image.new("RGB", (400, 300), "white").save(tmp_path / "nothing.png")
    with pytest.raises(AppError, match="No shoe was found"):
        client.predict(handle_file(tmp_path / "nothing.png"), "nike", 0.5, False, 7, api_name="/restyle")
    with pytest.raises(AppError, match="Two to four"):
        client.predict([handle_file(files[0])], "", "", api_name="/combine")


# --- in the browser ---


def test_a_visitor_combines_picks_breeds_and_morphs(app, browser, files):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(app.url)
    page.wait_for_selector("#variants img:nth-of-type(1)", timeout=60_000)
    page.get_by_role("tab", name="Combine").click()

    def after(action) -> str:
        """Do something and wait for another picture -> its link."""
        before = (
            page.locator("#combine-picture img").get_attribute("src")
            if page.locator("#combine-picture img").count()
            else ""
        )
        action()
        script = (
            "s => { const i = document.querySelector('#combine-picture img'); return i && i.getAttribute('src') != s }"
        )
        page.wait_for_function(script, arg=before, timeout=30_000)
        page.wait_for_timeout(500)
        return page.locator("#combine-link textarea, #combine-link input").first.input_value()

    page.locator("#source-1 input[type=file]").set_input_files(files[0])
    page.wait_for_selector("#source-1 img", timeout=20_000)
    page.wait_for_selector("#combine-message >> text=Put in two sneakers", timeout=20_000)
    page.locator("#source-link-2 textarea, #source-link-2 input").first.fill(f"?d={to_token(HIGH)}")
    link = after(lambda: page.locator("#source-link-2 textarea, #source-link-2 input").first.press("Enter"))
    assert [weight for weight, _ in from_token(link.split("?d=")[1]).codes] == [50, 50]
    page.wait_for_selector("#children img", timeout=30_000)
    assert page.locator("#children img").count() == CHILDREN
    child = after(lambda: page.locator("#children img").nth(5).click())
    assert child != link
    assert after(lambda: page.locator("#combine-breed").click()) != child
    page.locator("#combine-morph").click()
    page.wait_for_selector("#combine-way img", timeout=60_000)
    page.locator("#source-2 button[aria-label='Remove Image']").click()
    page.wait_for_selector("#combine-message >> text=Put in two sneakers", timeout=20_000)
    page.close()
