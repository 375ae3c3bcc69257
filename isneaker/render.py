"""render(design): the one way to make a picture."""

from functools import lru_cache

import torch
from PIL import Image

from isneaker import catalogue
from isneaker.design import Design
from isneaker.images import sketch_tensors, to_picture
from isneaker.languages import LANGUAGES


def render(design: Design) -> Image.Image:
    """Design -> its picture, RGB 512x384. Raises catalogue.WeightsUnavailable."""
    return render_all([design])[0]


@torch.inference_mode()
def render_all(designs: list[Design]) -> list[Image.Image]:
    """Designs of one drawing that differ in seed and languages -> their pictures; the drawing is encoded once."""
    first = designs[0]
    features = _encode(first.model, first.strokes, first.hints, first.fidelity, first.mirrored)
    model = catalogue.load(first.model)
    z = torch.cat([model.bank.draw(d.seed, {LANGUAGES.index(n): w / 100 for n, w in d.languages}) for d in designs])
    photos = model.unet.decode([f.expand(len(z), *f.shape[1:]) for f in features], z)
    return [to_picture(photo, first.mirrored) for photo in photos]


@lru_cache(maxsize=16)
def _encode(model: str, strokes: tuple, hints: tuple, fidelity: float, mirrored: bool) -> list[torch.Tensor]:
    """The encoder's features of a drawing, kept for its next variants (3 MB each)."""
    drawing = Design(model=model, strokes=strokes, hints=hints, fidelity=fidelity, mirrored=mirrored)
    return catalogue.load(model).unet.encode(*sketch_tensors(drawing))
