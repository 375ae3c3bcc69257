"""What cutting out is worth, on held-out composites."""

from pathlib import Path

import numpy as np
from PIL import Image

from isneaker.design import Design
from isneaker.images import PictureError
from isneaker.photos import NO_SHOE, find_shoe, prepare
from isneaker.poses import Pose, outline_of
from isneaker.render import render
from isneaker.templates import TEMPLATES
from train.data import Sneakers
from train.scenes import scene

PHOTOS, SIZE = 120, (576, 432)  # held-out photos of each kind; pixels of a composite


def evaluate_cutout(data: Path, model: str) -> tuple[dict[str, float], Image.Image]:
    """Metrics of `prepare` with the newest cut-out model on composites of the validation split, and a sheet of what it cuts
    out of pictures of sneakers that do not exist."""
    sneakers = Sneakers(data, Path("runs/cache"), "validation")
    ious: dict[str, list[float]] = {"plain": [], "cluttered": []}
    refused: dict[str, list[bool]] = {"plain": [], "cluttered": [], "empty": []}
    toes = []
    for kind in refused:
        for k in range(PHOTOS):
            i = sneakers.index[k * 3]
            small, mask = scene(
                np.array(sneakers.photos[i]),
                sneakers.lines[i].outline,
                np.random.default_rng((7, k)),
                "validation",
                kind,
            )
            found = _find(Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC))
            refused[kind].append(found is None or found[1].misfit > NO_SHOE)
            if kind != "empty":
                ious[kind].append(_iou(found, mask))
            if kind != "empty" and not refused[kind][-1]:
                toes.append(_toe_is_right(found[1], mask))
    shares = {f"refused_{kind}": float(np.mean(each)) for kind, each in refused.items()}
    scores = {f"iou_{kind}": float(np.mean(each)) for kind, each in ious.items()}
    results = {"pictures": 2 * PHOTOS} | scores | shares | {"toe": float(np.mean(toes))}
    return {k: round(v, 3) for k, v in results.items()}, _sheet()


def _find(picture: Image.Image) -> tuple[np.ndarray, Pose] | None:
    try:
        return find_shoe(picture)
    except PictureError:
        return None


def _iou(found: tuple[np.ndarray, Pose] | None, mask: np.ndarray) -> float:
    """Overlap by union of what was found with where the shoe is; nothing found is 0."""
    if found is None:
        return 0.0
    there = np.asarray(Image.fromarray(mask).resize(SIZE))
    cover = found[0] > 0.5
    return float((cover & there).sum() / (cover | there).sum())


def _toe_is_right(pose: Pose, mask: np.ndarray) -> bool:
    """Whether the pose turns the true mask's low end, the toe, to the right."""
    outline = outline_of(mask)
    turn = np.radians(pose.angle)
    points = outline @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    x = points[:, 0] * (-1 if pose.mirrored else 1)
    middle = (x.min() + x.max()) / 2
    return bool(points[x > middle, 1].min() > points[x < middle, 1].min())


def _sheet() -> Image.Image:
    """Sneakers that do not exist over grounds, above what is cut out of them."""
    sheet = Image.new("RGB", (6 * 256, 4 * 192), "white")
    for k in range(12):
        shoe = np.asarray(render(Design(strokes=list(TEMPLATES.values())[k % 5], seed=k, fidelity=0.5)))
        outline = outline_of(shoe.min(2) < 240)
        small, _ = scene(shoe, outline, np.random.default_rng((3, k)), "train", "cluttered" if k % 3 else "plain")
        picture = Image.fromarray(small).resize(SIZE, Image.Resampling.BICUBIC)
        x, y = k % 6 * 256, k // 6 * 384
        sheet.paste(picture.resize((256, 192)), (x, y))
        try:
            sheet.paste(prepare(picture).photo.reduce(2), (x, y + 192))
        except PictureError:
            sheet.paste("#ddd", (x, y + 192, x + 256, y + 384))
    return sheet.quantize(256)  # a third of the bytes
