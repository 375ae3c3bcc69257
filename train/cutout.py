"""Train the cut-out network: `python -m train.cutout --data FOLDER`; the same command resumes a run.

It learns from composites (`train.scenes`), so it needs nothing but the photos on white that all else is trained on.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import Dataset

from isneaker.nets.cutout import CutoutModel
from isneaker.poses import shadow_of
from train.data import Sneakers
from train.loop import RunConfig, Training, main, run, update_ema
from train.scenes import scene
from train.snapshot import CutoutSheet, save_model


@dataclass(frozen=True)
class Config(RunConfig):
    out: str = "runs/cutout"
    kimg: float = 12  # thousands of composites: ten minutes on two busy cores
    batch_size: int = 16
    mixed_precision: str = "no"

    lr: float = 1e-3  # falls to zero as a half cosine
    ngf: int = 48  # 1.1 M parameters: 2.2 MB in fp16
    num_axes: int = 24  # of the silhouettes
    ema_decay: float = 0.995
    regular: float = 0.9  # share of the photos, by silhouette: the others' outlines lost a sole or kept a floor

    def architecture(self) -> dict[str, int]:
        """The arguments of `CutoutModel`."""
        return {"ngf": self.ngf, "num_axes": self.num_axes}


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


class CutoutTraining(Training):
    """The network on composites; the silhouettes are fitted at once."""

    architecture = "cutout"

    def __init__(self, config: Config, data: Path, caches: Path, device: torch.device):
        super().__init__(config, data, caches, device)
        sneakers = Sneakers(data, caches)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.model, self.ema = (CutoutModel(**config.architecture()).to(device) for _ in range(2))
        self.dataset = Scenes(sneakers, fit_silhouettes(self.ema, sneakers, config.regular), config.seed)
        self.ema.net.load_state_dict(self.model.net.state_dict())
        self.clip = [*self.model.net.parameters()]
        groups = [{"params": self.clip, "initial_lr": config.lr}]
        self.optimizers = [torch.optim.AdamW(groups, weight_decay=1e-4)]

    def parts(self) -> dict:
        return {"net": self.model.net, "ema": self.ema.net, "optimizer": self.optimizers[0]}

    def rate(self, nimg: int) -> float:
        """Linearly up to 1 over 500 pictures, and as a half cosine to 0."""
        return min(1, nimg / 500) * (1 + math.cos(math.pi * nimg / (1000 * self.config.kimg))) / 2

    def step(self, batch: list[torch.Tensor], nimg: int, first: int) -> dict[str, float]:
        picture, mask = (x.to(self.device) for x in batch)
        with self.autocast():
            logits = self.model.net(picture / 127.5 - 1)
        loss = loss_of(logits.float(), mask)
        loss.backward()
        return {"loss": loss.item()}

    def follow(self, stats: dict[str, float], nimg: int) -> None:
        update_ema(self.ema.net, self.model.net, min(self.config.ema_decay, nimg / (nimg + 500)))

    def snapshot(self, out: Path, nimg: int) -> None:
        """The result, and the first training scenes beside what is found in them."""
        save_model(out, self.config.architecture(), self.ema)
        CutoutSheet(self.dataset).draw(self.ema.net).save(out / "samples.png")


def train(config: Config) -> None:
    """Train until `config.kimg`, going on where the run in `config.out` stopped."""
    run(CutoutTraining, config)


if __name__ == "__main__":
    main(CutoutTraining, Config, __doc__)
