"""What of a diffusers repository is needed, checked before anything is loaded, and fetched with a word on how far it is."""

import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, HTTPError, LocalEntryNotFoundError
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.repocard import metadata_load
from huggingface_hub.utils import tqdm

from isneaker.catalogue import sha256_of
from isneaker.studio.setup import LICENCES, Pin, StudioUnavailable

Tell = Callable[[float, str], None]  # share done, 0 to 1, and of what; may raise to stop

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack")
TEXTS = (".json", ".txt", ".model", ".jinja")
WEIGHTLESS = re.compile(r"Scheduler|Tokenizer|ImageProcessor|FeatureExtractor|Processor$")
WEIGHTS = re.compile(r"(?:diffusion_pytorch_)?model(\.fp16)?(?:-\d+-of-(\d+))?(\.fp16)?\.safetensors")
AWAY = (HTTPError, OSError, ValueError, RuntimeError)  # the last where another thread closed the client


@dataclass(frozen=True)
class Part:
    """The files of one repository that are needed: bytes and sha256 (None where git keeps the file) of each, those that
    carry weights last, so that a repository with all weights is whole; what are half-precision weights; its licence."""

    pin: Pin
    files: dict[str, tuple[int, str | None]]
    half: bool
    licence: str

    def missing(self) -> list[str]:
        """Files that are not in the cache."""
        return [name for name in self.files if not (snapshot(self.pin) / name).exists()]

    def weights(self) -> int:
        """Bytes of weights."""
        return sum(size for name, (size, _) in self.files.items() if name.endswith(".safetensors"))


def snapshot(pin: Pin) -> Path:
    """Where a repository's files lie once they are fetched."""
    folder = repo_folder_name(repo_id=pin.repo, repo_type="model")
    return Path(constants.HF_HUB_CACHE) / folder / "snapshots" / pin.commit


# --- what is needed ---


@lru_cache(maxsize=8)
def pipeline(pin: Pin, without: str = "") -> tuple[Part, dict]:
    """A diffusers pipeline, but for one component -> what of it is needed, its model_index.json. Raises
    StudioUnavailable where the Hub is away, or it is none, or has no safetensors, or wants code of its own."""
    path = _small_file(pin, "model_index.json", "is no diffusers pipeline: it has no model_index.json")
    index = json.loads(path.read_text())
    parts = {n: v for n, v in index.items() if isinstance(v, list) and v[0] and n != without}
    foreign = [name for name, (library, _) in parts.items() if library not in ("diffusers", "transformers")]
    if foreign:
        raise StudioUnavailable(
            f"{pin} needs code of its own for its {foreign[0]}, and none but diffusers' is run here"
        )
    weighty = [name for name, (_, kind) in parts.items() if not WEIGHTLESS.search(kind)]
    return _part(pin, weighty, [name for name in parts if name not in weighty], ["model_index.json"]), index


@lru_cache(maxsize=8)
def network(pin: Pin) -> Part:
    """A repository that holds one network at its root, -> what of it is needed. Raises StudioUnavailable."""
    _small_file(pin, "config.json", "is no diffusers model: it has no config.json")
    return _part(pin, [""], [], [])


@lru_cache(maxsize=8)
def lora(pin: Pin) -> Part:
    """A repository with a LoRA at its root -> what of it is needed: one safetensors file. Raises StudioUnavailable."""
    listed = _listed(pin)
    found = [name for name in listed if name.endswith(".safetensors") and "/" not in name]
    if len(found) != 1:
        has = f"{len(found)} safetensors files, not one" if found else "no safetensors file at its root"
        raise StudioUnavailable(f"{pin} is no LoRA that can be read here: it has {has}")
    return Part(pin, {found[0]: listed[found[0]]}, False, _licence(pin, listed))


def _part(pin: Pin, weighty: list[str], others: list[str], extra: list[str]) -> Part:
    """The files of some folders, "" for the root: of those with weights one set of safetensors, half precision if all
    have it."""
    here = _cached(pin)
    try:
        half, weights = _weights(pin, here, weighty)
        listed = here
    except StudioUnavailable:
        listed = _listed(pin)
        half, weights = _weights(pin, listed, weighty)
    folders = {*weighty, *others}
    texts = [name for name in listed if name.endswith(TEXTS) and name.rpartition("/")[0] in folders or name in extra]
    return Part(pin, {name: listed[name] for name in [*texts, *weights]}, half, _licence(pin, listed))


def _weights(pin: Pin, listed: dict, folders: list[str]) -> tuple[bool, list[str]]:
    """Whether all weights are there in half precision, and the files of them to load."""
    chosen = [_weights_of(pin, listed, folder) for folder in folders]
    half = all(halves for _, halves in chosen)
    return half, [name for full, halves in chosen for name in (halves if half else full or halves)]


def _weights_of(pin: Pin, listed: dict, folder: str) -> tuple[list[str], list[str]]:
    """Safetensors files of a folder in full and in half precision; one of the lists may be empty."""
    inside = {name: name.rpartition("/")[2] for name in listed if name.rpartition("/")[0] == folder}
    found = {name: match for name, file in inside.items() if (match := WEIGHTS.fullmatch(file))}
    sets = [[n for n, m in found.items() if bool(m[1] or m[3]) == half] for half in (False, True)]
    full, halves = ([] if not s or (found[s[0]][2] and int(found[s[0]][2]) != len(s)) else s for s in sets)
    if not full and not halves:
        pickles = [name for name, file in inside.items() if file.endswith(PICKLES)]
        reason = f"only has pickled weights, {pickles[0]}" if pickles else f"has no weights for its {folder or 'root'}"
        raise StudioUnavailable(f"{pin} {reason}; safetensors are needed")
    return full, halves


# --- from the cache or the Hub ---


def _cached(pin: Pin) -> dict[str, tuple[int, str | None]]:
    """Files of a repository that were fetched before; the cache holds whole files only."""
    root = snapshot(pin)
    return {f.relative_to(root).as_posix(): (f.stat().st_size, None) for f in root.rglob("*") if f.is_file()}


def _listed(pin: Pin) -> dict[str, tuple[int, str | None]]:
    """All files of a repository on the Hub. Raises StudioUnavailable."""
    try:
        tree = HfApi().list_repo_tree(pin.repo, recursive=True, revision=pin.commit)
        files = [entry for entry in tree if isinstance(entry, RepoFile)]
    except AWAY as error:
        raise _away(pin, error) from error
    return {file.path: (file.size, file.lfs.sha256 if file.lfs else None) for file in files}


def _small_file(pin: Pin, name: str, otherwise: str) -> Path:
    try:
        return Path(hf_hub_download(pin.repo, name, revision=pin.commit))
    except LocalEntryNotFoundError as error:
        raise _away(pin, error) from error
    except EntryNotFoundError:
        raise StudioUnavailable(f"{pin} {otherwise}") from None
    except AWAY as error:
        raise _away(pin, error) from error


def _licence(pin: Pin, listed: dict) -> str:
    """What the model card says."""
    said = None
    if "README.md" in listed:
        card = metadata_load(_small_file(pin, "README.md", "has no card")) or {}
        said = card.get("license_name") or card.get("license")
    return str(said or LICENCES.get(pin, "not stated"))


def _away(pin: Pin, error: Exception) -> StudioUnavailable:
    status = getattr(getattr(error, "response", None), "status_code", None)
    reason = {401: "it needs a login", 403: "it needs a login", 404: "there is no such commit"}.get(status, "")
    return StudioUnavailable(f"{pin} could not be fetched from the Hub{reason and ': ' + reason}")


def fetch(parts: list[Part], tell: Tell) -> None:
    """Fetch what is missing of all parts, whole files only. Raises StudioUnavailable, and what `tell` raises."""
    missing = [(part, name) for part in parts for name in part.missing()]
    total = sum(part.files[name][0] for part, name in missing)
    done = 0
    for part, name in missing:
        size, sha256 = part.files[name]

        def report(here: int) -> None:
            now = done + min(here, size)
            tell(now / total, f"Fetching {part.pin.repo}: {size_of(now)} of {size_of(total)}")

        report(0)
        try:
            path = hf_hub_download(part.pin.repo, name, revision=part.pin.commit, tqdm_class=_bar(report))
        except AWAY as error:
            raise _away(part.pin, error) from error
        if sha256 and sha256_of(Path(path)) != sha256:
            os.remove(os.path.realpath(path))
            os.remove(path)
            raise StudioUnavailable(f"{part.pin} arrived damaged; try again")
        done += size


def size_of(count: float) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _bar(report: Callable[[int], None]) -> type[tqdm]:
    """A progress bar that draws nothing and reports the bytes that have come; what `report` raises ends the download."""

    class Bar(tqdm):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs | {"file": io.StringIO()})
            self.come = kwargs.get("initial") or 0

        def update(self, n: float = 1) -> None:
            self.come += n
            report(int(self.come))

    return Bar
