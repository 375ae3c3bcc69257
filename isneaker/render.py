"""render(design): the one way to make a picture."""

from collections import OrderedDict
from dataclasses import replace
from functools import lru_cache

import torch
from PIL import Image

from isneaker import catalogue, sliders
from isneaker.colour import Scribbles
from isneaker.cores import on_all_cores
from isneaker.design import Design, DesignError
from isneaker.images import hint_tensor, sketch_tensors, to_picture
from isneaker.languages import LANGUAGES
from isneaker.nets.generate import GenerateModel, Latent
from isneaker.nets.sketch import SketchModel
from isneaker.nets.style import CodeBank, to_sphere
from isneaker.nets.translate import TranslateModel
from isneaker.studio.files import Tell
from isneaker.studio.finish import enlarge, finish
from isneaker.translate import tensor_of

RECENT = 96  # pictures kept, 0.6 MB each: a page of variants or tiles is often asked for again
_recent: OrderedDict[Design, Image.Image] = OrderedDict()


def render(design: Design, tell: Tell = lambda share, what: None) -> Image.Image:
    """Design -> its picture, RGB 512x384, of a translation as large as its source. Raises what `render_all` raises."""
    return render_all([design], tell)[0]


def render_all(designs: list[Design], tell: Tell = lambda share, what: None) -> list[Image.Image]:
    """Designs of one model, and of one drawing if it draws, -> their pictures. A drawing is encoded once. `tell(share,
    what)` hears how far a studio finish is; what it raises stops that.

    Raises catalogue.WeightsUnavailable, and DesignError where a code or a slider is not one of the model's.
    """
    plain = [replace(design, finish=None) for design in designs]
    missing = [design for design in dict.fromkeys(plain) if design not in _recent]
    if missing:
        _recent.update(zip(missing, _draw(missing)))
    pictures = [_recent[design] for design in plain]
    for i, design in enumerate(designs):
        if design.finish:
            _recent[design] = _recent.get(design) or finish(design, pictures[i], tell)
            pictures[i] = _recent[design]
    while len(_recent) > max(RECENT, 2 * len(pictures)):
        _recent.popitem(last=False)
    return pictures


def render_small(design: Design) -> Image.Image:
    """Design -> its picture at half the size, RGB 256x192, sooner than the whole one where it is generated, and at most
    a shade apart from it. Raises what `render_all` raises."""
    if catalogue.architecture_of(design.model) != "generate" or design.finish or design in _recent:
        return render(design).reduce(2)
    return _small(design)


@lru_cache(maxsize=4 * RECENT)
@on_all_cores
@torch.inference_mode()
def _small(design: Design) -> Image.Image:
    """A generated sneaker at half size: the synthesis stops at a lower toRGB."""
    model: GenerateModel = catalogue.load(design.model)
    return to_picture(model([latent_of(model, design)], 256)[0], design.mirrored)


def render_large(design: Design, tell: Tell = lambda share, what: None) -> Image.Image:
    """A Design with a finish -> its picture at twice the size, RGB 1024x768. Raises what `render_all` raises."""
    return enlarge(design, render(replace(design, finish=None)), render(design, tell), tell)


@on_all_cores
@torch.inference_mode()
def _draw(designs: list[Design]) -> list[Image.Image]:
    """What the fast networks make of Designs of one model."""
    model = catalogue.load(designs[0].model)
    make = {GenerateModel: _generate, TranslateModel: _translate}.get(type(model), _sketch)
    photos = make(model, designs)
    return [to_picture(photo, design.mirrored) for design, photo in zip(designs, photos)]


# --- drawings ---


def _sketch(model: SketchModel, designs: list[Design]) -> torch.Tensor:
    """Designs of one drawing that differ in seed, languages and codes -> photos [N,3,384,512]."""
    first = designs[0]
    features, scribbles = _read(first.model, first.strokes, first.hints, first.fidelity, first.mirrored)
    z = to_sphere(torch.cat([_style(model.bank, design) for design in designs]))
    photos, segments = model.unet.decode([f.expand(len(z), *f.shape[1:]) for f in features], z)
    return scribbles.colour(photos, segments) if scribbles else photos


def _style(bank: CodeBank, design: Design) -> torch.Tensor:
    """The style code [1,z_dim] of a Design: the codes that it carries, and for the rest the one drawn by its seed."""
    rest, codes = _codes(bank, design)
    return rest * bank.draw(design.seed, _mix(design)) + sum(share * code for share, code in codes)


@lru_cache(maxsize=16)
def _read(
    model: str, strokes: tuple, hints: tuple, fidelity: float, mirrored: bool
) -> tuple[list[torch.Tensor], Scribbles | None]:
    """The encoder's features of a drawing and its colours, kept for its next variants (3 MB each)."""
    drawing = Design(model=model, strokes=strokes, hints=hints, fidelity=fidelity, mirrored=mirrored)
    ink, strength = sketch_tensors(drawing)
    scribbles = Scribbles(ink, hint_tensor(drawing)) if hints else None
    return catalogue.load(model).unet.encode(ink, strength), scribbles


# --- without a drawing ---


def _generate(model: GenerateModel, designs: list[Design]) -> torch.Tensor:
    """Designs -> photos [N,3,384,512]."""
    return model([latent_of(model, design) for design in designs])


@torch.inference_mode()
def latent_of(model: GenerateModel, design: Design) -> Latent:
    """The w of every layer and the details of a Design: its codes, moved by its sliders, mixed with its fine code."""
    drawn = model.bank.draw(design.seed, _mix(design), design.psi)
    rest, codes = _codes(model.bank, design)
    ws = rest * model.ws(drawn.w) + sum(share * model.ws(code.w) for share, code in codes)
    known = sliders.load(design.model) if design.edits else {}
    for name, hundredths in design.edits:
        if name not in known:
            raise DesignError(f"{design.model} has no slider {name!r}")
        ws = known[name].move(ws, hundredths / 100)
    if design.fine:
        ws[design.crossover :] = _unpack(model.bank, design.model, design.fine).w
    return Latent(ws, rest * drawn.details + sum(share * code.details for share, code in codes))


# --- translations ---


def _translate(model: TranslateModel, designs: list[Design]) -> list[torch.Tensor]:
    """Designs -> pictures [3,H,W], each as large as its source."""
    if not all(design.source for design in designs):
        raise DesignError("there is no picture to translate")
    return [model(tensor_of(design.source), design.seed)[0] for design in designs]


# --- codes ---


def _codes(bank: CodeBank, design: Design) -> tuple[float, list[tuple[float, torch.Tensor | Latent]]]:
    """The share of what a Design's seed draws, and the codes that it carries with theirs."""
    codes = [(weight / 100, _unpack(bank, design.model, code)) for weight, code in design.codes]
    return 1 - sum(weight for weight, _ in design.codes) / 100, codes


def _mix(design: Design) -> dict[int, float]:
    """Number and share of each of a Design's languages."""
    return {LANGUAGES.index(name): weight / 100 for name, weight in design.languages}


def _unpack(bank: CodeBank, model: str, code: bytes) -> torch.Tensor | Latent:
    try:
        return bank.unpack(code)
    except ValueError:
        raise DesignError(f"this is not a code of {model}") from None
