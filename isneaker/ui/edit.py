"""The Edit tab: sliders that do what they say, on a sneaker that does not exist or on one of yours."""

from dataclasses import replace

import gradio as gr
import numpy as np
from PIL import Image

from isneaker import catalogue, sliders
from isneaker.design import MAX_SEED, Design
from isneaker.images import PictureError, open_picture
from isneaker.invert import invert, refine
from isneaker.nets.generate import SHAPE_LAYERS, GenerateModel
from isneaker.photos import prepare
from isneaker.render import latent_of, render
from isneaker.ui import share

REACH = 2.0  # deviations to either side that a slider offers
HISTORY = 60
KEPT_SECONDS = 120  # that an uploaded photo is there to come closer to


# --- what the widgets call ---


def adjust(request: gr.Request, token: str, crossover, *values):
    """A slider was moved: the same sneaker, changed."""
    return share.shown(_settle(_open(token), crossover, values), request)


def remember(token: str, history: list[str]) -> list[str]:
    """A change is done: it can be undone."""
    return [*(history or []), token][-HISTORY:] if not history or history[-1] != token else history


def undo(token: str, history: list[str], request: gr.Request):
    """Take the last change back."""
    earlier = [past for past in history or [] if past != token][-1:] or [token]
    kept = history[: history.index(earlier[0]) + 1] if history and earlier[0] in history else []
    return kept, *start_from(_open(earlier[0]), request)


def reset(token: str, request: gr.Request):
    """All sliders back to the middle."""
    return start_from(replace(_open(token), edits=(), fine=b"", crossover=0), request)


def roll(token: str, request: gr.Request):
    """Another sneaker that does not exist, of the same languages."""
    design = _open(token)
    seed = int(np.random.default_rng().integers(MAX_SEED + 1))
    return start_from(Design(model=design.model, seed=seed, languages=design.languages, psi=design.psi), request)


def mix_in(token: str, request: gr.Request):
    """Colour and material of another sneaker, drawn at random; the shape stays (style mixing)."""
    design = _open(token)
    model: GenerateModel = catalogue.load(design.model)
    crossover, shape = design.crossover if design.fine else SHAPE_LAYERS, replace(design, fine=b"", crossover=0)
    look = model.look(latent_of(model, shape), design.psi, int(np.random.default_rng().integers(MAX_SEED + 1)))
    return start_from(replace(design, fine=model.bank.pack(look), crossover=crossover), request)


def open_tab(token: str, request: gr.Request):
    """The tab was chosen: its sneaker, the first one if it has none yet."""
    return start_from(_open(token), request)


def open_photo(path: str, request: gr.Request):
    """A sneaker of the visitor's own: cut out, and read into w."""
    try:
        photo = prepare(open_picture(path)).photo
    except (PictureError, catalogue.WeightsUnavailable) as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None
    return np.asarray(photo), gr.Button(interactive=True), *start_from(invert(photo), request)


def come_closer(token: str, photo: np.ndarray | None, request: gr.Request, progress=gr.Progress()):
    """Look again, step by step, for the w that gives the photo back."""
    if photo is None:
        raise gr.Error("Upload a photo first.")
    design = _open(token)
    closer = refine(Image.fromarray(photo), design, lambda done: progress(done, "Coming closer"))
    return start_from(closer, request)


def compare(token: str, on: bool):
    """Before and after, side by side under one handle."""
    if not on:
        return gr.ImageSlider(visible=False), gr.Image(visible=True)
    design = _open(token)
    start = replace(design, edits=(), fine=b"", crossover=0)
    return gr.ImageSlider((render(start), render(design)), visible=True), gr.Image(visible=False)


def start_from(design: Design, request: gr.Request | None):
    """Put a Design on the tab: sliders, picture."""
    edits = dict(design.edits)
    crossover = gr.Slider(value=design.crossover, interactive=bool(design.fine))
    return crossover, *(edits.get(name, 0) / 100 for name in slider_names()), *share.shown(design, request)


def slider_names() -> list[str]:
    """The sliders of the newest generate model, those found without a name last."""
    return sorted(sliders.load(catalogue.newest("generate")), key=lambda name: ":" in name)


def _settle(design: Design, crossover, values) -> Design:
    """Values of the controls, clamped, in the Design."""
    amounts = {n: round(100 * share.number(v, -REACH, REACH, n)) for n, v in zip(slider_names(), values)}
    layers = catalogue.load(design.model).synthesis.num_ws
    return replace(
        design, edits=tuple((name, amount) for name, amount in amounts.items() if amount),
        crossover=int(share.number(crossover, 0, layers, "crossover")) if design.fine else 0,
    )  # fmt: skip


def _open(token: str) -> Design:
    design = share.open_token(token, Design(model=catalogue.newest("generate")))
    if catalogue.architecture_of(design.model) != "generate":
        raise gr.Error("This sneaker was drawn; it can be changed in the Sketch tab.")
    return design


# --- the widgets ---


def _slider(name: str) -> gr.Slider:
    elem_id = "edit-" + name.replace(":", "").replace(" ", "-")
    return gr.Slider(-REACH, REACH, 0, step=0.05, label=name.capitalize(), min_width=200, elem_id=elem_id)


def build(tab: gr.Tab) -> share.Tab:
    """Add the tab's widgets to the page and connect them."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            picture, message = share.show_picture("edit-")
            both = gr.ImageSlider(label="Before, after", visible=False, interactive=False, elem_id="edit-both")
            with gr.Row(elem_classes="actions"):
                back, again, other = (
                    gr.Button(name, min_width=64, elem_id=f"edit-{name.lower()}") for name in ("Undo", "Reset", "Remix")
                )
            comparing = gr.Checkbox(False, label="Compare with the start", elem_id="edit-compare")
            keep, (dice, send) = share.share_row(picture, message, "edit-", first=["Roll", "Combine"])
        with gr.Column(min_width=280):
            names = slider_names()
            found = [name for name in names if ":" in name]  # closed-form directions have a number in their name
            with gr.Row(elem_classes="sliders"):
                amounts = [_slider(name) for name in names if name not in found]
            crossover = gr.Slider(
                0, 12, SHAPE_LAYERS, step=1, label="Remix: all of the other sneaker … only its finest details",
                interactive=False, elem_id="edit-crossover",
            )  # fmt: skip
            with gr.Accordion("More directions, found without names", open=False):
                with gr.Row(elem_classes="sliders"):
                    amounts += [_slider(name) for name in found]
    with gr.Accordion("Edit a sneaker of yours", open=False):
        upload = gr.File(label="A photo from the side", file_types=["image"], height=110, elem_id="edit-upload")
        closer = gr.Button("Come closer to the photo", interactive=False, elem_id="edit-closer")
    photo, history = gr.State(None, time_to_live=KEPT_SECONDS), gr.State([])

    controls = [crossover, *amounts]
    everything = [*controls, *keep.outputs]
    opened = {**share.RENDER, **share.PRIVATE}

    def follow(event) -> None:
        event = event.then(remember, [keep.token, history], history, show_progress="hidden", **share.PRIVATE)
        event.then(compare, [keep.token, comparing], [both, picture], trigger_mode="always_last", **opened)

    moved = {"inputs": [keep.token, *controls], "outputs": keep.outputs, "trigger_mode": "always_last"}
    gr.on([control.input for control in controls], adjust, **moved, **opened)
    follow(gr.on([control.release for control in controls], adjust, **moved, **opened))
    back.click(undo, [keep.token, history], [history, *everything], **opened)
    follow(again.click(reset, keep.token, everything, **opened))
    follow(other.click(mix_in, keep.token, everything, **opened))
    follow(dice.click(roll, keep.token, everything, **opened))
    follow(upload.upload(open_photo, upload, [photo, closer, *everything], **opened))
    refining = {"concurrency_id": "refine", "concurrency_limit": 1, **share.PRIVATE}
    follow(closer.click(come_closer, [keep.token, photo], everything, **refining))
    follow(tab.select(open_tab, keep.token, everything, **opened))
    comparing.input(compare, [keep.token, comparing], [both, picture], **opened)
    return share.Tab("edit", start_from, everything, follow, keep, send)
