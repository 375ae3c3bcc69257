"""The HTTP API and the page's handlers, called as a stranger's program would."""

import json
import math
import time
import urllib.request

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from isneaker.design import MAX_SEED, Design
from isneaker.images import sketch_of
from isneaker.render import render
from isneaker.templates import TEMPLATES
from isneaker.tokens import from_token, to_token
from isneaker.ui import sketch as tab


@pytest.fixture(scope="module")
def client(app):
    return Client(app.url, verbose=False)


@pytest.fixture
def drawing(tmp_path):
    sketch_of(Design(strokes=TEMPLATES["mid"])).save(tmp_path / "mid.png")
    return tmp_path / "mid.png"


def test_a_program_sketches_and_renders(client, drawing):
    path, token = client.predict(handle_file(drawing), "nike=1,vans=1", 0.5, 7, api_name="/sketch")
    design = from_token(token)
    assert (design.seed, design.fidelity, design.languages) == (7, 0.5, (("nike", 50), ("vans", 50)))
    again = client.predict(f"https://example.org/?d={token}", api_name="/render")
    for picture in (path, again):
        assert np.abs(np.asarray(Image.open(picture).convert("RGB"), int) - np.asarray(render(design), int)).max() <= 1


def test_finite_numbers_are_clamped(client, drawing):
    _, token = client.predict(handle_file(drawing), "", 1e300, -5, api_name="/sketch")
    assert (from_token(token).fidelity, from_token(token).seed) == (1, 0)
    _, token = client.predict(handle_file(drawing), "", -1, 2**40, api_name="/sketch")
    assert (from_token(token).fidelity, from_token(token).seed) == (0, MAX_SEED)


@pytest.mark.parametrize(
    "language, fidelity, seed, message",
    [("gucci", 0.5, 1, "no design language"), ("nike=nan", 0.5, 1, "numbers from 0"), ("nike=x", 0.5, 1, "not a number"),
     ("", None, 1, "fidelity"), ("", 0.5, None, "seed")],
)  # fmt: skip
def test_what_is_no_value_is_refused(client, drawing, language, fidelity, seed, message):
    with pytest.raises(AppError, match=message):
        client.predict(handle_file(drawing), language, fidelity, seed, api_name="/sketch")


def test_bad_files_are_refused(client, tmp_path):
    Image.new("1", (13_000, 13_000)).save(tmp_path / "bomb.png", optimize=True)
    (tmp_path / "cut.png").write_bytes((tmp_path / "bomb.png").read_bytes()[:200])
    Image.new("RGB", (512, 384), "black").save(tmp_path / "black.png")
    for name, message in (("bomb", "too many pixels"), ("cut", "damaged|too many"), ("black", "more ink than paper")):
        with pytest.raises(AppError, match=message):
            client.predict(handle_file(tmp_path / f"{name}.png"), "", 0.5, 1, api_name="/sketch")


@pytest.mark.parametrize("link", ["", "1cut", "?d=" + "1" * 100_000, to_token(Design(model="sketch.v99"))])
def test_bad_links_are_refused(client, link):
    with pytest.raises(AppError):
        client.predict(link, api_name="/render")


def test_forged_json_does_not_stop_the_app(app, client, drawing):
    for data in ([None] * 4, [{"path": "/etc/passwd"}, "", 0.5, 0], [{}, [], {}, []], ["x"] * 40, {}, "NaN"):
        body = json.dumps({"data": data, "fn_index": 0, "session_hash": "forged"}).encode()
        request = urllib.request.Request(app.url + "gradio_api/queue/join", body, {"Content-Type": "application/json"})
        try:
            urllib.request.urlopen(request, timeout=10)
        except OSError:
            pass
    time.sleep(1)
    assert client.predict(handle_file(drawing), "", 0.5, 1, api_name="/sketch")


@pytest.mark.parametrize(
    "pad",
    ["x", 7, "data:image/png;base64,!!", "data:image/png;base64,AAAA", "data:image/png;base64," + "A" * 4_000_000],
)
def test_a_forged_pad_is_refused_and_the_drawing_kept(pad):
    token = to_token(Design(strokes=TEMPLATES["low"]))
    assert tab.draw(None, pad, token, False, 0.8, 0, [])[0] == token


def test_a_drawing_too_detailed_for_a_link_is_shown_and_offered_as_png():
    rng = np.random.default_rng(0)
    strokes = tuple(tuple(map(tuple, rng.integers(0, 380, (40, 2)).tolist())) for _ in range(60))
    token, link, message, picture = tab.show(Design(strokes=strokes), None)
    assert len(token) > 4_000 and link == "" and "PNG" in message and picture.size == (512, 384)
    assert from_token(token).strokes == strokes


@pytest.mark.parametrize("value", [math.nan, "x", None, [], {}])
def test_the_pages_controls_refuse_what_is_no_number(value):
    with pytest.raises(gr.Error):
        tab.adjust(None, "", False, value, 0, [])
    with pytest.raises(gr.Error):
        tab.adjust(None, "", False, 0.5, value, [])


def test_the_pages_controls_are_clamped():
    token, *_ = tab.adjust(
        None, to_token(Design(strokes=TEMPLATES["low"])), False, math.inf, -math.inf, ["nike", "gucci"], 1e9
    )
    design = from_token(token)
    assert (design.fidelity, design.seed, design.languages) == (1, 0, (("nike", 100),))
