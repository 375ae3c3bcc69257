"""What programs can call over HTTP: `/sketch`, `/generate`, `/edit`, `/render`, with the page's own limits."""

from dataclasses import replace

import gradio as gr
from PIL import Image

from isneaker import catalogue, sliders
from isneaker.design import MAX_EDIT, MAX_SEED, Design, DesignError, find_token, from_token, parse_mix, to_token
from isneaker.images import PictureError, fit, open_picture, read_drawing
from isneaker.render import render as render_design
from isneaker.ui import share


def sketch(drawing: str | None, language: str, fidelity: float, seed: int) -> tuple[Image.Image, str]:
    """Drawing (file; black on white, colour as hints), language such as "nike=0.7,adidas=0.3" or "", fidelity from 0 to 1
    and seed -> picture and token."""
    if drawing is None:
        raise gr.Error("There is no drawing.")
    try:
        design = Design(
            model=catalogue.newest("sketch"), fidelity=share.number(fidelity, 0, 1, "fidelity"),
            seed=int(share.number(seed, 0, MAX_SEED, "seed")), languages=parse_mix(language or ""),
        )  # fmt: skip
        design = replace(design, **read_drawing(fit(open_picture(drawing)))._asdict())
        return render_design(design), to_token(design)
    except (DesignError, PictureError, catalogue.WeightsUnavailable) as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None


def render(link: str) -> Image.Image:
    """A link or token -> its picture."""
    try:
        return render_design(from_token(find_token(link or "")))
    except (DesignError, catalogue.WeightsUnavailable) as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None


def generate(seed: float, psi: float, language: str) -> tuple[Image.Image, str]:
    """Seed, truncation from 0 to 1 and language such as "nike=0.7,adidas=0.3" or "" -> a sneaker that does not exist and
    its token."""
    try:
        design = Design(
            model=catalogue.newest("generate"), seed=int(share.number(seed, 0, MAX_SEED, "seed")),
            psi=share.number(psi, 0, 1, "truncation"), languages=parse_mix(language or ""),
        )  # fmt: skip
        return render_design(design), to_token(design)
    except (DesignError, catalogue.WeightsUnavailable) as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None


def edit(link: str, changes: str) -> tuple[Image.Image, str]:
    """A link or token of a generated sneaker, and changes such as "sole=1.5,upper red=-1" -> picture and token."""
    try:
        pairs = [change.rpartition("=") for change in filter(None, (changes or "").split(","))]
        amounts = {name.strip(): _hundredths(value) for name, _, value in pairs}
        design = sliders.change(from_token(find_token(link or "")), amounts)
        return render_design(design), to_token(design)
    except (DesignError, catalogue.WeightsUnavailable) as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None


def _hundredths(value: str) -> int:
    return round(100 * share.number(value, -MAX_EDIT / 100, MAX_EDIT / 100, "change"))


def build() -> None:
    """Add the endpoints to the page, out of sight."""
    with gr.Row(visible=False):
        drawing, language = gr.File(label="drawing"), gr.Textbox(label="language")
        fidelity, seed = gr.Number(Design.fidelity, label="fidelity"), gr.Number(0, label="seed")
        picture, token = gr.Image(label="picture", format="png"), gr.Textbox(label="token")
        gr.Button().click(
            sketch, [drawing, language, fidelity, seed], [picture, token], api_name="sketch", **share.RENDER
        )
        gr.Button().click(render, token, picture, api_name="render", **share.RENDER)
        if catalogue.offers("generate"):
            psi, changes = gr.Number(Design.psi, label="psi"), gr.Textbox(label="changes")
            gr.Button().click(generate, [seed, psi, language], [picture, token], api_name="generate", **share.RENDER)
            gr.Button().click(edit, [token, changes], [picture, token], api_name="edit", **share.RENDER)
