"""What the command line's options may be: numbers in their ranges, seeds, sliders."""

import argparse
import math
from collections.abc import Callable

from isneaker.design import MAX_EDIT, MAX_SEED, MIN_STRENGTH

MAX_SEEDS = 10_000  # in one command


class UsageError(ValueError):
    """An input or option that cannot be; the message is one line."""


def option(parse: Callable) -> Callable:
    """Let argparse print our own message."""

    def parsed(text: str):
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parsed


def fraction(text: str) -> float:
    """A number from 0 to 1."""
    value = number(text)
    if not 0 <= value <= 1:
        raise UsageError(f"{text} is not from 0 to 1")
    return value


def strength(text: str) -> float:
    """Of a studio finish."""
    value = number(text)
    if not MIN_STRENGTH <= value <= 1:
        raise UsageError(f"{text} is not from {MIN_STRENGTH} to 1")
    return value


def weights(text: str) -> list[float]:
    """ "0.5,0.5" -> numbers from 0 on, one of them above 0."""
    values = [number(part) for part in text.split(",")]
    if min(values) < 0 or not any(values):
        raise UsageError(f"{text} are no weights: numbers from 0 on, one of them above 0")
    return values


def integer(low: int, high: int) -> Callable[[str], int]:
    """What reads whole numbers from low to high."""

    def parse(text: str) -> int:
        value = number(text)
        if value != int(value) or not low <= value <= high:
            raise UsageError(f"{text} is not a whole number from {low} to {high}")
        return int(value)

    return parse


def seeds(text: str) -> list[str]:
    """ "0-99" or "3,5,8-12" -> the seeds, each once, as text."""
    seeds: dict[str, None] = {}
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        low = integer(0, MAX_SEED)(first)
        high = integer(low, MAX_SEED)(last) if last else low
        if high - low >= MAX_SEEDS or len(seeds) + high - low >= MAX_SEEDS:
            raise UsageError(f"more than {MAX_SEEDS} seeds at once")
        seeds |= dict.fromkeys(map(str, range(low, high + 1)))
    return list(seeds)


def slider(text: str) -> tuple[str, int]:
    """ "sole=1.5" -> the slider and its value in hundredths."""
    name, equals, value = text.rpartition("=")
    if not equals or not name:
        raise UsageError(f"{text!r} is not SLIDER=VALUE")
    amount = round(number(value) * 100)
    if abs(amount) > MAX_EDIT:
        raise UsageError(f"{value} is not from -3 to 3")
    return name.strip(), amount


def number(text: str) -> float:
    """A finite number. Raises UsageError, as all above."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"{text!r} is not a number")
    return value
