"""Train the sketch network: `python -m train.sketch --data FOLDER`. The same command resumes a run that was stopped."""

import argparse
import json
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from tqdm import tqdm

from isneaker.languages import LANGUAGES
from isneaker.nets.discriminators import FeatureDiscriminator, PatchDiscriminator
from isneaker.nets.style import StyleEncoder, to_sphere
from isneaker.nets.unet import SketchUNet
from train import losses
from train.data import Sneakers
from train.features import CHANNELS, Features
from train.loop import SamplesFrom, hardware, load_checkpoint, log_stats, save_checkpoint, update_ema
from train.snapshot import SampleSheet, export


@dataclass(frozen=True)
class Config:
    data: str = "../shared/sneakers"  # folder with photos/, edges/ and metadata.csv
    out: str = "runs/sketch"
    kimg: float = 60  # thousands of pictures to train on
    batch_size: int = 8  # half pairs, half codes of other photos
    seed: int = 0

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

    snapshot_kimg: float = 2
    workers: int = 1

    def architecture(self) -> dict[str, int]:
        """The arguments of `SketchModel` that the run decides."""
        return {"ngf": self.ngf, "nef": self.nef, "z_dim": self.z_dim}


class Networks:
    """All that is trained, with its optimizers."""

    def __init__(self, config: Config, device: torch.device):
        with torch.random.fork_rng(devices=[]):  # modules start from the global generator, and only they
            torch.manual_seed(config.seed)
            self._build(config)
        for net in (self.G, self.E, self.D, self.G_ema, self.E_ema):
            net.to(device, memory_format=torch.channels_last)
        self.features = Features().to(device, torch.bfloat16)
        style = [
            p
            for name, p in self.G.named_parameters()
            if name.startswith(("mapping.", "palette.")) or ".affine." in name
        ]
        rest = [p for p in self.G.parameters() if all(p is not q for q in style)] + [*self.E.parameters()]
        self.G_params = [*rest, *style]
        groups = [{"params": rest, "scale": 1.0}, {"params": style, "scale": config.style_lr_scale}]
        self.G_opt = torch.optim.Adam(groups, config.G_lr, betas=(0.8, 0.99), fused=True)
        self.D_opt = torch.optim.Adam(self.D.parameters(), config.D_lr, betas=(0.5, 0.99), fused=True)

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


def train_step(nets: Networks, batch: dict, config: Config, nimg: int) -> dict[str, float]:
    """One step of generator and discriminators on one batch -> its losses."""
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + nimg)
    b, view = load_batch(batch, next(nets.G.parameters()).device), View(generator)
    ramp = (nimg / 1000 - config.adversary_from) / (config.adversary_full - config.adversary_from)
    ramp = min(1.0, max(0.0, ramp))
    paired, fidelity = b["paired"], b["fidelity"]
    everyone = torch.ones_like(paired)
    alike = paired * (0.2 + 0.8 * fidelity**2)  # how far pixels should equal the target's

    with torch.autocast(b["ink"].device.type, torch.bfloat16):
        z = _exchange(nets.E(b["style"]).float())
        noise = torch.randn(z.shape, generator=generator).to(z.device)
        z = to_sphere(z + config.z_noise * noise)
        fake = nets.G(b["ink"], fidelity, z).float()
        z_fake = nets.E(F.avg_pool2d(fake, 4)).float()
        z_real = nets.E(F.avg_pool2d(b["target"], 4)).float()
    fake_maps = nets.features(view(fake).bfloat16())
    with torch.no_grad():
        real_maps = nets.features(view(b["target"]).bfloat16())

    # Generator
    nets.D.requires_grad_(False)
    with torch.autocast(b["ink"].device.type, torch.bfloat16):
        patches = nets.D["patches"](view.crop(fake), view.crop(b["ink"]), fidelity)
        heads = nets.D[view.kind](fake_maps[1:], b["language"])
    terms = {
        "L1": config.lambda_L1 * losses.l1(fake, b["target"], alike),
        "chroma": config.lambda_chroma * losses.chroma_error(fake, b["target"], alike),
        "features": config.lambda_features
        * losses.feature_distance(fake_maps, real_maps, paired * (0.5 + 0.5 * fidelity)),
        "code": config.lambda_code * (losses.contrast(z_fake, z, everyone) + losses.contrast(z_real, z, paired)),
        "patches": ramp * config.lambda_patches * losses.generator_hinge(patches, everyone),
        "heads": ramp * config.lambda_heads * sum(losses.generator_hinge(h, everyone) for h in heads) / len(heads),
    }
    nets.G_opt.zero_grad()
    sum(terms.values()).backward()
    grad_norm = nn.utils.clip_grad_norm_(nets.G_params, 1.0)
    nets.G_opt.step()

    # Discriminators
    nets.D.requires_grad_(True)
    with torch.autocast(b["ink"].device.type, torch.bfloat16):
        patches_fake = nets.D["patches"](view.crop(fake.detach()), view.crop(b["ink"]), fidelity)
        patches_real = nets.D["patches"](view.crop(b["target"]), view.crop(b["ink"]), fidelity)
        heads_fake = nets.D[view.kind]([m.detach() for m in fake_maps[1:]], b["language"])
        heads_real = nets.D[view.kind](real_maps[1:], batch["language"].to(fake.device))
    D_patches = losses.discriminator_hinge(patches_real, patches_fake, everyone)
    D_heads = [losses.discriminator_hinge(r, f, everyone) for r, f in zip(heads_real, heads_fake)]
    nets.D_opt.zero_grad()
    (D_patches + sum(D_heads)).backward()
    nets.D_opt.step()

    decay = 0.5 ** (len(fidelity) / (1000 * min(config.ema_kimg, nimg / 10_000 + 0.01)))
    update_ema(nets.G_ema, nets.G, decay)
    update_ema(nets.E_ema, nets.E, decay)
    stats = {k: v.item() for k, v in terms.items()}
    return stats | {"D_patches": D_patches.item(), "D_heads": sum(D_heads).item() / len(D_heads),
                    "grad_norm": grad_norm.item(), "contrast": fake.std().item() / b["target"].std().item()}  # fmt: skip


def learning_rate(config: Config, nimg: int) -> float:
    """Share of the full rate: 1, then linearly to 0."""
    left = 1 - nimg / (config.kimg * 1000)
    return min(1.0, max(0.0, left / (1 - config.decay_from)))


def train(config: Config) -> None:
    """Train until `config.kimg`, going on where the run in `config.out` stopped."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    cache = out.parent / "cache" / Path(config.data).name
    dataset = Sneakers(Path(config.data), cache, "train", config.seed)
    sheet = SampleSheet(Sneakers(Path(config.data), cache, "validation", config.seed), dataset)
    nets = Networks(config, device)
    nimg, seconds = load_checkpoint(out / "checkpoint.safetensors", nets.parts())
    if nimg == 0:
        start_codes(nets, dataset, device)

    stop, every = int(config.kimg * 1000), int(config.snapshot_kimg * 1000)
    loader = DataLoader(SamplesFrom(dataset, nimg, stop), config.batch_size, drop_last=True, num_workers=config.workers)
    sums: dict[str, float] = {}
    since = time.monotonic()
    with tqdm(total=stop, initial=nimg, unit="img", smoothing=0.02, mininterval=10) as bar:
        for batch in loader:
            for group in nets.G_opt.param_groups:
                group["lr"] = config.G_lr * learning_rate(config, nimg) * group["scale"]
            nets.D_opt.param_groups[0]["lr"] = config.D_lr * learning_rate(config, nimg)
            for key, value in (train_step(nets, batch, config, nimg) | {"steps": 1}).items():
                sums[key] = sums.get(key, 0) + value
            nimg += config.batch_size
            bar.update(config.batch_size)
            if nimg % every >= config.batch_size and nimg + config.batch_size <= stop:
                continue
            steps, seconds, since = sums.pop("steps"), seconds + time.monotonic() - since, time.monotonic()
            stats, sums = {key: value / steps for key, value in sums.items()}, {}
            bar.set_postfix_str(" ".join(f"{k} {v:.3g}" for k, v in stats.items()))
            log_stats(out / "stats.jsonl", kimg=nimg / 1000, seconds=seconds, **stats)
            save_checkpoint(out / "checkpoint.safetensors", nets.parts(), nimg, seconds)
            sheet.draw(nets.G_ema, nets.E_ema).save(out / "samples.png")
            export(out, config.architecture(), nets.G_ema, nets.E_ema, dataset)
            described = asdict(config) | {
                "data": cache.name,
                "out": out.name,
                "kimg_seen": nimg / 1000,
                "hours": round(seconds / 3600, 2),
                "device": hardware(),
            }
            (out / "train_config.json").write_text(json.dumps(described, indent=2) + "\n")


def start_codes(nets: Networks, dataset: Sneakers, device: torch.device) -> None:
    """Let the style encoder start from codes that tell photos apart."""
    styles = torch.stack([dataset[n]["style"] for n in range(min(256, len(dataset)))])
    nets.E.whiten(styles.to(device) / 127.5 - 1)
    nets.E_ema.load_state_dict(nets.E.state_dict())


def parse_args() -> Config:
    """The command line: one option for each line of `Config`."""
    parser = argparse.ArgumentParser(description=__doc__)
    for field in fields(Config):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=field.type, default=field.default)
    return Config(**vars(parser.parse_args()))


if __name__ == "__main__":
    train(parse_args())
