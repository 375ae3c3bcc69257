"""Which models make a studio finish: Hub repositories at full commits, the default or the maker's own."""

import hashlib
import os
from dataclasses import astuple, dataclass
from functools import cache

import torch

from isneaker.catalogue import PIN, WeightsUnavailable


class StudioUnavailable(WeightsUnavailable):
    """A studio finish can't be had now; the message is fit for a visitor."""


@dataclass(frozen=True)
class Pin:
    """A repository on the Hub at a full commit (40 hex digits)."""

    repo: str
    commit: str

    def __str__(self) -> str:
        return f"{self.repo}@{self.commit[:8]}"


@dataclass(frozen=True)
class Setup:
    """The models of a finish.

    model: a few-step diffusers pipeline; decoder: an AutoencoderTiny of the same latents, in its decoder's place on a CPU;
    control: a scribble ControlNet, for designs that follow a drawing; lora: of the maker's own.
    """

    model: Pin
    decoder: Pin | None = None
    control: Pin | None = None
    lora: Pin | None = None

    @property
    def name(self) -> str:
        """What a Design calls it: as long as no pin changes, the same name."""
        digest = hashlib.sha256(repr(astuple(self)).encode()).hexdigest()
        return f"{self.model.repo.split('/')[1][:48].lower()}-{digest[:8]}"


# Adversarial diffusion distillation (arXiv 2311.17042) of Stable Diffusion 2.1: one to four steps, no guidance.
SD_TURBO = Pin("stabilityai/sd-turbo", "b261bac6fd2cf515557d5d0707481eafa0485ec2")
TAESD = Pin("madebyollin/taesd", "614f76814bbe30edbe2e627ace1c2234c81a2c0e")
LICENCES = {SD_TURBO: "Stability AI's, see stability.ai/license", TAESD: "mit"}  # where a model card names none


@cache
def configured() -> Setup:
    """The set-up of this process. Raises StudioUnavailable where an environment variable is no pin."""
    own = {part: _pin(f"ISNEAKER_STUDIO_{part.upper()}") for part in ("model", "decoder", "control", "lora")}
    if own["model"] is None:
        own |= {"model": SD_TURBO, "decoder": own["decoder"] or TAESD}
    return Setup(**own)


def offered() -> bool:
    """Whether the page offers a finish: ISNEAKER_STUDIO says 1 or 0; unset, where there is a GPU."""
    wish = os.environ.get("ISNEAKER_STUDIO")
    return wish == "1" if wish in ("0", "1") else torch.cuda.is_available()


def _pin(variable: str) -> Pin | None:
    text = os.environ.get(variable, "").strip()
    found = PIN.fullmatch(text)
    if text and not found:
        raise StudioUnavailable(
            f"{variable} must be USER/REPO@COMMIT with all 40 digits of the commit, not {text[:80]!r}"
        )
    return Pin(*found.groups()) if found else None
