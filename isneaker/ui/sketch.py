"""The Sketch tab: lines to sneaker, live."""

import math
import os
import tempfile
import time
import zlib
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from isneaker import catalogue
from isneaker.design import (
    MAX_LINK,
    MAX_SEED,
    Design,
    DesignError,
    find_token,
    from_token,
    mix,
    to_token,
)  # fmt: skip
from isneaker.images import Drawing, PictureError, design_of, read_drawing, to_png
from isneaker.languages import LANGUAGES
from isneaker.render import render_all
from isneaker.strokes import toe_points_left
from isneaker.templates import TEMPLATES
from isneaker.ui.pad import Pad, drawing_on, pad_of

VARIANTS = 4
EXAMPLE = Design(strokes=TEMPLATES["runner"], seed=7)
RENDER = {"concurrency_id": "render", "concurrency_limit": 1, "show_progress": "hidden"}


def label(language: str) -> str:
    """A language's name as people write it."""
    return language.replace("_", " ").title()


# --- what the widgets call ---


def draw(request: gr.Request, pad: str | None, token: str, flipped, fidelity, seed, picks, *weights):
    """A stroke was drawn: canonical sketch, Design, picture."""
    design = _open(token)
    try:
        canvas = drawing_on(pad)
        drawing = read_drawing(canvas) if canvas else Drawing((), (), False)
    except PictureError as error:
        gr.Warning(f"{str(error).capitalize()}.")
        return show(design, request)
    drawing = drawing._replace(mirrored=drawing.mirrored != bool(flipped))
    return show(replace(design, **drawing._asdict(), **_settings(fidelity, seed, picks, weights)), request)


def adjust(request: gr.Request, token: str, flipped, fidelity, seed, picks, *weights):
    """A control was moved: the same drawing, other settings."""
    design = _open(token)
    mirrored = _toe_left(design) != bool(flipped)
    return show(replace(design, mirrored=mirrored, **_settings(fidelity, seed, picks, weights)), request)


def choose(token: str, event: gr.SelectData, request: gr.Request):
    """One of the variants was clicked: it becomes the picture."""
    design = _variants(_open(token))[int(event.index) % VARIANTS]
    return design.seed, *show(design, request)


def roll(token: str, request: gr.Request):
    """Four other variants."""
    design = _open(token)
    design = replace(design, seed=(design.seed + VARIANTS) % (MAX_SEED + 1))
    return design.seed, *show(design, request)


def show(design: Design, request: gr.Request | None) -> tuple:
    """Design -> token, link, message, picture."""
    token = to_token(design)
    if not design.strokes and not design.hints:
        return token, "", "Draw a line, or start from an outline.", None
    try:
        picture = render_all([design])[0]
    except catalogue.WeightsUnavailable as error:
        newest = catalogue.newest("sketch")
        design = replace(design, model=newest)
        return to_token(design), "", f"Sorry, {error}. This is how {newest} sees it.", render_all([design])[0]
    except DesignError as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None
    if len(token) > MAX_LINK:
        return (
            token,
            "",
            "This drawing is too detailed for a link. Download the PNG instead: it carries everything.",
            picture,
        )
    return token, f"{_address(request)}?d={token}", "", picture


def variants(token: str) -> list[Image.Image]:
    """The picture of a token and its three neighbours by seed."""
    design = _open(token)
    return render_all(_variants(design)) if design.strokes or design.hints else []


def png(token: str) -> str:
    """The picture as a PNG file that carries its Design -> its path."""
    design = _open(token)
    folder = Path(tempfile.gettempdir()) / "isneaker"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():  # Gradio has its own copy by now
        if time.time() - old.stat().st_mtime > 60:
            old.unlink(missing_ok=True)
    path = folder / f"isneaker-{zlib.crc32(token.encode()):08x}.png"
    path.write_bytes(to_png(render_all([design])[0], to_token(design)))
    return str(path)


def start_from(design: Design, request: gr.Request):
    """Put a Design on the page: drawing, controls, picture."""
    chosen = dict(design.languages)
    return (
        pad_of(design), design.mirrored != _toe_left(design), design.fidelity, design.seed, list(chosen),
        *(gr.Slider(value=chosen.get(name, 50), visible=name in chosen and len(chosen) > 1) for name in LANGUAGES),
        *show(design, request),
    )  # fmt: skip


def open_link(request: gr.Request):
    """The page was opened: the Design of its link, or the example."""
    text = request.query_params.get("d")
    try:
        return start_from(from_token(find_token(text)) if text else EXAMPLE, request)
    except DesignError as error:
        gr.Warning(f"{str(error).capitalize()}. Here is an empty page instead.")
        return start_from(Design(), request)


def open_png(path: str, request: gr.Request):
    """A PNG was dropped onto the page: the Design inside it."""
    try:
        design = design_of(path)
    except (PictureError, DesignError) as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None
    if design is None:
        raise gr.Error("There is no design in this picture. Drop it onto the drawing to trace it.")
    return start_from(design, request)


def _toe_left(design: Design) -> bool:
    """What the drawing itself says about its toe."""
    return toe_points_left([np.array(stroke) for stroke in design.strokes])


def _variants(design: Design) -> list[Design]:
    return [replace(design, seed=(design.seed + i) % (MAX_SEED + 1)) for i in range(VARIANTS)]


def _open(token: str) -> Design:
    try:
        return from_token(token) if token else Design(model=catalogue.newest("sketch"))
    except DesignError as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None


def _settings(fidelity, seed, picks, weights) -> dict:
    """Values of the controls, clamped -> fields of a Design. NaN and what is no number are refused."""
    picks = [name for name in picks or [] if name in LANGUAGES]
    shares = {n: number(w, 0, 100, "weight") for n, w in zip(LANGUAGES, weights) if n in picks}
    if not any(shares.values()):
        shares = dict.fromkeys(picks, 1.0)
    return {
        "fidelity": number(fidelity, 0, 1, "fidelity"),
        "seed": int(number(seed, 0, MAX_SEED, "seed")),
        "languages": mix(shares),
    }


def number(value, low: float, high: float, name: str) -> float:
    """Any number, clamped. Raises gr.Error for NaN and for what is no number."""
    try:
        value = float(value)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if math.isnan(value):
        raise gr.Error(f"The {name} must be a number from {low} to {high}.")
    return min(max(value, low), high)


def _address(request: gr.Request | None) -> str:
    """Where the page lies, without its query."""
    if os.environ.get("ISNEAKER_URL"):
        return os.environ["ISNEAKER_URL"]
    return (request.headers.get("referer", "") if request else "").split("?")[0].split("#")[0]


# --- the widgets ---


COPY = """(link) => {
  if (!link) return;
  navigator.clipboard?.writeText(link).catch(() => {});
  history.replaceState(null, "", link);
  window.parent.postMessage({ queryString: new URL(link).search.slice(1) }, "https://huggingface.co");
}"""
SAVE = "() => setTimeout(() => document.querySelector('#png-file a, a#png-file, #png-file button, button#png-file').click(), 100)"


def build(page: gr.Blocks) -> None:
    """Add the tab's widgets to the page and connect them."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            pad = Pad(container=True, elem_id="pad")
            with gr.Row(elem_id="outlines"):
                outlines = {name: gr.Button(label(name), size="sm", min_width=56) for name in TEMPLATES}
        with gr.Column(min_width=280):
            picture = gr.Image(
                label="Your sneaker", format="webp", interactive=False, buttons=["fullscreen"], elem_id="picture",
            )  # fmt: skip
            message = gr.Markdown(elem_id="message")
            gallery = gr.Gallery(
                label="Variants", columns=VARIANTS, rows=1, height=150, object_fit="contain", format="webp",
                show_label=False, allow_preview=False, interactive=False, buttons=[], elem_id="variants",
            )  # fmt: skip
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            flipped = gr.Checkbox(False, label="The toe is on the other side", elem_id="flipped")
            fidelity = gr.Slider(0, 1, 0.8, step=0.05, label="Make it a sneaker … follow my lines", elem_id="fidelity")
            picks = gr.Dropdown(
                [(label(name), name) for name in LANGUAGES], multiselect=True, max_choices=4, value=[],
                label="Design language", info="Several make a mix; none is any.", elem_id="languages",
            )  # fmt: skip
            weights = [
                gr.Slider(0, 100, 50, step=1, label=label(name), visible=False, elem_id=f"weight-{name}")
                for name in LANGUAGES
            ]
        with gr.Column(min_width=280):
            with gr.Row(elem_id="actions"):
                other = gr.Button("Roll", min_width=72, elem_id="roll")
                copy = gr.Button("Copy link", variant="primary", min_width=72, elem_id="copy")
                save = gr.Button("Download", min_width=72, elem_id="save")
            seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=MAX_SEED, min_width=90, elem_id="seed")
            link = gr.Textbox(
                label="Link to this sneaker", interactive=False, max_lines=1, buttons=["copy"], elem_id="link"
            )
            upload = gr.File(label="Open a PNG made here", file_types=[".png"], height=130, elem_id="open-png")
    token = gr.Textbox(visible="hidden", elem_id="token")
    file = gr.DownloadButton(visible="hidden", elem_id="png-file")

    controls, shown = [flipped, fidelity, seed, picks, *weights], [token, link, message, picture]
    everything = [pad, *controls, *shown]
    private = {"api_visibility": "private"}

    def then_variants(event) -> None:
        event.then(variants, token, gallery, trigger_mode="always_last", **RENDER, **private)

    drawn = {"inputs": [pad, token, *controls], "outputs": shown, "trigger_mode": "always_last", **RENDER, **private}
    pad.input(draw, **drawn)
    then_variants(pad.release(draw, **drawn))
    changes = [flipped.input, fidelity.input, seed.submit, seed.blur, picks.input, *(w.input for w in weights)]
    then_variants(gr.on(changes, adjust, [token, *controls], shown, trigger_mode="always_last", **RENDER, **private))
    picks.input(
        lambda names: [gr.Slider(visible=name in names and len(names) > 1) for name in LANGUAGES],
        picks, weights, show_progress="hidden", **private,
    )  # fmt: skip
    gallery.select(choose, token, [seed, *shown], **RENDER, **private)
    then_variants(other.click(roll, token, [seed, *shown], **RENDER, **private))
    for name, button in outlines.items():

        def outline(token: str, request: gr.Request, name=name):
            return start_from(replace(_open(token), strokes=TEMPLATES[name], hints=(), mirrored=False), request)

        then_variants(button.click(outline, token, everything, **RENDER, **private))
    then_variants(upload.upload(open_png, upload, everything, **RENDER, **private))
    copy.click(None, link, js=COPY)
    save.click(png, token, file, **RENDER, **private).then(None, js=SAVE)
    then_variants(page.load(open_link, None, everything, **RENDER, **private))
