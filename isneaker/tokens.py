"""A Design's token, the text in a link. No torch, no gradio.

A token is the format version, "1", and base64url of: a 16-bit checksum, a byte that says whether the rest is
deflated, and the fields that differ from the defaults. The defaults and field numbers of a version are frozen.
"""

import base64
import binascii
import zlib
from collections.abc import Iterator
from dataclasses import fields
from itertools import islice
from urllib.parse import parse_qs, urlsplit

from isneaker.design import (
    MAX_CODE,
    MAX_COLOURS,
    MAX_PIXELS,
    MAX_POINTS,
    MAX_PROMPT,
    Design,
    DesignError,
    Finish,
    Reduced,
    check,
)
from isneaker.languages import LANGUAGES

MAX_LINK = 4_000  # characters of a token that still goes into a link; longer ones travel in the PNG
MAX_TOKEN = 52_000  # the translation of a picture of noise has 50,600
MAX_PAYLOAD = 200_000  # bytes after inflation


def to_token(design: Design) -> str:
    """Design -> token of letters, digits, "-" and "_"."""
    payload = bytes(_encode(design))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(payload) + packer.flush()
    body = b"\1" + packed if len(packed) < len(payload) else b"\0" + payload
    return "1" + base64.urlsafe_b64encode(_checksum(body) + body).rstrip(b"=").decode()


def from_token(token: str) -> Design:
    """Token -> Design. Raises DesignError for anything that `to_token` did not make."""
    check(len(token) <= MAX_TOKEN, "this link is too long to be one of ours")
    check(token[:1] == "1", "this link is not one of ours, or from a newer version")
    try:
        raw = base64.b64decode(token[1:] + "=" * (-(len(token) - 1) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise DesignError("this link is broken; was it copied whole?") from None
    check(len(raw) > 2 and raw[:2] == _checksum(raw[2:]), "this link is broken; was it copied whole?")
    payload = raw[3:]
    if raw[2]:
        unpacker = zlib.decompressobj(-15)
        try:
            payload = unpacker.decompress(payload, MAX_PAYLOAD)
        except zlib.error:
            raise DesignError("this link is broken; was it copied whole?") from None
        check(unpacker.eof, "this link is too long to be one of ours")
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
        check(number in names, "this link is from a newer version")
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
        check(shift < 63, "this link is broken; was it copied whole?")


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
        check(count <= MAX_POINTS, "the drawing has too many lines")
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
