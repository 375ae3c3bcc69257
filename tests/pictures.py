"""Pictures of sneakers for tests: drawn by the embedded model, put onto grounds by hand."""

import numpy as np
from PIL import Image

from isneaker.design import Design
from isneaker.photos import Prepared
from isneaker.poses import fill, outline_of
from isneaker.render import render
from isneaker.templates import TEMPLATES


def shoe(name: str = "runner", seed: int = 7) -> Image.Image:
    """A sneaker that does not exist, toe right on white, RGB 512x384; dark enough to be seen there."""
    return render(Design(strokes=TEMPLATES[name], seed=seed, fidelity=0.6))


def mask_of(picture: Image.Image) -> np.ndarray:
    """Where the shoe of `shoe` is: [384,512] of bool."""
    return fill(outline_of(np.asarray(picture).min(2) < 240))


def prepared(name: str = "runner", seed: int = 7) -> Prepared:
    """A sneaker as `prepare` would give it."""
    picture = shoe(name, seed)
    return Prepared(picture, mask_of(picture), picture, "")


def on_carpet(
    picture: Image.Image, angle: float = 0, size: tuple[int, int] = (1200, 900)
) -> tuple[Image.Image, np.ndarray]:
    """A sneaker on a mottled ground, turned by degrees: the picture, and where the shoe is in it."""
    rng = np.random.default_rng(0)
    clouds = Image.fromarray(rng.integers(40, 120, (9, 12, 3)).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    grain = rng.normal(0, 12, (size[1], size[0], 1))
    ground = Image.fromarray((np.asarray(clouds) + grain).clip(0, 255).astype(np.uint8))
    place = (size[0] // 2 - 384, size[1] // 2 - 288)
    cover = Image.new("L", size)
    cover.paste(Image.fromarray(mask_of(picture)).convert("L").resize((768, 576)), place)
    shoes = Image.new("RGB", size)
    shoes.paste(picture.resize((768, 576)), place)
    cover, shoes = (each.rotate(angle, Image.Resampling.BILINEAR) for each in (cover, shoes))
    return Image.composite(shoes, ground, cover), np.asarray(cover) > 127
