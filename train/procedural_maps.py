"""Map tiles and what they show from above, drawn from parameters: an example of pairs, in the layout of pix2pix.

python -m train.procedural_maps OUT --count 400 --seed 0
"""

import argparse
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image

from train.cache import made_once
from train.procedural_maps_drawing import draw_map, draw_view, standing
from train.procedural_towns import SIZE, imagine_town

COUNT = 400


def tile(n: int, seed: int = 0) -> tuple[Image.Image, Image.Image]:
    """Tile number n of a seed, the same in every run: map and view from above, RGB 256x256."""
    rng = np.random.default_rng((seed, n))
    town = imagine_town(rng)
    buildings = standing(town)
    return draw_map(town, buildings), draw_view(town, buildings, rng)


def write(folder: Path, count: int = COUNT, seed: int = 0) -> None:
    """Fill a folder with side-by-side pictures in `train/` and, every tenth, `val/`: map left, view right."""
    for part in ("train", "val"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    with Pool() as pool:
        pool.starmap(_write_one, [(folder, n, seed) for n in range(count)])


def _write_one(folder: Path, n: int, seed: int) -> None:
    both = Image.new("RGB", (2 * SIZE, SIZE))
    for i, picture in enumerate(tile(n, seed)):
        both.paste(picture, (i * SIZE, 0))
    both.save(folder / ("val" if n % 10 == 9 else "train") / f"{n:05d}.png")


def dataset(cache: Path) -> Path:
    """The folder `cache`, which is filled at the first call; others see it whole or not at all."""
    return made_once(cache, write)


if __name__ == "__main__":
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
