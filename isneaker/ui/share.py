"""What all tabs share: numbers and tokens from the page, links, PNGs, and the widgets that keep a design."""

import math
import os
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr
from PIL import Image

from isneaker import catalogue
from isneaker.design import Design, DesignError, mix
from isneaker.images import to_png
from isneaker.languages import LANGUAGES
from isneaker.render import render
from isneaker.studio.setup import offered
from isneaker.tokens import MAX_LINK, from_token, to_token

RENDER = {"concurrency_id": "render", "concurrency_limit": 1, "show_progress": "hidden"}
PRIVATE = {"api_visibility": "private"}
Shown = tuple[str, str, str, Image.Image | None]


# --- values from the page ---


def label(name: str) -> str:
    """A language's name as people write it."""
    return name.replace("_", " ").title()


def number(value, low: float, high: float, name: str) -> float:
    """Any number, clamped. Raises gr.Error for NaN and for what is no number."""
    try:
        value = float(value)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if math.isnan(value):
        raise gr.Error(f"The {name} must be a number from {low} to {high}.")
    return min(max(value, low), high)


def languages(picks, weights) -> tuple[tuple[str, int], ...]:
    """Chosen languages and the weights of all -> `languages` of a Design; unknown ones are left out."""
    picks = [name for name in picks or [] if name in LANGUAGES]
    shares = {n: number(w, 0, 100, "weight") for n, w in zip(LANGUAGES, weights) if n in picks}
    return mix(shares if any(shares.values()) else dict.fromkeys(picks, 1.0))


def language_values(design: Design) -> tuple:
    """The values of `language_controls` for a Design."""
    chosen = dict(design.languages)
    return list(chosen), *(
        gr.Slider(value=chosen.get(name, 50), visible=name in chosen and len(chosen) > 1) for name in LANGUAGES
    )


def open_token(token: str, default: Design, finished: bool = False) -> Design:
    """The Design of a tab's token, `default` where there is none; with its studio finish, which takes long to make, only
    where that is asked for. Raises gr.Error."""
    try:
        design = from_token(token) if token else default
        return design if finished else replace(design, finish=None)
    except DesignError as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None


# --- what a tab shows of a design ---


def shown(design: Design, request: gr.Request | None) -> Shown:
    """Design -> token, link, message, picture. Raises gr.Error where the design is not one of its model's."""
    token = to_token(design)
    try:
        picture = render(design)
    except catalogue.WeightsUnavailable as error:
        newest = catalogue.newest(catalogue.architecture_of(design.model))
        design = replace(design, model=newest)
        return to_token(design), "", f"Sorry, {error}. This is how {newest} sees it.", render(design)
    except DesignError as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None
    return token, *link_to(token, request), picture


def link_to(token: str, request: gr.Request | None) -> tuple[str, str]:
    """Token -> link, message; no link where it would be too long."""
    if len(token) > MAX_LINK:
        return "", "This is too detailed for a link. Download the PNG instead: it carries everything."
    return f"{_address(request)}?d={token}", ""


def png(token: str) -> str:
    """The picture as a PNG file that carries its Design -> its path."""
    design = open_token(token, Design())
    return offer(f"isneaker-{zlib.crc32(token.encode()):08x}.png", to_png(render(design), to_token(design)))


def offer(name: str, data: bytes) -> str:
    """Write a file for Gradio to copy and serve -> its path."""
    folder = Path(tempfile.gettempdir()) / "isneaker"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():  # Gradio has its own copy by now
        if time.time() - old.stat().st_mtime > 60:
            old.unlink(missing_ok=True)
    (folder / name).write_bytes(data)
    return str(folder / name)


def _kept(token: str) -> None:
    if token:
        gr.Info("Kept in this browser; it is listed below.")


def _address(request: gr.Request | None) -> str:
    """Where the page lies, without its query."""
    if os.environ.get("ISNEAKER_URL"):
        return os.environ["ISNEAKER_URL"]
    return (request.headers.get("referer", "") if request else "").split("?")[0].split("#")[0]


# --- widgets ---


COPY = """(link) => {
  if (!link) return;
  navigator.clipboard?.writeText(link).catch(() => {});
  history.replaceState(null, "", link);
  window.parent.postMessage({ queryString: new URL(link).search.slice(1) }, "https://huggingface.co");
}"""
SAVE = "() => setTimeout(() => document.querySelector('#{0} a, a#{0}, #{0} button, button#{0}').click(), 100)"


KEPT = 24  # favourites; they stay in the visitor's browser
HEART = f"""(token) => {{
  if (!token) return "";
  const kept = JSON.parse(localStorage.getItem("isneaker-kept") || "[]").filter((other) => other != token);
  localStorage.setItem("isneaker-kept", JSON.stringify([token, ...kept].slice(0, {KEPT})));
  return token;
}}"""
RECALL = '() => JSON.parse(localStorage.getItem("isneaker-kept") || "[]").join(" ")'
FORGET = '() => { localStorage.removeItem("isneaker-kept"); return ""; }'


@dataclass(frozen=True)
class Tab:
    """A tab in which designs can be opened: `start_from(design, request)` gives the values of `outputs`, and `follow`
    lets what else the tab shows come after an event that set them."""

    id: str
    start_from: Callable
    outputs: list
    follow: Callable
    keep: "Keep"
    send: gr.Button | None = None  # what sends the tab's sneaker to Combine


@dataclass(frozen=True)
class Keep:
    """The widgets that show, share and save one design; `shown` gives their values."""

    token: gr.Textbox
    link: gr.Textbox
    message: gr.Markdown
    picture: gr.Image
    studio: gr.Button  # what sends the design to the Studio tab

    @property
    def outputs(self) -> list:
        """In the order of `shown`."""
        return [self.token, self.link, self.message, self.picture]


def show_picture(prefix: str = "", message: str = "") -> tuple[gr.Image, gr.Markdown]:
    """The large picture and the message below it."""
    picture = gr.Image(
        label="Your sneaker", format="webp", interactive=False, buttons=["fullscreen"], elem_id=f"{prefix}picture",
        elem_classes="picture",
    )  # fmt: skip
    return picture, gr.Markdown(message, elem_id=f"{prefix}message", elem_classes="message")


def share_row(
    picture: gr.Image, message: gr.Markdown, prefix: str = "", first: list[str] = (), save_png=png, queue=RENDER
) -> tuple:
    """Buttons to share and save, after others that the tab names, and the link -> Keep, the tab's own buttons. `save_png`
    makes the file of a token, in its turn in `queue`."""
    with gr.Row(elem_classes="actions"):
        own = [gr.Button(name, min_width=72, elem_id=f"{prefix}{name.split()[0].lower()}") for name in first]
        there = offered() and prefix not in ("studio-", "translate-")
        studio = gr.Button("Studio", min_width=72, visible=there, elem_id=f"{prefix}studio")
        copy = gr.Button("Copy link", variant="primary", min_width=72, elem_id=f"{prefix}copy")
        save = gr.Button("Download", min_width=72, elem_id=f"{prefix}save")
        heart = gr.Button("♥", min_width=40, scale=0, elem_id=f"{prefix}heart")
    link = gr.Textbox(
        label="Link to this picture", interactive=False, max_lines=1, buttons=["copy"], elem_id=f"{prefix}link"
    )
    token = gr.Textbox(visible="hidden", elem_id=f"{prefix}token")
    file = gr.DownloadButton(visible="hidden", elem_id=f"{prefix}png-file")
    copy.click(None, link, js=COPY)
    heart.click(_kept, token, None, js=HEART, show_progress="hidden", **PRIVATE)
    save.click(save_png, token, file, **queue, **PRIVATE).then(None, js=SAVE.format(f"{prefix}png-file"))
    return Keep(token, link, message, picture, studio), own


def language_controls(prefix: str = "") -> tuple[gr.Dropdown, list[gr.Slider]]:
    """A choice of design languages, and the weight of each where there are several."""
    picks = gr.Dropdown(
        [(label(name), name) for name in LANGUAGES], multiselect=True, max_choices=4, value=[],
        label="Design language", info="Several make a mix; none is any.", elem_id=f"{prefix}languages",
    )  # fmt: skip
    weights = [
        gr.Slider(0, 100, 50, step=1, label=label(name), visible=False, elem_id=f"{prefix}weight-{name}")
        for name in LANGUAGES
    ]
    picks.input(lambda names: [gr.Slider(visible=name in names and len(names) > 1) for name in LANGUAGES],
                picks, weights, show_progress="hidden", **PRIVATE)  # fmt: skip
    return picks, weights
