"""Fine-tune the studio's pipeline on a maker's pictures, as a LoRA (arXiv 2106.09685): `python -m train.studio_lora --data
FOLDER`. The same command resumes a run that was stopped; `--push-to USER/REPO` publishes the result.

What is trained on are the photos and captions composed of their labels and of what is measured on them, in the words
that a finish is asked for with.
"""

import argparse
import json
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from isneaker.images import to_picture
from isneaker.languages import LANGUAGES
from isneaker.studio import engine
from isneaker.studio.engine import Job
from isneaker.studio.prompt import SETTING, describe
from isneaker.studio.setup import Setup, StudioUnavailable, configured
from train.cache import DataError
from train.data import Photos
from train.loop import RunConfig, Training, run
from train.publish import PublishError, check, upload

LAYERS = ["to_q", "to_k", "to_v", "to_out.0"]  # attention, where words meet the picture
SHOWN = 6  # held-out photos on the sample sheet, and what they become

CARD = """---
library_name: diffusers
license: unknown
base_model: {repo}
tags: [lora, image-to-image, sneakers]
---

# {name}

A LoRA for [{repo}](https://huggingface.co/{repo}/tree/{commit}), trained on {kimg_seen} thousand pictures of sneakers in
{hours} hours on {device}. To use it for iSneaker's studio finish: `ISNEAKER_STUDIO_LORA=USER/REPO@COMMIT`.

![Held-out photos and what the finish makes of them](samples.png)

Not affiliated with any brand. Brand names describe visual style; marks and silhouettes belong to their owners. A research
demo.
"""


@dataclass(frozen=True)
class Config(RunConfig):
    out: str = "runs/studio_lora"
    kimg: float = 4  # a few hundred pictures, ten times each
    batch_size: int = 4  # 12 GB at 512x384
    snapshot_kimg: float = 1

    rank: int = 16  # 3 M parameters of SD-Turbo's 866 M
    lr: float = 1e-4
    warm_up: float = 0.1  # kimg


class Adapter(nn.Module):
    """The LoRA's own parameters, which is all of a network that a checkpoint has to keep."""

    def __init__(self, net: nn.Module):
        super().__init__()
        trained = {name.replace(".", "/"): p for name, p in net.named_parameters() if p.requires_grad}
        self.weights = nn.ParameterDict(trained)


class LoraTraining(Training):
    """The pipeline's denoising network with a LoRA; all else is frozen."""

    architecture = "studio-lora"

    def __init__(self, config: Config, data: Path, caches: Path, device: torch.device):
        from peft import LoraConfig

        super().__init__(config, data, caches, device)
        self.dataset = Photos(data, caches, "train", config.seed)
        self.held_out = Photos(data, caches, "validation", config.seed)
        self.setup = Setup(configured().model)
        self.pipe = engine.load(self.setup, _tell, torch.float32).to(device)
        _check_family(self.pipe)
        for net in (self.pipe.unet, self.pipe.vae, self.pipe.text_encoder):
            net.requires_grad_(False)
        with torch.random.fork_rng(devices=[]):  # adapters start from the global generator, and only they
            torch.manual_seed(config.seed)
            self.pipe.unet.add_adapter(LoraConfig(r=config.rank, target_modules=LAYERS, lora_alpha=config.rank))
        self.adapter = Adapter(self.pipe.unet)
        self.clip = [*self.adapter.parameters()]
        self.optimizer = torch.optim.AdamW([{"params": self.clip, "initial_lr": config.lr}], fused=True)
        self.optimizers = [self.optimizer]
        self.schedule = _schedule(self.pipe.scheduler)

    def parts(self) -> dict:
        return {"adapter": self.adapter, "optimizer": self.optimizer}

    def rate(self, nimg: int) -> float:
        """Rises to 1, and stays there."""
        return min(1.0, (nimg + self.config.batch_size) / (1000 * self.config.warm_up))

    def step(self, batch: dict, nimg: int, first: int) -> dict[str, float]:
        """The denoising loss (arXiv 2006.11239, 2202.00512 where the network predicts velocity)."""
        generator = torch.Generator().manual_seed(self.config.seed << 32 | first)
        prompts = [_caption(photo, int(n)) for photo, n in zip(batch["photo"], batch["language"])]
        with torch.no_grad(), self.autocast():
            latents = self._encode(batch["photo"].to(self.device) / 127.5 - 1, generator)  # [N,4,H/8,W/8]
            words = self.pipe.encode_prompt(prompts, self.device, 1, False)[0]
        noise = torch.randn(latents.shape, generator=generator).to(self.device)
        t = torch.randint(self.schedule.config.num_train_timesteps, (len(latents),), generator=generator)
        t = t.to(self.device)
        with self.autocast():
            predicted = self.pipe.unet(self.schedule.add_noise(latents, noise, t), t, words).sample
        velocity = self.schedule.config.prediction_type == "v_prediction"
        target = self.schedule.get_velocity(latents, noise, t) if velocity else noise
        loss = F.mse_loss(predicted.float(), target)
        loss.backward()
        return {"loss": loss.item()}

    def _encode(self, photos: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Photos [N,3,H,W] in [-1, 1] -> latents."""
        spread = self.pipe.vae.encode(photos).latent_dist
        drawn = torch.randn(spread.mean.shape, generator=generator).to(self.device)
        return ((spread.mean + spread.std * drawn) * self.pipe.vae.config.scaling_factor).float()

    def follow(self, stats: dict[str, float], nimg: int) -> None:
        pass

    def snapshot(self, out: Path, nimg: int) -> None:
        """Write samples.png, config.json and model.safetensors, the LoRA in diffusers' format."""
        from peft import get_peft_model_state_dict

        weights = {name: tensor.cpu() for name, tensor in get_peft_model_state_dict(self.pipe.unet).items()}
        self.pipe.save_lora_weights(out, unet_lora_layers=weights, weight_name="model.safetensors")
        base = {"repo": self.setup.model.repo, "commit": self.setup.model.commit, "rank": self.config.rank}
        (out / "config.json").write_text(json.dumps(base, indent=2) + "\n")
        self._sheet().save(out / "samples.png")

    @torch.inference_mode()
    def _sheet(self) -> Image.Image:
        """Held-out photos, and below each what a finish makes of it, at half size."""
        sheet = Image.new("RGB", (SHOWN * 256, 2 * 192), "white")
        for i in range(min(SHOWN, len(self.held_out))):
            sample = self.held_out[i]
            photo = to_picture(sample["photo"] / 127.5 - 1)
            job = Job(photo, _caption(sample["photo"], int(sample["language"])), 0.5, 2, i, photo)
            for row, picture in enumerate((photo, self.pipe(**engine.arguments(self.pipe, job)).images[0])):
                sheet.paste(picture.resize((256, 192)), (i * 256, row * 192))
        return sheet


def _caption(photo: torch.Tensor, language: int) -> str:
    """Photo [3,H,W] uint8 and the number of its language -> what it shows, in the words of a finish."""
    return f"{describe(to_picture(photo / 127.5 - 1), {LANGUAGES[language]: 1})}, {SETTING}"


def _schedule(scheduler):
    """The noise of the pipeline's own training; its few-step scheduler has none."""
    from diffusers import DDPMScheduler

    return DDPMScheduler.from_config(scheduler.config)


def _check_family(pipe) -> None:
    """Raises DataError for pipelines that denoise otherwise."""
    if type(getattr(pipe, "unet", None)).__name__ != "UNet2DConditionModel" or hasattr(pipe, "text_encoder_2"):
        raise DataError(f"a LoRA is trained for pipelines of Stable Diffusion 1 and 2, not for {type(pipe).__name__}")


def _tell(share: float, what: str) -> None:
    if share in (0, 1):
        print(what, file=sys.stderr)


# --- publishing ---


def push(out: Path, repo: str) -> str:
    """Publish a run -> USER/REPO@COMMIT for ISNEAKER_STUDIO_LORA. Raises PublishError."""
    notes = json.loads((out / "config.json").read_text()) | json.loads((out / "train_config.json").read_text())
    files = {
        f: (out / f).read_bytes() for f in ("config.json", "train_config.json", "model.safetensors", "samples.png")
    }
    card = CARD.format(**notes, name=repo.split("/")[1])
    return f"{repo}@{upload(repo, files | {'README.md': card.encode()}, 'Publish a LoRA for the studio finish')}"


def main() -> int:
    """One option for each line of `Config`; what can't be trained on or pushed is one line and exit status 2."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for field in fields(Config):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=field.type, default=field.default)
    config = Config(**vars(parser.parse_args()))
    try:
        if config.push_to:
            check(config.push_to)  # not after hours
        run(LoraTraining, replace(config, push_to=""))
        if config.push_to:
            print(f"ISNEAKER_STUDIO_LORA={push(Path(config.out), config.push_to)}")
    except (DataError, PublishError, StudioUnavailable, OSError) as error:
        print(f"studio_lora: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
