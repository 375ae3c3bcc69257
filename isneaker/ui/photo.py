"""The box for a visitor's photo, and the shoe that was found in it, kept for two minutes."""

from pathlib import Path

import gradio as gr

from isneaker import catalogue
from isneaker.images import PictureError, open_picture
from isneaker.photos import Prepared, prepare
from isneaker.ui import share

GONE = "The photo was deleted, as all are two minutes after their last use. Upload it again to change more."
KEPT = 120  # seconds after its last use that a prepared photo is kept on the server


class PhotoBox(gr.Image):
    """Value: path of the file as it was uploaded. Gradio would open it first, and fail without a word where it can't."""

    is_template = True

    def preprocess(self, payload) -> str | None:
        return payload.path if payload else None


def box(label: str, elem_id: str, height: int = 220) -> PhotoBox:
    """A box for a photo: upload, paste or camera."""
    return PhotoBox(
        label=label, elem_id=elem_id, height=height, sources=["upload", "clipboard", "webcam"], buttons=[],
        webcam_options=gr.WebcamOptions(mirror=False), elem_classes="photo",
    )  # fmt: skip


def state() -> gr.State:
    """Where a tab keeps what `understand` found."""
    return gr.State(None, time_to_live=KEPT)


def understand(path: str | None, mirror: bool = False, turn: float = 0) -> tuple[Prepared | None, str]:
    """An uploaded file -> the shoe in it, if one is seen, and a word for the visitor."""
    if not path:
        return None, ""
    if not Path(path).exists():
        return None, GONE
    try:
        found = prepare(open_picture(path), bool(mirror), share.number(turn, -180, 180, "turn"))
    except (PictureError, catalogue.WeightsUnavailable) as error:
        return None, f"Sorry, {error}."
    return found, found.note
