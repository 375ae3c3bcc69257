"""Photos into w and details: an uploaded sneaker becomes a Design of the generate model, which can be edited."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from isneaker import catalogue
from isneaker.cores import on_all_cores
from isneaker.design import Design
from isneaker.nets.generate import GenerateModel, Latent

STEPS, RATE = 40, 0.08  # of the refinement
WIDTH = 256  # of the pictures that it compares
TETHER = 0.02  # per unit of w: what lies far from the encoder's w looks like no shoe


def invert(photo: Image.Image) -> Design:
    """Prepared photo, RGB 512x384 -> the Design nearest to it in one look. Raises catalogue.WeightsUnavailable."""
    name = catalogue.newest("generate")
    model: GenerateModel = catalogue.load(name)
    return Design(model=name, codes=((100, model.bank.pack(_encode(model, photo))),))


@on_all_cores
@torch.inference_mode()
def _encode(model: GenerateModel, photo: Image.Image) -> Latent:
    return model.encode(_tensor(photo))[0]


def refine(photo: Image.Image, design: Design, tell: Callable[[float], None]) -> Design:
    """Move the w of a Design that `invert` made until its picture is nearer to the photo: gradient descent on
    colours and on slopes at three sizes. `tell` is called with the share that is done."""
    model: GenerateModel = catalogue.load(design.model)
    target = F.avg_pool2d(_tensor(photo), photo.width // WIDTH)
    start, details = model.bank.unpack(design.codes[0][1])
    w = start.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([w], RATE)

    @on_all_cores
    def come_closer(step: int) -> None:
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, 2 - 2 * step / STEPS)
        picture = model([Latent(w, details)], WIDTH)
        loss = _difference(picture, target) + TETHER * (w - start).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    for step in range(STEPS):
        come_closer(step)
        tell((step + 1) / STEPS)
    return Design(model=design.model, codes=((100, model.bank.pack(Latent(w.detach(), details))),))


def _difference(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean difference of colours and slopes of photos [N,3,H,W] at three sizes."""
    total = torch.zeros(())
    for _ in range(3):
        total = total + (a - b).abs().mean()
        for axis in (2, 3):
            total = total + 2 * (a.diff(dim=axis) - b.diff(dim=axis)).abs().mean()
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return total


def _tensor(photo: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(photo)).permute(2, 0, 1)[None] / 127.5 - 1
