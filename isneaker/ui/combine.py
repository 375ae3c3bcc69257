"""The Combine tab: one sneaker out of two to four, its children, and the way from one to another."""

import zlib
from collections.abc import Callable
from functools import partial

import gradio as gr
from PIL import Image

from isneaker import catalogue
from isneaker.combine import CHILDREN, FRAMES, Source, children, combine, morph, read_source, source_of, to_webp
from isneaker.design import MAX_SEED, Design, DesignError
from isneaker.images import PictureError
from isneaker.render import render
from isneaker.templates import TEMPLATES
from isneaker.tokens import find_token, from_token, to_token
from isneaker.ui import photo, share

SLOTS = 4
BLEND = "all"
BUTTONS = ["Roll", "Breed on", "Morph", "Edit lines"]
SHAPES = [BLEND, *(str(i + 1) for i in range(SLOTS))]
EMPTY = "Put in two sneakers or more: photos, pictures made here, or links."
Family = list[Source | None]


# --- what the widgets call ---


def add(slot: int, family: Family | None, path: str) -> tuple[Family, str]:
    """A file was put into a slot -> all sources, and a word about it."""
    return _put(slot, family, lambda: read_source(path))


def remove(slot: int, family: Family | None) -> tuple[Family, str]:
    """A slot was emptied; its box says so with the picture that it had -> all sources, no word."""
    return _put(slot, family, lambda: None)


def add_link(slot: int, family: Family | None, link: str) -> tuple[Family, str, Image.Image | None]:
    """A link was put into a slot -> all sources, a word about it, its picture."""
    family, note = _put(slot, family, lambda: source_of(from_token(find_token(link))))
    return family, note, family[slot] and family[slot].picture


def add_ours(slot: int, family: Family | None, seed) -> tuple[Family, str, Image.Image | None]:
    """A sneaker that does not exist, into a slot."""
    number = int(share.number(seed, 0, MAX_SEED, "seed")) * SLOTS + slot
    strokes = list(TEMPLATES.values())[number % len(TEMPLATES)]
    design = Design(strokes=strokes, seed=number * 1009 % MAX_SEED, fidelity=0.6)
    family, note = _put(slot, family, lambda: source_of(design))
    return family, note, family[slot] and family[slot].picture


def mix(family: Family | None, shape, seed, request: gr.Request, *weights) -> tuple:
    """A source or a control changed -> the sources again, token, link, message, picture."""
    sources, weights, shape = _chosen(family, weights, shape)
    if len(sources) < 2:
        return family, "", "", EMPTY, None
    form = None if shape is None else [float(i == shape) for i in range(len(sources))]
    design = combine(sources, weights, form, int(share.number(seed, 0, MAX_SEED, "seed")))
    return family, *share.shown(design, request)


def brood(family: Family | None, shape, seed, *weights) -> tuple[list[Image.Image], list[str]]:
    """Eight children: their pictures and tokens."""
    sources, weights, shape = _chosen(family, weights, shape)
    if len(sources) < 2:
        return [], []
    designs = children(sources, weights, shape, int(share.number(seed, 0, MAX_SEED - CHILDREN, "seed")))
    return [render(design) for design in designs], [to_token(design) for design in designs]


def pick(tokens: list[str], event: gr.SelectData, request: gr.Request) -> share.Shown:
    """One of the children was clicked: it becomes the picture."""
    return share.shown(share.open_token(tokens[int(event.index) % len(tokens)], Design()), request)


def breed(family: Family | None, token: str, seed) -> tuple:
    """The picture takes the first place among the sources -> all sources, a word, its picture, the next seed."""
    if not token:
        raise gr.Error(EMPTY)
    family, note = _put(0, family, lambda: source_of(share.open_token(token, Design())))
    return family, note, family[0].picture, next_seed(seed)


def next_seed(seed) -> int:
    """Where the next eight children's seeds begin."""
    return (int(share.number(seed, 0, MAX_SEED, "seed")) + CHILDREN) % (MAX_SEED - CHILDREN)


def animate(family: Family | None, progress=gr.Progress()) -> tuple[Family | None, str]:
    """The way from the first source to the second and back, as a WebP animation -> its path."""
    sources = [source for source in family or [] if source]
    if len(sources) < 2:
        raise gr.Error(EMPTY)
    frames = list(progress.tqdm(morph(*sources[:2]), total=FRAMES, desc="Drawing the way"))
    data = to_webp(frames)
    return family, share.offer(f"isneaker-{zlib.crc32(data):08x}.webp", data)


def receive(family: Family | None, token: str) -> tuple:
    """Another tab's sneaker comes in, into the first empty slot -> the tab is shown, all sources, slot by slot its
    picture."""
    if not token:
        raise gr.Error("There is no sneaker yet.")
    slot = next((i for i, source in enumerate(family or [None]) if source is None), SLOTS - 1)
    family, note = _put(slot, family, lambda: source_of(share.open_token(token, Design())))
    if note:
        raise gr.Error(note)
    return gr.Tabs(selected="combine"), family, *(family[i].picture if i == slot else gr.skip() for i in range(SLOTS))


def _put(slot: int, family: Family | None, make) -> tuple[Family, str]:
    """Fill a slot with what `make` makes; where it can't, empty it and say why."""
    family = list(family or [None] * SLOTS)
    try:
        family[slot] = make()
        return family, ""
    except (PictureError, DesignError, catalogue.WeightsUnavailable) as error:
        family[slot] = None
        return family, f"Sorry, {error}."


def _chosen(family: Family | None, weights, shape) -> tuple[list[Source], list[float], int | None]:
    """Filled slots: their sources and weights, and the place among them of the one that gives the shape."""
    filled = [i for i, source in enumerate(family or []) if source]
    shares = [share.number(weights[i], 0, 100, "weight") for i in filled]
    place = int(shape) - 1 if str(shape).isdigit() else -1
    return (
        [family[i] for i in filled],
        shares if any(shares) else [1.0] * len(filled),
        filled.index(place) if place in filled else None,
    )


# --- the widgets ---


def build() -> tuple[gr.Button, share.Keep, Callable]:
    """Add the tab's widgets to the page and connect them -> the button that opens its sneaker elsewhere, its Keep, and
    `take(button, token, tabs)`, which lets a button send its sneaker here."""
    slots = []
    with gr.Row(elem_id="sources"):
        for i in range(SLOTS):
            with gr.Column(min_width=150):
                box = photo.box(f"Sneaker {i + 1}", f"source-{i + 1}", height=170)
                note = gr.Markdown(elem_id=f"source-note-{i + 1}", elem_classes="message")
                with gr.Row(elem_classes="actions"):
                    link = gr.Textbox(placeholder="or a link", show_label=False, container=False, min_width=80,
                                      elem_id=f"source-link-{i + 1}")  # fmt: skip
                    ours = gr.Button("Ours", size="sm", min_width=56, elem_id=f"source-ours-{i + 1}")
                weight = gr.Slider(0, 100, 50, step=1, label="How much of it", elem_id=f"source-weight-{i + 1}")
                slots.append((box, note, link, ours, weight))
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            picture, message = share.show_picture("combine-")
            keep, (again, on, way, elsewhere) = share.share_row(picture, message, "combine-", BUTTONS)
        with gr.Column(min_width=280):
            gallery = gr.Gallery(
                columns=4, rows=2, height="auto", object_fit="contain", format="webp", show_label=False,
                allow_preview=False, interactive=False, buttons=[], elem_id="children", elem_classes="tiles",
            )  # fmt: skip
            with gr.Row():
                shape = gr.Radio(SHAPES, value=BLEND, label="Shape of", elem_id="combine-shape")
                seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=MAX_SEED, elem_id="combine-seed")
            animation = gr.Image(
                label="From the first to the second and back", visible=False, interactive=False, format="webp",
                buttons=["download"], elem_id="combine-way", elem_classes="picture",
            )  # fmt: skip

    family, tokens, calm = photo.state(), gr.State([]), {**share.RENDER, **share.PRIVATE}
    weights = [weight for *_, weight in slots]
    mixed, settings = [family, *keep.outputs], [family, shape, seed, *weights]

    def then_children(event) -> None:
        event.then(brood, settings, [gallery, tokens], trigger_mode="always_last", **calm)

    def then_mix(event) -> None:
        then_children(event.then(mix, settings, mixed, trigger_mode="always_last", **calm))

    for i, (box, note, link, ours, _) in enumerate(slots):
        then_mix(box.upload(partial(add, i), [family, box], [family, note], **calm))
        then_mix(box.clear(partial(remove, i), family, [family, note], **calm))
        then_mix(link.submit(partial(add_link, i), [family, link], [family, note, box], **calm))
        then_mix(ours.click(partial(add_ours, i), [family, seed], [family, note, box], **calm))
    changes = [shape.input, seed.submit, seed.blur, *(weight.release for weight in weights)]
    then_children(gr.on(changes, mix, settings, mixed, trigger_mode="always_last", **calm))
    gallery.select(pick, tokens, keep.outputs, **calm)
    first = slots[0]
    then_mix(on.click(breed, [family, keep.token, seed], [family, first[1], first[0], seed], **calm))
    then_mix(again.click(next_seed, seed, seed, **calm))
    shown = way.click(lambda: gr.Image(visible=True), None, animation, **calm)
    shown.then(animate, family, [family, animation], **{**calm, "show_progress": "full"})

    def take(button: gr.Button, token: gr.Textbox, tabs: gr.Tabs) -> None:
        then_mix(button.click(receive, [family, token], [tabs, family, *(box for box, *_ in slots)], **calm))

    return elsewhere, keep, take
