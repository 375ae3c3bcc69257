"""Who has the cores: on the page, one thread runs all fast networks.

Every thread that calls torch brings helpers of its own. While they are no more than the cores, they wait for each other
awake; beyond that they sleep after each layer, and a picture takes a quarter longer. A server answers from dozens of
threads.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from threading import get_ident

import torch

_networks = ThreadPoolExecutor(1, "networks")
_owner: int | None = None  # the thread that has the cores; None: whoever asks


def share_out(*slow: ThreadPoolExecutor) -> None:
    """From now on `on_all_cores` functions run in one thread. It and the slow ones' threads have all cores, all others one
    each. To be called once, before torch has worked in any thread."""
    global _owner
    _owner = _networks.submit(get_ident).result()
    for executor in (_networks, *slow):
        executor.submit(torch.get_num_threads).result()  # a thread keeps the number that it has asked for
    torch.set_num_threads(1)


def on_all_cores(function: Callable) -> Callable:
    """A function that runs networks: on the page one at a time, for which others wait, so it takes less than 300 ms."""

    @wraps(function)
    def run(*args, **kwargs):
        if _owner in (None, get_ident()):
            return function(*args, **kwargs)
        return _networks.submit(function, *args, **kwargs).result()

    return run
