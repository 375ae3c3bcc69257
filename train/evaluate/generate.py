"""How good a generate model is: realism, newness, sliders, inversion. Called by `train.evaluate`."""

import csv
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from isneaker import catalogue, sliders
from isneaker.attributes import NAMES, measure
from isneaker.design import MAX_EDIT, Design
from isneaker.images import to_picture
from isneaker.languages import LANGUAGES
from isneaker.nets.generate import GenerateModel
from isneaker.render import render, render_all
from train.directions import TITLES, monotone
from train.evaluate import metrics
from train.evaluate.classifier import languages_kept
from train.features import Features

SAMPLES, SLIDER_SEEDS, OF_LANGUAGE, SHOWN, INVERTED = 2000, 100, 20, 24, 200
NEWNESS = Path("runs/newness.png")  # it shows photos of the data set: not to be committed
POSITIONS = (-200, -100, 0, 100, 200)  # hundredths


def evaluate_generate(data: Path, model: str) -> tuple[dict[str, float], Image.Image]:
    """Metrics of a generate model on the held-out split, and a page of samples of every language; writes NEWNESS."""
    with open(data / "metadata.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    net = Features()
    held_out = [data / row["file_name"] for row in rows if row["split"] == "validation"]
    training = [data / row["file_name"] for row in rows if row["split"] == "train"]
    photos = [Image.open(path).convert("RGB") for path in held_out]
    real = metrics.features_of(photos, net)
    samples = generated_features(model, 1, SAMPLES, net)
    results = {
        "samples": SAMPLES,
        "kernel_distance_x1000": metrics.kernel_distance(samples, real),
        "frechet_distance": metrics.frechet_distance(samples, real),
        "kernel_distance_x1000_psi_07": metrics.kernel_distance(
            generated_features(model, 0.7, SAMPLES // 5, net), real
        ),
        "variety_ratio": float(metrics.pair_distances(samples[:400]).mean() / metrics.pair_distances(real).mean()),
    }
    bank = np.concatenate([metrics.features_of([_open(p) for p in part], net) for part in _parts(training)])
    newness_page(model, samples[:SHOWN], training, bank).save(NEWNESS)
    results |= languages_kept([Design(model=model, seed=seed) for seed in range(OF_LANGUAGE)], data)
    results |= newness(samples, real, bank) | inversion(model, photos[:INVERTED], real[:INVERTED], training, bank, net)
    results |= slider_scores(model)
    return {k: round(v, 3) for k, v in results.items()}, sample_page(model)


def generated_features(model: str, psi: float, count: int, net: Features) -> np.ndarray:
    """Pooled features [count,1280] of the sneakers of seeds 0, 1, ..., drawn in the data's own mix."""
    designs = [Design(model=model, seed=seed, psi=psi) for seed in range(count)]
    return np.concatenate([metrics.features_of(render_all(part), net) for part in tqdm(_parts(designs))])


def newness(samples: np.ndarray, real: np.ndarray, bank: np.ndarray) -> dict[str, float]:
    """Median distance of samples to their nearest training photo, that of held-out photos = 1."""
    return {"nearest_training_ratio": float(np.median(_nearest(samples, bank)) / np.median(_nearest(real, bank)))}


def newness_page(model: str, samples: np.ndarray, training: list[Path], bank: np.ndarray) -> Image.Image:
    """The first sneakers, psi 1, given their features, each with its nearest training photo below it."""
    page = Image.new("RGB", (6 * 256, -(-len(samples) // 6) * 2 * 192), "white")
    for seed, row in enumerate(samples):
        nearest = _open(training[int(np.linalg.norm(bank - row, axis=1).argmin())])
        for below, picture in enumerate((render(Design(model=model, seed=seed, psi=1)), nearest)):
            page.paste(picture.reduce(2), (seed % 6 * 256, (seed // 6 * 2 + below) * 192))
    return page


@torch.no_grad()
def inversion(
    model: str, photos: list[Image.Image], real: np.ndarray, training: list[Path], bank: np.ndarray, net: Features
) -> dict[str, float]:
    """Mean distance of photos to what comes back of them from a link, to the training photo nearest in features = 1: in
    pooled features, in feature maps, and in colour (CIE Lab), cell by cell."""
    net_model: GenerateModel = catalogue.load(model)
    back = []
    for part in _parts(photos):
        x = torch.from_numpy(np.stack([np.asarray(p) for p in part])).permute(0, 3, 1, 2) / 127.5 - 1
        packed = [net_model.bank.pack(latent) for latent in net_model.encode(x)]
        back += [to_picture(p) for p in net_model([net_model.bank.unpack(code) for code in packed])]
    nearest = [_open(training[int(np.linalg.norm(bank - row, axis=1).argmin())]) for row in real]
    in_features = np.linalg.norm(metrics.features_of(back, net) - real, axis=1).mean()
    own, returned, other = (np.stack([metrics.lab_cells(p) for p in part]) for part in (photos, back, nearest))
    in_colour = [np.linalg.norm(cells - own, axis=-1).mean() for cells in (returned, other)]
    in_maps = [metrics.perceptual_distance(photos, others, net) for others in (back, nearest)]
    return {
        "inversion_ratio": float(in_features / _nearest(real, bank).mean()),
        "inversion_perceptual_ratio": float(in_maps[0] / in_maps[1]),
        "inversion_colour_ratio": float(in_colour[0] / in_colour[1]),
    }


def slider_scores(model: str) -> dict[str, float]:
    """For each measured slider: share of seeds with a rank correlation of at least 0.9 between position and
    attribute, and its effect on its own attribute over the mean effect on the others, in deviations, either way."""
    spread = np.nanstd([_values(render(Design(model=model, seed=s, psi=1))) for s in range(SLIDER_SEEDS)], axis=0)
    scores = {}
    for i, name in enumerate(tqdm(NAMES, desc="sliders")):
        if TITLES[name] not in sliders.load(model):
            continue
        moved = [_values_along(model, seed, TITLES[name]) for seed in range(SLIDER_SEEDS)]  # [seeds][positions,K]
        effects = np.nanmean([np.abs(v[-1] - v[0]) for v in moved], axis=0) / spread
        scores[f"slider_{name}_monotone"] = monotone(np.stack(moved)[:, :, i])
        scores[f"slider_{name}_own_to_others"] = float(effects[i] / np.delete(effects, i).mean())
    return scores


def _values_along(model: str, seed: int, slider: str) -> np.ndarray:
    edits = [((slider, position),) if position else () for position in POSITIONS]
    designs = [Design(model=model, seed=seed, psi=0.7, edits=edit) for edit in edits]
    return np.array([_values(picture) for picture in render_all(designs)])


def _values(picture: Image.Image) -> list[float]:
    measured = measure(picture)
    return [measured[name] for name in NAMES]


def _nearest(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance of each row of x to its nearest row of y."""
    squares = np.square(x).sum(1)[:, None] + np.square(y).sum(1)[None] - 2 * x @ y.T
    return np.sqrt(squares.clip(0).min(1))


def _parts(items: list, size: int = 16) -> list[list]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def _open(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


def sample_page(model: str) -> Image.Image:
    """A page of the data's own mix at psi 0.7, then a row of each language, and a row of the sliders' extremes."""
    designs = [Design(model=model, seed=seed) for seed in range(SHOWN)]
    designs += [Design(model=model, seed=s, languages=((n, 100),)) for n in LANGUAGES for s in range(6)]
    names = list(sliders.load(model))[:3]
    designs += [Design(model=model, seed=3, edits=((n, v),)) for n in names for v in (-MAX_EDIT, MAX_EDIT)]
    page = Image.new("RGB", (6 * 256, -(-len(designs) // 6) * 192), "white")
    for i, picture in enumerate(p for part in _parts(designs) for p in render_all(part)):
        page.paste(picture.reduce(2), (i % 6 * 256, i // 6 * 192))
    return page
