"""The Sketch tab: lines to sneaker, live."""

from dataclasses import replace

import gradio as gr
import numpy as np
from PIL import Image

from isneaker import catalogue
from isneaker.design import MAX_SEED, Design
from isneaker.images import Drawing, PictureError, read_drawing
from isneaker.render import render_all
from isneaker.strokes import toe_points_left
from isneaker.templates import TEMPLATES
from isneaker.tokens import to_token
from isneaker.ui import share
from isneaker.ui.pad import Pad, drawing_on, pad_of

VARIANTS = 4
EXAMPLE = Design(strokes=TEMPLATES["runner"], seed=7)

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


def show(design: Design, request: gr.Request | None) -> share.Shown:
    """Design -> token, link, message, picture."""
    if not design.strokes and not design.hints:
        return to_token(design), "", "Draw a line, or start from an outline.", None
    return share.shown(design, request)


def variants(token: str) -> list[Image.Image]:
    """The picture of a token and its three neighbours by seed."""
    design = _open(token)
    return render_all(_variants(design)) if design.strokes or design.hints else []


def start_from(design: Design, request: gr.Request):
    """Put a Design on the page: drawing, controls, picture."""
    flipped = design.mirrored != _toe_left(design)
    controls = flipped, design.fidelity, design.seed, *share.language_values(design)
    return pad_of(design), *controls, *show(design, request)


def _toe_left(design: Design) -> bool:
    """What the drawing itself says about its toe."""
    return toe_points_left([np.array(stroke) for stroke in design.strokes])


def _variants(design: Design) -> list[Design]:
    return [replace(design, seed=(design.seed + i) % (MAX_SEED + 1)) for i in range(VARIANTS)]


def _open(token: str) -> Design:
    return share.open_token(token, Design(model=catalogue.newest("sketch")))


def _settings(fidelity, seed, picks, weights) -> dict:
    """Values of the controls, clamped -> fields of a Design. NaN and what is no number are refused."""
    return {
        "fidelity": share.number(fidelity, 0, 1, "fidelity"),
        "seed": int(share.number(seed, 0, MAX_SEED, "seed")),
        "languages": share.languages(picks, weights),
    }


# --- the widgets ---


def build() -> share.Tab:
    """Add the tab's widgets to the page and connect them."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            pad = Pad(container=True, elem_id="pad")
            with gr.Row(elem_id="outlines"):
                outlines = {name: gr.Button(share.label(name), size="sm", min_width=56) for name in TEMPLATES}
        with gr.Column(min_width=280):
            picture, message = share.show_picture()
            gallery = gr.Gallery(
                label="Variants", columns=VARIANTS, rows=1, height=150, object_fit="contain", format="webp",
                show_label=False, allow_preview=False, interactive=False, buttons=[], elem_id="variants",
            )  # fmt: skip
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            fidelity = gr.Slider(0, 1, 0.8, step=0.05, label="Make it a sneaker … follow my lines", elem_id="fidelity")
            picks, weights = share.language_controls()
            flipped = gr.Checkbox(False, label="The toe is on the other side", elem_id="flipped")
        with gr.Column(min_width=280):
            keep, (other, send) = share.share_row(picture, message, first=["Roll", "Combine"])
            seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=MAX_SEED, min_width=90, elem_id="seed")

    controls, token = [flipped, fidelity, seed, picks, *weights], keep.token
    everything = [pad, *controls, *keep.outputs]

    def then_variants(event) -> None:
        event.then(variants, token, gallery, trigger_mode="always_last", **share.RENDER, **share.PRIVATE)

    drawn = {"inputs": [pad, token, *controls], "outputs": keep.outputs, "trigger_mode": "always_last"}
    pad.input(draw, **drawn, **share.RENDER, **share.PRIVATE)
    then_variants(pad.release(draw, **drawn, **share.RENDER, **share.PRIVATE))
    changes = [flipped.input, fidelity.input, seed.submit, seed.blur, picks.input, *(w.input for w in weights)]
    moved = {"inputs": [token, *controls], "outputs": keep.outputs, "trigger_mode": "always_last"}
    then_variants(gr.on(changes, adjust, **moved, **share.RENDER, **share.PRIVATE))
    gallery.select(choose, token, [seed, *keep.outputs], **share.RENDER, **share.PRIVATE)
    then_variants(other.click(roll, token, [seed, *keep.outputs], **share.RENDER, **share.PRIVATE))
    for name, button in outlines.items():

        def outline(token: str, request: gr.Request, name=name):
            return start_from(replace(_open(token), strokes=TEMPLATES[name], hints=(), mirrored=False), request)

        then_variants(button.click(outline, token, everything, **share.RENDER, **share.PRIVATE))
    return share.Tab("sketch", start_from, everything, then_variants, keep, send)
