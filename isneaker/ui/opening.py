"""Opening links, PNGs and other tabs' sneakers: a Design goes to the tab that can change it."""

from dataclasses import replace

import gradio as gr

from isneaker import catalogue
from isneaker.design import Design, DesignError
from isneaker.images import PictureError, design_of
from isneaker.tokens import find_token, from_token
from isneaker.ui import share
from isneaker.ui.sketch import EXAMPLE
from isneaker.ui.tiles import Tiles

HOMES = {"sketch": "sketch", "generate": "edit", "translate": "translate"}  # of designs without a finish


class Opening:
    """Where Designs can be opened: the page's tabs, and those of them that take Designs."""

    def __init__(self, tabs: gr.Tabs, homes: list[share.Tab]):
        self.tabs, self.homes = tabs, homes
        self.outputs = [tabs, *(output for home in homes for output in home.outputs)]

    def put(self, design: Design, request: gr.Request) -> tuple:
        """Values of `outputs`: the Design in its tab, which is shown; the other tabs as they are."""
        chosen = "studio" if design.finish else HOMES[catalogue.architecture_of(design.model)]
        if design.finish and chosen not in [home.id for home in self.homes]:
            gr.Warning("There is no studio here for this sneaker's finish. This is the fast picture.")
            return self.put(replace(design, finish=None), request)
        if chosen not in [home.id for home in self.homes]:
            gr.Warning("There is no model here for this sneaker.")
            return self.put(_newest(Design()), request)
        values = [gr.Tabs(selected=chosen)]
        for home in self.homes:
            values += home.start_from(design, request) if home.id == chosen else [gr.skip()] * len(home.outputs)
        return tuple(values)

    def open_link(self, request: gr.Request) -> tuple:
        """The page was opened: the Design of its link, or the example."""
        text = request.query_params.get("d")
        try:
            return self.put(from_token(find_token(text)) if text else _newest(EXAMPLE), request)
        except DesignError as error:
            gr.Warning(f"{str(error).capitalize()}. Here is an empty page instead.")
            return self.put(_newest(Design()), request)

    def open_png(self, path: str, request: gr.Request) -> tuple:
        """A PNG was dropped onto the page: the Design inside it."""
        try:
            design = design_of(path)
        except (PictureError, DesignError) as error:
            raise gr.Error(f"{str(error).capitalize()}.") from None
        if design is None:
            raise gr.Error("There is no design in this picture. Drop it onto the drawing to trace it.")
        return self.put(design, request)

    def open_token(self, token: str, request: gr.Request) -> tuple:
        """Another tab's sneaker, without its finish."""
        return self.put(share.open_token(token, _newest(Design())), request)

    def open_whole(self, token: str, request: gr.Request) -> tuple:
        """A sneaker of a page of tiles, with its finish."""
        return self.put(share.open_token(token, _newest(Design()), finished=True), request)

    def take(self, tiles: Tiles) -> None:
        """Open the sneaker of a tile that is clicked."""
        for event in tiles.picks:
            event = event.then(self.open_whole, tiles.picked, self.outputs, **share.RENDER, **share.PRIVATE)
            self.follow(event)

    def take_from(self, button: gr.Button, token: gr.Textbox) -> None:
        """Open another tab's sneaker where it can be changed, when a button is clicked."""
        self.follow(button.click(self.open_token, token, self.outputs, **share.RENDER, **share.PRIVATE))

    def follow(self, event) -> None:
        """Let each tab complete itself after an event that opened a Design."""
        for home in self.homes:
            home.follow(event)


def _newest(drawing: Design) -> Design:
    """A drawing that the newest model draws."""
    return replace(drawing, model=catalogue.newest("sketch"))


def build(page: gr.Blocks, tabs: gr.Tabs, homes: list[share.Tab]) -> Opening:
    """Add the box for PNGs below the tabs, and open the page's link."""
    opening = Opening(tabs, homes)
    with gr.Accordion("Kept in this browser", open=False, elem_id="kept") as kept:
        tiles = Tiles("kept-", share.KEPT)
        clear = gr.Button("Forget all", size="sm", elem_id="kept-clear")
    tiles.fill(kept.expand(None, None, tiles.tokens, js=share.RECALL))
    tiles.fill(clear.click(None, None, tiles.tokens, js=share.FORGET))
    opening.take(tiles)
    upload = gr.File(label="Open a PNG made here", file_types=[".png"], height=110, elem_id="open-png")
    opening.follow(upload.upload(opening.open_png, upload, opening.outputs, **share.RENDER, **share.PRIVATE))
    opening.follow(page.load(opening.open_link, None, opening.outputs, **share.RENDER, **share.PRIVATE))
    return opening
