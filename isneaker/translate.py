"""Translating a picture: what the network sees of it, and its Design.

Any picture is cut to the shape that the model was trained on, brought to 16 colours and rid of single pixels: small
enough for a token, and for maps and labels of few colours all that there is. Training reduces its pictures likewise.
"""

import numpy as np
import torch
from PIL import Image, ImageFilter, ImageOps

from isneaker import catalogue
from isneaker.design import MAX_COLOURS, Design, Reduced


def reduce_colours(picture: Image.Image) -> Image.Image:
    """RGB -> the same in at most 16 colours, each pixel as most of its neighbours: mode P."""
    few = picture.quantize(MAX_COLOURS, Image.Quantize.MEDIANCUT, kmeans=4, dither=Image.Dither.NONE)
    smooth = Image.frombytes("L", few.size, few.tobytes()).filter(ImageFilter.ModeFilter(3))
    few.putdata(smooth.tobytes())
    return few


def reduce_picture(picture: Image.Image, size: tuple[int, int]) -> Reduced:
    """RGB of any size -> what a model for pictures of a size (width, height; multiples of 64) sees of it."""
    few = reduce_colours(ImageOps.fit(picture, size, Image.Resampling.BICUBIC))
    used, pixels = np.unique(np.asarray(few), return_inverse=True)
    colours = np.array(few.getpalette()).reshape(-1, 3)[used]
    return Reduced(*size, _numbers(colours), pixels.astype(np.uint8).tobytes())


def _numbers(colours: np.ndarray) -> tuple[int, ...]:
    """Colours [K,3] of 0..255 -> 0xRRGGBB."""
    return tuple((colours.astype(int) @ (65536, 256, 1)).tolist())


def picture_of(source: Reduced) -> Image.Image:
    """What the network sees, RGB."""
    colours = np.array([(c >> 16, c >> 8 & 255, c & 255) for c in source.palette], np.uint8)
    pixels = np.frombuffer(source.pixels, np.uint8).reshape(source.height, source.width)
    return Image.fromarray(colours[pixels])


def tensor_of(source: Reduced) -> torch.Tensor:
    """What the network sees: [1,3,H,W] in [0, 1], white = 0, as ink is."""
    return 1 - torch.from_numpy(np.array(picture_of(source))).permute(2, 0, 1)[None] / 255


def translate(picture: Image.Image, seed: int = 0) -> Design:
    """RGB of any size -> the Design of its translation by the newest model. Raises catalogue.WeightsUnavailable."""
    model = catalogue.newest("translate")
    return Design(model=model, source=reduce_picture(picture, catalogue.load(model).size), seed=seed)


def example(number: int) -> Reduced | None:
    """One of the newest model's examples, around and around; None where it has none. Raises
    catalogue.WeightsUnavailable."""
    model = catalogue.load(catalogue.newest("translate"))
    if not len(model.examples):
        return None
    number %= len(model.examples)
    colours = model.palettes[number, : int(model.examples[number].max()) + 1].numpy()
    return Reduced(*model.size, _numbers(colours), model.examples[number].numpy().tobytes())
