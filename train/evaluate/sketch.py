"""How good a sketch model is: realism, faithfulness to the lines, variety, colours."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.color import rgb2lab

from isneaker.design import COLUMNS, ROWS, Design
from isneaker.images import read_drawing, sketch_of
from isneaker.render import render, render_all
from isneaker.strokes import draw
from isneaker.templates import TEMPLATES
from train.evaluate import metrics
from train.evaluate.classifier import languages_kept
from train.features import Features

PENS = (0xD7263D, 0xF2C14E, 0x2E8B57, 0x1F6FD1, 0x6A3FB5, 0x8A5A33)
VARIETY_SKETCHES, HINTED_SKETCHES, LANGUAGE_SKETCHES = 60, 90, 20


def evaluate_sketch(data: Path, model: str) -> tuple[dict[str, float], Image.Image]:
    """Metrics of a sketch model on the validation split, and a sheet of what was measured."""
    with open(data / "metadata.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "validation"]
    photos = [Image.open(data / row["file_name"]).convert("RGB") for row in rows]
    drawings = [_drawing_of(data / row["edges"], model, seed) for seed, row in enumerate(rows)]
    pictures = [render(drawing) for drawing in drawings]
    net = Features()
    real, fake = metrics.features_of(photos, net), metrics.features_of(pictures, net)

    inks = [np.asarray(draw(drawing.strokes)) for drawing in drawings]
    results = {
        "pictures": len(pictures),
        "kernel_distance_x1000": metrics.kernel_distance(fake, real),
        "frechet_distance": metrics.frechet_distance(fake, real),
        "ink_recall": _mean(metrics.ink_recall(i, p) for i, p in zip(inks, pictures)),
        "ink_recall_other_sketch": _mean(metrics.ink_recall(i, p) for i, p in zip(inks, pictures[1:] + pictures[:1])),
        "ink_recall_own_photo": _mean(metrics.ink_recall(i, p) for i, p in zip(inks, photos)),
        "grid_power_ratio": metrics.grid_power(pictures) / metrics.grid_power(photos),
        "variety_ratio": _variety(drawings[:VARIETY_SKETCHES], net) / float(metrics.pair_distances(real).mean()),
        "hint_error_lab": _hint_error(drawings[:HINTED_SKETCHES]),
    }
    spread, photo_spread = metrics.colour_spread(pictures), metrics.colour_spread(photos)
    results |= {f"{key}_ratio": spread[key] / photo_spread[key] for key in spread}
    results |= languages_kept(drawings[:LANGUAGE_SKETCHES], data)
    return {k: round(v, 3) for k, v in results.items()}, _sheet(pictures, model)


def _drawing_of(edges: Path, model: str, seed: int) -> Design:
    """The edge map of a photo, black on white, as the app reads any drawing, at fidelity 1."""
    drawing = read_drawing(Image.eval(Image.open(edges).convert("RGB"), lambda v: 255 - v))
    return Design(model=model, fidelity=1, seed=seed, **drawing._replace(mirrored=False)._asdict())


def _variety(drawings: list[Design], net: Features) -> float:
    """Mean feature distance between four variants of a sketch."""
    distances = []
    for drawing in drawings:
        variants = render_all([replace(drawing, seed=drawing.seed + 1000 * i) for i in range(4)])
        distances.append(metrics.pair_distances(metrics.features_of(variants, net)).mean())
    return float(np.mean(distances))


def _hint_error(drawings: list[Design]) -> float:
    """Scribble one pen's colour onto each shoe -> median CIE Lab distance below the scribbles."""
    rng, errors = np.random.default_rng(0), []
    for i, drawing in enumerate(drawings):
        lightness = metrics.lab_cells(render(drawing))[..., 0]
        shoe = np.argwhere(lightness <= max(90, lightness.min()))
        row, column = shoe[rng.integers(len(shoe))]
        colour, length = PENS[i % len(PENS)], int(min(rng.integers(4, 10), COLUMNS - column))
        runs = tuple((int(r * COLUMNS + column), length, colour) for r in range(row, min(row + 2, ROWS)))
        lab = metrics.lab_cells(render(replace(drawing, hints=runs)))[row : row + 2, column : column + length]
        wanted = rgb2lab(np.array([[[colour >> 16, colour >> 8 & 255, colour & 255]]]) / 255)
        errors += np.linalg.norm(lab - wanted, axis=2).ravel().tolist()
    return float(np.median(errors))


def _mean(values) -> float:
    return float(np.mean(list(values)))


def _sheet(pictures: list[Image.Image], model: str) -> Image.Image:
    """Pictures of held-out sketches; then outlines with variants, hints and languages."""
    tiles = pictures[::10][:18]
    for strokes in TEMPLATES.values():
        design = Design(model=model, strokes=strokes, fidelity=0.5)
        tiles += [sketch_of(design), *render_all([replace(design, seed=s) for s in range(5)])]
    sheet = Image.new("RGB", (6 * 256, -(-len(tiles) // 6) * 192), "white")
    for i, tile in enumerate(tiles):
        sheet.paste(tile.reduce(2), (i % 6 * 256, i // 6 * 192))
    return sheet
