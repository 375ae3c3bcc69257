"""Photos as people take them, made from cut-out sneakers: grounds, clutter, shadows, light, a hand's tilt."""

from functools import cache
from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from isneaker.design import HEIGHT, WIDTH
from isneaker.nets.cutout import CUTOUT_HEIGHT as H
from isneaker.nets.cutout import CUTOUT_WIDTH as W

# Real pictures for grounds and clutter: those that come inside scikit-image (public domain or CC0).
GROUNDS = {
    "train": ("astronaut.png", "brick.png", "chelsea.png", "coins.png", "grass.png", "page.png", "retina.jpg",
              "motorcycle_left.png", "text.png", "ihc.png"),
    "validation": ("coffee.png", "gravel.png", "rocket.jpg", "camera.png"),
}  # fmt: skip


def scene(
    photo: np.ndarray, outline: np.ndarray, rng: np.random.Generator, split: str, kind: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """One sneaker photo [384,512,3] and its outline -> a picture [144,192,3] uint8, and where the shoe is in it
    [144,192] of bool. Kinds: plain, cluttered, empty (no shoe)."""
    kind = kind or str(rng.choice(("plain", "cluttered", "empty"), p=(0.25, 0.65, 0.1)))
    if kind == "plain":
        ground = np.full((H, W, 3), _paper(rng), np.float32) * (1 - rng.uniform(0, 0.25) * _slope(rng))[..., None]
    else:
        ground = _ground(rng, split)
        for _ in range(rng.integers(0, 6)):
            _clutter(ground, rng, split)
    mask = np.zeros((H, W), np.float32)
    if kind != "empty":
        shoe, mask = _place(photo, outline, rng)
        ground *= (1 - _shadow(mask, rng))[..., None]
        if kind == "plain" and rng.random() < 0.5:  # as shop photos are: its own white ground, tinted
            ground = ground * shoe / 255
        else:
            ground += (shoe - ground) * mask[..., None]
    picture = _camera(ground, rng)
    return picture, mask > 0.5


def _place(photo: np.ndarray, outline: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Turn, scale, mirror and move the shoe -> colours [H,W,3] on white and cover [H,W] in [0, 1]."""
    canvas = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(canvas).polygon([tuple(p) for p in outline.tolist()], fill=255)
    canvas = canvas.reduce(2).filter(ImageFilter.MinFilter(3))  # no rim of white ground
    angle = (
        rng.normal(0, 5) if rng.random() < 0.7 else rng.uniform(-40, 40) if rng.random() < 0.85 else rng.uniform(0, 360)
    )
    scale = rng.uniform(0.38, 0.95) * W / 464 * 2  # of the half-size photo
    x = W / 2 + rng.normal(0, 0.08) * W
    y = H / 2 + rng.normal(0, 0.1) * H
    cos, sin, flip = np.cos(np.radians(angle)) / scale, np.sin(np.radians(angle)) / scale, rng.choice((-1, 1))
    a, b, d, e = cos * flip, sin * flip, -sin, cos
    matrix = (a, b, WIDTH / 4 - a * x - b * y, d, e, 131 - d * x - e * y)
    light = rng.uniform(0.75, 1.1) * rng.uniform(0.93, 1.07, 3)
    shoe, cover = (
        np.asarray(half.transform((W, H), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=fill), np.float32)
        for half, fill in ((Image.fromarray(photo).reduce(2), "white"), (canvas, 0))
    )  # fmt: skip
    return (shoe * light).clip(0, 255), cover / 255


def _paper(rng: np.random.Generator) -> np.ndarray:
    """A plain ground's colour: white often, grey, or any."""
    if rng.random() < 0.5:
        return rng.uniform(225, 255) + rng.uniform(-4, 4, 3)
    return rng.uniform(60, 240) + rng.uniform(-40, 40, 3)


def _slope(rng: np.random.Generator) -> np.ndarray:
    """A ramp over the picture in some direction, [H,W] in [0, 1]."""
    y, x = np.mgrid[:H, :W]
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * x / W + np.sin(angle) * y / H
    return (ramp - ramp.min()) / np.ptp(ramp)


def _ground(rng: np.random.Generator, split: str) -> np.ndarray:
    """A floor, or a floor and a wall: [H,W,3] float32 of 0..255."""
    floor = _texture(rng, split)
    if rng.random() < 0.4:
        line = int(rng.uniform(0.2, 0.75) * H)
        floor[:line] = _texture(rng, split)[:line]
        floor[line : line + 2] *= rng.uniform(0.5, 1)
    return (floor * rng.uniform(0.5, 1.15) * (1 - rng.uniform(0, 0.5) * _slope(rng))[..., None]).clip(0, 255)


def _texture(rng: np.random.Generator, split: str) -> np.ndarray:
    kind = rng.choice(("noise", "planks", "tiles", "picture"), p=(0.35, 0.2, 0.15, 0.3))
    if kind == "picture":
        return _crop(rng, split)
    base, grain = rng.uniform(30, 240, 3), _noise(rng)
    if rng.random() < 0.6:  # most floors are nearly grey or brown
        base = base.mean() + (base - base.mean()) * 0.25 + np.array([8, 0, -8]) * rng.uniform(0, 2)
    texture = base + grain[..., None] * rng.uniform(4, 45) + rng.normal(0, rng.uniform(0, 14), (H, W, 1))
    if kind == "noise":
        return texture.astype(np.float32)
    y, x = np.mgrid[:H, :W].astype(np.float32)
    angle, width = rng.uniform(0, np.pi), rng.uniform(8, 50)
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    shift = rng.random() * 4
    cells = np.stack([u // width, np.zeros_like(u) if kind == "planks" else (v // width)]).astype(int)
    shade = np.sin(cells[0] * 12.9898 + cells[1] * 78.233 + shift) * rng.uniform(3, 30)
    gap = (u % width < 1.5) | ((v % width < 1.5) & (kind == "tiles"))
    return (texture + shade[..., None] - gap[..., None] * rng.uniform(-60, 90)).astype(np.float32)


def _noise(rng: np.random.Generator) -> np.ndarray:
    """Clouds of some roughness: [H,W], about -2..2."""
    total = np.zeros((H, W), np.float32)
    roughness = rng.uniform(0.3, 1)
    for octave in range(1, 6):
        grid = rng.normal(size=(max(2, H >> (6 - octave)), max(2, W >> (6 - octave)))).astype(np.float32)
        layer = Image.fromarray(grid).resize((W, H), Image.Resampling.BICUBIC)
        total += np.asarray(layer) * roughness**octave
    return total / (total.std() + 1e-6)


@cache
def _pictures(split: str) -> list[Image.Image]:
    folder = Path(skimage.__file__).parent / "data"
    return [Image.open(folder / name).convert("RGB") for name in GROUNDS[split]]


def _crop(rng: np.random.Generator, split: str) -> np.ndarray:
    """A piece of a real picture, in other colours: [H,W,3] float32."""
    picture = _pictures(split)[rng.integers(len(GROUNDS[split]))]
    width = rng.uniform(0.3, 1) * min(picture.width, picture.height * W / H)
    left, top = rng.uniform(0, picture.width - width), rng.uniform(0, picture.height - width * H / W)
    box = (left, top, left + width, top + width * H / W)
    piece = np.asarray(picture.resize((W, H), Image.Resampling.BILINEAR, box), np.float32)
    piece = piece[:, :: rng.choice((-1, 1))]
    tint = rng.uniform(0.6, 1.2) * rng.uniform(0.85, 1.15, 3)
    return (piece[..., rng.permutation(3)] if rng.random() < 0.4 else piece) * tint


def _clutter(ground: np.ndarray, rng: np.random.Generator, split: str) -> None:
    """Put one thing there that is no shoe: a box, a ball, a rag, a cable."""
    canvas = Image.new("L", (W, H))
    pen = ImageDraw.Draw(canvas)
    centre, size = rng.uniform(0, 1, 2) * (W, H), rng.uniform(8, 70)
    kind = rng.integers(4)
    if kind == 0:
        turns = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 7)))
        points = centre + size * rng.uniform(0.5, 1, (len(turns), 1)) * np.stack([np.cos(turns), np.sin(turns)], 1)
        pen.polygon([tuple(p) for p in points.tolist()], fill=255)
    elif kind == 1:
        rx, ry = size * rng.uniform(0.3, 0.8, 2)
        pen.ellipse((*(centre - (rx, ry)), *(centre + (rx, ry))), fill=255)
    elif kind == 2:
        points = centre + np.cumsum(rng.normal(0, size / 2, (6, 2)), axis=0)
        pen.line([tuple(p) for p in points.tolist()], fill=255, width=int(rng.integers(1, 6)), joint="curve")
    else:
        turns = np.linspace(0, 2 * np.pi, 40)
        radius = size * (0.6 + 0.3 * np.sin(turns * rng.integers(2, 5) + rng.uniform(0, 6)) * rng.uniform(0.2, 1))
        points = centre + radius[:, None] * np.stack([np.cos(turns), np.sin(turns) * rng.uniform(0.4, 1)], 1)
        pen.polygon([tuple(p) for p in points.tolist()], fill=255)
    cover = np.asarray(canvas.filter(ImageFilter.GaussianBlur(0.6)), np.float32)[..., None] / 255
    shade = np.roll(ndimage.gaussian_filter(cover[..., 0], 3), (3, 2), (0, 1))
    ground *= (1 - rng.uniform(0, 0.5) * shade)[..., None]
    ground += (_texture(rng, split) * (1 - 0.5 * _slope(rng))[..., None] - ground) * cover


def _shadow(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Darkness that the shoe throws on the ground: [H,W] in [0, 1)."""
    base = np.flatnonzero(mask.max(1) > 0.5)[-1]
    contact = mask * (np.arange(H)[:, None] > base - 14)
    near = ndimage.gaussian_filter(np.roll(contact, 2, 0), rng.uniform(1, 4)) * rng.uniform(0, 0.9)
    offset = rng.normal(0, 8, 2).astype(int).tolist()
    far = np.roll(ndimage.gaussian_filter(mask, rng.uniform(3, 10)), offset, (0, 1)) * rng.uniform(0, 0.45)
    return np.maximum(near, far).clip(0, 0.85)


def _camera(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light, blur and grain -> [H,W,3] uint8."""
    if rng.random() < 0.4:
        picture = ndimage.gaussian_filter(picture, (*[rng.uniform(0, 1.2)] * 2, 0))
    picture = 255 * (picture.clip(0, 255) / 255) ** rng.uniform(0.75, 1.35)
    picture = picture * rng.uniform(0.93, 1.07, 3) + rng.normal(0, rng.uniform(0, 8), picture.shape)
    return picture.round().clip(0, 255).astype(np.uint8)
