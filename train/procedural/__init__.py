"""Sneakers drawn from parameters, as a data set in the layout that training reads: for machines with no photos at hand.

python -m train.procedural OUT --count 400 --seed 0
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image

from isneaker.languages import LANGUAGES
from train.cache import made_once
from train.procedural.drawing import draw_shoe
from train.procedural.shoes import Shoe, imagine_shoe

COUNT = 400  # enough to recognise a shoe in what a toy model draws


def sneaker(n: int, seed: int = 0) -> tuple[Shoe, Image.Image, Image.Image]:
    """Sneaker number n of a seed, the same in every run: what it is like, its photo, RGB 512x384, and its edges, "L"."""
    rng = np.random.default_rng((seed, n))
    shoe = imagine_shoe(LANGUAGES[n % len(LANGUAGES)], rng)
    return shoe, *draw_shoe(shoe, rng)


def write(folder: Path, count: int = COUNT, seed: int = 0) -> None:
    """Fill a folder with `photos/`, `edges/` and `metadata.csv`; of any ten in a row one is for validation."""
    for part in ("photos", "edges"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    rows = [_write_one(folder, n, seed) for n in range(count)]
    with open(folder / "metadata.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _write_one(folder: Path, n: int, seed: int) -> dict:
    """Write photo and edges of one sneaker -> its row."""
    shoe, photo, edges = sneaker(n, seed)
    names = {"file_name": f"photos/{n:05d}.webp", "edges": f"edges/{n:05d}.webp"}
    photo.save(folder / names["file_name"], quality=90, method=1)
    edges.save(folder / names["edges"], quality=80, method=1)
    return names | {
        "language": shoe.language,
        "split": "validation" if (n + n // 10) % 10 == 9 else "train",  # so that each language has some
        "source": f"train.procedural, seed {seed}",
        "licence": "MIT",
        **_attributes(shoe),
    }


def _attributes(shoe: Shoe) -> dict:
    """What the picture shows; lengths are shares of the shoe's."""
    return {
        "mark": shoe.mark,
        "sole": shoe.sole,
        "tip": shoe.tip,
        "texture": shoe.texture,
        "collar_height": round(shoe.collar, 3),
        "sole_thickness": round((shoe.heel + shoe.fore) / 2, 3),
        "upper_colour": "#%02x%02x%02x" % shoe.upper_colour,
        "sole_colour": "#%02x%02x%02x" % shoe.sole_colour,
    }


def dataset(cache: Path) -> Path:
    """The folder `cache`, which is filled at the first call; others see it whole or not at all."""
    return made_once(cache, write)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.count < 1 or arguments.seed < 0:
        parser.exit(2, "--count is 1 or more, --seed 0 or more\n")
    try:
        write(arguments.out, arguments.count, arguments.seed)
    except OSError as error:
        parser.exit(2, f"{arguments.out} cannot be written: {error.strerror}\n")
