"""render(design): the one way to make a picture."""

from functools import lru_cache

import torch
from PIL import Image

from isneaker import catalogue
from isneaker.design import Design, DesignError
from isneaker.images import sketch_tensors, to_picture
from isneaker.languages import LANGUAGES
from isneaker.nets.style import CodeBank, to_sphere


def render(design: Design) -> Image.Image:
    """Design -> its picture, RGB 512x384. Raises what `render_all` raises."""
    return render_all([design])[0]


@torch.inference_mode()
def render_all(designs: list[Design]) -> list[Image.Image]:
    """Designs of one drawing that differ in seed, languages and codes -> their pictures; the drawing is encoded once.

    Raises catalogue.WeightsUnavailable, and DesignError where a code is not one of the model's.
    """
    first = designs[0]
    features = _encode(first.model, first.strokes, first.hints, first.fidelity, first.mirrored)
    model = catalogue.load(first.model)
    z = torch.cat([_style(model.bank, design) for design in designs])
    photos = model.unet.decode([f.expand(len(z), *f.shape[1:]) for f in features], z)
    return [to_picture(photo, first.mirrored) for photo in photos]


def _style(bank: CodeBank, design: Design) -> torch.Tensor:
    """The style code [1,z_dim] of a Design: its own codes, and for the rest what the seed draws."""
    given = [(weight / 100, bank.unpack(code)) for weight, code in design.codes]
    if any(code.shape[1] != bank.codes.shape[1] for _, code in given):
        raise DesignError(f"the style codes are not those of {design.model}")
    rest = 1 - sum(weight for weight, _ in design.codes) / 100
    if rest > 0:
        given.append((rest, bank.draw(design.seed, {LANGUAGES.index(n): w / 100 for n, w in design.languages})))
    return to_sphere(sum(weight * code for weight, code in given))


@lru_cache(maxsize=16)
def _encode(model: str, strokes: tuple, hints: tuple, fidelity: float, mirrored: bool) -> list[torch.Tensor]:
    """The encoder's features of a drawing, kept for its next variants (3 MB each)."""
    drawing = Design(model=model, strokes=strokes, hints=hints, fidelity=fidelity, mirrored=mirrored)
    return catalogue.load(model).unet.encode(*sketch_tensors(drawing))
