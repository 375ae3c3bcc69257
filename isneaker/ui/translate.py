"""The Translate tab: a picture of one kind becomes one of another, by a model that was trained on pairs."""

from dataclasses import replace

import gradio as gr
import numpy as np

from isneaker import catalogue
from isneaker.design import MAX_SEED, Design
from isneaker.images import PictureError, open_picture
from isneaker.translate import example, picture_of, translate
from isneaker.ui import photo, share

EMPTY = "Upload a picture of the kind that {} was trained on."


# --- what the widgets call ---


def look(path: str | None, seed, request: gr.Request) -> tuple:
    """A picture was uploaded: its translation."""
    if not path:
        return tuple([gr.skip()] * 6)
    try:
        return start_from(translate(open_picture(path), _seed(seed)), request)
    except (PictureError, catalogue.WeightsUnavailable) as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None


def another(tried: int, seed, request: gr.Request) -> tuple:
    """The next of the model's own examples."""
    source = example(int(tried or 0))
    if source is None:
        raise gr.Error("This model came without examples. Upload a picture.")
    design = Design(model=catalogue.newest("translate"), source=source, seed=_seed(seed))
    return int(tried or 0) + 1, None, *start_from(design, request)


def first(token: str, tried: int, seed, request: gr.Request) -> tuple:
    """The tab was chosen: an example, where nothing is there yet."""
    return tuple([gr.skip()] * 8) if token or example(0) is None else another(tried, seed, request)


def reseed(token: str, seed, request: gr.Request) -> tuple:
    """The same picture, translated otherwise."""
    return start_from(replace(_open(token), seed=_seed(seed)), request)


def roll(token: str, request: gr.Request) -> tuple:
    """... by any seed."""
    return reseed(token, int(np.random.default_rng().integers(MAX_SEED + 1)), request)


def start_from(design: Design, request: gr.Request | None) -> tuple:
    """Put a Design on the tab: what the network sees, seed, picture."""
    return design.source and picture_of(design.source), design.seed, *share.shown(design, request)


def _open(token: str) -> Design:
    design = share.open_token(token, Design())
    if not design.source:
        raise gr.Error("Upload a picture first.")
    return design


def _seed(value) -> int:
    return int(share.number(value, 0, MAX_SEED, "seed"))


# --- the widgets ---


def build(tab: gr.Tab) -> share.Tab:
    """Add the tab's widgets to the page and connect them."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            upload = photo.box("A picture", "translate-upload")
            with gr.Row(elem_classes="actions"):
                ours = gr.Button("Try one of ours", size="sm", min_width=110, elem_id="translate-ours")
            seen = gr.Image(
                label="What the network sees: at most 16 colours", interactive=False, buttons=[], format="png",
                height=260, elem_id="translate-seen", elem_classes="picture",
            )  # fmt: skip
        with gr.Column(min_width=280):
            picture = gr.Image(
                label="Translation", format="webp", interactive=False, buttons=["fullscreen"], height=420,
                elem_id="translate-picture", elem_classes="picture",
            )  # fmt: skip
            said = EMPTY.format(catalogue.newest("translate"))
            message = gr.Markdown(said, elem_id="translate-message", elem_classes="message")
            keep, (dice,) = share.share_row(picture, message, "translate-", first=["Roll"])
            seed = gr.Number(
                0, label="Seed", precision=0, minimum=0, maximum=MAX_SEED, min_width=90, elem_id="translate-seed"
            )
    tried, everything = gr.State(0), [seen, seed, *keep.outputs]
    opened = {**share.RENDER, **share.PRIVATE}
    upload.upload(look, [upload, seed], everything, **opened)
    ours.click(another, [tried, seed], [tried, upload, *everything], **opened)
    tab.select(first, [keep.token, tried, seed], [tried, upload, *everything], **opened)
    gr.on([seed.submit, seed.blur], reseed, [keep.token, seed], everything, trigger_mode="always_last", **opened)
    dice.click(roll, keep.token, everything, **opened)
    return share.Tab("translate", start_from, everything, lambda event: None, keep)
