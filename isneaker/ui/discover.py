"""The Discover tab: pages without end of sneakers that do not exist."""

from dataclasses import replace
from functools import partial

import gradio as gr
import numpy as np
from PIL import Image

from isneaker import catalogue
from isneaker.design import MAX_SEED, Design
from isneaker.tokens import to_token
from isneaker.ui import share
from isneaker.ui.tiles import Tiles, row_of

TILES, AHEAD = 24, 2  # of a page; rows of the next one that are made in time
PAGES = (MAX_SEED + 1) // TILES


def page_of(number, psi, picks, *weights) -> str:
    """The controls -> the tokens of a page."""
    page = int(share.number(number, 1, PAGES, "page"))
    first = Design(
        model=catalogue.newest("generate"), psi=share.number(psi, 0, 1, "truncation"),
        languages=share.languages(picks, weights),
    )  # fmt: skip
    seeds = range((page - 1) * TILES, page * TILES)
    return " ".join(to_token(replace(first, seed=seed)) for seed in seeds)


def turn(number, *controls, by: int) -> tuple[int, str, list[Image.Image]]:
    """The page before or after: its number, its tokens, its first row."""
    page = int(min(max(share.number(number, 1, PAGES, "page") + by, 1), PAGES))
    tokens = page_of(page, *controls)
    return page, tokens, row_of(tokens, 0)


def anywhere(_, *controls) -> tuple[int, str, list[Image.Image]]:
    """A page that probably nobody has seen."""
    return turn(int(np.random.default_rng().integers(1, PAGES)), *controls, by=0)


def look_ahead(number, *controls, row: int) -> None:
    """Make a row of the next page before anyone asks for it; `render_small` keeps it."""
    row_of(page_of(min(share.number(number, 1, PAGES, "page") + 1, PAGES), *controls), row)


def build(tab: gr.Tab) -> Tiles:
    """Add the tab's widgets -> its page."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            picks, weights = share.language_controls("discover-")
        with gr.Column(min_width=280):
            psi = gr.Slider(0, 1, 0.7, step=0.05, label="The usual … the unusual", elem_id="discover-psi")
    tiles = Tiles("", TILES)
    with gr.Row(elem_classes="actions"):
        back = gr.Button("Back", min_width=64, elem_id="discover-back")
        number = gr.Number(
            1, label="Page", precision=0, minimum=1, maximum=PAGES, min_width=90, elem_id="discover-page"
        )
        jump = gr.Button("Anywhere", min_width=64, elem_id="discover-anywhere")
        more = gr.Button("More", variant="primary", min_width=64, elem_id="discover-more")

    inputs, shown = [number, psi, picks, *weights], [number, tiles.tokens, tiles.rows[0]]
    calm = {**share.RENDER, **share.PRIVATE}

    def show(event) -> None:
        event = tiles.fill(event, start=1)
        for row in range(AHEAD):
            event = event.then(partial(look_ahead, row=row), inputs, **calm)

    alone = {"trigger_mode": "once", **calm}
    show(back.click(partial(turn, by=-1), inputs, shown, **alone))
    show(more.click(partial(turn, by=1), inputs, shown, **alone))
    show(jump.click(anywhere, inputs, shown, **alone))
    controls = [number.submit, psi.release, picks.input, *(weight.release for weight in weights), tab.select]
    show(gr.on(controls, partial(turn, by=0), inputs, shown, **alone))
    return tiles
