"""The diffusion pipeline: fetched, loaded and run in one thread of its own, one picture at a time.

That thread, and the threads that torch starts for it, are the last to get the processor (on Linux): strokes are answered
while the studio works.
"""

import gc
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from importlib.util import find_spec
from inspect import signature
from pathlib import Path

import psutil
import torch
from PIL import Image

from isneaker.studio import files
from isneaker.studio.files import Part, Tell
from isneaker.studio.setup import Setup, StudioUnavailable

NICE = 10  # of 0 to 19: how far the studio stands back behind the fast tabs
GPU_SECONDS = 10  # that a ZeroGPU host reserves: moving 2.6 GB there, and at most eight steps or four tiles
ROOM = 1.5e9  # bytes beyond the weights that a run needs
NEEDED = {"prompt", "image", "strength", "num_inference_steps", "generator", "callback_on_step_end"}
GUESS = {"cuda": 2, "cpu": 15}  # seconds; SD-Turbo's network alone takes 5.5 a step on one core with AVX-512
WORDS = {"cuda": "on this GPU", "cpu": "on these CPU cores"}


@dataclass(frozen=True)
class Job:
    """One picture to repaint: strength, 0.05..1, in so many steps, from noise of this seed. control: white lines on black,
    and how much they count, 0 to 1, for a ControlNet."""

    picture: Image.Image
    prompt: str
    strength: float
    steps: int
    seed: int
    control: Image.Image
    guided: float = 0


def device() -> str:
    """Where the pipeline runs."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def parts_of(setup: Setup) -> list[Part]:
    """All that a set-up needs here, the pipeline first. Raises StudioUnavailable."""
    return _checked(setup)[0]


def repaint(setup: Setup, jobs: list[Job], tell: Tell) -> list[Image.Image]:
    """Jobs -> pictures of the same sizes. Raises StudioUnavailable, and what `tell` raises; `tell` is called from the
    studio's thread."""
    return thread.submit(copy_context().run, _repaint, setup, jobs, tell).result()


def expected() -> str:
    """How long a picture takes, for people: what the last one took, else a rough guess."""
    seconds = _took.get(device()) or GUESS[device()]
    return f"{'' if _took else 'roughly '}{max(1, round(seconds))} s {WORDS[device()]}"


def forget() -> None:
    """Give the pipeline's memory back."""
    _loaded.clear()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


# --- in the studio's thread ---


def _stand_back() -> None:
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


thread = ThreadPoolExecutor(1, "studio", _stand_back)  # one picture at a time
_loaded: dict[Setup, object] = {}  # at most one
_took: dict[str, float] = {}  # seconds of the last picture, by device


def _repaint(setup: Setup, jobs: list[Job], tell: Tell) -> list[Image.Image]:
    try:
        if setup not in _loaded:
            pipe = load(setup, tell, torch.float16 if device() == "cuda" else torch.float32)
            _loaded.clear()
            _loaded[setup] = pipe
        start = time.monotonic()
        pictures = _on_gpu(setup, jobs) if find_spec("spaces") else _run(setup, jobs, tell)
        _took[device()] = (time.monotonic() - start) / len(jobs)
        return pictures
    except (MemoryError, RuntimeError) as error:  # torch says "out of memory" and "can't allocate memory"
        if isinstance(error, StudioUnavailable) or not (isinstance(error, MemoryError) or "memory" in str(error)):
            raise
        forget()
        raise StudioUnavailable("there is not enough memory here for a studio finish") from None


@torch.inference_mode()
def _run(setup: Setup, jobs: list[Job], tell: Tell) -> list[Image.Image]:
    pipe = _loaded[setup].to(device())
    total, done, pictures = sum(job.steps for job in jobs), 0, []
    for job in jobs:

        def after_step(pipe, i: int, t, given: dict, done=done) -> dict:
            tell((done + i + 1) / total, f"Step {done + i + 1} of {total}")
            return given

        tell(done / total, f"Step {done} of {total}")
        pictures.append(
            pipe(**arguments(pipe, job), callback_on_step_end=after_step).images[0].resize(job.picture.size)
        )
        done += job.steps
    return pictures


def _run_silently(setup: Setup, jobs: list[Job]) -> list[Image.Image]:
    """In a process of ZeroGPU's, where `tell` can't be taken along."""
    return _run(setup, jobs, lambda done, of: None)


def _zero_gpu(function: Callable) -> Callable:
    """On a ZeroGPU Space, run a function where the GPU is."""
    if not find_spec("spaces"):
        return function
    import spaces

    return spaces.GPU(duration=GPU_SECONDS)(function)


_on_gpu = _zero_gpu(_run_silently)


def arguments(pipe, job: Job) -> dict:
    """A job as the pipeline wants it. Of `num_inference_steps` it takes the share `strength`: the steps are asked for
    so that `job.steps` are taken."""
    percent = round(job.strength * 100)
    given = {
        "prompt": job.prompt, "image": job.picture, "strength": min(1.0, percent / 100 + 1e-6),
        "num_inference_steps": -(-100 * job.steps // percent), "guidance_scale": 0.0,
        "generator": torch.Generator().manual_seed(job.seed),
    }  # fmt: skip
    accepted = signature(pipe.__call__).parameters
    if "control_image" in accepted:
        given |= {"control_image": job.control, "controlnet_conditioning_scale": float(job.guided)}
    if "height" in accepted:
        given |= {"width": job.picture.width, "height": job.picture.height}
    return given


# --- loading ---


def _quiet() -> None:
    """Keep diffusers' and transformers' own bars and advice out of the log."""
    from diffusers.utils import logging as diffusers_log
    from transformers.utils import logging as transformers_log

    for log in (diffusers_log, transformers_log):
        log.disable_progress_bar()
        log.set_verbosity_error()


def _checked(setup: Setup) -> tuple[list[Part], type]:
    """What of a set-up is needed, and the pipeline's class. Raises StudioUnavailable, before any weights are fetched."""
    decoder = setup.decoder if device() == "cpu" else None
    pipeline, index = files.pipeline(setup.model, without="vae" if decoder else "")
    others = [files.network(pin) for pin in (decoder, setup.control) if pin]
    return [pipeline, *others, *([files.lora(setup.lora)] if setup.lora else [])], index["_class_name"]


def load(setup: Setup, tell: Tell, dtype: torch.dtype):
    """The image-to-image pipeline of a set-up, fetched where it is not here yet; on the CPU still. Raises
    StudioUnavailable, and what `tell` raises."""
    tell(0, "Starting the studio")
    parts, kind = _checked(setup)
    _check_kind(setup, kind)
    _check_memory(parts)
    files.fetch(parts, tell)
    tell(0, f"Loading {setup.model.repo}")
    try:
        return _assemble(setup, parts[0], dtype)
    except Exception as error:  # whatever a stranger's repository makes diffusers raise
        if isinstance(error, StudioUnavailable | MemoryError) or "memory" in str(error):
            raise
        reason = " ".join(str(error).split())[:200]
        raise StudioUnavailable(f"{setup.model} could not be loaded: {reason}") from error


def _assemble(setup: Setup, pipeline: Part, dtype: torch.dtype):
    from diffusers import AutoencoderTiny, AutoPipelineForImage2Image, ControlNetModel

    how = {"dtype": dtype, "use_safetensors": True, "local_files_only": True}
    given = how | ({"variant": "fp16"} if pipeline.half else {})
    if setup.decoder and device() == "cpu":
        given["vae"] = AutoencoderTiny.from_pretrained(files.snapshot(setup.decoder), **how)
    if setup.control:
        given["controlnet"] = ControlNetModel.from_pretrained(files.snapshot(setup.control), **how)
    pipe = AutoPipelineForImage2Image.from_pretrained(files.snapshot(setup.model), **given)
    if setup.lora:
        _apply(pipe, setup)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _apply(pipe, setup: Setup) -> None:
    """Add a LoRA to the weights themselves, so that it costs no time."""
    (file,) = files.lora(setup.lora).files
    pipe.load_lora_weights(files.snapshot(setup.lora), weight_name=file, use_safetensors=True, local_files_only=True)
    if not pipe.get_list_adapters():
        raise StudioUnavailable(f"{setup.lora} is no LoRA for {setup.model}")
    pipe.fuse_lora()
    pipe.unload_lora_weights()


def _check_kind(setup: Setup, kind: str) -> None:
    """Raises StudioUnavailable where diffusers has no image-to-image form of a pipeline that we can run and stop."""
    _quiet()
    from diffusers.pipelines.auto_pipeline import AUTO_IMAGE2IMAGE_PIPELINES_MAPPING, _get_task_class

    form = _get_task_class(AUTO_IMAGE2IMAGE_PIPELINES_MAPPING, kind, throw_error_if_not_exist=False)
    if form is None or not NEEDED <= signature(form.__call__).parameters.keys():
        raise StudioUnavailable(f"{setup.model} is a {kind}, which does not repaint pictures")


def _check_memory(parts: list[Part]) -> None:
    """Raises StudioUnavailable where loading would end the whole app."""
    widened = 2 if device() == "cpu" else 1  # half precision on the Hub, fp32 here
    needed = ROOM + sum(part.weights() * (widened if part.half else 1) for part in parts)
    if needed > free_memory():
        sizes = f"{needed / 1e9:.1f} GB are needed, {free_memory() / 1e9:.1f} GB are free"
        raise StudioUnavailable(f"there is not enough memory here for a studio finish: {sizes}")


def free_memory() -> float:
    """Bytes that this process may still take: the machine's, or its container's if that has fewer."""
    free, group = psutil.virtual_memory().available, Path("/sys/fs/cgroup")
    limit = (group / "memory.max").read_text().strip() if (group / "memory.max").exists() else "max"
    if limit == "max":
        return free
    cached = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())["file"]
    return min(free, int(limit) - int((group / "memory.current").read_text()) + int(cached))
