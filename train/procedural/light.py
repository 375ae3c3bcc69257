"""Light on a drawn sneaker: round at its border, seams pressed in, the grain of its material."""

import numpy as np
from PIL import Image, ImageFilter

from isneaker.design import HEIGHT, WIDTH

GRAIN = {"leather": 0.008, "canvas": 0.018, "suede": 0.022, "knit": 0.01}  # how much the light varies, by texture


def light(
    colours: Image.Image, edges: Image.Image, cover: Image.Image, texture: str, rng: np.random.Generator
) -> Image.Image:
    """Flat colours, RGB 512x384, with their edges and where there is something, both "L" -> a photo, RGB on white."""
    brightness = _brightness(cover, edges) + _grain(texture, rng)
    pixels = np.asarray(colours, np.float32) * brightness[..., None]
    pixels += 90 * np.maximum(brightness - 0.94, 0)[..., None]  # gloss
    shaded = Image.fromarray(pixels.clip(0, 242).astype(np.uint8))
    return Image.composite(shaded, Image.new("RGB", shaded.size, "white"), cover)


def _brightness(cover: Image.Image, edges: Image.Image) -> np.ndarray:
    """[H,W], about 1: a smooth body lit from above, and a fold at each edge."""
    body, slope = _blurred(cover, 5), _blurred(cover, 7)
    folds = np.asarray(edges.filter(ImageFilter.GaussianBlur(1.6)), np.float32) / 255
    falling = np.roll(slope, -12, 0) - np.roll(slope, 12, 0)  # above 0 near the top
    return 0.74 + 0.27 * body + 0.25 * falling - 0.16 * folds + 0.1 * np.roll(folds, 3, 0)


def _blurred(cover: Image.Image, radius: float) -> np.ndarray:
    """Cover [H,W] in [0, 1], blurred at a quarter of its size."""
    small = cover.reduce(4).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(small.resize(cover.size, Image.Resampling.BILINEAR), np.float32) / 255


def _grain(texture: str, rng: np.random.Generator) -> np.ndarray:
    """What the material does to the light, [H,W], about 0."""
    noise = GRAIN[texture] * rng.standard_normal((HEIGHT // 2, WIDTH // 2), np.float32)
    grain = noise.repeat(2, 0).repeat(2, 1) if texture == "suede" else np.tile(noise, (2, 2))
    if texture == "knit":
        y, x = np.ogrid[:HEIGHT, :WIDTH]
        grain = grain + 0.025 * np.sin(x * 1.4 + y * 0.5, dtype=np.float32) * np.sin(y * 1.5, dtype=np.float32)
    return grain
