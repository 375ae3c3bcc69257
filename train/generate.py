"""Train the generate model: `python -m train.generate --data FOLDER`. The same command resumes a run that was stopped.

Three stages in one run. First the synthesis network is a decoder: an encoder reads w from a photo, and the photo is to
come back (L1, colours, frozen features). That supervision is strong enough for a CPU. Then the critics fade in, on the
photos that came back and on sneakers that do not exist: crossings of the batch's w, layer by layer and in between.
The picture grows from 128x96 to 512x384. At last w, the thumbnail and the shape layers stay what they are, and details
are learnt: what w has no room for, read by an encoder of its own; without the critics first, and small.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from isneaker.languages import LANGUAGES
from isneaker.nets.details import COLUMNS, READ_WIDTH, DetailEncoder, pack, quantise
from isneaker.nets.discriminators import FeatureDiscriminator, PhotoDiscriminator
from isneaker.nets.encoder import ENCODED_WIDTH, PhotoEncoder
from isneaker.nets.generate import GenerateModel, WBank, tops_of
from isneaker.nets.stylegan2 import BARE, Synthesis
from isneaker.nets.thumbnail import WIDTH
from train import losses
from train.augment import Controller, disturb
from train.data import Photos
from train.evaluate.metrics import kernel_distance
from train.features import CHANNELS, Features
from train.loop import RunConfig, Training, ema_decay, late_decay, main, run, update_ema
from train.snapshot import PhotoSheet, assemble, encode_photos, export

ANY = len(LANGUAGES)  # the critics' label of a sample whose language was dropped


@dataclass(frozen=True)
class Config(RunConfig):
    out: str = "runs/generate"
    subset: str = ""  # a file of file names, to fine-tune on a curated choice of photos

    w_dim: int = 256  # bytes of a sneaker in a link
    ngf: int = 40  # 4.2 G multiply-adds, 7.7 M parameters
    nef: int = 48
    ndf: int = 64
    kimg_128: float = 16  # from here on at 256x192
    kimg_256: float = 24  # from here on at 512x384
    kimg_512: float = 38  # from here on details are learnt, without the critics, at 128x96
    kimg_details: float = 54  # from here on with them, at 512x384
    w_noise: float = 0.1  # of w's deviation: keeps neighbours alike, so that drawn w are safe
    crossings: float = 0.25  # of the batch has no photo behind it, once the critics are there
    drop_language: float = 0.3
    measured: int = 256  # pictures at a snapshot, for the curve of realism; 0 for none
    drop_details: float = 0.25  # of the samples: a code without details is a sneaker too

    G_lr: float = 1e-3
    G_lr_late: float = 3e-4  # of the rest, beside the details
    E_lr_scale: float = 0.3  # wide sums: full steps would throw w about
    D_lr: float = 3e-4
    warm_up: float = 1  # kimg
    decay_from: float = 0.7  # of the stages up to `kimg_512`, and of the last one; then linearly to zero
    ema_kimg: float = 3  # half-life of the average
    lambda_thumbnail: float = 20
    lambda_L1: float = 20
    lambda_chroma: float = 100
    lambda_features: float = 3
    lambda_pooled: float = 5
    lambda_w: float = 0.02  # keeps w near mean square 1
    lambda_levels: float = 1
    lambda_outline: float = 10  # keeps crossings to what their w says, cell by cell of the details
    lambda_patches: float = 0.5
    lambda_heads: float = 0.5
    r1_gamma: float = 1
    r1_interval: int = 16  # steps
    ada_target: float = 0.6
    ada_kimg: float = 100
    adversary_from: float = 8
    adversary_full: float = 16

    def architecture(self) -> dict[str, int]:
        """The arguments of `GenerateModel` that the run decides."""
        return {"w_dim": self.w_dim, "ngf": self.ngf, "nef": self.nef}

    def width(self, nimg: int) -> int:
        """Of the pictures at this point of the run."""
        ends = [(self.kimg_128, 128), (self.kimg_256, 256), (self.kimg_512, 512), (self.kimg_details, 128)]
        return next((width for kimg, width in ends if nimg < kimg * 1000), 512)


class View:
    """What one step looks at: pictures up to 256 wide whole, larger ones halved or as a crop."""

    def __init__(self, width: int, generator: torch.Generator):
        self.crops = width == 512 and bool(torch.randint(2, (), generator=generator))
        self.halves = width == 512 and not self.crops
        self.x = 4 * int(torch.randint(65, (), generator=generator))
        self.y = 48 + 4 * int(torch.randint(37, (), generator=generator))  # where the shoe is

    def __call__(self, photo: torch.Tensor) -> torch.Tensor:
        if self.crops:
            return photo[:, :, self.y : self.y + 192, self.x : self.x + 256]
        return F.avg_pool2d(photo, 2) if self.halves else photo


def resize(photo: torch.Tensor, width: int) -> torch.Tensor:
    """Photos [N,3,H,W] -> [N,3,3/4 width,width] for a width that divides W."""
    return F.avg_pool2d(photo, photo.shape[3] // width) if photo.shape[3] > width else photo


def imagine(
    w: torch.Tensor, details: torch.Tensor, count: int, num_ws: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """w [N,w_dim] and details [N,4,12,16] of the batch's photos -> ws [N,num_ws,w_dim] and details in which the last
    `count` are crossings: a point between two of them, the details of one at the heel and of the other at the toe, and,
    half of them, from a random layer on a third (style mixing)."""
    ws, crossed = w[:, None].expand(-1, num_ws, -1).clone(), list(details)
    for n in range(len(w) - count, len(w)):
        a, b, c = (int(i) for i in torch.randint(len(w), (3,), generator=generator))
        share = float(torch.rand((), generator=generator))
        layer = int(torch.randint(3, 2 * num_ws - 3, (), generator=generator))
        ws[n] = w[a] + share * (w[b] - w[a])
        ws[n, layer:] = w[c]
        heel = torch.arange(COLUMNS, device=w.device) < COLUMNS * (1 - share)
        crossed[n] = torch.where(heel, details[a], details[b])
    return ws, torch.stack(crossed)


def cells(photo: torch.Tensor) -> torch.Tensor:
    """Photos [N,3,H,W] -> the mean colour of each cell of the details, [N,3,12,16]."""
    return F.avg_pool2d(photo, photo.shape[3] // COLUMNS)


class GenerateTraining(Training):
    """Synthesis, photo encoder and critics."""

    architecture = "generate"

    def __init__(self, config: Config, data: Path, caches: Path, device: torch.device):
        super().__init__(config, data, caches, device)
        self.dataset = Photos(data, caches, "train", config.seed, config.subset)
        self.held_out = Photos(data, caches, "validation", config.seed)
        self.sheet = PhotoSheet(self.held_out)
        with torch.random.fork_rng(devices=[]):  # modules start from the global generator, and only they
            torch.manual_seed(config.seed)
            self._build(config)
        for net in (self.G, self.E, self.R, self.D, self.G_ema, self.E_ema, self.R_ema):
            net.to(device, memory_format=torch.channels_last)
        self.features = Features().to(device, torch.bfloat16)
        self.E.linear.requires_grad_(False)  # the principal components stay what they are
        E_params = [p for p in self.E.parameters() if p.requires_grad] + [*self.G.thumbnail.linear.parameters()]
        on_top = [p for part in (self.G.thumbnail.read, self.G.thumbnail.shape, self.G.thumbnail.around,
                                 self.G.thumbnail.add, self.G.details) for p in part.parameters()]  # fmt: skip
        others = {id(p) for p in (*on_top, *self.G.thumbnail.linear.parameters())}
        G_params = [p for p in self.G.parameters() if id(p) not in others]
        groups = [
            {"params": G_params, "initial_lr": config.G_lr},
            {"params": E_params, "initial_lr": config.G_lr * config.E_lr_scale},
            {"params": [*on_top, *self.R.parameters()], "initial_lr": config.G_lr},
        ]
        self.clip = [p for group in groups for p in group["params"]]
        self.G_opt = torch.optim.Adam(groups, betas=(0.8, 0.99), fused=True)
        critics = [{"params": [*self.D.parameters()], "initial_lr": config.D_lr}]
        self.D_opt = torch.optim.Adam(critics, betas=(0.5, 0.99), fused=True)
        self.optimizers = [self.G_opt, self.D_opt]

    def _build(self, config: Config) -> None:
        self.G, self.G_ema = (Synthesis(config.w_dim, config.ngf) for _ in range(2))
        self.E, self.E_ema = (PhotoEncoder(config.w_dim, config.nef) for _ in range(2))
        self.R, self.R_ema = (DetailEncoder(config.nef) for _ in range(2))  # it reads the details
        self.D = nn.ModuleDict({
            "patches": PhotoDiscriminator(config.ndf),
            "heads": FeatureDiscriminator(CHANNELS[1:], len(LANGUAGES) + 1, config.ndf),
        })  # fmt: skip
        self.ada = Controller(config.ada_target, config.ada_kimg)
        self._average_from_here()

    def _average_from_here(self) -> None:
        for ema, net in self._averages():
            ema.load_state_dict(net.state_dict())

    def _averages(self) -> list[tuple[nn.Module, nn.Module]]:
        return [(self.G_ema, self.G), (self.E_ema, self.E), (self.R_ema, self.R)]

    def parts(self) -> dict:
        names = ("G", "E", "R", "D", "G_ema", "E_ema", "R_ema", "ada", "G_opt", "D_opt")
        return {name: getattr(self, name) for name in names}

    def start(self) -> None:
        """Let w start as the principal components of the photos, and the thumbnail as what they say."""
        photos = self._photos(2048, ENCODED_WIDTH).to(self.device)
        self.E.start(photos)
        self.G.thumbnail.fit(self.E(photos), resize(photos, WIDTH))
        if self.config.kimg_512 <= 0:
            self._start_details()
        self._average_from_here()

    @torch.no_grad()
    def _start_details(self) -> None:
        """Let the thumbnail be as near as it gets to w, which stays what it is, and details start as what both miss."""
        self.E.load_state_dict(self.E_ema.state_dict())
        photos = self._photos(4096, ENCODED_WIDTH).to(self.device)
        for net in (self.G, self.G_ema):
            net.thumbnail.fit(self.E_ema(photos), resize(photos, WIDTH))
        photos = self._photos(512, READ_WIDTH).to(self.device)
        w = self.E_ema(resize(photos, ENCODED_WIDTH))
        thumbnails = self.G_ema.thumbnail.colours(w)
        parts = [self.G_ema(part[:, None].expand(-1, self.G.num_ws, -1), None, READ_WIDTH) for part in w.split(16)]
        self.R.start(photos, thumbnails, torch.cat(parts))
        self.R_ema.load_state_dict(self.R.state_dict())

    def _photos(self, count: int, width: int) -> torch.Tensor:
        """The first photos, [N,3,3/4 width,width] in [-1, 1]."""
        numbers = range(min(count, len(self.dataset)))
        return torch.cat([resize(self.dataset[n]["photo"][None] / 127.5 - 1, width) for n in numbers])

    def rate(self, nimg: int) -> float:
        """Linearly up to 1, and at the end linearly to 0; once more for the details."""
        config = self.config
        detailing = nimg >= config.kimg_512 * 1000
        start, end = (config.kimg_512, config.kimg) if detailing else (0, min(config.kimg, config.kimg_512))
        warm = (nimg - 1000 * start + config.batch_size) / (1000 * config.warm_up)
        return min(warm, late_decay(nimg - 1000 * start, end - start, config.decay_from))

    def _choose(self, nimg: int) -> None:
        """Which parameters this stage trains, and how fast."""
        detailing = nimg >= self.config.kimg_512 * 1000
        for net in (self.E.convs, self.E.narrow, self.E.to_w, self.G.thumbnail.linear, *self.G.shape_layers()):
            net.requires_grad_(not detailing)
        for net in (self.G.details, self.R):
            net.requires_grad_(detailing)
        self.G_opt.param_groups[0]["initial_lr"] = self.config.G_lr_late if detailing else self.config.G_lr

    def step(self, batch: dict, nimg: int, first: int) -> dict[str, float]:
        """Encoder and synthesis, then the critics."""
        config = self.config
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + first)
        width, detailing = config.width(nimg), nimg >= config.kimg_512 * 1000
        alone = detailing and nimg < config.kimg_details * 1000
        self._choose(nimg)
        view = View(width, generator)
        photo = batch["photo"].to(self.device).contiguous(memory_format=torch.channels_last) / 127.5 - 1
        ramp = (nimg / 1000 - config.adversary_from) / (config.adversary_full - config.adversary_from)
        ramp = 0.0 if alone else min(1.0, max(0.0, ramp))
        count = round(len(photo) * config.crossings) if ramp > 0 else 0
        paired = (torch.arange(len(photo), device=self.device) < len(photo) - count).float()
        everyone = torch.ones_like(paired)
        dropped = torch.rand(len(photo), generator=generator) < config.drop_language
        language = torch.where(dropped, ANY, batch["language"]).to(self.device)
        fake_language = torch.where(paired.bool(), language, ANY)
        target = resize(photo, width)

        with self.autocast():
            w = self.E(resize(photo, ENCODED_WIDTH)).float()
            noise = config.w_noise * torch.randn(w.shape, generator=generator).to(self.device)
            thumbnail = self.G.thumbnail.colours(w)
            read = self.R(resize(photo, READ_WIDTH), thumbnail.detach())
            ws, details = imagine(w + noise, quantise(read), count, self.G.num_ws, generator)
            plain = torch.rand(len(photo), generator=generator).to(self.device) < config.drop_details * (not alone)
            fake = self.G(ws, details * ~plain[:, None, None, None] if detailing else None, width).float()
            said = self._said(ws) if count else None
        seen_fake, seen_real = disturb(self.ada.p.item(), generator, view(fake), view(target))
        fake_maps = self.features(seen_fake.bfloat16())
        pooled_fake = self.features.pool(fake_maps)
        with torch.no_grad():
            real_maps = self.features(seen_real.bfloat16())
            pooled_real = self.features.pool(real_maps)

        # Encoder and synthesis
        self.D.requires_grad_(False)
        with self.autocast():
            patches = self.D["patches"](seen_fake) if ramp else seen_fake.new_zeros(len(photo), 1)
            heads = self.D["heads"](fake_maps[1:], fake_language) if ramp else [seen_fake.new_zeros(len(photo), 1)]
        terms = {
            "thumbnail": config.lambda_thumbnail * F.mse_loss(thumbnail, resize(photo, WIDTH)),
            "L1": config.lambda_L1 * losses.l1(fake, target, paired),
            "chroma": config.lambda_chroma * losses.chroma_error(fake, target, paired),
            "features": config.lambda_features * losses.feature_distance(fake_maps, real_maps, paired),
            "pooled": config.lambda_pooled * losses.pooled_distance(pooled_fake, pooled_real, paired),
            "w": config.lambda_w * w.square().mean(),
            "levels": config.lambda_levels * losses.unused_levels(read),
            "outline": config.lambda_outline * losses.l1(cells(fake), said, 1 - paired) if count else w.new_zeros(()),
            "patches": ramp * config.lambda_patches * losses.generator_logistic(patches, everyone),
            "heads": ramp
            * config.lambda_heads
            * sum(losses.generator_logistic(h, everyone) for h in heads)
            / len(heads),
        }
        sum(terms.values()).backward()

        # Critics
        critics = self._critic_step(nimg, (seen_fake.detach(), fake_maps, fake_language),
                                    (seen_real.detach(), real_maps, language)) if ramp else {}  # fmt: skip
        return {k: v.item() for k, v in terms.items()} | critics | {
            "contrast": fake.std().item() / target.std().item(), "w_std": w.std().item(),
        }  # fmt: skip

    @torch.no_grad()
    def _said(self, ws: torch.Tensor) -> torch.Tensor:
        """ws [N,num_ws,w_dim] -> the colour of each cell, [N,3,12,16], as ws have it without details, and white where their shape
        by itself leaves bare ground."""
        shape = self.G(ws[:, :1].expand_as(ws), None, 64).float()
        bare = (1 - cells(shape)).amax(1, keepdim=True) < BARE
        return torch.where(bare, 1.0, cells(self.G(ws, None, 64).float()))

    def _critic_step(self, nimg: int, fakes: tuple, reals: tuple) -> dict[str, float]:
        """The critics on pictures, their feature maps and languages; R1 every few steps."""
        fake, fake_maps, fake_language = fakes
        real, real_maps, language = reals
        config = self.config
        self.D.requires_grad_(True)
        everyone = torch.ones(len(fake), device=fake.device)
        with self.autocast():
            patches_fake, patches_real = self.D["patches"](fake), self.D["patches"](real)
            heads_fake = self.D["heads"]([m.detach() for m in fake_maps[1:]], fake_language)
            heads_real = self.D["heads"](real_maps[1:], language)
        D_patches = losses.discriminator_logistic(patches_real, patches_fake, everyone)
        D_heads = sum(losses.discriminator_logistic(r, f, everyone) for r, f in zip(heads_real, heads_fake))
        r1 = torch.zeros(())
        if nimg // config.batch_size % config.r1_interval == 0:
            real = real.requires_grad_(True)
            r1 = losses.r1_penalty(self.D["patches"](real), real)
        (D_patches + D_heads + r1 * (config.r1_gamma / 2 * config.r1_interval / patches_real[0].numel())).backward()
        signs = torch.stack([r.detach().float().sign().mean() for r in (patches_real, *heads_real)])
        return {
            "D_patches": D_patches.item(), "D_heads": D_heads.item() / len(heads_real), "r1": r1.item(),
            "r_t": signs.mean().item(), "ada_p": self.ada.p.item(),
        }  # fmt: skip

    def follow(self, stats: dict[str, float], nimg: int) -> None:
        """The moving averages, and ADA's next p."""
        decay = ema_decay(self.config.batch_size, nimg, self.config.ema_kimg)
        for ema, net in self._averages():
            update_ema(ema, net, decay)
        if nimg < self.config.kimg_512 * 1000 <= nimg + self.config.batch_size:
            self._start_details()
        if "r_t" in stats:
            self.ada.update(stats["r_t"], self.config.batch_size)

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """Kernel distance x1000 of `measured` drawn sneakers, psi 1, to as many held-out photos."""
        count = self.config.measured
        if not count:
            return {}
        model = self._model(every=max(1, len(self.dataset) // 1000))
        draws = [model.bank.draw(seed, {}) for seed in range(count)]
        fakes = (model(draws[n : n + 8]) for n in range(0, count, 8))
        reals = self.held_out.photos[self.held_out.index[:count]]
        reals = (
            torch.from_numpy(part).permute(0, 3, 1, 2) / 127.5 - 1
            for part in np.array_split(reals, max(1, len(reals) // 8))
        )
        pooled = [
            torch.cat([self.features.pooled(part.to(self.device).bfloat16()).double().cpu() for part in parts])
            for parts in (fakes, reals)
        ]
        return {"kernel_distance_x1000": kernel_distance(*(features.numpy() for features in pooled))}

    def snapshot(self, out: Path, nimg: int) -> None:
        self.sheet.draw(self.G_ema, self.E_ema, self.R_ema, self.config.width(nimg - 1)).save(out / "samples.png")
        export(out, self.config.architecture(), self._model())

    def _model(self, every: int = 1) -> GenerateModel:
        """The averages as the app has them, with every so-manieth photo in the bank."""
        w, languages = encode_photos(self._w, self.device, self.dataset, every)
        said, _ = encode_photos(self._details, self.device, self.dataset, every)
        tops, _ = encode_photos(tops_of, self.device, self.dataset, every)
        bank = WBank.of(w, languages, pack(quantise(said)), tops)
        networks = {"synthesis": self.G_ema, "encoder": self.E_ema, "detail_encoder": self.R_ema}
        return assemble(GenerateModel, self.config.architecture(), bank, **networks)

    def _w(self, photos: torch.Tensor) -> torch.Tensor:
        """Photos [N,3,384,512] -> their w."""
        return self.E_ema(resize(photos, ENCODED_WIDTH))

    def _details(self, photos: torch.Tensor) -> torch.Tensor:
        """Photos [N,3,384,512] -> their details before `quantise`."""
        return self.R_ema(resize(photos, READ_WIDTH), self.G_ema.thumbnail.colours(self._w(photos)))


def train(config: Config) -> None:
    """Train until `config.kimg`, going on where the run in `config.out` stopped."""
    run(GenerateTraining, config)


if __name__ == "__main__":
    main(GenerateTraining, Config, __doc__)
