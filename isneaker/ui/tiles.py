"""A page of small pictures, any of which can be clicked."""

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import gradio as gr
from PIL import Image

from isneaker import catalogue
from isneaker.design import HEIGHT, WIDTH, Design, DesignError
from isneaker.render import render_small
from isneaker.tokens import from_token
from isneaker.ui import share

READY, COLUMNS = 96, 8  # the first seeds' tiles lie ready in one picture
ROW = 4  # tiles that are made in one go, so that nobody's stroke waits for a whole page


def row_of(tokens: str, row: int) -> list[Image.Image]:
    """One row of the page that a list of tokens, divided by spaces, makes; at half size. Broken ones are white."""
    return [_tile(token) for token in (tokens or "").split()[row * ROW : row * ROW + ROW]]


def _tile(token: str) -> Image.Image:
    try:
        design = replace(from_token(token), finish=None)
        if design.model not in catalogue.rows():
            design = replace(design, model=catalogue.newest(catalogue.architecture_of(design.model)))
        return ready_made(design) or render_small(design)
    except (DesignError, catalogue.WeightsUnavailable):
        return Image.new("RGB", (256, 192), "white")


def ready_made(design: Design) -> Image.Image | None:
    """The tile of one of the first seeds, which `train.tiles` made; None where it did not."""
    sheet = _sheet(sheet_of(design.model))
    if not sheet or design.seed >= READY or replace(design, seed=0) != Design(model=design.model):
        return None
    x, y = design.seed % COLUMNS * WIDTH // 2, design.seed // COLUMNS * HEIGHT // 2
    return sheet.crop((x, y, x + WIDTH // 2, y + HEIGHT // 2))


@lru_cache(maxsize=4)
def _sheet(path: Path) -> Image.Image | None:
    return Image.open(path).convert("RGB") if path.exists() else None


def sheet_of(model: str) -> Path:
    """Where a model's ready-made tiles lie; other weights have other tiles."""
    return catalogue.WEIGHTS / model / f"tiles-{catalogue.rows()[model].sha256[:8]}.webp"


class Tiles:
    """Rows of tiles. `tokens` holds the page's tokens, divided by spaces; `picked` the token that was clicked."""

    def __init__(self, prefix: str, count: int):
        self.rows = [
            gr.Gallery(
                columns=ROW, rows=1, height="auto", object_fit="contain", format="webp", show_label=False,
                allow_preview=False, interactive=False, buttons=[], elem_id=f"{prefix}tiles-{row}", elem_classes="tiles",
            )
            for row in range(count // ROW)
        ]  # fmt: skip
        self.tokens = gr.Textbox(visible="hidden", elem_id=f"{prefix}tokens")
        self.picked = gr.Textbox(visible="hidden", elem_id=f"{prefix}picked")
        self.picks = []  # the events that set `picked`
        for row, gallery in enumerate(self.rows):

            def pick(tokens: str, event: gr.SelectData, row=row) -> str:
                chosen = (tokens or "").split()[row * ROW + int(event.index) % ROW :]
                return chosen[0] if chosen else ""

            self.picks.append(gallery.select(pick, self.tokens, self.picked, show_progress="hidden", **share.PRIVATE))

    def fill(self, event, start: int = 0):
        """Make the tiles, row by row, after an event that set `tokens`, and the rows before `start` itself -> the last event."""
        for row, gallery in enumerate(self.rows[start:], start):
            event = event.then(partial(row_of, row=row), self.tokens, gallery, **share.RENDER, **share.PRIVATE)
        return event
