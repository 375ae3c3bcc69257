"""Which weights exist, where they lie, loading and checking them.

`weights/catalogue.json` holds one row a model version; rows are append-only from the first release on, so that a
link means the same weights for ever. A row's folder is looked for in `weights/`, then on the Hub at its commit.
`ISNEAKER_WEIGHTS=USER/REPO@COMMIT` (several with commas) adds rows, of weights that `train.publish` put on the Hub.
"""

import hashlib
import inspect
import json
import logging
import os
import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from isneaker import hub
from isneaker.nets.cutout import CutoutModel
from isneaker.nets.generate import GenerateModel
from isneaker.nets.sketch import SketchModel
from isneaker.nets.translate import TranslateModel

WEIGHTS = Path(__file__).parent.parent / "weights"
ARCHITECTURES = {"cutout": CutoutModel, "sketch": SketchModel, "generate": GenerateModel, "translate": TranslateModel}
FILES = ("config.json", "train_config.json", "model.safetensors")  # that an app needs of a model's folder
PIN = re.compile(r"([\w.-]+/[\w.-]+)@([0-9a-f]{40})", re.ASCII)


class WeightsUnavailable(RuntimeError):
    """The weights of a row can't be had now; the message is fit for a visitor."""


@dataclass(frozen=True)
class Row:
    """Facts about one model version; `repo` and `commit` (40 hex digits) say where on the Hub it lies, if it does."""

    name: str
    architecture: str
    sha256: str
    licence: str
    repo: str | None = None
    commit: str | None = None
    more: dict[str, str] = field(default_factory=dict)  # further files that pictures depend on, with their sha256


# --- which there are ---


@cache
def rows() -> dict[str, Row]:
    """The catalogue, oldest first, and after it what `ISNEAKER_WEIGHTS` names."""
    listed = {row["name"]: Row(**row) for row in json.loads((WEIGHTS / "catalogue.json").read_text())}
    for row in {row.architecture: row for row in listed.values()}.values():
        if row.repo and not (WEIGHTS / row.name).exists():  # it will be wanted soon: all at once, not one by one
            for file in ("config.json", "model.safetensors", *row.more):
                hub.begin(hub.fetch, row.repo, row.commit, file)
    pinned = {row.name: row for row in _pinned()[0]}
    return {name: row for name, row in listed.items() if name not in pinned} | pinned


def offers(architecture: str) -> bool:
    """Whether there is a model of an architecture."""
    return any(row.architecture == architecture for row in rows().values())


def newest(architecture: str) -> str:
    """Name of the model for new Designs of an architecture. Raises WeightsUnavailable where there is none."""
    return _choose(architecture)[0]


@cache
def _choose(architecture: str) -> tuple[str, list[str]]:
    """The newest model of an architecture that can be had, once for all, and what keeps newer ones away."""
    candidates, problems = [row for row in rows().values() if row.architecture == architecture], []
    if not candidates:
        raise WeightsUnavailable(f"there is no {architecture} model here")
    for row in reversed(candidates):
        try:
            if not _embedded(row, "model.safetensors", row.sha256):
                load(row.name)
            for file, sha256 in row.more.items():
                find(row, file, sha256)
            return row.name, problems
        except WeightsUnavailable as error:
            problems.append(_noted(str(error)))
    return candidates[-1].name, problems


def served() -> tuple[str, list[str]]:
    """What the page says about its weights: the models of new Designs, and why others are not served."""
    choices = [_choose(architecture) for architecture in ARCHITECTURES if offers(architecture)]
    chosen = [rows()[name] for name, _ in choices]
    names = [f"{row.name} ({row.repo}@{row.commit[:7]})" if row.repo else row.name for row in chosen]
    return ", ".join(names), _pinned()[1] + [problem for _, problems in choices for problem in problems]


def architecture_of(name: str) -> str:
    """The architecture of a model, of one that is not here as its name says; "sketch" if that says nothing."""
    row = rows().get(name)
    stem = name.split(".")[0]
    return row.architecture if row else stem if stem in ARCHITECTURES else "sketch"


# --- rows of what lies on the Hub ---


@cache
def _pinned() -> tuple[list[Row], list[str]]:
    """The rows that `ISNEAKER_WEIGHTS` names, and what is wrong with the others."""
    found, problems, places = [], [], []
    for pin in filter(None, os.environ.get("ISNEAKER_WEIGHTS", "").replace(" ", "").split(",")):
        if match := PIN.fullmatch(pin):
            places.append(match.groups())
            hub.begin(row_on_hub, *match.groups())
        else:
            problems.append(
                _noted(f"ISNEAKER_WEIGHTS needs USER/REPO@COMMIT with all 40 digits of the commit, not {pin}")
            )
    for repo, commit in places:
        try:
            found.append(hub.wait(row_on_hub, repo, commit))
        except (hub.HubError, WeightsUnavailable) as error:
            problems.append(_noted(f"{repo}@{commit[:7]} can't be had from the Hub: {error}"))
    return found, problems


def _noted(problem: str) -> str:
    """A problem, told on standard error too: the command line has no page."""
    logging.getLogger(__name__).warning(problem)
    return problem


def row_on_hub(repo: str, commit: str) -> Row:
    """The row of a model folder on the Hub, whose files are fetched and verified. Raises HubError, WeightsUnavailable."""
    tree = hub.tree(repo, commit)
    if "model.safetensors" not in tree:
        raise WeightsUnavailable("it holds no model.safetensors, and pickles are never loaded")
    more = [file for file in tree if file.startswith("directions.")]
    files = {file: hub.fetch_verified(repo, commit, file, tree[file]) for file in (*FILES, *more) if file in tree}
    config, notes = (json.loads(files[name].read_text()) if name in files else {} for name in FILES[:2])
    architecture = architecture_in(config, notes)
    return Row(
        name_of(architecture, repo, commit), architecture, sha256_of(files["model.safetensors"]),
        notes.get("licence", "unknown"), repo, commit, {file: sha256_of(files[file]) for file in more},
    )  # fmt: skip


def architecture_in(config: dict, notes: dict) -> str:
    """The architecture that a model folder's `train_config.json` names, else the one whose arguments `config.json`
    holds. Raises WeightsUnavailable."""
    fitting = [name for name, net in ARCHITECTURES.items() if set(inspect.signature(net).parameters) == set(config)]
    name = notes.get("architecture", fitting[0] if len(fitting) == 1 else None)
    if name not in ARCHITECTURES:
        raise WeightsUnavailable(f"its architecture is none of {', '.join(ARCHITECTURES)}, or not told")
    return name


def name_of(architecture: str, repo: str, commit: str) -> str:
    """The name in links of a model on the Hub, at most 40 characters."""
    return f"{architecture}.{repo}".replace("/", "-")[:32] + f"-{commit[:7]}"


# --- loading ---


@lru_cache(maxsize=4)
@torch.inference_mode(False)  # whoever loads it first: gradients may be wanted later
def load(name: str) -> nn.Module:
    """The model of a row, ready to use, in fp32. Raises WeightsUnavailable."""
    row = rows().get(name)
    if row is None:
        raise WeightsUnavailable(f"the model {name} is not known here")
    weights = find(row, "model.safetensors", row.sha256)
    embedded = weights.is_relative_to(WEIGHTS)
    config = weights.with_name("config.json") if embedded else _fetch(row, "config.json")
    try:
        return build(row.architecture, json.loads(config.read_text()), load_file(weights))
    except (ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise WeightsUnavailable(f"the weights of {name} are not those of a {row.architecture} model") from error


def build(architecture: str, config: dict, tensors: dict[str, torch.Tensor]) -> nn.Module:
    """Configuration and tensors of any float type -> the model, in fp32 and channels_last."""
    model = ARCHITECTURES[architecture](**config)
    model.load_state_dict(tensors)
    return model.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def sha256_of(path: Path) -> str:
    """The sha256 of a file in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find(row: Row, file: str, sha256: str) -> Path:
    """A verified file of a row: the embedded one if it matches, else the one on the Hub. Raises WeightsUnavailable."""
    if local := _embedded(row, file, sha256):
        return local
    fetched = _fetch(row, file)
    if sha256_of(fetched) != sha256:
        hub.drop(fetched)
        raise WeightsUnavailable(f"the weights of {row.name} on the Hub are not the ones in the catalogue")
    return fetched


def _embedded(row: Row, file: str, sha256: str) -> Path | None:
    """A file of a row in `weights/`, if it is the right one."""
    local = WEIGHTS / row.name / file
    return local if local.exists() and sha256_of(local) == sha256 else None


def _fetch(row: Row, file: str) -> Path:
    if not row.repo:
        raise WeightsUnavailable(f"the weights of {row.name} are not here")
    try:
        return hub.wait(hub.fetch, row.repo, row.commit, file)
    except hub.HubError as error:
        raise WeightsUnavailable(f"the weights of {row.name} could not be fetched from the Hub ({error})") from error
