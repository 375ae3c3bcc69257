"""Train the sketch network on any pairs of pictures: `python -m train.sketch --pairs FOLDER [--direction back]`.

Maps to satellite tiles, labels to facades, or `--pairs procedural`. The same command resumes a run that was stopped.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from isneaker.images import to_picture
from isneaker.nets.discriminators import PatchDiscriminator
from isneaker.nets.style import STYLE_HEIGHT, STYLE_WIDTH, CodeBank, StyleEncoder, to_sphere
from isneaker.nets.translate import TranslateModel
from isneaker.nets.unet import SketchUNet
from isneaker.translate import reduce_picture
from train import losses, procedural_maps
from train.cache import DataError
from train.data import draw_sample
from train.features import Features
from train.loop import RunConfig, Training, ema_decay, late_decay, run, update_ema
from train.pair_folders import MARGIN, cached_pairs
from train.snapshot import save_model

DIRECTIONS = {"forth": False, "AtoB": False, "back": True, "BtoA": True}  # AtoB as pix2pix calls it
CODES, EXAMPLES = 1_000, 4  # of the training pictures, that the model keeps; of the held-out ones
COLUMNS = 6  # of the sample sheet


@dataclass(frozen=True)
class Config(RunConfig):
    data: str = field(default="", init=False)  # for the model card: what `pairs` is called
    pairs: str = "procedural"  # a folder in a layout of pix2pix, or map tiles that are drawn
    direction: str = "forth"  # left to right, A to B; or back
    out: str = "runs/pairs"
    kimg: float = 30
    batch_size: int = 4  # many steps count more here than calm ones; pix2pix took one picture a step
    size: int = 256  # at most size x size pixels a picture; 256 at most, so that a source fits into a link's token
    mirror: float = 0.5  # share of the pairs that are mirrored; 0 where left is not right

    ngf: int = 48  # 3.3 M parameters, a quarter of the multiply-adds of sketch.v1; a multiple of 48
    nef: int = 24
    ndf: int = 48
    z_dim: int = 8  # what is to be chosen by seed: season, tone, material
    z_noise: float = 0.15  # keeps neighbouring codes alike, so that drawn codes are safe

    G_lr: float = 6e-4
    D_lr: float = 3e-4
    decay_from: float = 0.6  # of the run; then linearly to zero
    ema_kimg: float = 1  # half-life of the average
    lambda_L1: float = 20
    lambda_chroma: float = 100
    lambda_features: float = 2
    lambda_patches: float = 0.6
    adversary_from: float = 1  # kimg without adversary
    adversary_full: float = 4  # kimg at which it has its full weight

    def __post_init__(self):
        if self.direction not in DIRECTIONS:
            raise DataError(f"the direction is {' or '.join(DIRECTIONS)}, not {self.direction}")
        if not 64 <= self.size <= 256:
            raise DataError(f"the size is 64 to 256, not {self.size}")
        object.__setattr__(self, "data", f"{Path(self.pairs).name} pairs")


class Pairs(Dataset):
    """Endless crops of pairs; number n is the same one in every run with the same seed."""

    def __init__(self, cache: Path, held_out: bool, seed: int, mirror: float):
        self.sources, self.targets = (np.load(cache / f"{name}.npy", mmap_mode="r") for name in ("sources", "targets"))
        self.index = np.flatnonzero(np.load(cache / "usable.npy") & (np.load(cache / "held_out.npy") == held_out))
        if not len(self.index):
            raise DataError(
                f"there are no readable pairs {'held out' if held_out else 'to train on'}; two are the least"
            )
        self.seed, self.mirror = seed, mirror
        self.room = self.sources.shape[1:3]
        self.height, self.width = (side * MARGIN // (MARGIN + 1) for side in self.room)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, n: int) -> dict[str, torch.Tensor]:
        """Sample n -> source and target, [3,H,W] uint8."""
        i, rng = draw_sample(self.index, self.seed, n)
        top, left = (int(rng.integers(r - s + 1)) for r, s in zip(self.room, (self.height, self.width)))
        return self._crop(i, top, left, rng.random() < self.mirror)

    def middle(self, n: int) -> dict[str, torch.Tensor]:
        """The middle of pair n, around and around, as in `__getitem__`."""
        top, left = (self.room[0] - self.height) // 2, (self.room[1] - self.width) // 2
        return self._crop(self.index[n % len(self.index)], top, left, False)

    def _crop(self, i: int, top: int, left: int, mirrored: bool) -> dict[str, torch.Tensor]:
        place = slice(top, top + self.height), slice(left, left + self.width)
        both = [array[i][place][:, :: -1 if mirrored else 1] for array in (self.sources, self.targets)]
        return {k: torch.from_numpy(a.copy()).permute(2, 0, 1) for k, a in zip(("source", "target"), both)}


def small(photo: torch.Tensor) -> torch.Tensor:
    """Pictures [N,3,H,W] at the size that the style encoder looks at."""
    return F.adaptive_avg_pool2d(photo, (STYLE_HEIGHT, STYLE_WIDTH))


class PairsTraining(Training):
    """Generator, style encoder of the targets, and a critic of patches. All losses are means over samples of what each
    sample gives alone, so that any number of processes trains alike."""

    architecture = "translate"

    architecture = "translate"

    def __init__(self, config: Config, data: Path, caches: Path, device: torch.device):
        drawn = config.pairs == "procedural"
        folder = procedural_maps.dataset(caches / "procedural-maps") if drawn else Path(config.pairs)
        super().__init__(replace(config, pairs=folder.name), folder, caches, device)  # train_config.json tells no paths
        cache = cached_pairs(folder, caches, DIRECTIONS[config.direction], config.size)
        self.dataset, self.held_out = (Pairs(cache, part, config.seed, config.mirror) for part in (False, True))
        with torch.random.fork_rng(devices=[]):  # modules start from the global generator, and only they
            torch.manual_seed(config.seed)
            self.G, self.G_ema = (SketchUNet(config.ngf, config.z_dim, in_channels=3) for _ in range(2))
            self.E, self.E_ema = (StyleEncoder(config.nef, config.z_dim) for _ in range(2))
            self.D = PatchDiscriminator(config.ndf, in_channels=3)
        self.G_ema.load_state_dict(self.G.state_dict())
        for net in (self.G, self.E, self.D, self.G_ema, self.E_ema):
            net.to(device, memory_format=torch.channels_last)
        self.features = Features().to(device)
        self.clip = [*self.G.parameters(), *self.E.parameters()]
        G_opt = torch.optim.Adam([{"params": self.clip, "initial_lr": config.G_lr}], betas=(0.8, 0.99), fused=True)
        critic = [{"params": [*self.D.parameters()], "initial_lr": config.D_lr}]
        self.optimizers = [G_opt, torch.optim.Adam(critic, betas=(0.5, 0.99), fused=True)]

    def parts(self) -> dict:
        nets = {name: getattr(self, name) for name in ("G", "E", "D", "G_ema", "E_ema")}
        return nets | dict(zip(("G_opt", "D_opt"), self.optimizers))

    def start(self) -> None:
        """Let the style encoder start from codes that tell pictures apart."""
        targets = torch.stack([self.dataset[n]["target"] for n in range(256)])
        self.E.whiten(small(targets.to(self.device) / 127.5 - 1))
        self.E_ema.load_state_dict(self.E.state_dict())

    def rate(self, nimg: int) -> float:
        """1, then linearly to 0."""
        return late_decay(nimg, self.config.kimg, self.config.decay_from)

    def step(self, batch: dict, nimg: int, first: int) -> dict[str, float]:
        """Generator and encoder, then the critic."""
        config = self.config
        source, target = 1 - batch["source"].to(self.device) / 255, batch["target"].to(self.device) / 127.5 - 1
        source, target = (x.contiguous(memory_format=torch.channels_last) for x in (source, target))
        ones = source.new_ones(len(source))
        ramp = (nimg / 1000 - config.adversary_from) / (config.adversary_full - config.adversary_from)
        ramp = min(1.0, max(0.0, ramp))

        # Generator
        with self.autocast():
            z = to_sphere(self.E(small(target)) + config.z_noise * self._noise(first, len(source)))
            fake = self.G(source, ones, z).float()
        fake_maps = self.features(fake)
        with torch.no_grad():
            real_maps = self.features(target)
        self.D.requires_grad_(False)
        with self.autocast():
            patches = self.D(fake, source, ones)
        terms = {
            "L1": config.lambda_L1 * losses.l1(fake, target, ones),
            "chroma": config.lambda_chroma * losses.chroma_error(fake, target, ones),
            "features": config.lambda_features * losses.feature_distance(fake_maps, real_maps, ones),
            "patches": ramp * config.lambda_patches * losses.generator_hinge(patches, ones),
        }
        sum(terms.values()).backward()

        # Critic
        self.D.requires_grad_(True)
        with self.autocast():
            D_loss = losses.discriminator_hinge(self.D(target, source, ones), self.D(fake.detach(), source, ones), ones)
        D_loss.backward()
        return {k: v.item() for k, v in terms.items()} | {"D_patches": D_loss.item()}

    def _noise(self, first: int, count: int) -> torch.Tensor:
        """Noise [count,z_dim] of the samples from number `first` on, whoever computes them."""
        generators = [torch.Generator().manual_seed(self.config.seed * 1_000_003 + first + i) for i in range(count)]
        return torch.stack([torch.randn(self.config.z_dim, generator=g) for g in generators]).to(self.device)

    def follow(self, stats: dict[str, float], nimg: int) -> None:
        decay = ema_decay(self.config.batch_size, nimg, self.config.ema_kimg)
        update_ema(self.G_ema, self.G, decay)
        update_ema(self.E_ema, self.E, decay)

    # --- the result ---

    def snapshot(self, out: Path, nimg: int) -> None:
        config = {
            "ngf": self.config.ngf, "z_dim": self.config.z_dim, "width": self.dataset.width,
            "height": self.dataset.height, "num_codes": min(CODES, len(self.dataset)),
            "num_examples": min(EXAMPLES, len(self.held_out)),
        }  # fmt: skip
        model = TranslateModel(**config)
        model.unet.load_state_dict(self.G_ema.state_dict())
        codes = self._codes(config["num_codes"])
        model.styles = CodeBank.of(codes, torch.zeros(len(codes), dtype=torch.int8))
        self._add_examples(model)
        save_model(out, config, model)
        draw_sheet(model, self.held_out).save(out / "samples.png")

    @torch.no_grad()
    def _codes(self, count: int) -> torch.Tensor:
        """The codes [count,z_dim] of training pictures, from all over the folder."""
        places = np.linspace(0, len(self.dataset) - 1, count).astype(int)
        codes = []
        for part in np.array_split(places, max(1, count // 32)):
            targets = torch.stack([self.dataset.middle(int(n))["target"] for n in part]).to(self.device)
            codes.append(self.E_ema(small(targets / 127.5 - 1)).cpu())
        return torch.cat(codes)

    def _add_examples(self, model: TranslateModel) -> None:
        for k in range(len(model.examples)):
            pixels = self.held_out.middle(k * len(self.held_out) // len(model.examples))["source"].permute(1, 2, 0)
            source = reduce_picture(Image.fromarray(pixels.numpy()), model.size)
            model.examples[k] = torch.tensor(list(source.pixels), dtype=torch.uint8).reshape(model.size[::-1])
            for c, colour in enumerate(source.palette):
                model.palettes[k, c] = torch.tensor([colour >> 16, colour >> 8 & 255, colour & 255])


@torch.no_grad()
def draw_sheet(model: nn.Module, held_out: Pairs) -> Image.Image:
    """Held-out sources, their translations by two seeds, and the targets, below one another; twice."""
    width, height = model.size
    sheet = Image.new("RGB", (COLUMNS * width, 8 * height), "white")
    for n in range(2 * COLUMNS):
        sample = held_out.middle(n)
        source = 1 - sample["source"][None] / 255
        pictures = [
            1 - 2 * source[0],
            *(model(source, seed)[0] for seed in (2 * n, 2 * n + 1)),
            sample["target"] / 127.5 - 1,
        ]
        for row, picture in enumerate(pictures):
            sheet.paste(to_picture(picture), (n % COLUMNS * width, (n // COLUMNS * 4 + row) * height))
    return sheet


def train(config: Config) -> None:
    """Train until `config.kimg`, going on where the run in `config.out` stopped."""
    run(PairsTraining, config)
