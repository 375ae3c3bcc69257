"""Design: the small frozen value that fully determines one picture. No torch, no gradio."""

from dataclasses import dataclass

from isneaker.languages import LANGUAGES

WIDTH, HEIGHT = 512, 384  # the canvas, in pixels
COLUMNS, ROWS = 64, 48  # the grid of colour hints
MAX_SEED = 2**32 - 1
MAX_POINTS = 8_000  # of all strokes together
MAX_EDIT = 300  # hundredths of a slider's unit
MAX_PIXELS, MAX_COLOURS = 256 * 256, 16  # of what a translation starts from
MAX_CODES, MAX_CODE = 8, 512  # codes in a Design, bytes in a code
MIN_STRENGTH, MAX_STEPS, MAX_PROMPT = 0.05, 8, 200  # of a studio finish; characters


class DesignError(ValueError):
    """A Design or token that cannot be; the message is fit for a visitor."""


Point = tuple[int, int]
Run = tuple[int, int, int]


@dataclass(frozen=True)
class Finish:
    """What a diffusion model makes of a picture afterwards.

    model: name of the studio's set-up; strength: 0.05 hardly anything to 1 all may change, in hundredths; steps: 1..8
    that it takes; seed: 0..2^32-1; prompt: words of the visitor's own. Raises DesignError where a value is out of range.
    """

    model: str
    strength: float = 0.5
    steps: int = 2
    seed: int = 0
    prompt: str = ""

    def __post_init__(self):
        check(0 < len(self.model) <= 60 and self.model.isascii(), "the studio's name is broken")
        check(MIN_STRENGTH <= self.strength <= 1, f"a finish's strength goes from 0.05 to 1, not {self.strength}")
        object.__setattr__(self, "strength", round(float(self.strength), 2))
        check(1 <= self.steps <= MAX_STEPS, f"a finish takes 1 to {MAX_STEPS} steps, not {self.steps}")
        check(0 <= self.seed <= MAX_SEED, f"seeds go from 0 to {MAX_SEED}, not {self.seed}")
        length = len(self.prompt)
        check(length <= MAX_PROMPT, f"a prompt has at most {MAX_PROMPT} characters, not {length}")
        check(self.prompt.isprintable(), "a prompt is one line of text")


@dataclass(frozen=True)
class Reduced:
    """A picture in few colours, from which a translation starts.

    width, height: multiples of 64, at most MAX_PIXELS together; palette: at most 16 colours 0xRRGGBB; pixels: the number
    of each pixel's colour, row by row. Raises DesignError where a value is out of range.
    """

    width: int
    height: int
    palette: tuple[int, ...]
    pixels: bytes

    def __post_init__(self):
        check(
            self.width > 0 < self.height and not (self.width % 64 or self.height % 64), "the picture's size is broken"
        )
        check(self.width * self.height == len(self.pixels) <= MAX_PIXELS, "the picture's size is broken")
        check(0 < len(self.palette) <= MAX_COLOURS, "the picture has too many colours")
        check(all(0 <= colour < 1 << 24 for colour in self.palette), "the picture's colours are broken")
        check(max(self.pixels) < len(self.palette), "the picture's colours are broken")


@dataclass(frozen=True)
class Design:
    """One sneaker, or another picture that is a translation.

    model: row of the catalogue; strokes: polylines of x 0..511 and y 0..383, the canonical sketch; hints: colour
    scribbles as runs (first cell, cells, 0xRRGGBB) on the 64x48 grid, row by row; fidelity: 0 "make it a sneaker"
    to 1 "follow my lines", in hundredths; languages: (name, weight 1..100), none for the data's own mix; seed:
    0..2^32-1; mirrored: the drawing's toe points left; codes: (weight 1..100, code) of what photos or other designs
    gave, in whole percents, the rest to a hundred drawn by seed from the languages. A code is what the
    model's bank packs of a place in its own space.

    For models that generate without a drawing: psi: 0 the mean shoe to 1 as varied as photos, in hundredths; edits:
    (slider, hundredths -300..300 of its unit); fine, from layer crossover on: a code for colour and material, where they
    come from another sneaker than the shape.

    finish: what a diffusion model makes of the picture, where that is asked for.

    source: what a model that translates starts from; the seed chooses among its translations.

    Raises DesignError where a value is out of its range.
    """

    model: str = "sketch.v1"
    strokes: tuple[tuple[Point, ...], ...] = ()
    hints: tuple[Run, ...] = ()
    fidelity: float = 0.8
    languages: tuple[tuple[str, int], ...] = ()
    seed: int = 0
    mirrored: bool = False
    codes: tuple[tuple[int, bytes], ...] = ()
    psi: float = 0.7
    edits: tuple[tuple[str, int], ...] = ()
    fine: bytes = b""
    crossover: int = 0
    finish: Finish | None = None
    source: Reduced | None = None

    def __post_init__(self):
        check(0 < len(self.model) <= 40 and self.model.isascii(), "the model's name is broken")
        check(0 <= self.fidelity <= 1, f"fidelity goes from 0 to 1, not {self.fidelity}")
        object.__setattr__(self, "fidelity", round(float(self.fidelity), 2))
        check(0 <= self.seed <= MAX_SEED, f"seeds go from 0 to {MAX_SEED}, not {self.seed}")
        check(sum(map(len, self.strokes)) <= MAX_POINTS, "the drawing has too many lines")
        check(all(self.strokes), "a stroke has no points")
        inside = all(0 <= x < WIDTH and 0 <= y < HEIGHT for stroke in self.strokes for x, y in stroke)
        check(inside, "a stroke leaves the canvas")
        free = 0
        for first, cells, colour in self.hints:
            check(first >= free and cells > 0 and 0 <= colour < 1 << 24, "the colours are broken")
            free = first + cells
        check(free <= COLUMNS * ROWS, "the colours leave the canvas")
        names = [name for name, _ in self.languages]
        unknown = [name for name in names if name not in LANGUAGES]
        check(not unknown, f"there is no design language {unknown[0] if unknown else ''!r}")
        check(len(set(names)) == len(names), "a design language is named twice")
        check(all(0 < weight <= 100 for _, weight in self.languages), "weights of languages go from 1 to 100")
        check(all(weight > 0 for weight, _ in self.codes), "weights of codes go from 1 to 100")
        check(sum(weight for weight, _ in self.codes) <= 100, "the weights of the codes exceed 100")
        check(all(0 < len(code) <= MAX_CODE for _, code in self.codes), "a code is broken")
        check(len(self.codes) <= MAX_CODES and len(self.fine) <= MAX_CODE, "the codes are too many or too long")
        check(0 <= self.psi <= 1, f"psi goes from 0 to 1, not {self.psi}")
        object.__setattr__(self, "psi", round(float(self.psi), 2))
        sliders = [name for name, _ in self.edits]
        check(all(0 < len(name) <= 40 and name.isascii() for name in sliders), "a slider's name is broken")
        check(len(set(sliders)) == len(sliders) <= 40, "a slider is set twice")
        check(all(value and abs(value) <= MAX_EDIT for _, value in self.edits), "sliders go from -3 to 3")
        check(0 <= self.crossover <= 32, "there is no such layer")
        check(not (self.finish and self.source), "only sneakers have a studio finish")


def check(condition: bool, message: str) -> None:
    """Raises DesignError with the message unless the condition holds."""
    if not condition:
        raise DesignError(message)


def mix(weights: dict[str, float]) -> tuple[tuple[str, int], ...]:
    """Weights of any scale -> `languages` of a Design: whole percents, zeros left out. Raises DesignError."""
    unknown = [name for name in weights if name not in LANGUAGES]
    check(
        not unknown,
        f"there is no design language {unknown[0] if unknown else ''!r}; choose from {', '.join(LANGUAGES)}",
    )
    check(all(0 <= w < float("inf") for w in weights.values()), "weights of languages are numbers from 0 on")
    total = sum(weights.values())
    check(total > 0 or not weights, "the weights of the languages are all zero")
    shares = [(name, round(100 * weights[name] / total)) for name in LANGUAGES if weights.get(name)]
    return tuple((name, max(1, share)) for name, share in shares)


def parse_mix(text: str) -> tuple[tuple[str, int], ...]:
    """ "nike=0.7,adidas=0.3", or "nike", or "" -> `languages` of a Design. Raises DesignError."""
    weights: dict[str, float] = {}
    for part in filter(None, text.replace(" ", "").split(",")):
        name, _, weight = part.partition("=")
        check(name not in weights, f"the design language {name!r} is named twice")
        try:
            weights[name] = float(weight or 1)
        except ValueError:
            raise DesignError(f"{weight!r} is not a number") from None
    return mix(weights)
