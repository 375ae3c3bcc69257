"""What programs can call over HTTP: `/sketch`, `/restyle`, `/combine`, `/generate`, `/edit`, `/translate`, `/render`, `/studio`, with the
page's own limits."""

from dataclasses import replace

import gradio as gr
from PIL import Image

from isneaker import catalogue, sliders
from isneaker.combine import combine as combine_sources
from isneaker.combine import read_source, source_of
from isneaker.design import MAX_EDIT, MAX_SEED, Design, DesignError, Finish, parse_mix
from isneaker.images import PictureError, fit, open_picture, read_drawing
from isneaker.photos import prepare
from isneaker.render import render as render_design
from isneaker.restyle import restyle as restyle_photo
from isneaker.studio.setup import offered
from isneaker.tokens import find_token, from_token, to_token
from isneaker.translate import translate as translate_picture
from isneaker.ui import share
from isneaker.ui.studio import QUEUE, finish_by


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
    """A link or token -> its picture, without a studio finish."""
    try:
        return render_design(replace(from_token(find_token(link or "")), finish=None))
    except (DesignError, catalogue.WeightsUnavailable) as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None


def restyle(
    photo: str | None, language: str, strength: float, keep_colours: bool, seed: int
) -> tuple[Image.Image, str]:
    """Photo (file) of one shoe from the side, language such as "nike=0.7,adidas=0.3", strength from 0 (the shoe itself) to
    1 (a redesign), whether to keep its colours, and seed -> picture and token."""
    if photo is None:
        raise gr.Error("There is no photo.")
    try:
        design = restyle_photo(
            prepare(open_picture(photo)), parse_mix(language or ""), share.number(strength, 0, 1, "strength"),
            bool(keep_colours), int(share.number(seed, 0, MAX_SEED, "seed")),
        )  # fmt: skip
        return render_design(design), to_token(design)
    except (DesignError, PictureError, catalogue.WeightsUnavailable) as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None


def combine(files: list[str] | None, links: str, weights: str) -> tuple[Image.Image, str]:
    """Two to four sneakers, files (photos, or PNGs made here) first and then links or tokens, separated by spaces; weights
    such as "0.5,0.5", or "" for as much of each -> their child's picture and token."""
    count = len(files or []) + len((links or "").split())
    if not 2 <= count <= 4:
        raise gr.Error(f"Two to four sneakers can be combined, not {count}.")
    try:
        shares = [share.number(part, 0, 100, "weight") for part in filter(None, (weights or "").split(","))]
        if len(shares) not in (0, count) or shares and not any(shares):
            raise gr.Error("Give each sneaker a weight, one of them above 0.")
        sources = [read_source(file) for file in files or []]
        sources += [source_of(from_token(find_token(link))) for link in (links or "").split()]
        design = combine_sources(sources, shares or [1.0] * count)
        return render_design(design), to_token(design)
    except (DesignError, PictureError, catalogue.WeightsUnavailable) as error:
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
        design = sliders.change(replace(from_token(find_token(link or "")), finish=None), amounts)
        return render_design(design), to_token(design)
    except (DesignError, catalogue.WeightsUnavailable) as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None


def translate(picture: str | None, seed: float) -> tuple[Image.Image, str]:
    """Picture (file) of the kind that the model was trained on, and seed -> its translation and token."""
    if picture is None:
        raise gr.Error("There is no picture.")
    try:
        design = translate_picture(open_picture(picture), int(share.number(seed, 0, MAX_SEED, "seed")))
        return render_design(design), to_token(design)
    except (DesignError, PictureError, catalogue.WeightsUnavailable) as error:
        raise gr.Error(f"{str(error).capitalize()}.") from None


def studio(
    link: str, prompt: str, strength: float, steps: float, seed: float, progress=gr.Progress()
) -> tuple[Image.Image, str]:
    """A link or token, words of your own, strength from 0.05 (as it is) to 1 (all new), steps from 1 to 8 and seed -> the
    sneaker with a photoreal finish, and its token. Takes seconds to minutes."""
    try:
        finish = finish_by(prompt, strength, steps, seed)
        design = replace(from_token(find_token(link or "")), finish=finish)
        return render_design(design, progress), to_token(design)
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
        strength, keep = gr.Number(0.7, label="strength"), gr.Checkbox(label="keep_colours")
        gr.Button().click(
            restyle, [drawing, language, strength, keep, seed], [picture, token], api_name="restyle", **share.RENDER
        )
        files, links = gr.File(label="files", file_count="multiple"), gr.Textbox(label="links")
        gr.Button().click(
            combine, [files, links, gr.Textbox(label="weights")], [picture, token], api_name="combine", **share.RENDER
        )
        if offered():
            inputs = [token, gr.Textbox(label="prompt"), strength, gr.Number(Finish.steps, label="steps"), seed]
            gr.Button().click(studio, inputs, [picture, token], api_name="studio", **QUEUE)
        gr.Button().click(render, token, picture, api_name="render", **share.RENDER)
        if catalogue.offers("generate"):
            psi, changes = gr.Number(Design.psi, label="psi"), gr.Textbox(label="changes")
            gr.Button().click(generate, [seed, psi, language], [picture, token], api_name="generate", **share.RENDER)
            gr.Button().click(edit, [token, changes], [picture, token], api_name="edit", **share.RENDER)
        if catalogue.offers("translate"):
            gr.Button().click(translate, [drawing, seed], [picture, token], api_name="translate", **share.RENDER)
