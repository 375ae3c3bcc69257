"""A sneaker in words: the prompt of a studio finish, measured on the fast picture."""

import numpy as np
from PIL import Image, ImageOps
from skimage.color import rgb2lab

from isneaker.attributes import Parts, measure, parts_of
from isneaker.design import Design

COLOURS = {
    "black": 0x1C1C1E, "charcoal": 0x4A4A4D, "grey": 0x8C8C8E, "light grey": 0xC4C4C6, "white": 0xF4F4F4,
    "cream": 0xEDE3CB, "beige": 0xCBB592, "tan": 0xB08D57, "brown": 0x6B4526, "gum": 0xC68A4A, "red": 0xC5252C,
    "burgundy": 0x6E1F2B, "orange": 0xE8741E, "yellow": 0xEFCB2E, "lime": 0xA6D83A, "green": 0x2F8F46,
    "olive": 0x6B6B33, "teal": 0x1F8A8A, "light blue": 0x8FBFE6, "blue": 0x2159C4, "navy": 0x1E2A50,
    "purple": 0x6C3FA0, "plum": 0x46306E, "pink": 0xEE93B5, "sage": 0xB4BBA0, "slate": 0x5A6872,
}  # fmt: skip
SECOND = 0.18  # share of the upper that a second colour must cover to be named
MID, HIGH = 0.49, 0.59  # collar over length: from here on a mid, a high-top (the templates measure 0.44, 0.54, 0.65)
THIN, THICK = 0.08, 0.13  # sole over length; of 160 generated sneakers 12 % are thinner, 6 % thicker
SETTING = "side view, plain white background, studio product photograph, sharp focus"


def prompt_of(design: Design, picture: Image.Image) -> str:
    """A Design and its fast picture -> the prompt. The visitor's words stand before the setting, which is what is lost
    where a text encoder takes no more."""
    own = " ".join(design.finish.prompt.split()) if design.finish else ""
    return ", ".join(filter(None, [subject_of(design, picture), own, SETTING]))


def subject_of(design: Design, picture: Image.Image) -> str:
    """A Design and its fast picture -> what the picture shows."""
    return describe(ImageOps.mirror(picture) if design.mirrored else picture, dict(design.languages))


def describe(picture: Image.Image, languages: dict[str, float]) -> str:
    """Picture 512x384, toe right, and the weights of its languages -> its subject: a caption without a setting."""
    parts = parts_of(picture)
    style = _style(languages)
    if parts is None:
        return f"a sneaker{style}"
    height, sole = measure(picture)["collar_height"], _sole(parts)
    kind = "high-top" if height > HIGH else "mid-top" if height > MID else "low-top"
    return f"a {' and '.join(_colours(parts, parts.upper))} {kind} sneaker{style} with a {sole} sole"


def _style(languages: dict[str, float]) -> str:
    names = [n.replace("_", " ").title() for n in sorted(languages, key=languages.get, reverse=True) if n != "other"]
    return f" in the style of {' and '.join(names[:2])}" if names else ""


def _sole(parts: Parts) -> str:
    share = parts.thickness / len(parts.tall)
    depth = "thin " if share < THIN else "thick " if share > THICK else ""
    return depth + _colours(parts, parts.sole)[0]


def _colours(parts: Parts, where: np.ndarray) -> list[str]:
    """The names of the one or two colours that cover a part most."""
    rgb = np.array([[value >> 16, value >> 8 & 255, value & 255] for value in COLOURS.values()]) / 255
    pixels = parts.lab[where]
    nearest = np.square(pixels[:, None] - rgb2lab(rgb)).sum(2).argmin(1)
    counts = np.bincount(nearest, minlength=len(COLOURS)) / max(1, len(pixels))
    first, second = np.argsort(-counts, kind="stable")[:2]
    names = list(COLOURS)
    return [names[first], names[second]] if counts[second] >= SECOND else [names[first]]
