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


def step(number, by: int) -> int:
    """The page before or after."""
    return int(min(max(share.number(number, 1, PAGES, "page") + by, 1), PAGES))


def anywhere() -> int:
    """A page that probably nobody has seen."""
    return int(np.random.default_rng().integers(1, PAGES))


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

    def then_tiles(event) -> None:
        inputs = [number, psi, picks, *weights]
        tiles.fill(event.then(page_of, inputs, tiles.tokens, show_progress="hidden", **share.PRIVATE))

    alone = {"show_progress": "hidden", "trigger_mode": "once", **share.PRIVATE}
    then_tiles(back.click(partial(step, by=-1), number, number, **alone))
    then_tiles(more.click(partial(step, by=1), number, number, **alone))
    then_tiles(jump.click(anywhere, None, number, **alone))
    controls = [number.submit, psi.release, picks.input, *(weight.release for weight in weights), tab.select]
    then_tiles(gr.on(controls, lambda: None, None, None, **alone))
    return tiles
