"""Design: the small frozen value that fully determines one picture, and its token, the text in a link.

A token is the format version, "1", and base64url of: a 16-bit checksum, a byte that says whether the rest is
deflated, and the fields that differ from the defaults. The defaults and field numbers of a version are frozen.
"""

import base64
import binascii
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import islice
from urllib.parse import parse_qs, urlsplit

from isneaker.languages import LANGUAGES

WIDTH, HEIGHT = 512, 384  # the canvas, in pixels
COLUMNS, ROWS = 64, 48  # the grid of colour hints
MAX_SEED = 2**32 - 1
MAX_LINK = 4_000  # characters of a token that still goes into a link; longer ones travel in the PNG
MAX_TOKEN = 52_000  # the translation of a picture of noise has 50,600
MAX_PAYLOAD = 200_000  # bytes after inflation
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
        _check(0 < len(self.model) <= 60 and self.model.isascii(), "the studio's name is broken")
        _check(MIN_STRENGTH <= self.strength <= 1, f"a finish's strength goes from 0.05 to 1, not {self.strength}")
        object.__setattr__(self, "strength", round(float(self.strength), 2))
        _check(1 <= self.steps <= MAX_STEPS, f"a finish takes 1 to {MAX_STEPS} steps, not {self.steps}")
        _check(0 <= self.seed <= MAX_SEED, f"seeds go from 0 to {MAX_SEED}, not {self.seed}")
        length = len(self.prompt)
        _check(length <= MAX_PROMPT, f"a prompt has at most {MAX_PROMPT} characters, not {length}")
        _check(self.prompt.isprintable(), "a prompt is one line of text")


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
        _check(
            self.width > 0 < self.height and not (self.width % 64 or self.height % 64), "the picture's size is broken"
        )
        _check(self.width * self.height == len(self.pixels) <= MAX_PIXELS, "the picture's size is broken")
        _check(0 < len(self.palette) <= MAX_COLOURS, "the picture has too many colours")
        _check(all(0 <= colour < 1 << 24 for colour in self.palette), "the picture's colours are broken")
        _check(max(self.pixels) < len(self.palette), "the picture's colours are broken")


@dataclass(frozen=True)
class Design:
    """One sneaker, or another picture that is a translation.

    model: row of the catalogue; strokes: polylines of x 0..511 and y 0..383, the canonical sketch; hints: colour
    scribbles as runs (first cell, cells, 0xRRGGBB) on the 64x48 grid, row by row; fidelity: 0 "make it a sneaker"
    to 1 "follow my lines", in hundredths; languages: (name, weight 1..100), none for the data's own mix; seed:
    0..2^32-1; mirrored: the drawing's toe points left; codes: (weight 1..100, code) of what photos or other designs
    gave, in whole percents, the rest to a hundred drawn by seed from the languages. A code is bytes of the model's own
    space, one a number.

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
        _check(0 < len(self.model) <= 40 and self.model.isascii(), "the model's name is broken")
        _check(0 <= self.fidelity <= 1, f"fidelity goes from 0 to 1, not {self.fidelity}")
        object.__setattr__(self, "fidelity", round(float(self.fidelity), 2))
        _check(0 <= self.seed <= MAX_SEED, f"seeds go from 0 to {MAX_SEED}, not {self.seed}")
        _check(sum(map(len, self.strokes)) <= MAX_POINTS, "the drawing has too many lines")
        _check(all(self.strokes), "a stroke has no points")
        inside = all(0 <= x < WIDTH and 0 <= y < HEIGHT for stroke in self.strokes for x, y in stroke)
        _check(inside, "a stroke leaves the canvas")
        free = 0
        for first, cells, colour in self.hints:
            _check(first >= free and cells > 0 and 0 <= colour < 1 << 24, "the colours are broken")
            free = first + cells
        _check(free <= COLUMNS * ROWS, "the colours leave the canvas")
        names = [name for name, _ in self.languages]
        unknown = [name for name in names if name not in LANGUAGES]
        _check(not unknown, f"there is no design language {unknown[0] if unknown else ''!r}")
        _check(len(set(names)) == len(names), "a design language is named twice")
        _check(all(0 < weight <= 100 for _, weight in self.languages), "weights of languages go from 1 to 100")
        _check(all(weight > 0 for weight, _ in self.codes), "weights of codes go from 1 to 100")
        _check(sum(weight for weight, _ in self.codes) <= 100, "the weights of the codes exceed 100")
        _check(all(0 < len(code) <= MAX_CODE for _, code in self.codes), "a code is broken")
        _check(len(self.codes) <= MAX_CODES and len(self.fine) <= MAX_CODE, "the codes are too many or too long")
        _check(0 <= self.psi <= 1, f"psi goes from 0 to 1, not {self.psi}")
        object.__setattr__(self, "psi", round(float(self.psi), 2))
        sliders = [name for name, _ in self.edits]
        _check(all(0 < len(name) <= 40 and name.isascii() for name in sliders), "a slider's name is broken")
        _check(len(set(sliders)) == len(sliders) <= 40, "a slider is set twice")
        _check(all(value and abs(value) <= MAX_EDIT for _, value in self.edits), "sliders go from -3 to 3")
        _check(0 <= self.crossover <= 32, "there is no such layer")
        _check(not (self.finish and self.source), "only sneakers have a studio finish")


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise DesignError(message)


def mix(weights: dict[str, float]) -> tuple[tuple[str, int], ...]:
    """Weights of any scale -> `languages` of a Design: whole percents, zeros left out. Raises DesignError."""
    unknown = [name for name in weights if name not in LANGUAGES]
    _check(
        not unknown,
        f"there is no design language {unknown[0] if unknown else ''!r}; choose from {', '.join(LANGUAGES)}",
    )
    _check(all(0 <= w < float("inf") for w in weights.values()), "weights of languages are numbers from 0 on")
    total = sum(weights.values())
    _check(total > 0 or not weights, "the weights of the languages are all zero")
    shares = [(name, round(100 * weights[name] / total)) for name in LANGUAGES if weights.get(name)]
    return tuple((name, max(1, share)) for name, share in shares)


def parse_mix(text: str) -> tuple[tuple[str, int], ...]:
    """ "nike=0.7,adidas=0.3", or "nike", or "" -> `languages` of a Design. Raises DesignError."""
    weights: dict[str, float] = {}
    for part in filter(None, text.replace(" ", "").split(",")):
        name, _, weight = part.partition("=")
        _check(name not in weights, f"the design language {name!r} is named twice")
        try:
            weights[name] = float(weight or 1)
        except ValueError:
            raise DesignError(f"{weight!r} is not a number") from None
    return mix(weights)


# --- token ---


def to_token(design: Design) -> str:
    """Design -> token of letters, digits, "-" and "_"."""
    payload = bytes(_encode(design))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(payload) + packer.flush()
    body = b"\1" + packed if len(packed) < len(payload) else b"\0" + payload
    return "1" + base64.urlsafe_b64encode(_checksum(body) + body).rstrip(b"=").decode()


def from_token(token: str) -> Design:
    """Token -> Design. Raises DesignError for anything that `to_token` did not make."""
    _check(len(token) <= MAX_TOKEN, "this link is too long to be one of ours")
    _check(token[:1] == "1", "this link is not one of ours, or from a newer version")
    try:
        raw = base64.b64decode(token[1:] + "=" * (-(len(token) - 1) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise DesignError("this link is broken; was it copied whole?") from None
    _check(len(raw) > 2 and raw[:2] == _checksum(raw[2:]), "this link is broken; was it copied whole?")
    payload = raw[3:]
    if raw[2]:
        unpacker = zlib.decompressobj(-15)
        try:
            payload = unpacker.decompress(payload, MAX_PAYLOAD)
        except zlib.error:
            raise DesignError("this link is broken; was it copied whole?") from None
        _check(unpacker.eof, "this link is too long to be one of ours")
    try:
        return _decode(iter(payload))
    except (StopIteration, UnicodeDecodeError, IndexError, OverflowError):
        raise DesignError("this link is broken; was it copied whole?") from None


def find_token(text: str) -> str:
    """The token in an address, in "?d=TOKEN", or the text itself."""
    text = text.strip()
    query = parse_qs(urlsplit(text).query)
    return query["d"][0] if "d" in query else text


def _checksum(body: bytes) -> bytes:
    return (zlib.crc32(body) & 0xFFFF).to_bytes(2, "big")


# Field numbers of token version 1: a field's number is its place in the class, from 1. They never change.
_NUMBERS = {field.name: number for number, field in enumerate(fields(Design), 1)}
_DEFAULTS = Design()


def _encode(design: Design) -> Iterator[int]:
    for name, number in _NUMBERS.items():
        value = getattr(design, name)
        if value != getattr(_DEFAULTS, name):
            yield number
            yield from _WRITERS[name](value)


def _decode(data: Iterator[int]) -> Design:
    names = {number: name for name, number in _NUMBERS.items()}
    values = {}
    for number in data:
        _check(number in names, "this link is from a newer version")
        name = names[number]
        values[name] = _READERS[name](data)
    return Design(**values)


def _write_int(value: int) -> Iterator[int]:
    """Seven bits a byte, low ones first, the top bit set where more follow."""
    while value > 127:
        yield value & 127 | 128
        value >>= 7
    yield value


def _read_int(data: Iterator[int]) -> int:
    value = shift = 0
    while True:
        byte = next(data)
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value
        _check(shift < 63, "this link is broken; was it copied whole?")


def _write_signed(value: int) -> Iterator[int]:
    return _write_int(2 * value if value >= 0 else -2 * value - 1)


def _read_signed(data: Iterator[int]) -> int:
    value = _read_int(data)
    return value >> 1 if value % 2 == 0 else -(value + 1 >> 1)


def _write_text(text: str) -> Iterator[int]:
    yield from _write_int(len(text))
    yield from text.encode("ascii")


def _read_text(data: Iterator[int]) -> str:
    return bytes([next(data) for _ in range(min(_read_int(data), 100))]).decode("ascii")


def _write_strokes(strokes: tuple) -> Iterator[int]:
    """Steps from point to point; all the x of a stroke before its y, which deflates better."""
    yield from _write_int(len(strokes))
    x = y = 0
    for stroke in strokes:
        yield from _write_int(len(stroke))
        for next_x, _ in stroke:
            yield from _write_signed(next_x - x)
            x = next_x
        for _, next_y in stroke:
            yield from _write_signed(next_y - y)
            y = next_y


def _read_strokes(data: Iterator[int]) -> tuple:
    strokes, x, y = [], 0, 0
    for _ in range(_read_int(data)):
        count, xs, ys = _read_int(data), [], []
        _check(count <= MAX_POINTS, "the drawing has too many lines")
        for _ in range(count):
            x += _read_signed(data)
            xs.append(x)
        for _ in range(count):
            y += _read_signed(data)
            ys.append(y)
        strokes.append(tuple(zip(xs, ys)))
    return tuple(strokes)


def _write_hints(runs: tuple) -> Iterator[int]:
    palette = sorted({colour for _, _, colour in runs})
    yield from _write_int(len(palette))
    for colour in palette:
        yield from colour.to_bytes(3, "big")
    yield from _write_int(len(runs))
    free = 0
    for first, cells, colour in runs:
        yield from _write_int(first - free)
        yield from _write_int(cells)
        yield from _write_int(palette.index(colour))
        free = first + cells


def _read_hints(data: Iterator[int]) -> tuple:
    palette = [next(data) << 16 | next(data) << 8 | next(data) for _ in range(_read_int(data))]
    runs, free = [], 0
    for _ in range(_read_int(data)):
        first, cells, index = free + _read_int(data), _read_int(data), _read_int(data)
        runs.append((first, cells, palette[index]))
        free = first + cells
    return tuple(runs)


def _write_languages(languages: tuple) -> Iterator[int]:
    yield from _write_int(len(languages))
    for name, weight in languages:
        yield LANGUAGES.index(name)
        yield weight


def _read_languages(data: Iterator[int]) -> tuple:
    return tuple([(LANGUAGES[next(data)], next(data)) for _ in range(_read_int(data))])


def _write_code(code: bytes) -> Iterator[int]:
    yield from _write_int(len(code))
    yield from code


def _read_code(data: Iterator[int]) -> bytes:
    return bytes([next(data) for _ in range(min(_read_int(data), MAX_CODE + 1))])


def _write_codes(codes: tuple) -> Iterator[int]:
    yield from _write_int(len(codes))
    for weight, code in codes:
        yield weight
        yield from _write_code(code)


def _read_codes(data: Iterator[int]) -> tuple:
    return tuple([(next(data), _read_code(data)) for _ in range(_read_int(data))])


def _write_edits(edits: tuple) -> Iterator[int]:
    yield from _write_int(len(edits))
    for name, value in edits:
        yield from _write_text(name)
        yield from _write_signed(value)


def _read_edits(data: Iterator[int]) -> tuple:
    return tuple([(_read_text(data), _read_signed(data)) for _ in range(_read_int(data))])


def _write_finish(finish: Finish) -> Iterator[int]:
    yield from _write_text(finish.model)
    for number in (round(finish.strength * 100), finish.steps, finish.seed):
        yield from _write_int(number)
    prompt = finish.prompt.encode()
    yield from _write_int(len(prompt))
    yield from prompt


def _read_finish(data: Iterator[int]) -> Finish:
    model, strength, steps, seed = _read_text(data), _read_int(data) / 100, _read_int(data), _read_int(data)
    prompt = bytes([next(data) for _ in range(min(_read_int(data), 4 * MAX_PROMPT + 1))])
    return Finish(model, strength, steps, seed, prompt.decode())


def _write_source(source: Reduced) -> Iterator[int]:
    for number in (source.width, source.height, len(source.palette)):
        yield from _write_int(number)
    for colour in source.palette:
        yield from colour.to_bytes(3, "big")
    yield from source.pixels


def _read_source(data: Iterator[int]) -> Reduced:
    width, height = _read_int(data), _read_int(data)
    palette = [next(data) << 16 | next(data) << 8 | next(data) for _ in range(min(_read_int(data), MAX_COLOURS + 1))]
    return Reduced(width, height, tuple(palette), bytes(islice(data, min(width * height, MAX_PIXELS + 1))))


_WRITERS = {
    "model": _write_text,
    "strokes": _write_strokes,
    "hints": _write_hints,
    "fidelity": lambda value: _write_int(round(value * 100)),
    "languages": _write_languages,
    "seed": _write_int,
    "mirrored": _write_int,
    "codes": _write_codes,
    "psi": lambda value: _write_int(round(value * 100)),
    "edits": _write_edits,
    "fine": _write_code,
    "crossover": _write_int,
    "finish": _write_finish,
    "source": _write_source,
}
_READERS = {
    "model": _read_text,
    "strokes": _read_strokes,
    "hints": _read_hints,
    "fidelity": lambda data: _read_int(data) / 100,
    "languages": _read_languages,
    "seed": _read_int,
    "mirrored": lambda data: bool(_read_int(data)),
    "codes": _read_codes,
    "psi": lambda data: _read_int(data) / 100,
    "edits": _read_edits,
    "fine": _read_code,
    "crossover": _read_int,
    "finish": _read_finish,
    "source": _read_source,
}
