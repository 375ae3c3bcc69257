"""Preparing a photo: find the shoe, cut it out, level it, turn its toe right, put it where training photos have it."""

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageFilter, ImageOps
from scipy import ndimage

from isneaker import catalogue
from isneaker.cores import on_all_cores
from isneaker.design import HEIGHT, WIDTH
from isneaker.images import PictureError
from isneaker.nets.cutout import CUTOUT_HEIGHT, CUTOUT_WIDTH, CutoutModel
from isneaker.poses import Pose, fill, onto_canvas, outline_of, pose_of

SIDE = 512  # longest side of the picture in which the shoe is looked for
NO_SHOE = 5.0  # misfit of a silhouette that is no sneaker from the side; see metrics.json of the cut-out model
BY_HAND = 20.0  # ... where the visitor says how it lies
THIN = 0.08  # share of the canvas that any shoe covers
TWIN = 0.45  # a second thing as large as this share of the first is a second shoe


class Prepared(NamedTuple):
    """A photo as the training photos are.

    photo: RGB 512x384, on white, toe right; mask [384,512] of bool: the shoe; seen: the visitor's picture, what was not
    taken for the shoe faded; note: what was done, for the visitor.
    """

    photo: Image.Image
    mask: np.ndarray
    seen: Image.Image
    note: str


def prepare(picture: Image.Image, mirror: bool = False, turn: float = 0) -> Prepared:
    """RGB picture of any size -> the shoe in it. `mirror` and `turn` (degrees, counter-clockwise) correct by hand what
    is found without them. Raises PictureError where no side view of one shoe is seen, catalogue.WeightsUnavailable."""
    if min(picture.size) < 32:
        raise PictureError("this picture is too small to see a shoe in it")
    picture = picture.copy()
    picture.thumbnail((2 * SIDE, 2 * SIDE), reducing_gap=2.0)
    work = ImageOps.contain(picture, (SIDE, SIDE)) if max(picture.size) > SIDE else picture
    cover, pose = find_shoe(work)
    fits = pose.misfit <= (BY_HAND if mirror or turn else NO_SHOE)
    pose = pose._replace(angle=pose.angle + turn, mirrored=pose.mirrored != mirror)
    photo, mask = _place(picture, cover, pose)
    if not fits or mask.mean() < THIN:
        raise PictureError("no sneaker seen from the side was found in this picture")
    return Prepared(photo, mask, _fade(work, cover), _note(pose))


def of_picture(picture: Image.Image) -> Prepared:
    """A picture that `render` made -> the shoe in it, which lies as it should."""
    solid = ndimage.binary_fill_holes(np.asarray(picture).min(2) < 240)
    return Prepared(picture, fill(outline_of(solid)), picture, "This sneaker does not exist.")


def _note(pose: Pose) -> str:
    done = ["found the shoe"]
    if abs(pose.angle) >= 1.5:
        done.append(f"turned it by {abs(pose.angle):.0f}°")
    if pose.mirrored:
        done.append("mirrored it, so that the toe points right")
    return f"{', '.join(done).capitalize()}."


# --- where the shoe is ---


def find_shoe(picture: Image.Image) -> tuple[np.ndarray, Pose]:
    """RGB picture -> cover of the shoe [H,W] in [0, 1], and its pose: of several ways to cut it the first whose silhouette
    is about as good as the best's. Raises PictureError where there is nothing, or more than one shoe.

    The network knows cluttered grounds; where the ground is plain, the difference from it has the sharper edge, and the
    network says what of it is shadow.
    """
    rgb = np.asarray(picture, np.float32)
    seen, ground = _look_twice(rgb), _ground(rgb)
    ways = [_snap(seen, rgb)]
    if ground is not None:
        surface, noise = ground
        away = ndimage.uniform_filter(np.abs(rgb - surface).max(2), 3)  # grain is no edge
        within = (away > noise) & (seen > 0.15) | (seen > 0.85)
        ways = [within.astype(np.float32), (away > max(noise, 12)).astype(np.float32), *ways]
    cuts = [(cover, twin) for cover, twin in map(_one_shoe, ways) if cover.mean() > 0.01]
    found = [(cover, twin, pose_of(cover > 0.5, _model().silhouettes)) for cover, twin in cuts]
    if not cuts:
        raise PictureError("no shoe was found in this picture")
    close = min(pose.misfit for _, _, pose in found) * 1.15 + 0.1
    cover, twin, pose = next(each for each in found if each[2].misfit <= close)
    if twin and pose.misfit <= NO_SHOE:
        raise PictureError("there seem to be two shoes in this picture; show one, from the side")
    return cover, pose


def _look_twice(rgb: np.ndarray) -> np.ndarray:
    """The network's cover of the shoe [H,W]: of the whole picture first, then of the part where the shoe is."""
    height, width = rgb.shape[:2]
    first = _look(rgb, (0, 0, width, height))
    y, x = np.nonzero(first > 0.5)
    if len(x) < 0.005 * first.size:
        return first
    left, right, top, bottom = *np.percentile(x, (0.5, 99.5)).tolist(), *np.percentile(y, (0.5, 99.5)).tolist()
    margin = 0.12 * max(right - left, bottom - top)
    box = (left - margin, top - margin, right + margin, bottom + margin)
    return (_look(rgb, box) + first) / 2 if (right - left) < 0.75 * width else first


@on_all_cores
@torch.inference_mode()
def _look(rgb: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """The network's cover of the shoe [H,W], having seen a box of the picture; 0 outside."""
    height, width = rgb.shape[:2]
    left, top, right, bottom = box
    wide = max(right - left, (bottom - top) * CUTOUT_WIDTH / CUTOUT_HEIGHT)
    high = wide * CUTOUT_HEIGHT / CUTOUT_WIDTH
    left, top = (left + right - wide) / 2, (top + bottom - high) / 2
    ground = tuple(np.median(np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]]), axis=0).astype(int).tolist())
    there = (wide / CUTOUT_WIDTH, 0, left, 0, high / CUTOUT_HEIGHT, top)
    blur = max(0.0, (wide / CUTOUT_WIDTH - 1) / 2)
    picture = Image.fromarray(rgb.astype(np.uint8)).filter(ImageFilter.BoxBlur(blur))
    view = picture.transform(
        (CUTOUT_WIDTH, CUTOUT_HEIGHT), Image.Transform.AFFINE, there, Image.Resampling.BILINEAR, fillcolor=ground
    )
    photo = torch.from_numpy(np.array(view)).permute(2, 0, 1)[None] / 127.5 - 1
    cover = torch.sigmoid(_model().net(photo))[0, 0].numpy()
    back = (CUTOUT_WIDTH / wide, 0, -left * CUTOUT_WIDTH / wide, 0, CUTOUT_HEIGHT / high, -top * CUTOUT_HEIGHT / high)
    return np.asarray(
        Image.fromarray(cover).transform((width, height), Image.Transform.AFFINE, back, Image.Resampling.BILINEAR)
    )


def _model() -> CutoutModel:
    return catalogue.load(catalogue.newest("cutout"))


def _ground(rgb: np.ndarray) -> tuple[np.ndarray, float] | None:
    """The colours [H,W,3] of a plain ground, as a smooth surface through the picture's border, and how far from it the
    ground still goes, for a white sole is close to it; None where the border is not plain."""
    height, width = rgb.shape[:2]
    edge = max(2, min(height, width) // 40)
    rim = np.zeros((height, width), bool)
    rim[:edge] = rim[-edge:] = rim[:, :edge] = rim[:, -edge:] = True
    y, x = (points[::3] for points in np.nonzero(rim))  # a third of them says it all
    colours, terms = rgb[y, x], _terms(y / height, x / width)
    near = np.ones(len(x), bool)
    for _ in range(3):  # what does not fit is not ground
        surface = np.linalg.lstsq(terms[near], colours[near], rcond=None)[0]
        off = np.abs(colours - terms @ surface).max(1)
        near = off < max(8, 2.5 * np.median(off[near]))
    if (off < 14).mean() <= 0.8:
        return None
    y, x = np.mgrid[:height, :width].astype(np.float32)
    noise = float(np.clip(2 * np.percentile(off[near], 90) + 2, 4, 12))
    return (_terms(y / height, x / width) @ surface.astype(np.float32)).clip(0, 255), noise


def _terms(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The terms of a quadratic surface at places of any shape: [..., 6]."""
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], -1)


def _snap(cover: np.ndarray, rgb: np.ndarray, radius: int = 6) -> np.ndarray:
    """Move the edge of a soft cover to the picture's own edges: a guided filter (He et al. 2010), guided by grey."""
    grey, size = rgb.mean(2) / 255, 2 * radius + 1
    mean = {k: ndimage.uniform_filter(v, size) for k, v in
            (("i", grey), ("p", cover), ("ii", grey * grey), ("ip", grey * cover))}  # fmt: skip
    a = (mean["ip"] - mean["i"] * mean["p"]) / (mean["ii"] - mean["i"] ** 2 + 1e-3)
    b = mean["p"] - a * mean["i"]
    return (ndimage.uniform_filter(a, size) * grey + ndimage.uniform_filter(b, size)).clip(0, 1).astype(np.float32)


def _one_shoe(cover: np.ndarray) -> tuple[np.ndarray, bool]:
    """Keep the largest thing, its holes filled -> its cover, and whether there is another about as large."""
    parts, count = ndimage.label(ndimage.binary_opening(cover > 0.5, iterations=2))
    if not count:
        return np.zeros_like(cover), False
    sizes = np.bincount(parts.ravel())[1:]
    largest = parts == 1 + np.argmax(sizes)
    whole = ndimage.binary_fill_holes(ndimage.binary_dilation(largest, iterations=2))
    inside = ndimage.binary_erosion(whole, iterations=4)
    twin = count > 1 and np.sort(sizes)[-2] > TWIN * sizes.max()
    shoe = np.where(inside, 1, np.where(whole, cover, 0)).astype(np.float32)
    return ndimage.gaussian_filter(shoe, 1), bool(twin)  # no stairs when it is enlarged


# --- onto the canvas ---


def _place(picture: Image.Image, cover: np.ndarray, pose: Pose) -> tuple[Image.Image, np.ndarray]:
    """The shoe of a picture on the white canvas in its pose, and its mask there."""
    zoom = picture.width / cover.shape[1]
    matrix, offset = onto_canvas((outline_of(cover > 0.5) + 0.5) * zoom, pose.angle, pose.mirrored)
    scale = float(np.hypot(*matrix[0]))
    shoe = _warp(picture.reduce(max(1, int(1 / scale))), matrix, offset, picture.width)
    there = _warp(Image.fromarray(cover), matrix, offset, picture.width)
    soft = np.clip(np.asarray(there) * 1.5 - 0.4, 0, 1)[..., None]  # a little inside: no rim of the ground
    pixels = np.asarray(shoe, np.float32) * soft + 255 * (1 - soft)
    return Image.fromarray(pixels.round().astype(np.uint8)), np.asarray(there) > 0.5


def _warp(picture: Image.Image, matrix: np.ndarray, offset: np.ndarray, width: int) -> Image.Image:
    """Move a picture, whose points would be p @ matrix + offset if it were `width` wide, onto the canvas."""
    back = np.linalg.inv(matrix) * (picture.width / width)
    start = -offset @ back
    coefficients = (back[0, 0], back[1, 0], start[0], back[0, 1], back[1, 1], start[1])
    fill = 0 if picture.mode == "F" else "white"
    return picture.transform(
        (WIDTH, HEIGHT), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC, fillcolor=fill
    )


def _fade(picture: Image.Image, cover: np.ndarray) -> Image.Image:
    """The picture with all but the shoe greyed and pale."""
    pale = Image.blend(ImageOps.grayscale(picture).convert("RGB"), Image.new("RGB", picture.size, "white"), 0.7)
    return Image.composite(picture, pale, Image.fromarray((cover * 255).astype(np.uint8)))
