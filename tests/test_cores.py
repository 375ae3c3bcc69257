"""Who has the cores of the page."""

import subprocess
import sys

SERVER = """
import threading
from concurrent.futures import ThreadPoolExecutor
import torch
from isneaker import cores

@cores.on_all_cores
def who():
    return threading.get_ident(), torch.get_num_threads()

@cores.on_all_cores
def twice():
    return who(), who()

slow, many = ThreadPoolExecutor(1), ThreadPoolExecutor(4)
torch.set_num_threads(3)
assert who() == (threading.get_ident(), 3)
cores.share_out(slow)
seen = {who(), *twice(), *many.map(lambda _: who(), range(8))}
assert len(seen) == 1 and seen.pop()[1] == 3
assert torch.get_num_threads() == 1 and set(many.map(lambda _: torch.get_num_threads(), range(8))) == {1}
assert slow.submit(torch.get_num_threads).result() == 3
"""


def test_one_thread_has_the_cores_and_its_errors_reach_who_asked():
    failing = "\ntry:\n    cores.on_all_cores(lambda: 1 / 0)()\nexcept ZeroDivisionError:\n    print('told')"
    done = subprocess.run([sys.executable, "-c", SERVER + failing], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("told\n", 0), done.stderr
