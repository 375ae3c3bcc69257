"""The Discover tab: pages without end of sneakers that do not exist."""

from dataclasses import replace
from functools import partial

import gradio as gr
import numpy as np
from PIL import Image

from isneaker import catalogue
from isneaker.design import MAX_SEED, Design, to_token
from isneaker.render import render_all
from isneaker.ui import share

TILES, ROW = 24, 4  # of a page; rows are made one by one, so that nobody's stroke waits for a whole page
PAGES = (MAX_SEED + 1) // TILES


def page_of(number, psi, picks, *weights) -> str:
    """The controls -> the token of the page's first sneaker."""
    page = int(share.number(number, 1, PAGES, "page"))
    design = Design(
        model=catalogue.newest("generate"), seed=(page - 1) * TILES, psi=share.number(psi, 0, 1, "truncation"),
        languages=share.languages(picks, weights),
    )  # fmt: skip
    return to_token(design)


def row_of(token: str, row: int) -> list[Image.Image]:
    """Tiles of one row of a page, at half size."""
    return [picture.reduce(2) for picture in render_all([tile(token, row * ROW + i) for i in range(ROW)])]


def tile(token: str, index: int) -> Design:
    """The sneaker of a page's n-th tile."""
    first = share.open_token(token, Design(model=catalogue.newest("generate")))
    return replace(first, seed=(first.seed + index) % (MAX_SEED + 1))


def step(number, by: int) -> int:
    """The page before or after."""
    return int(min(max(share.number(number, 1, PAGES, "page") + by, 1), PAGES))


def anywhere() -> int:
    """A page that probably nobody has seen."""
    return int(np.random.default_rng().integers(1, PAGES))


def build(tab: gr.Tab) -> gr.Textbox:
    """Add the tab's widgets -> the token of the tile that was clicked."""
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            picks, weights = share.language_controls("discover-")
        with gr.Column(min_width=280):
            psi = gr.Slider(0, 1, 0.7, step=0.05, label="The usual … the unusual", elem_id="discover-psi")
    rows = [
        gr.Gallery(
            columns=ROW, rows=1, height="auto", object_fit="contain", format="webp", show_label=False,
            allow_preview=False, interactive=False, buttons=[], elem_id=f"tiles-{row}", elem_classes="tiles",
        )
        for row in range(TILES // ROW)
    ]  # fmt: skip
    with gr.Row(elem_classes="actions"):
        back = gr.Button("Back", min_width=64, elem_id="discover-back")
        number = gr.Number(
            1, label="Page", precision=0, minimum=1, maximum=PAGES, min_width=90, elem_id="discover-page"
        )
        jump = gr.Button("Anywhere", min_width=64, elem_id="discover-anywhere")
        more = gr.Button("More", variant="primary", min_width=64, elem_id="discover-more")
    token, picked = (gr.Textbox(visible="hidden", elem_id=f"discover-{name}") for name in ("token", "picked"))

    def then_tiles(event) -> None:
        event = event.then(page_of, [number, psi, picks, *weights], token, show_progress="hidden", **share.PRIVATE)
        for row, gallery in enumerate(rows):
            event = event.then(partial(row_of, row=row), token, gallery, **share.RENDER, **share.PRIVATE)

    alone = {"show_progress": "hidden", "trigger_mode": "once", **share.PRIVATE}
    then_tiles(back.click(partial(step, by=-1), number, number, **alone))
    then_tiles(more.click(partial(step, by=1), number, number, **alone))
    then_tiles(jump.click(anywhere, None, number, **alone))
    controls = [number.submit, psi.release, picks.input, *(weight.release for weight in weights), tab.select]
    then_tiles(gr.on(controls, lambda: None, None, None, **alone))
    for row, gallery in enumerate(rows):

        def pick(token: str, event: gr.SelectData, row=row) -> str:
            return to_token(tile(token, row * ROW + int(event.index) % ROW))

        gallery.select(pick, token, picked, show_progress="hidden", **share.PRIVATE)
    return picked
