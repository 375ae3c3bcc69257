"""Find the sliders of a generate model: `python -m train.directions [generate.v1]`.

Measured attributes are regressed onto w over generated sneakers. The direction of an attribute is the likeliest change
of w that moves it by one deviation and leaves the others: the conditional mean of w, a Gaussian, given the attributes.
It is applied to those layers only where it does this best. Then come the leading closed-form directions of the style
layers (SeFa, arXiv 2007.06600), named by the attribute that they move most.
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from scipy.stats import spearmanr
from tqdm import tqdm

from isneaker import catalogue, sliders
from isneaker.attributes import NAMES, measure
from isneaker.design import Design
from isneaker.images import to_picture
from isneaker.nets.generate import SHAPE_LAYERS, GenerateModel, Latent
from isneaker.nets.stylegan2 import Synthesis
from isneaker.render import latent_of

SAMPLES, TRIALS = 1200, 16
STEPS = (-2.0, -1.0, 0.0, 1.0, 2.0)  # where a slider is tried
KEEPING = 2.0  # a slider moves its attribute by this many times the mean effect on the others,
ENOUGH = 6.0  # more than this does not make it better;
ALIKE = 0.8  # and monotonically on this share of sneakers, or is left out
RIDGE = 0.05  # of the attributes' variance: they are measured with noise
SHORTER = (0.75, 0.55)  # steps that are tried where whole ones go too far
TITLES = {
    "upper_lightness": "upper light", "upper_red": "upper red", "upper_yellow": "upper yellow",
    "sole_lightness": "sole light", "sole_red": "sole red", "sole_yellow": "sole yellow", "sole_thickness": "sole",
    "collar_height": "collar", "toe_height": "toe", "bulk": "bulk", "side_contrast": "side contrast",
}  # fmt: skip


def find_sliders(model: GenerateModel, name: str) -> dict[str, sliders.Slider]:
    """All sliders of a model that is row `name` of the catalogue, with the layers where each works best."""
    photos = model.bank.photos(max(1, len(model.bank.codes) // SAMPLES))
    w = torch.cat([photo.w for photo in photos])
    measured = _measure_all(model, photos, "attributes")
    known = ~np.isnan(measured).any(1)
    directions = conditional_directions(w.numpy()[known], measured[known])
    deviations = measured[known].std(0)
    layers = _layer_groups(model.synthesis.num_ws)
    found = {}
    drawn = [latent_of(model, Design(model=name, seed=SAMPLES + seed)) for seed in range(TRIALS)]
    for i, attribute in enumerate(tqdm(NAMES, desc="sliders")):
        direction = torch.from_numpy(directions[i]).float()
        tried = [_try(model, drawn, sliders.along(model.bank, direction, *group), i, deviations) for group in layers]
        good = [trial for trial in tried if trial.keeping > KEEPING and trial.monotone >= ALIKE]
        if good:
            best = max(good, key=_worth)
            found[TITLES[attribute]] = max(best, *_shorter(model, drawn, best, i, deviations), key=_worth).slider
    return found | _factors(model, w, drawn, deviations, layers)


def conditional_directions(w: np.ndarray, attributes: np.ndarray) -> np.ndarray:
    """w [N,D] and attributes [N,K] -> directions [K,D]: attribute k moves by one deviation, the others stay."""
    w, a = w - w.mean(0), (attributes - attributes.mean(0)) / attributes.std(0)
    covariance = np.cov(w, rowvar=False) + 1e-3 * np.eye(w.shape[1])
    weights = np.linalg.solve(w.T @ w + len(w) * 0.05 * np.eye(w.shape[1]), w.T @ a)  # [D,K], ridge regression
    spread = weights.T @ covariance @ weights
    return np.linalg.solve(spread + RIDGE * np.eye(len(spread)), weights.T @ covariance)


def _layer_groups(num_ws: int) -> list[tuple[int, int]]:
    """All layers, those up to the thumbnail, those up to 64x48 (shape), those from the thumbnail on (colour, material)."""
    return [(0, num_ws), (0, SHAPE_LAYERS + 1), (0, 7), (SHAPE_LAYERS, num_ws)]


class Trial(NamedTuple):
    """A slider whose step of 1 moves its attribute by one deviation at most; its effect over the mean effect on the others; the
    share of sneakers on which it is monotone."""

    slider: sliders.Slider
    keeping: float
    monotone: float


def _try(
    model: GenerateModel, drawn: list[Latent], slider: sliders.Slider, attribute: int, deviations: np.ndarray
) -> Trial:
    """Scale a slider so that a step moves its attribute by one deviation, and see what it does."""
    near = _values_along(model, drawn, slider, STEPS[1:-1])
    own = (np.nanmean(near[:, -1] - near[:, 0], 0) / (STEPS[-2] - STEPS[1]) / deviations)[attribute]
    slider = sliders.along(model.bank, slider.direction * _scale(own), slider.start, slider.end)
    return _judge(model, drawn, slider, attribute, deviations)


def _judge(
    model: GenerateModel, drawn: list[Latent], slider: sliders.Slider, attribute: int, deviations: np.ndarray
) -> Trial:
    """See what a slider does."""
    values = _values_along(model, drawn, slider, STEPS)
    effects = np.nanmean(np.abs(values[:, -1] - values[:, 0]), 0) / deviations
    keeping = effects[attribute] / np.delete(effects, attribute).mean()
    return Trial(slider, keeping, monotone(values[:, :, attribute]))


def _worth(trial: Trial) -> float:
    return trial.monotone * min(trial.keeping, ENOUGH)


def _shorter(
    model: GenerateModel, drawn: list[Latent], trial: Trial, attribute: int, deviations: np.ndarray
) -> list[Trial]:
    """A slider that is not monotone on all sneakers, with shorter steps: a white sole on white ground can't be whiter."""
    if trial.monotone == 1:
        return [trial]
    directions = [share * trial.slider.direction for share in SHORTER]
    shorter = [sliders.along(model.bank, direction, trial.slider.start, trial.slider.end) for direction in directions]
    return [_judge(model, drawn, slider, attribute, deviations) for slider in shorter]


def _scale(own: float) -> float:
    """What a direction is multiplied by that moves its attribute by `own` deviations a step."""
    return float(np.clip(1 / max(own, 0.05), 0.3, 3))


def monotone(values: np.ndarray) -> float:
    """Share of the rows of values [N,positions] whose rank correlation with the positions is at least 0.9."""
    ranks = np.array([spearmanr(range(len(row)), row).statistic for row in values])
    return float((ranks > 0.9 - 1e-6).mean())


def _values_along(model: GenerateModel, drawn: list[Latent], slider: sliders.Slider, steps: tuple) -> np.ndarray:
    """Attributes [N,steps,K] of sneakers with a slider set to each step."""
    moved = [Latent(slider.move(w, step), details) for w, details in drawn for step in steps]
    return _measure_all(model, moved).reshape(len(drawn), len(steps), -1)


def _factors(
    model: GenerateModel, w: torch.Tensor, drawn: list[Latent], deviations: np.ndarray, layers: list
) -> dict[str, sliders.Slider]:
    """The two leading closed-form directions of the shape layers and of the colour layers."""
    found: dict[str, sliders.Slider] = {}
    G = model.synthesis
    for start, end in layers[2:]:
        for direction in closed_form(G, start, end)[:2]:
            slider = sliders.along(model.bank, direction * (w @ direction).std(), start, end)
            values = _values_along(model, drawn, slider, STEPS[1:-1])
            effects = np.nanmean(values[:, -1] - values[:, 0], 0) / deviations
            strongest = int(np.abs(effects).argmax())
            if effects[strongest] < 0:
                slider = sliders.along(model.bank, -slider.direction, start, end)
            kind = "shape" if end < G.num_ws else "look"
            title = f"{kind} {sum(n.startswith(kind) for n in found) + 1}: {TITLES[NAMES[strongest]]}"
            found[title] = slider
    return found


@torch.no_grad()
def closed_form(G: Synthesis, start: int, end: int) -> torch.Tensor:
    """Directions [w_dim,w_dim] of w to which the styles of layers start..end-1 are most sensitive, strongest first."""
    convs = [G.first.conv, *(layer.conv for pair in zip(G.ups, G.convs) for layer in pair), G.to_blocks]
    weights = torch.cat([conv.affine.weight / conv.affine.weight.norm(dim=0).mean() for conv in convs[start:end]])
    return torch.linalg.eigh(weights.T @ weights)[1].flip(1).T


@torch.inference_mode()
def _measure_all(model: GenerateModel, latents: list[Latent], label: str | None = None) -> np.ndarray:
    """Attributes [N,K] of the pictures of N latents."""
    rows = []
    for start in tqdm(range(0, len(latents), 4), desc=label, disable=label is None):
        measured = [measure(to_picture(photo)) for photo in model(latents[start : start + 4])]
        rows += [[m[name] for name in NAMES] for m in measured]
    return np.array(rows)


def sheet(model: GenerateModel, name: str, found: dict[str, sliders.Slider]) -> Image.Image:
    """Each slider at five positions, on a sneaker of its own."""
    page = Image.new("RGB", (5 * 192, len(found) * 144), "white")
    for row, (title, slider) in enumerate(found.items()):
        ws, details = latent_of(model, Design(model=name, seed=row, psi=0.7))
        with torch.inference_mode():
            photos = model([Latent(slider.move(ws, step), details) for step in (-2, -1, 0, 1, 2)])
        for column, photo in enumerate(photos):
            page.paste(to_picture(photo).resize((192, 144)), (column * 192, row * 144))
        ImageDraw.Draw(page).text((4, row * 144 + 2), title, fill="black")
    return page


def save(folder: Path, found: dict[str, sliders.Slider]) -> None:
    """Write `directions.safetensors` into a model's folder and its sha256 into the catalogue."""
    tensors = {
        f"{i}/{title}": torch.cat([torch.tensor([slider.start, slider.end]), slider.direction]).half()
        for i, (title, slider) in enumerate(found.items())
    }
    save_file(tensors, folder / sliders.FILE)
    path = catalogue.WEIGHTS / "catalogue.json"
    rows = json.loads(path.read_text())
    for row in rows:
        if row["name"] == folder.name:
            row["more"] = {sliders.FILE: catalogue.sha256_of(folder / sliders.FILE)}
    path.write_text(json.dumps(rows, indent=2) + "\n")


def main() -> None:
    """Find, draw and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", help="row of the catalogue; default: the newest")
    name = parser.parse_args().model or catalogue.newest("generate")
    model = catalogue.load(name)
    found = find_sliders(model, name)
    save(catalogue.WEIGHTS / name, found)
    sheet(model, name, found).save(catalogue.WEIGHTS / name / "sliders.png", optimize=True)


if __name__ == "__main__":
    main()
