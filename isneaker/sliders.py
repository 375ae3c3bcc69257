"""Sliders: named directions in w, found from data by `train.directions`."""

from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from safetensors.torch import load_file

from isneaker import catalogue
from isneaker.design import Design, DesignError

FILE = "directions.safetensors"


@dataclass(frozen=True)
class Slider:
    """One direction: a step of 1 moves its attribute by one standard deviation.

    direction: [w_dim]; it is added to the w of layers from `start` up to `end`.
    """

    direction: torch.Tensor
    start: int
    end: int


@lru_cache(maxsize=4)
def load(model: str) -> dict[str, Slider]:
    """The sliders of a generate model, in their order on the page. Raises catalogue.WeightsUnavailable."""
    row = catalogue.rows().get(model)
    if row is None or FILE not in row.more:
        return {}
    tensors = load_file(catalogue.find(row, FILE, row.more[FILE]))
    names = sorted(tensors, key=lambda name: int(name.split("/")[0]))
    return {name.split("/")[1]: _slider(tensors[name].float()) for name in names}


def change(design: Design, amounts: dict[str, int]) -> Design:
    """A generated sneaker with some sliders set, in hundredths; "_" counts as a space. Raises DesignError."""
    known = load(design.model)
    if not known:
        raise DesignError("this sneaker was drawn; only generated ones have sliders")
    amounts = {name.replace("_", " "): amount for name, amount in amounts.items()}
    for name in amounts:
        if name not in known:
            raise DesignError(f"there is no slider {name!r}; choose from {', '.join(known)}")
    edits = dict(design.edits) | amounts
    return replace(design, edits=tuple((name, amount) for name, amount in edits.items() if amount))


def _slider(row: torch.Tensor) -> Slider:
    """A stored row: first and last layer, then the direction."""
    return Slider(row[2:], int(row[0]), int(row[1]))
