"""Train the sketch network: `python -m train.sketch --data FOLDER`. The same command resumes a run that was stopped.

With `--pairs FOLDER` it is trained on any pairs of pictures instead, as `train/pairs.py` says.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from isneaker.languages import LANGUAGES
from isneaker.nets.discriminators import FeatureDiscriminator, PatchDiscriminator
from isneaker.nets.sketch import SketchModel
from isneaker.nets.style import CodeBank, StyleEncoder, to_sphere
from isneaker.nets.unet import SketchUNet
from train import losses, pairs
from train.data import Sneakers
from train.features import CHANNELS, Features
from train.loop import RunConfig, Training, ema_decay, late_decay, main, run, update_ema
from train.snapshot import SampleSheet, assemble, encode_photos, export


@dataclass(frozen=True)
class Config(RunConfig):
    out: str = "runs/sketch"
    batch_size: int = 8  # half pairs, half codes of other photos

    ngf: int = 96  # 5.0 G multiply-adds at 512x384, 11 M parameters
    nef: int = 48
    ndf: int = 64
    z_dim: int = 64
    z_noise: float = 0.15  # keeps neighbouring codes alike, so that drawn codes are safe

    G_lr: float = 6e-4  # few steps in a CPU's afternoon; a prototype with a tanh output collapsed at 4e-4
    style_lr_scale: float = 2  # mapping, modulations and palette
    D_lr: float = 3e-4
    decay_from: float = 0.65  # of the run; then linearly to zero
    ema_kimg: float = 3  # half-life of the average
    lambda_L1: float = 20  # at 10 the features win and hues come late
    lambda_chroma: float = 400  # of a small number: hues would come last
    lambda_features: float = 2
    lambda_code: float = 0.5  # the code must be readable from the picture: so that it is used
    lambda_patches: float = 0.6  # at 0.25 the 4-pixel blocks of the head stay visible
    lambda_heads: float = 0.25
    adversary_from: float = 3  # kimg without adversary, which goes white early on
    adversary_full: float = 10  # kimg at which it has its full weight

    def architecture(self) -> dict[str, int]:
        """The arguments of `SketchModel` that the run decides."""
        return {"ngf": self.ngf, "nef": self.nef, "z_dim": self.z_dim}


class View:
    """How one step looks at its pictures, at 256x192: the whole at half size, or a crop at full size."""

    def __init__(self, generator: torch.Generator):
        self.kind = ("whole", "crop")[int(torch.randint(2, (), generator=generator))]
        self.x = 4 * int(torch.randint(65, (), generator=generator))
        self.y = 48 + 4 * int(torch.randint(37, (), generator=generator))  # where the shoe is

    def crop(self, photo: torch.Tensor) -> torch.Tensor:
        return photo[:, :, self.y : self.y + 192, self.x : self.x + 256]

    def __call__(self, photo: torch.Tensor) -> torch.Tensor:
        return self.crop(photo) if self.kind == "crop" else F.avg_pool2d(photo, 2)


def load_batch(batch: dict, device: torch.device) -> dict:
    """Uint8 samples of `Sneakers` -> tensors in the networks' ranges, and the weights of the losses."""
    b = {
        k: v.to(device).contiguous(memory_format=torch.channels_last) if v.ndim == 4 else v.to(device)
        for k, v in batch.items()
    }
    b["target"], b["style"] = b["target"] / 127.5 - 1, b["style"] / 127.5 - 1
    b["ink"], b["fidelity"] = b["ink"] / 255, b["fidelity"].float()
    b["paired"] = (torch.arange(len(b["ink"]), device=device) % 2 == 0).float()
    b["language"] = _exchange(b["language"])
    return b


def _exchange(x: torch.Tensor) -> torch.Tensor:
    """Give the odd samples of a batch each other's x."""
    x = x.clone()
    x[1::2] = x[1::2].roll(1, 0)
    return x


class SketchTraining(Training):
    """Generator, style encoder and discriminators."""

    architecture = "sketch"

    def __init__(self, config: Config, data: Path, caches: Path, device: torch.device):
        super().__init__(config, data, caches, device)
        self.dataset = Sneakers(data, caches, "train", config.seed)
        self.sheet = SampleSheet(Sneakers(data, caches, "validation", config.seed), self.dataset)
        with torch.random.fork_rng(devices=[]):  # modules start from the global generator, and only they
            torch.manual_seed(config.seed)
            self._build(config)
        for net in (self.G, self.E, self.D, self.G_ema, self.E_ema):
            net.to(device, memory_format=torch.channels_last)
        self.features = Features().to(device, torch.bfloat16)
        named = [*self.G.named_parameters()]
        style = [p for name, p in named if name.startswith(("mapping.", "palette.")) or ".affine." in name]
        rest = [p for _, p in named if all(p is not q for q in style)] + [*self.E.parameters()]
        groups = [
            {"params": rest, "initial_lr": config.G_lr},
            {"params": style, "initial_lr": config.G_lr * config.style_lr_scale},
        ]
        self.clip = [*rest, *style]
        self.G_opt = torch.optim.Adam(groups, betas=(0.8, 0.99), fused=True)
        critics = [{"params": [*self.D.parameters()], "initial_lr": config.D_lr}]
        self.D_opt = torch.optim.Adam(critics, betas=(0.5, 0.99), fused=True)
        self.optimizers = [self.G_opt, self.D_opt]

    def _build(self, config: Config) -> None:
        self.G = SketchUNet(config.ngf, config.z_dim)
        self.E = StyleEncoder(config.nef, config.z_dim)
        self.D = nn.ModuleDict({
            "patches": PatchDiscriminator(config.ndf),
            "whole": FeatureDiscriminator(CHANNELS[1:], len(LANGUAGES), config.ndf),
            "crop": FeatureDiscriminator(CHANNELS[1:], len(LANGUAGES), config.ndf),
        })  # fmt: skip
        self.G_ema, self.E_ema = SketchUNet(config.ngf, config.z_dim), StyleEncoder(config.nef, config.z_dim)
        self.G_ema.load_state_dict(self.G.state_dict())
        self.E_ema.load_state_dict(self.E.state_dict())

    def parts(self) -> dict:
        return {name: getattr(self, name) for name in ("G", "E", "D", "G_ema", "E_ema", "G_opt", "D_opt")}

    def start(self) -> None:
        """Let the style encoder start from codes that tell photos apart."""
        styles = torch.stack([self.dataset[n]["style"] for n in range(min(256, len(self.dataset)))])
        self.E.whiten(styles.to(self.device) / 127.5 - 1)
        self.E_ema.load_state_dict(self.E.state_dict())

    def rate(self, nimg: int) -> float:
        """1, then linearly to 0."""
        return late_decay(nimg, self.config.kimg, self.config.decay_from)

    def step(self, batch: dict, nimg: int, first: int) -> dict[str, float]:
        """Generator and encoder, then the discriminators."""
        config = self.config
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + first)
        b, view = load_batch(batch, self.device), View(generator)
        ramp = (nimg / 1000 - config.adversary_from) / (config.adversary_full - config.adversary_from)
        ramp = min(1.0, max(0.0, ramp))
        paired, fidelity = b["paired"], b["fidelity"]
        everyone = torch.ones_like(paired)
        alike = paired * (0.2 + 0.8 * fidelity**2)  # how far pixels should equal the target's

        with self.autocast():
            z = _exchange(self.E(b["style"]).float())
            noise = torch.randn(z.shape, generator=generator).to(z.device)
            z = to_sphere(z + config.z_noise * noise)
            fake = self.G(b["ink"], fidelity, z).float()
            z_fake = self.E(F.avg_pool2d(fake, 4)).float()
            z_real = self.E(F.avg_pool2d(b["target"], 4)).float()
        fake_maps = self.features(view(fake).bfloat16())
        with torch.no_grad():
            real_maps = self.features(view(b["target"]).bfloat16())

        # Generator
        self.D.requires_grad_(False)
        with self.autocast():
            patches = self.D["patches"](view.crop(fake), view.crop(b["ink"]), fidelity)
            heads = self.D[view.kind](fake_maps[1:], b["language"])
        terms = {
            "L1": config.lambda_L1 * losses.l1(fake, b["target"], alike),
            "chroma": config.lambda_chroma * losses.chroma_error(fake, b["target"], alike),
            "features": config.lambda_features
            * losses.feature_distance(fake_maps, real_maps, paired * (0.5 + 0.5 * fidelity)),
            "code": config.lambda_code * (losses.contrast(z_fake, z, everyone) + losses.contrast(z_real, z, paired)),
            "patches": ramp * config.lambda_patches * losses.generator_hinge(patches, everyone),
            "heads": ramp * config.lambda_heads * sum(losses.generator_hinge(h, everyone) for h in heads) / len(heads),
        }
        sum(terms.values()).backward()

        # Discriminators
        self.D.requires_grad_(True)
        with self.autocast():
            patches_fake = self.D["patches"](view.crop(fake.detach()), view.crop(b["ink"]), fidelity)
            patches_real = self.D["patches"](view.crop(b["target"]), view.crop(b["ink"]), fidelity)
            heads_fake = self.D[view.kind]([m.detach() for m in fake_maps[1:]], b["language"])
            heads_real = self.D[view.kind](real_maps[1:], batch["language"].to(fake.device))
        D_patches = losses.discriminator_hinge(patches_real, patches_fake, everyone)
        D_heads = [losses.discriminator_hinge(r, f, everyone) for r, f in zip(heads_real, heads_fake)]
        (D_patches + sum(D_heads)).backward()

        stats = {k: v.item() for k, v in terms.items()}
        return stats | {"D_patches": D_patches.item(), "D_heads": sum(D_heads).item() / len(D_heads),
                        "contrast": fake.std().item() / b["target"].std().item()}  # fmt: skip

    def follow(self, stats: dict[str, float], nimg: int) -> None:
        decay = ema_decay(self.config.batch_size, nimg, self.config.ema_kimg)
        update_ema(self.G_ema, self.G, decay)
        update_ema(self.E_ema, self.E, decay)

    def snapshot(self, out: Path, nimg: int) -> None:
        self.sheet.draw(self.G_ema, self.E_ema).save(out / "samples.png")
        bank = CodeBank.of(*encode_photos(self._style, self.device, self.dataset))
        config = self.config.architecture()
        export(out, config, assemble(SketchModel, config, bank, unet=self.G_ema, style=self.E_ema))

    def _style(self, photos: torch.Tensor) -> torch.Tensor:
        """Photos [N,3,384,512] -> their style codes."""
        return self.E_ema(F.avg_pool2d(photos, photos.shape[3] // 128))


def train(config: Config) -> None:
    """Train until `config.kimg`, going on where the run in `config.out` stopped."""
    run(SketchTraining, config)


if __name__ == "__main__":
    if any(argument.split("=")[0] == "--pairs" for argument in sys.argv):
        main(pairs.PairsTraining, pairs.Config, pairs.__doc__)
    else:
        main(SketchTraining, Config, __doc__)
