"""The loop around every training job's steps: resume, batches, averaging over processes, snapshots, the log.

A job says what it trains (`Training`); `run` does the rest, on the CPU, one GPU, several, or several machines
(`accelerate launch -m train.sketch ...`). A killed run goes on from its last snapshot as if nothing had happened.
"""

import argparse
import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.tracking import is_tensorboard_available, is_trackio_available
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler
from tqdm import tqdm

from train.cache import DataError
from train.checkpoint import Part, load_checkpoint, save_checkpoint
from train.data import locate
from train.publish import PublishError, publish
from train.publish import check as check_rights


@dataclass(frozen=True)
class RunConfig:
    """What every run depends on."""

    data: str = "../shared/sneakers"  # folder with photos/, edges/ and metadata.csv; or "procedural"
    out: str = "runs/run"
    kimg: float = 60  # thousands of pictures to train on
    batch_size: int = 8  # pictures a step, over all processes
    accumulation: int = 1  # parts of a step that follow one another, where memory is short
    seed: int = 0
    snapshot_kimg: float = 2  # a kill loses at most this
    workers: int = 1
    mixed_precision: str = "bf16"  # or "no"
    push_to: str = ""  # USER/REPO on the Hub for the result


class Training(ABC):
    """A model being trained: its networks, data, losses and results."""

    architecture: str  # as the catalogue names it
    dataset: Dataset  # endless: sample n is the same in every run
    optimizers: list[torch.optim.Optimizer]  # their groups hold the full rate as "initial_lr"
    clip: list[nn.Parameter] = []  # parameters whose gradient is kept to norm 1 (the first optimizer's)

    def __init__(self, config: RunConfig, data: Path, caches: Path, device: torch.device):
        self.config, self.device = config, device

    @abstractmethod
    def parts(self) -> dict[str, Part]:
        """What a checkpoint keeps, by name."""

    def start(self) -> None:
        """Before the first step of a fresh run."""

    @abstractmethod
    def rate(self, nimg: int) -> float:
        """Share of the full learning rate after nimg pictures."""

    @abstractmethod
    def step(self, batch: dict, nimg: int, first: int) -> dict[str, float]:
        """Add one part's gradients to all parameters -> its losses. The part's samples begin at number `first`."""

    @abstractmethod
    def follow(self, stats: dict[str, float], nimg: int) -> None:
        """After the optimizers' step: moving averages and whatever else goes by `stats`, the whole batch's losses."""

    def measure(self) -> dict[str, float]:
        """How good the result is at a snapshot, for the log."""
        return {}

    @abstractmethod
    def snapshot(self, out: Path, nimg: int) -> None:
        """Write samples.png and the result, config.json and model.safetensors."""

    def autocast(self) -> torch.autocast:
        """For the networks' forward passes."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.mixed_precision == "bf16")


class Shares(Sampler):
    """The numbers of the samples that one process takes of each step from `start` to `stop`, part after part."""

    def __init__(self, start: int, stop: int, batch_size: int, parts: int, rank: int, processes: int):
        self.starts = range(start, stop - batch_size + 1, batch_size)
        self.size = batch_size // (parts * processes)
        self.parts = range(rank * parts, (rank + 1) * parts)

    def __iter__(self) -> Iterator[range]:
        for start in self.starts:
            for part in self.parts:
                yield range(start + part * self.size, start + (part + 1) * self.size)

    def __len__(self) -> int:
        return len(self.starts) * len(self.parts)


def run(kind: type[Training], config: RunConfig) -> None:
    """Train until `config.kimg`, going on where the run in `config.out` stopped. Raises DataError, PublishError."""
    accelerator = Accelerator(log_with=trackers() or None, project_dir=config.out)
    check(config, accelerator.num_processes)
    out, batch_size = Path(config.out), config.batch_size
    out.mkdir(parents=True, exist_ok=True)
    with accelerator.main_process_first():  # which prepares the data
        caches = out.parent / "cache"
        training = kind(config, locate(config.data, caches), caches, accelerator.device)
    nimg, seconds = load_checkpoint(out / "checkpoint.safetensors", training.parts())
    if nimg == 0:
        training.start()
    main, rank, processes = accelerator.is_main_process, accelerator.process_index, accelerator.num_processes
    if main:
        forget_stats(out / "stats.jsonl", nimg / 1000)
        accelerator.init_trackers(out.name, asdict(config))

    # Samples
    stop, every = int(config.kimg * 1000), int(config.snapshot_kimg * 1000)
    shares = Shares(nimg, stop, batch_size, config.accumulation, rank, processes)
    batches = zip(shares, DataLoader(training.dataset, batch_sampler=shares, num_workers=config.workers))
    sums: dict[str, float] = {}
    since = time.monotonic()
    bar = tqdm(total=stop, initial=nimg, unit="img", smoothing=0.02, mininterval=10, disable=not main)
    for _ in shares.starts:
        # One step
        share = training.rate(nimg)
        stats: dict[str, float] = {}
        for part, batch in (next(batches) for _ in range(config.accumulation)):
            for key, value in training.step(batch, nimg, part[0]).items():
                stats[key] = stats.get(key, 0) + value / config.accumulation
        stats = average_stats(accelerator, stats)
        for optimizer in training.optimizers:
            average_gradients(accelerator, optimizer, config.accumulation)
        if training.clip:
            stats["grad_norm"] = nn.utils.clip_grad_norm_(training.clip, 1.0).item()
        for optimizer in training.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * share
            optimizer.step()
            optimizer.zero_grad()
        nimg += batch_size
        training.follow(stats, nimg - batch_size)
        for key, value in (stats | {"steps": 1}).items():
            sums[key] = sums.get(key, 0) + value
        bar.update(batch_size)

        # Snapshot
        if nimg % every >= batch_size and nimg + batch_size <= stop:
            continue
        steps, seconds, since = sums.pop("steps"), seconds + time.monotonic() - since, time.monotonic()
        stats, sums = {key: value / steps for key, value in sums.items()}, {}
        bar.set_postfix_str(" ".join(f"{k} {v:.3g}" for k, v in stats.items()))
        if main:
            stats |= training.measure()
            log_stats(out / "stats.jsonl", kimg=nimg / 1000, seconds=seconds, **stats)
            save_checkpoint(out / "checkpoint.safetensors", training.parts(), nimg, seconds)
            write_result(training, out, nimg, seconds, processes)
        accelerator.log(stats, step=nimg)
        accelerator.wait_for_everyone()
    bar.close()
    if main and pictures_in(out) != nimg:  # killed between the last checkpoint and its result
        write_result(training, out, nimg, seconds, processes)
    accelerator.end_training()
    if main and config.push_to:
        print(json.dumps(publish(out, config.push_to), indent=2))


def check(config: RunConfig, processes: int) -> None:
    """Raises DataError where a batch does not divide, PublishError where the result can't be pushed."""
    parts = config.accumulation * processes
    if config.batch_size % parts:
        raise DataError(f"a batch of {config.batch_size} does not divide into {parts} parts")
    if config.push_to:
        check_rights(config.push_to)


def write_result(training: Training, out: Path, nimg: int, seconds: float, processes: int) -> None:
    """Write the snapshot and the `train_config.json` that describes it."""
    training.snapshot(out, nimg)
    described = {"architecture": training.architecture} | asdict(training.config) | {
        "data": Path(training.config.data).name, "out": out.name, "kimg_seen": nimg / 1000,
        "hours": round(seconds / 3600, 2), "device": hardware(), "processes": processes,
    }  # fmt: skip
    (out / "train_config.json").write_text(json.dumps(described, indent=2) + "\n")


def pictures_in(out: Path) -> int:
    """How many pictures the result in a run's folder has seen."""
    path = out / "train_config.json"
    return round(json.loads(path.read_text())["kimg_seen"] * 1000) if path.exists() else 0


# --- several processes ---


def average_gradients(accelerator: Accelerator, optimizer: torch.optim.Optimizer, parts: int) -> None:
    """Make the gradients that `parts` backward passes summed up in each process the mean over all of them."""
    grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    if not grads or parts * accelerator.num_processes == 1:
        return
    flat = torch.cat([grad.flatten() for grad in grads]) / parts
    flat = accelerator.reduce(flat, "mean")
    for grad, mean in zip(grads, flat.split([grad.numel() for grad in grads])):
        grad.copy_(mean.view_as(grad))


def average_stats(accelerator: Accelerator, stats: dict[str, float]) -> dict[str, float]:
    """The mean over all processes."""
    if accelerator.num_processes == 1:
        return stats
    values = torch.tensor(list(stats.values()), device=accelerator.device)
    return dict(zip(stats, accelerator.reduce(values, "mean").tolist()))


@torch.no_grad()
def update_ema(ema: nn.Module, net: nn.Module, decay: float) -> None:
    """ema <- decay * ema + (1 - decay) * net."""
    for a, b in zip(ema.parameters(), net.parameters()):
        a.lerp_(b, 1 - decay)


def ema_decay(pictures: int, nimg: int, ema_kimg: float) -> float:
    """The decay whose half-life is `ema_kimg` thousand pictures, less at the start, for a step of `pictures`."""
    return 0.5 ** (pictures / (1000 * min(ema_kimg, nimg / 10_000 + 0.01)))


def late_decay(nimg: int, kimg: float, decay_from: float) -> float:
    """Share of the full learning rate: 1, and from the share `decay_from` of the run on linearly to 0."""
    return min(1.0, max(0.0, (1 - nimg / (kimg * 1000)) / (1 - decay_from)))


# --- the log ---


def log_stats(path: Path, **stats: float) -> None:
    """Append one line to `stats.jsonl`."""
    with open(path, "a") as file:
        file.write(json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in stats.items()}) + "\n")


def forget_stats(path: Path, kimg: float) -> None:
    """Drop the lines of `stats.jsonl` that come after the checkpoint from which a run goes on."""
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if line.endswith("\n") and json.loads(line)["kimg"] <= kimg))


def trackers() -> list[str]:
    """Of the trackers that `accelerate` knows, the first of Trackio and TensorBoard that is installed."""
    installed = {"trackio": is_trackio_available(), "tensorboard": is_tensorboard_available()}
    return [name for name, there in installed.items() if there][:1]


def hardware() -> str:
    """What this runs on, for model cards."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{torch.get_num_threads()} CPU cores ({torch.backends.cpu.get_cpu_capability()})"


# --- the command line ---


def main(kind: type[Training], config: type[RunConfig], doc: str) -> None:
    """A training command: one option for each line of its `Config`; wrong data is one line and exit status 2."""
    parser = argparse.ArgumentParser(description=doc)
    for field in (field for field in fields(config) if field.init):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=field.type, default=field.default)
    try:
        run(kind, config(**vars(parser.parse_args())))
    except (DataError, PublishError, OSError) as error:
        sys.exit(_complain(error))


def _complain(error: Exception) -> int:
    print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
    return 2
