"""The Hub, asked in a thread of its own: nobody waits for it longer than a page may take."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from hashlib import sha1, sha256
from pathlib import Path

from huggingface_hub import get_cached_repo_tree, hf_hub_download, snapshot_download
from huggingface_hub.errors import CachedRepoTreeNotFoundError, HFValidationError, HTTPError

PATIENCE = 5.0  # seconds; the client itself goes on for 23 where the Hub is away, and for minutes where it is busy
REASONS = {401: "access refused", 403: "access refused", 404: "not there", 429: "the Hub is busy"}
AWAY = (HTTPError, OSError, HFValidationError, RuntimeError)  # the last where another thread has closed the client

_running: dict[tuple, tuple[Future, float]] = {}
_lock = threading.Lock()


class HubError(RuntimeError):
    """What was asked of the Hub can't be had now; the message says why, in a few words for a visitor."""


def begin(work: Callable, *args) -> tuple[Future, float]:
    """Let `work(*args)` run, once at a time -> its result to come, and until when one waits for it."""
    key = (work, *args)
    with _lock:
        if key not in _running:
            _running[key] = Future(), time.monotonic() + PATIENCE
            threading.Thread(target=_run, args=(key, _running[key][0]), daemon=True).start()
        return _running[key]


def wait(work: Callable, *args):
    """The result of `work(*args)`, which is begun if it does not run already; it goes on where it takes too long.

    Whoever comes later waits for the rest of the same time only. Raises HubError, and what `work` raises.
    """
    future, until = begin(work, *args)
    try:
        return future.result(max(0, until - time.monotonic()))
    except TimeoutError:
        raise HubError("it takes too long") from None


def _run(key: tuple, future: Future) -> None:
    try:
        tell, outcome = future.set_result, key[0](*key[1:])
    except Exception as error:
        tell, outcome = future.set_exception, error
    with _lock:
        del _running[key]
    tell(outcome)


def fetch(repo: str, commit: str, file: str) -> Path:
    """A file of a repository at a commit, not verified; it is kept in the Hub's cache. Raises HubError."""
    try:
        return Path(hf_hub_download(repo, file, revision=commit))
    except AWAY as error:
        raise HubError(reason(error)) from error


def drop(file: Path) -> None:
    """Put a broken file out of the Hub's cache, so that it is fetched anew the next time."""
    file.resolve().unlink()
    file.unlink(missing_ok=True)


def tree(repo: str, commit: str) -> dict[str, str]:
    """The files of a repository at a commit, with what git calls them; kept in the Hub's cache too. Raises HubError."""
    fetch(repo, commit, "config.json")  # so that nothing but the listing is left to ask for
    try:
        files = get_cached_repo_tree(repo, revision=commit)
    except CachedRepoTreeNotFoundError:
        try:
            snapshot_download(repo, revision=commit, allow_patterns="config.json")  # the call that keeps a listing
        except AWAY as error:
            raise HubError(reason(error)) from error
        files = get_cached_repo_tree(repo, revision=commit)
    return {file.path: file.blob_id for file in files}


def fetch_verified(repo: str, commit: str, file: str, oid: str) -> Path:
    """A file that git calls `oid`; no other one is kept. Raises HubError."""
    path = fetch(repo, commit, file)
    data = path.read_bytes()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(data).hexdigest()}\nsize {len(data)}\n"
    if oid not in (_git_oid(data), _git_oid(pointer.encode())):
        drop(path)
        raise HubError(f"the bytes of {file} are wrong")
    return path


def _git_oid(data: bytes) -> str:
    return sha1(b"blob %d\0" % len(data) + data).hexdigest()


def reason(error: BaseException) -> str:
    """Why the Hub did not give what was asked for."""
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    if isinstance(error, HFValidationError):
        return "not a repository's name"
    if response is None:
        return "no connection"
    return REASONS.get(response.status_code, f"error {response.status_code}")
