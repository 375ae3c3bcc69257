"""Entropy coding: symbols as bytes, few for likely ones (asymmetric numeral systems, arXiv 1311.2540).

The state is one whole number of any size: a link's code has a thousand symbols, for which that is fast enough and exact.
"""

from collections.abc import Callable, Sequence

import numpy as np

Bounds = Callable[[int, Sequence[int]], np.ndarray]
"""(n, symbols) -> cumulative counts [K+1] of symbol n's K values, from 0, all rising, given the symbols before it."""


def encode(symbols: Sequence[int], bounds: Bounds) -> bytes:
    """Symbols -> bytes; symbol n takes about log2(total / count) bits."""
    state = 1
    for n in reversed(range(len(symbols))):
        edges = bounds(n, symbols)
        low, high, total = (int(edges[i]) for i in (symbols[n], symbols[n] + 1, -1))
        whole, part = divmod(state, high - low)
        state = whole * total + low + part
    return state.to_bytes((state.bit_length() + 7) // 8, "big")


def decode(code: bytes, count: int, bounds: Bounds) -> list[int]:
    """What `encode` made of `count` symbols -> the symbols. Raises ValueError for other bytes."""
    state, symbols = int.from_bytes(code, "big"), []
    for n in range(count):
        edges = bounds(n, symbols)
        whole, place = divmod(state, int(edges[-1]))
        symbol = int(np.searchsorted(edges, place, side="right")) - 1
        state = whole * int(edges[symbol + 1] - edges[symbol]) + place - int(edges[symbol])
        symbols.append(symbol)
    if state != 1:
        raise ValueError("these bytes were not made by these counts")
    return symbols
