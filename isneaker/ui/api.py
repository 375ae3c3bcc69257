"""What programs can call over HTTP: `/sketch` and `/render`, with the page's own limits."""

from dataclasses import replace

import gradio as gr
from PIL import Image

from isneaker import catalogue
from isneaker.design import MAX_SEED, Design, DesignError, find_token, from_token, parse_mix, to_token
from isneaker.images import PictureError, fit, open_picture, read_drawing
from isneaker.render import render as render_design
from isneaker.ui.share import RENDER, number


def sketch(drawing: str | None, language: str, fidelity: float, seed: int) -> tuple[Image.Image, str]:
    """Drawing (file; black on white, colour as hints), language such as "nike=0.7,adidas=0.3" or "", fidelity from 0 to 1
    and seed -> picture and token."""
    if drawing is None:
        raise gr.Error("There is no drawing.")
    try:
        design = Design(
            model=catalogue.newest("sketch"), fidelity=number(fidelity, 0, 1, "fidelity"),
            seed=int(number(seed, 0, MAX_SEED, "seed")), languages=parse_mix(language or ""),
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


def build() -> None:
    """Add the endpoints to the page, out of sight."""
    with gr.Row(visible=False):
        drawing, language = gr.File(label="drawing"), gr.Textbox(label="language")
        fidelity, seed = gr.Number(Design.fidelity, label="fidelity"), gr.Number(0, label="seed")
        picture, token = gr.Image(label="picture", format="png"), gr.Textbox(label="token")
        gr.Button().click(sketch, [drawing, language, fidelity, seed], [picture, token], api_name="sketch", **RENDER)
        gr.Button().click(render, token, picture, api_name="render", **RENDER)
