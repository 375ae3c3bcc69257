"""Measure models on held-out photos: `python -m train.evaluate [sketch generate cutout restyle speed] --data FOLDER`.

Writes metrics.json, samples.png and the card beside the weights, and the tables of README.md.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from isneaker import catalogue
from isneaker.design import Design
from isneaker.photos import prepare
from isneaker.render import render
from isneaker.templates import TEMPLATES
from train.card import write_card
from train.data import locate
from train.evaluate.cutout import evaluate_cutout
from train.evaluate.generate import evaluate_generate
from train.evaluate.restyle import evaluate_restyle
from train.evaluate.scores import README, scores, with_tables
from train.evaluate.sketch import evaluate_sketch


def measure_speed(folder: Path, architecture: str) -> None:
    """Put the milliseconds of a picture into a model's metrics: median of 15; of a cut-out model, of a photo of
    1600x1200 made ready."""
    shoe = render(Design(strokes=TEMPLATES["low"])).resize((1600, 1200))
    calls = {
        "sketch": lambda n: render(Design(model=folder.name, strokes=_moved(TEMPLATES["low"], n), seed=n)),
        "generate": lambda n: render(Design(model=folder.name, seed=n)),
        "cutout": lambda n: prepare(shoe),
    }
    seconds = []
    for n in range(18):
        start = time.perf_counter()
        calls[architecture](n)
        seconds.append(time.perf_counter() - start)
    path = folder / "metrics.json"
    results = json.loads(path.read_text()) | {"milliseconds": round(1000 * float(np.median(seconds[3:])))}
    path.write_text(json.dumps(results, indent=2) + "\n")


def _moved(strokes: tuple, by: int) -> tuple:
    """Strokes as many pixels higher: a drawing that was never read before."""
    return tuple(tuple((x, y - by) for x, y in stroke) for stroke in strokes)


EVALUATIONS = {"sketch": evaluate_sketch, "generate": evaluate_generate, "cutout": evaluate_cutout}
EVALUATIONS |= {"restyle": evaluate_restyle}  # no architecture: what a sketch and a cut-out model do together


def evaluate(architecture: str, data: Path, model: str) -> None:
    """Evaluate a model; write JSON, sheet and card into its folder."""
    results, sheet = EVALUATIONS[architecture](data, model)
    stem, picture = ("restyle", "restyle") if architecture == "restyle" else ("metrics", "samples")
    folder = catalogue.WEIGHTS / model
    path = folder / f"{stem}.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    kept = {key: before[key] for key in ("milliseconds",) if key in before}
    path.write_text(json.dumps(results | kept, indent=2) + "\n")
    sheet.save(folder / f"{picture}.png", optimize=True)


def main() -> None:
    """Evaluate models of the catalogue, then make the cards and the tables of README.md anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what", nargs="*", choices=[*EVALUATIONS, "speed", []], metavar="WHAT", help="default: everything"
    )
    parser.add_argument("--data", default="../shared/sneakers")
    parser.add_argument("--model", help="row of the catalogue; default: the newest")
    options = parser.parse_args()
    data = locate(options.data, Path("runs/cache"))
    for what in options.what or [*EVALUATIONS, "speed"]:
        if what != "speed":
            evaluate(what, data, options.model or catalogue.newest("sketch" if what == "restyle" else what))
    for row in catalogue.rows().values():
        folder = catalogue.WEIGHTS / row.name
        if "speed" in (options.what or ["speed"]):
            measure_speed(folder, row.architecture)
        if (folder / "metrics.json").exists():
            write_card(folder, row.architecture)
    README.write_text(with_tables(README.read_text()))
    print(scores())


if __name__ == "__main__":
    main()
