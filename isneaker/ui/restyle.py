"""The Restyle tab: a photo in another design language."""

from dataclasses import replace

import gradio as gr
from PIL import Image

from isneaker.design import MAX_SEED, Design
from isneaker.photos import Prepared, of_picture
from isneaker.render import render, render_all
from isneaker.restyle import restyle
from isneaker.templates import TEMPLATES
from isneaker.ui import photo, share

VARIANTS = 4
FIRST = "adidas"  # the language of the example
EMPTY = "Upload a photo of one shoe, seen from the side, or try one of ours."


# --- what the widgets call ---


def look(path: str | None, mirror, turn, request: gr.Request, *settings) -> tuple:
    """A photo was uploaded, or its pose corrected: the shoe in it, and what it becomes."""
    found, note = photo.understand(path, mirror, turn)
    return found and found.seen, note, *show(found, request, *settings)


def ours(request: gr.Request, *settings) -> tuple:
    """A sneaker that does not exist takes the photo's place."""
    seed = int(share.number(settings[2], 0, MAX_SEED, "seed"))
    strokes = list(TEMPLATES.values())[seed % len(TEMPLATES)]
    found = of_picture(render(Design(strokes=strokes, seed=seed + 1, fidelity=0.6)))
    return None, None, found.note, *show(found, request, *settings)


def another(request: gr.Request, *settings) -> tuple:
    """Another one of ours, by the next seed."""
    settings = list(settings)
    settings[2] = (int(share.number(settings[2], 0, MAX_SEED, "seed")) + 1) % (MAX_SEED + 1)
    return settings[2], *ours(request, *settings)


def first(token: str, request: gr.Request, strength, keep_colours, seed, picks, *weights) -> tuple:
    """The tab was chosen: one of ours in another language, where nothing is there yet."""
    if token:
        return tuple([gr.skip()] * 9)
    return [FIRST], *ours(request, strength, keep_colours, seed, [FIRST], *weights)


def change(found: Prepared | None, path: str | None, request: gr.Request, *settings) -> tuple:
    """A control was moved: the same photo, other settings."""
    if found is None and path:
        return None, gr.skip(), gr.skip(), photo.GONE, gr.skip()
    return show(found, request, *settings)


def roll(found: Prepared | None, path: str | None, request: gr.Request, *settings) -> tuple:
    """Four other variants."""
    settings = list(settings)
    settings[2] = (int(share.number(settings[2], 0, MAX_SEED, "seed")) + VARIANTS) % (MAX_SEED + 1)
    return settings[2], *change(found, path, request, *settings)


def show(found: Prepared | None, request: gr.Request, strength, keep_colours, seed, picks, *weights) -> tuple:
    """A prepared photo and the values of the controls -> the photo, token, link, message, before and after."""
    if found is None:
        return None, "", "", EMPTY, None
    design = restyle(
        found,
        share.languages(picks, weights),
        share.number(strength, 0, 1, "strength"),
        bool(keep_colours),
        int(share.number(seed, 0, MAX_SEED, "seed")),
    )
    return found, *_beside(found, share.shown(design, request))


def choose(found: Prepared | None, token: str, event: gr.SelectData, request: gr.Request):
    """One of the variants was clicked: it becomes the picture."""
    if found is None:
        raise gr.Error(photo.GONE)
    design = _variants(share.open_token(token, Design()))[int(event.index) % VARIANTS]
    return design.seed, found, *_beside(found, share.shown(design, request))


def variants(token: str) -> list[Image.Image]:
    """The picture of a token and its three neighbours by seed."""
    return render_all(_variants(share.open_token(token, Design()))) if token else []


def _variants(design: Design) -> list[Design]:
    return [replace(design, seed=(design.seed + i) % (MAX_SEED + 1)) for i in range(VARIANTS)]


def _beside(found: Prepared, shown: share.Shown) -> tuple:
    *rest, picture = shown
    return *rest, (found.photo, picture)


# --- the widgets ---


def build(tab: gr.Tab) -> tuple[gr.Button, share.Keep]:
    """Add the tab's widgets to the page and connect them -> the button that opens its sneaker elsewhere, its Keep."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            upload = photo.box("A photo of one shoe, from the side", "photo")
            note = gr.Markdown(elem_id="photo-note", elem_classes="message")
            with gr.Row(elem_classes="actions"):
                example = gr.Button("Try one of ours", size="sm", min_width=110, elem_id="photo-ours")
            with gr.Accordion("What was understood", open=False, elem_id="photo-seen-box"):
                seen = gr.Image(
                    show_label=False, interactive=False, buttons=[], height=160, format="webp", elem_id="photo-seen"
                )
                mirror = gr.Checkbox(False, label="The toe is on the other side", elem_id="photo-mirror")
                turn = gr.Slider(-180, 180, 0, step=1, label="Turn, in degrees", elem_id="photo-turn")
        with gr.Column(min_width=280):
            slider = gr.ImageSlider(
                label="Before and after", format="webp", interactive=False, buttons=["fullscreen"], max_height=480,
                elem_id="restyle-picture", elem_classes="picture",
            )  # fmt: skip
            message = gr.Markdown(EMPTY, elem_id="restyle-message", elem_classes="message")
            gallery = gr.Gallery(
                columns=VARIANTS, rows=1, height=150, object_fit="contain", format="webp", show_label=False,
                allow_preview=False, interactive=False, buttons=[], elem_id="restyle-variants", elem_classes="variants",
            )  # fmt: skip
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            picks, weights = share.language_controls("restyle-")
            strength = gr.Slider(0, 1, 0.8, step=0.05, label="Recolour … redesign", elem_id="restyle-strength")
            colours = gr.Checkbox(False, label="Keep its colours", elem_id="restyle-colours")
        with gr.Column(min_width=280):
            keep, (other, elsewhere) = share.share_row(slider, message, "restyle-", ["Roll", "Edit lines"])
            seed = gr.Number(
                0, label="Seed", precision=0, minimum=0, maximum=MAX_SEED, min_width=90, elem_id="restyle-seed"
            )

    found, calm = photo.state(), {**share.RENDER, **share.PRIVATE}
    settings, outputs = [strength, colours, seed, picks, *weights], [found, *keep.outputs]

    def then_variants(event) -> None:
        event.then(variants, keep.token, gallery, trigger_mode="always_last", **calm)

    poses = gr.on([upload.upload, upload.clear, mirror.input, turn.release], look,
                  [upload, mirror, turn, *settings], [seen, note, *outputs], trigger_mode="always_last", **calm)  # fmt: skip
    then_variants(poses)
    then_variants(example.click(another, settings, [seed, upload, seen, note, *outputs], **calm))
    then_variants(tab.select(first, [keep.token, *settings], [picks, upload, seen, note, *outputs], **calm))
    changes = [strength.input, colours.input, seed.submit, seed.blur, picks.input, *(w.input for w in weights)]
    moved = {"inputs": [found, upload, *settings], "trigger_mode": "always_last"}
    then_variants(gr.on(changes, change, outputs=outputs, **moved, **calm))
    then_variants(other.click(roll, outputs=[seed, *outputs], **moved, **calm))
    gallery.select(choose, [found, keep.token], [seed, *outputs], **calm)
    return elsewhere, keep
