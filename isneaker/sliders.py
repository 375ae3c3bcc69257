"""Sliders: named directions in w, found from data by `train.directions`."""

from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from safetensors.torch import load_file

from isneaker import catalogue
from isneaker.design import Design, DesignError
from isneaker.nets.generate import WBank

FILE = "directions.safetensors"
ROOM = 0.5  # steps that a slider has to either side at least: where photos end, it still moves


@dataclass(frozen=True)
class Slider:
    """One direction: a step of 1 moves its attribute by one standard deviation at most.

    direction: [w_dim]; it is added to the w of layers from `start` up to `end`, and w goes no farther along it than
    from `low` to `high`, in steps: beyond what photos reach, pictures fall apart.
    """

    direction: torch.Tensor
    start: int
    end: int
    low: float
    high: float

    def move(self, ws: torch.Tensor, amount: float) -> torch.Tensor:
        """ws [...,num_ws,w_dim] -> ws with the slider set to an amount; it slows down towards its end."""
        moved = ws.clone()
        part = moved[..., self.start : self.end, :]
        place = part @ (self.direction / self.direction.square().sum())
        room = (self.high - place if amount > 0 else place - self.low).clamp(min=ROOM)
        part += (room * torch.tanh(amount / room))[..., None] * self.direction
        return moved


@lru_cache(maxsize=4)
def load(model: str) -> dict[str, Slider]:
    """The sliders of a generate model, in their order on the page. Raises catalogue.WeightsUnavailable."""
    row = catalogue.rows().get(model)
    if row is None or FILE not in row.more:
        return {}
    tensors = load_file(catalogue.find(row, FILE, row.more[FILE]))
    names = sorted(tensors, key=lambda name: int(name.split("/")[0]))
    bank, rows = catalogue.load(model).bank, {name.split("/")[1]: tensors[name].float() for name in names}
    return {title: along(bank, row[2:], int(row[0]), int(row[1])) for title, row in rows.items()}


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


def along(bank: WBank, direction: torch.Tensor, start: int, end: int) -> Slider:
    """The slider along a direction [w_dim], as far as a bank's photos reach."""
    return Slider(direction, start, end, *bank.reach(direction))
