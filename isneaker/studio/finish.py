"""A Design's finish: its fast picture repainted by the studio, and that again at twice the size, tile by tile."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageFilter

from isneaker.design import HEIGHT, WIDTH, Design
from isneaker.strokes import draw
from isneaker.studio import engine
from isneaker.studio.engine import Job
from isneaker.studio.files import Tell
from isneaker.studio.prompt import prompt_of
from isneaker.studio.setup import Setup, StudioUnavailable, configured

SCRIBBLE = 7  # pixels: how wide the lines are that scribble ControlNets were trained on
FOLLOWS = 0.5  # fidelity from which on the drawing guides the finish too
LARGE = (2 * WIDTH, 2 * HEIGHT)
TILE = (576, 448)  # four of them cover the large picture, 128 pixels over each other; both divide by 64
DETAIL = 0.3  # how much of a tile may change: grain, stitches, edges


def finish(design: Design, picture: Image.Image, tell: Tell) -> Image.Image:
    """A Design with a finish and its fast picture, RGB 512x384 -> the finished one. Raises StudioUnavailable, and what
    `tell` raises."""
    setup = _setup_of(design)
    wanted = design.finish
    job = Job(picture, prompt_of(design, picture), wanted.strength, wanted.steps, wanted.seed, *_guide(design))
    return engine.repaint(setup, [job], tell)[0]


def enlarge(design: Design, picture: Image.Image, finished: Image.Image, tell: Tell) -> Image.Image:
    """The finished picture of a Design -> 1024x768, with the detail that its size calls for. Raises what `finish` raises."""
    setup, prompt = _setup_of(design), prompt_of(design, picture)
    large = finished.resize(LARGE, Image.Resampling.LANCZOS)
    control, guided = _guide(design)
    control = control.resize(LARGE)
    jobs = [Job(large.crop(box), prompt, DETAIL, 1, design.finish.seed, control.crop(box), guided) for box in _boxes()]
    return _blend(engine.repaint(setup, jobs, tell))


def _setup_of(design: Design) -> Setup:
    """Raises StudioUnavailable where a Design was finished by another set-up."""
    setup = configured()
    if design.finish.model != setup.name:
        raise StudioUnavailable(f"this was finished by {design.finish.model}, which is not set up here")
    return setup


def _guide(design: Design) -> tuple[Image.Image, float]:
    """The canonical sketch as a scribble, white on black, and how much it counts."""
    scribble = draw(design.strokes).filter(ImageFilter.MaxFilter(SCRIBBLE)).convert("RGB")
    return scribble, design.fidelity if design.strokes and design.fidelity >= FOLLOWS else 0.0


def _boxes() -> Iterator[tuple[int, int, int, int]]:
    """Where the tiles lie, row by row."""
    for top in (0, LARGE[1] - TILE[1]):
        for left in (0, LARGE[0] - TILE[0]):
            yield left, top, left + TILE[0], top + TILE[1]


def _blend(tiles: list[Image.Image]) -> Image.Image:
    """Tiles -> the large picture; each fades out over what it shares with its neighbours."""
    total, weights = np.zeros((LARGE[1], LARGE[0], 3)), np.zeros((LARGE[1], LARGE[0], 1))
    for tile, (left, top, right, bottom) in zip(tiles, _boxes()):
        ramps = [_ramp(TILE[1], 2 * TILE[1] - LARGE[1], top > 0), _ramp(TILE[0], 2 * TILE[0] - LARGE[0], left > 0)]
        weight = np.outer(*ramps)[..., None]
        total[top:bottom, left:right] += weight * np.asarray(tile, float)
        weights[top:bottom, left:right] += weight
    return Image.fromarray((total / weights).round().astype(np.uint8))


def _ramp(length: int, shared: int, at_start: bool) -> np.ndarray:
    """1 over a length, but rising over what is shared with the neighbour before, or falling over that behind."""
    ramp = np.ones(length)
    ramp[:shared] = (np.arange(shared) + 0.5) / shared
    return ramp if at_start else ramp[::-1]
