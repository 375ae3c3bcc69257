"""The Discover tab: pages without end of sneakers that do not exist."""

from dataclasses import replace
from functools import partial

import gradio as gr
import numpy as np

from isneaker import catalogue
from isneaker.design import MAX_SEED, Design
from isneaker.tokens import to_token
from isneaker.ui import share
from isneaker.ui.tiles import Tiles

TILES = 24  # of a page
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


def turn(number, *controls, by: int) -> tuple[int, str]:
    """The page before or after, and its tokens."""
    page = int(min(max(share.number(number, 1, PAGES, "page") + by, 1), PAGES))
    return page, page_of(page, *controls)


def anywhere(_, *controls) -> tuple[int, str]:
    """A page that probably nobody has seen, and its tokens."""
    return turn(int(np.random.default_rng().integers(1, PAGES)), *controls, by=0)


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

    inputs, shown = [number, psi, picks, *weights], [number, tiles.tokens]
    alone = {"show_progress": "hidden", "trigger_mode": "once", **share.PRIVATE}
    tiles.fill(back.click(partial(turn, by=-1), inputs, shown, **alone))
    tiles.fill(more.click(partial(turn, by=1), inputs, shown, **alone))
    tiles.fill(jump.click(anywhere, inputs, shown, **alone))
    controls = [number.submit, psi.release, picks.input, *(weight.release for weight in weights), tab.select]
    tiles.fill(gr.on(controls, partial(turn, by=0), inputs, shown, **alone))
    return tiles
