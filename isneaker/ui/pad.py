"""The drawing pad: a plain 2D canvas as a Gradio component.

Gradio's own image editor draws with WebGL and reads three layers back twice after each stroke; where the browser has no
graphics card that takes over half a second before the server hears of the stroke. This one sends 10 kB at once.
"""

import base64
import binascii
import io
from pathlib import Path

import gradio as gr
from PIL import Image

from isneaker.design import Design
from isneaker.images import PictureError, fit, open_picture, sketch_of

PENS = ["#000000", "#d7263d", "#f46036", "#f2c14e", "#2e8b57", "#1f6fd1", "#6a3fb5", "#e889b0", "#8a5a33", "#efe3c2"]
PREFIX = "data:image/png;base64,"
MAX_DRAWING = 3_000_000  # characters: a photo in 512x384 as PNG is far below
HERE = Path(__file__).parent


class Pad(gr.HTML):
    """Value: the drawing as a PNG data URL. `input` fires while a person draws a stroke and `release` after it, none of
    them when the page puts a drawing here."""

    is_template = True

    def __init__(self, **options):
        template, style, script = ((HERE / f"pad.{kind}").read_text() for kind in ("html", "css", "js"))
        super().__init__(
            None,
            html_template=template,
            css_template=style,
            js_on_load=script,
            apply_default_css=False,
            pens=PENS,
            **options,
        )


def drawing_on(pad: str | None) -> Image.Image | None:
    """Value of the pad -> picture on the canvas, None where nothing was drawn. Raises PictureError."""
    if not pad:
        return None
    if not isinstance(pad, str) or not pad.startswith(PREFIX) or len(pad) > MAX_DRAWING:
        raise PictureError("this is not a drawing")
    try:
        data = base64.b64decode(pad.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise PictureError("this is not a drawing") from None
    return fit(open_picture(io.BytesIO(data)))


def pad_of(design: Design) -> str:
    """The value that shows a Design's canonical sketch on the pad."""
    file = io.BytesIO()
    sketch_of(design).save(file, "PNG", compress_level=1)
    return PREFIX + base64.b64encode(file.getvalue()).decode()
