"""Train the cut-out network: `python -m train.cutout --data FOLDER`; the same command resumes a run.

It learns from composites (`train.scenes`), so it needs nothing but the photos on white that all else is trained on.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from isneaker.nets.cutout import CutoutModel
from isneaker.poses import shadow_of
from train.data import Sneakers
from train.loop import hardware, load_checkpoint, log_stats, save_checkpoint, update_ema
from train.scenes import scene


@dataclass
class Config:
    """What a run depends on."""

    data: str = "../shared/sneakers"
    cache: str = "runs/cache/sneakers"
    out: str = "runs/cutout"
    kimg: float = 12  # composites, in thousands: ten minutes on two busy cores
    batch_size: int = 16
    lr: float = 1e-3  # falls to zero as a half cosine
    ngf: int = 48  # 1.1 M parameters: 2.2 MB in fp16
    num_axes: int = 24  # of the silhouettes
    ema_decay: float = 0.995
    regular: float = 0.9  # share of the photos, by silhouette: the others' outlines lost a sole or kept a floor
    seed: int = 0
    workers: int = 1


class Scenes(Dataset):
    """Endless composites; number n is the same one in every run with the same seed."""

    def __init__(self, sneakers: Sneakers, chosen: np.ndarray, seed: int):
        self.sneakers, self.chosen, self.seed = sneakers, chosen, seed

    def __len__(self) -> int:
        return 1 << 40

    def __getitem__(self, n: int) -> tuple[torch.Tensor, torch.Tensor]:
        """-> photo [3,144,192] uint8, mask [1,144,192] bool."""
        rng = np.random.default_rng((self.seed, n))
        i = self.chosen[rng.integers(len(self.chosen))]
        picture, mask = scene(np.array(self.sneakers.photos[i]), self.sneakers.lines[i].outline, rng, "train")
        return torch.from_numpy(picture).permute(2, 0, 1), torch.from_numpy(mask)[None]


def shadows_of(sneakers: Sneakers) -> torch.Tensor:
    """Silhouettes of all photos of the split on the grid of cells: [N,48,64] in [0, 1]."""
    return torch.from_numpy(np.stack([shadow_of(sneakers.lines[i].outline) for i in sneakers.index]))


def loss_of(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Cross-entropy and soft Dice (arXiv 1606.04797) of logits [N,1,H,W] against masks."""
    mask, p = mask.float(), torch.sigmoid(logits)
    dice = 1 - (2 * (p * mask).sum((1, 2, 3)) + 50) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 50)
    return F.binary_cross_entropy_with_logits(logits, mask) + dice.mean()


def train(config: Config) -> None:
    """Run or resume; writes the layout of a model's folder to `config.out`."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    sneakers = Sneakers(Path(config.data), Path(config.cache))
    model, ema = (CutoutModel(config.ngf, config.num_axes) for _ in range(2))
    chosen = fit_silhouettes(ema, sneakers, config.regular)
    ema.net.load_state_dict(model.net.state_dict())
    optimizer = torch.optim.AdamW(model.net.parameters(), config.lr, weight_decay=1e-4)
    parts = {"net": model.net, "ema": ema.net, "optimizer": optimizer}
    nimg, seconds = load_checkpoint(out / "checkpoint.safetensors", parts)
    total = int(config.kimg * 1000)
    numbers = range(nimg, total)
    loader = DataLoader(
        Scenes(sneakers, chosen, config.seed),
        config.batch_size,
        sampler=numbers,
        num_workers=config.workers,
        drop_last=True,
    )
    start = time.time() - seconds
    for picture, mask in loader:
        lr = config.lr * min(1, nimg / 500) * (1 + np.cos(np.pi * nimg / total)) / 2
        for group in optimizer.param_groups:
            group["lr"] = lr
        loss = loss_of(model.net(picture / 127.5 - 1), mask)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.net.parameters(), 1)
        optimizer.step()
        update_ema(ema.net, model.net, min(config.ema_decay, nimg / (nimg + 500)))
        nimg += len(picture)
        if nimg % (config.batch_size * 20) == 0:
            log_stats(out / "stats.jsonl", kimg=nimg / 1000, loss=loss.item(), minutes=(time.time() - start) / 60)
        if nimg % (config.batch_size * 200) == 0:
            save_checkpoint(out / "checkpoint.safetensors", parts, nimg, time.time() - start)
            export(out, config, ema, nimg, time.time() - start)
    save_checkpoint(out / "checkpoint.safetensors", parts, nimg, time.time() - start)
    export(out, config, ema, nimg, time.time() - start)


@torch.no_grad()
def fit_silhouettes(model: CutoutModel, sneakers: Sneakers, regular: float) -> np.ndarray:
    """Fit the model's silhouettes to the most regular photos -> the numbers of those photos."""
    shadows = shadows_of(sneakers)
    kept = torch.ones(len(shadows), dtype=bool)
    for _ in range(2):  # without the odd ones it sees more clearly which are odd
        model.silhouettes.fit(shadows[kept])
        misfits = model.silhouettes.misfit(shadows)
        kept = misfits <= misfits.quantile(regular)
    return sneakers.index[kept.numpy()]


def export(out: Path, config: Config, model: CutoutModel, nimg: int, seconds: float) -> None:
    """Write `config.json`, `train_config.json` and `model.safetensors` (fp16)."""
    tensors = {k: v.half().contiguous() for k, v in model.state_dict().items()}
    save_file(tensors, out / "model.safetensors")
    (out / "config.json").write_text(json.dumps({"ngf": config.ngf, "num_axes": config.num_axes}, indent=2) + "\n")
    about = {"kimg_seen": nimg / 1000, "hours": round(seconds / 3600, 2), "device": hardware()}
    (out / "train_config.json").write_text(json.dumps(asdict(config) | about, indent=2) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for field in fields(Config):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    train(Config(**vars(parser.parse_args())))
