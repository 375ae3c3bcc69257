"""Pictures in and out: uploads, drawings and their canonical form, tensors, the PNG that carries its Design."""

import io
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pillow_heif
import torch
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError
from scipy import ndimage
from skimage.feature import canny
from skimage.filters import apply_hysteresis_threshold

from isneaker.design import COLUMNS, HEIGHT, MAX_POINTS, ROWS, WIDTH, Design, Run
from isneaker.strokes import Stroke, draw, mirror, toe_points_left, trace
from isneaker.tokens import from_token

Image.MAX_IMAGE_PIXELS = 26_000_000  # Pillow refuses twice as many; a phone's photo has up to 24.5 million
pillow_heif.register_heif_opener()  # photos of iPhones
PNG_KEY = "isneaker"
CELL = WIDTH // COLUMNS
COLOURED = 28  # of 255 between a pixel's strongest and weakest channel: colour, not a line
MAX_COLOURS = 12  # different scribbled colours that a Design keeps
BRUSH = 11  # pixels; blots wider than this count as areas, of which the border is drawn


class PictureError(ValueError):
    """A file or drawing that cannot be used; the message is fit for a visitor."""


class Drawing(NamedTuple):
    """The canonical form of a drawing, as the fields of a Design."""

    strokes: tuple[tuple[tuple[int, int], ...], ...]
    hints: tuple[Run, ...]
    mirrored: bool


# --- files ---


def open_picture(path: str | Path | BinaryIO) -> Image.Image:
    """Any picture file -> RGB, upright, on white where it was transparent. JPEGs of 3,000 pixels a side or more are decoded
    at a half, a quarter or an eighth, of which 1,500 are left. Raises PictureError.
    """
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", (1500, 1500))
            text = getattr(picture, "text", None)
            picture = on_white(ImageOps.exif_transpose(picture))
            picture.info = {PNG_KEY: text[PNG_KEY]} if text and PNG_KEY in text else {}
            return picture
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError("this picture has too many pixels") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        missing = isinstance(error, FileNotFoundError)
        raise PictureError(
            "there is no such file" if missing else "this file is not a picture, or is damaged"
        ) from None


def on_white(picture: Image.Image) -> Image.Image:
    """Any mode -> RGB, transparent parts white."""
    if picture.mode.startswith("I;16"):  # Pillow would cut off all above 255
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")


def fit(picture: Image.Image) -> Image.Image:
    """Any size -> the canvas, whole and centred on white."""
    return ImageOps.pad(picture, (WIDTH, HEIGHT), Image.Resampling.BOX, "white")


def to_png(picture: Image.Image, token: str) -> bytes:
    """A PNG file that carries the token of its Design."""
    info, file = PngImagePlugin.PngInfo(), io.BytesIO()
    info.add_text(PNG_KEY, token)
    picture.save(file, "PNG", pnginfo=info)
    return file.getvalue()


def design_of(path: str | Path) -> Design | None:
    """The Design inside one of our PNGs, None in any other picture. Raises PictureError, DesignError."""
    token = open_picture(path).info.get(PNG_KEY)
    return from_token(token) if token else None


# --- drawings ---


def read_drawing(picture: Image.Image) -> Drawing:
    """Drawing on the canvas, RGB 512x384: dark lines and coloured scribbles on white -> its canonical form.

    Pencil on grey paper, soft edge maps and photos are accepted; of a photo, edges and colours are taken.
    Raises PictureError where there is more ink than paper.
    """
    rgb = _flatten_paper(np.asarray(picture, np.float32))
    chroma, dark = np.ptp(rgb, axis=2), 255 - rgb.mean(2)
    coloured = chroma >= COLOURED
    ink = _threshold(np.where(ndimage.binary_dilation(coloured, iterations=2) & (dark < 190), 0, dark))
    areas = ndimage.binary_opening(ink, np.ones((BRUSH, BRUSH)))
    if (areas | coloured).mean() > 0.12 and _is_photo(rgb, areas | coloured):
        ink, coloured = canny(dark / 255, sigma=1.5, low_threshold=0.04, high_threshold=0.12), dark > 12
    elif areas.mean() > 0.6:
        raise PictureError("there is more ink than paper; clear the page and draw with thin lines")
    else:
        border = areas & ~ndimage.binary_erosion(areas, iterations=2)
        ink = ink & ~ndimage.binary_dilation(areas, iterations=2) | border
    strokes = _keep(trace(ink))
    mirrored = toe_points_left(strokes)
    return Drawing(tuple(tuple(map(tuple, s.astype(int).tolist())) for s in strokes), _hints(rgb, coloured), mirrored)


def _flatten_paper(rgb: np.ndarray) -> np.ndarray:
    """Divide out the paper's colour and shadows; a white canvas is left as it is."""
    if (rgb.min(2) > 245).mean() > 0.3:
        return rgb
    blocks = rgb.reshape(HEIGHT // 16, 16, WIDTH // 16, 16, 3).max((1, 3))
    paper = ndimage.gaussian_filter(ndimage.maximum_filter(blocks, (5, 5, 1)), (2, 2, 0))
    paper = paper.repeat(16, 0).repeat(16, 1)
    return np.where(paper > 90, rgb / np.maximum(paper, 1) * 255, rgb).clip(0, 255)


def _threshold(dark: np.ndarray) -> np.ndarray:
    """Darkness [H,W] of 0..255 -> ink: all that hangs together with something dark; faint pencil counts too."""
    high = min(110.0, 0.6 * float(np.percentile(dark, 99.99)))
    return apply_hysteresis_threshold(dark, high / 2, high) if high > 15 else np.zeros(dark.shape, bool)


def _is_photo(rgb: np.ndarray, area: np.ndarray) -> bool:
    """Whether painted areas have the many tones of a photo, not the few of a pen."""
    tones = (rgb[area] // 16).astype(int) @ (256, 16, 1)
    counts = np.bincount(tones, minlength=4096) / len(tones)
    return (counts > 0.002).sum() > 24


def _keep(strokes: list[Stroke]) -> list[Stroke]:
    """The longest strokes, as many as a Design holds."""
    ends = np.cumsum([len(s) for s in strokes])
    return strokes[: int(np.searchsorted(ends, MAX_POINTS, side="right"))]


def _hints(rgb: np.ndarray, coloured: np.ndarray) -> tuple[Run, ...]:
    """Coloured pixels [H,W] -> runs of equal colour on the grid."""
    cells = rgb.reshape(ROWS, CELL, COLUMNS, CELL, 3).swapaxes(1, 2).reshape(ROWS * COLUMNS, CELL * CELL, 3)
    masks = coloured.reshape(ROWS, CELL, COLUMNS, CELL).swapaxes(1, 2).reshape(ROWS * COLUMNS, CELL * CELL)
    filled = np.flatnonzero(masks.mean(1) >= 0.3)
    if not len(filled):
        return ()
    colours = np.array([np.median(cells[c][masks[c]], axis=0) for c in filled]).round().astype(np.uint8)
    if len(np.unique(colours, axis=0)) > MAX_COLOURS:
        strip = Image.fromarray(colours[None]).quantize(MAX_COLOURS, Image.Quantize.MEDIANCUT, dither=0)
        colours = np.asarray(strip.convert("RGB"))[0]
    runs: list[list[int]] = []
    for cell, colour in zip(filled.tolist(), (colours.astype(int) @ (65536, 256, 1)).tolist()):
        if runs and runs[-1][0] + runs[-1][1] == cell and runs[-1][2] == colour:
            runs[-1][1] += 1
        else:
            runs.append([cell, 1, colour])
    return tuple((first, count, colour) for first, count, colour in runs)


def sketch_of(design: Design) -> Image.Image:
    """The canonical sketch as people see it: black lines and coloured cells on white, RGB on the canvas."""
    colours = np.full((ROWS * COLUMNS, 3), 255, np.uint8)
    for first, cells, colour in design.hints:
        colours[first : first + cells] = colour >> 16, colour >> 8 & 255, colour & 255
    paper = Image.fromarray(colours.reshape(ROWS, COLUMNS, 3)).resize((WIDTH, HEIGHT), Image.Resampling.NEAREST)
    paper.paste("black", mask=draw(design.strokes))
    return paper


# --- tensors ---


def sketch_tensors(design: Design) -> tuple[torch.Tensor, torch.Tensor]:
    """What the network sees of a Design, toe right: ink [1,1,384,512] in [0, 1], fidelity [1]."""
    strokes = mirror(design.strokes) if design.mirrored else design.strokes
    return torch.from_numpy(np.array(draw(strokes)))[None, None] / 255, torch.tensor([design.fidelity])


def hint_tensor(design: Design) -> torch.Tensor:
    """The colour scribbles of a Design, toe right: [1,4,48,64], colour in [-1, 1] x mask and mask."""
    hints = torch.zeros(ROWS * COLUMNS, 4)
    for first, cells, colour in design.hints:
        rgb = torch.tensor([colour >> 16, colour >> 8 & 255, colour & 255])
        hints[first : first + cells] = torch.cat([rgb / 127.5 - 1, torch.ones(1)])
    hints = hints.reshape(1, ROWS, COLUMNS, 4).permute(0, 3, 1, 2)
    return hints.flip(3) if design.mirrored else hints


def to_picture(photo: torch.Tensor, mirrored: bool = False) -> Image.Image:
    """Photo [3,H,W] in [-1, 1], clamped -> RGB picture."""
    pixels = ((photo.float() + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(pixels[:, ::-1] if mirrored else pixels)
