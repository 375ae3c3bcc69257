"""Which weights exist, where they lie, loading and checking them.

`weights/catalogue.json` holds one row a model version; rows are append-only from the first release on, so that a
link means the same weights for ever. A row's folder is looked for in `weights/`, then on the Hub at its commit.
"""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from safetensors.torch import load_file
from torch import nn

from isneaker.nets.cutout import CutoutModel
from isneaker.nets.generate import GenerateModel
from isneaker.nets.sketch import SketchModel

WEIGHTS = Path(__file__).parent.parent / "weights"
ARCHITECTURES = {"cutout": CutoutModel, "sketch": SketchModel, "generate": GenerateModel}


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


@cache
def rows() -> dict[str, Row]:
    """The catalogue, oldest first."""
    return {row["name"]: Row(**row) for row in json.loads((WEIGHTS / "catalogue.json").read_text())}


def offers(architecture: str) -> bool:
    """Whether there is a model of an architecture."""
    return any(row.architecture == architecture for row in rows().values())


def newest(architecture: str) -> str:
    """Name of the newest model of an architecture. Raises WeightsUnavailable where there is none."""
    names = [row.name for row in rows().values() if row.architecture == architecture]
    if not names:
        raise WeightsUnavailable(f"there is no {architecture} model here")
    return names[-1]


def architecture_of(name: str) -> str:
    """The architecture of a model, of one that is not here as its name says; "sketch" if that says nothing."""
    row = rows().get(name)
    stem = name.split(".")[0]
    return row.architecture if row else stem if stem in ARCHITECTURES else "sketch"


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
    return build(row.architecture, json.loads(config.read_text()), load_file(weights))


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
    local = WEIGHTS / row.name / file
    if local.exists() and sha256_of(local) == sha256:
        return local
    fetched = _fetch(row, file)
    if sha256_of(fetched) != sha256:
        raise WeightsUnavailable(f"the weights of {row.name} on the Hub are not the ones in the catalogue")
    return fetched


def _fetch(row: Row, file: str) -> Path:
    if not row.repo:
        raise WeightsUnavailable(f"the weights of {row.name} are not here")
    try:
        return Path(hf_hub_download(row.repo, file, revision=row.commit))
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        raise WeightsUnavailable(f"the weights of {row.name} could not be fetched from the Hub") from error
