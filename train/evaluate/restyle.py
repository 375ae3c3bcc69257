"""What restyling is worth: whether the target's language is seen, the shape kept, the picture real.

`python -m train.evaluate restyle --data FOLDER` writes `restyle.json` and `restyle.png` beside the sketch weights.
"""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from isneaker.design import Design
from isneaker.images import read_drawing
from isneaker.languages import LANGUAGES
from isneaker.photos import Prepared
from isneaker.poses import fill, outline_of
from isneaker.render import render
from isneaker.restyle import restyle
from isneaker.templates import TEMPLATES
from train.evaluate import metrics
from train.evaluate.classifier import LanguageClassifier

PHOTOS = 60  # held-out photos of a language that are restyled, at most
PAIRS = (("nike", "adidas"), ("adidas", "nike"))


def evaluate_restyle(data: Path, model: str) -> tuple[dict[str, float], Image.Image]:
    """Measures on the held-out photos, and a sheet of restyled sneakers that do not exist."""
    classify = LanguageClassifier(data, Path("runs/cache"))
    with open(data / "metadata.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "validation"]
    photos = {name: _photos(data, rows, name) for name in LANGUAGES}
    results = {f"classifier_{name}": classify.share([p.photo for p in photos[name]], name) for name in LANGUAGES}
    pictures = []
    for source, target in PAIRS:
        restyled = [render(restyle(p, ((target, 100),), 1, seed=i)) for i, p in enumerate(photos[source])]
        halves = ((source, 50), (target, 50))
        half = [render(restyle(p, halves, 1, seed=i)) for i, p in enumerate(photos[source])]
        codes = [_codes_only(p, target, i) for i, p in enumerate(photos[source])]
        results |= {
            f"{source}_to_{target}_unrestyled": classify.share([p.photo for p in photos[source]], target),
            f"{source}_to_{target}": classify.share(restyled, target),
            f"{source}_to_{target}_half": classify.share(half, target),
            f"{source}_to_{target}_codes_only": classify.share(codes, target),
            f"{source}_to_{target}_iou": _mean(_iou(q, p.mask) for p, q in zip(photos[source], restyled)),
        }
        pictures += restyled
    results |= _others(classify, photos["nike"][:20])
    results |= _realism(classify, data, rows, photos, pictures)
    results |= _given_back(photos["nike"][:40] + photos["adidas"][:40])
    return {"pictures": len(pictures)} | {k: round(v, 3) for k, v in results.items()}, _sheet()


def _photos(data: Path, rows: list[dict], language: str) -> list[Prepared]:
    chosen = [row for row in rows if row["language"] == language][:PHOTOS]
    photos = [Image.open(data / row["file_name"]).convert("RGB") for row in chosen]
    return [Prepared(photo, _mask(photo), photo, "") for photo in photos]


def _mask(photo: Image.Image) -> np.ndarray:
    """Where the shoe of a photo on white is: [384,512] of bool."""
    solid = ndimage.binary_closing(np.pad(np.asarray(photo).min(2) < 238, 8), iterations=4)
    return fill(outline_of(ndimage.binary_opening(ndimage.binary_fill_holes(solid), iterations=2)[8:-8, 8:-8]))


def _codes_only(prepared: Prepared, target: str, seed: int) -> Image.Image:
    """The other way that was tried: the target's codes without its marks."""
    return render(replace(restyle(prepared, (), 1, seed=seed), languages=((target, 100),)))


def _others(classify: LanguageClassifier, photos: list[Prepared]) -> dict[str, float]:
    """The share that is called the target, for the targets that have fewer photos."""
    targets = [name for name in LANGUAGES if name not in ("nike", "adidas", "other")]
    return {
        f"nike_to_{name}": classify.share([render(restyle(p, ((name, 100),), 1, seed=i)) for i, p in enumerate(photos)], name)
        for name in targets
    }  # fmt: skip


def _realism(classify, data: Path, rows: list[dict], photos: dict, pictures: list[Image.Image]) -> dict[str, float]:
    """Kernel distance to held-out photos at half size, of the restyled and of what Sketch makes of the edge maps of the
    same photos."""
    chosen = [row for source, _ in PAIRS for row in [r for r in rows if r["language"] == source][:PHOTOS]]
    drawings = [
        read_drawing(Image.eval(Image.open(data / r["edges"]).convert("RGB"), lambda v: 255 - v)) for r in chosen
    ]
    sketched = [render(Design(strokes=d.strokes, fidelity=1, seed=i)) for i, d in enumerate(drawings)]
    real = classify.features([p.photo for group in photos.values() for p in group])
    distances = [metrics.kernel_distance(classify.features(each), real) for each in (pictures, sketched)]
    return {"kernel_distance_x1000": distances[0], "kernel_distance_x1000_sketch": distances[1]}


def _given_back(photos: list[Prepared]) -> dict[str, float]:
    """How far the shoe of strength 0 is from the photo, in CIE Lab over cells, and how far another photo's shoe is."""
    pictures = [render(restyle(p, (), 0)) for p in photos]
    same = [_lab_distance(q, p) for p, q in zip(photos, pictures)]
    other = [_lab_distance(q, p) for p, q in zip(photos, pictures[1:] + pictures[:1])]
    return {"strength_0_lab_error": float(np.mean(same)), "strength_0_lab_error_other_shoe": float(np.mean(other))}


def _lab_distance(picture: Image.Image, prepared: Prepared) -> float:
    shoe = prepared.mask.reshape(48, 8, 64, 8).mean((1, 3)) > 0.95
    return float(np.linalg.norm(metrics.lab_cells(picture) - metrics.lab_cells(prepared.photo), axis=2)[shoe].mean())


def _iou(picture: Image.Image, mask: np.ndarray) -> float:
    there = _mask(picture)
    return float((there & mask).sum() / (there | mask).sum())


def _mean(values) -> float:
    return float(np.mean(list(values)))


def _sheet() -> Image.Image:
    """A row for each of five sneakers that do not exist: itself, and in five languages."""
    sheet = Image.new("RGB", (6 * 256, 5 * 192), "white")
    for row, strokes in enumerate(TEMPLATES.values()):
        shoe = render(Design(strokes=strokes, seed=row + 3, fidelity=0.6))
        prepared = Prepared(shoe, _mask(shoe), shoe, "")
        targets = ("nike", "adidas", "puma", "converse", "vans")
        tiles = [shoe, *(render(restyle(prepared, ((name, 100),), 1, seed=row)) for name in targets)]
        for column, tile in enumerate(tiles):
            sheet.paste(tile.reduce(2), (column * 256, row * 192))
    return sheet.quantize(256)  # a third of the bytes
