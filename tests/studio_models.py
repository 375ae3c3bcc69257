"""Diffusion models at toy sizes with random weights, made of diffusers' own classes and saved as makers save theirs."""

from dataclasses import replace
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    ControlNetModel,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from isneaker.design import Design, Finish
from isneaker.studio import engine, files
from isneaker.studio.setup import configured
from isneaker.templates import TEMPLATES
from tests.conftest import forget

WORDS = "a the with sneaker in style of and red blue white black grey suede gum sole low mid high top plain side view".split()


def save_pipeline(folder: Path, seed: int = 0, **how) -> None:
    """A pipeline of the shape of SD-Turbo in less than a megabyte."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, cross_attention_dim=16, attention_head_dim=4,
        norm_num_groups=4, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )  # fmt: skip
    kinds = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    vae = AutoencoderKL(block_out_channels=(4,) * 4, norm_num_groups=2, sample_size=64, scaling_factor=0.3, **kinds)
    config = CLIPTextConfig(
        vocab_size=600, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        projection_dim=16, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    StableDiffusionPipeline(
        vae=vae, unet=unet, text_encoder=CLIPTextModel(config), tokenizer=_tokenizer(),
        scheduler=EulerDiscreteScheduler(timestep_spacing="trailing", steps_offset=1, beta_schedule="scaled_linear"),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder, safe_serialization=True, **how)  # fmt: skip
    (folder / "README.md").write_text("---\nlicense: openrail++\n---\n# Toy\n")


def save_decoder(folder: Path, seed: int = 0) -> None:
    """An AutoencoderTiny of the same latents."""
    torch.manual_seed(seed)
    sizes = {"encoder_block_out_channels": (4,) * 4, "decoder_block_out_channels": (4,) * 4}
    blocks = {"num_encoder_blocks": (1,) * 4, "num_decoder_blocks": (1,) * 4}
    decoder = AutoencoderTiny(**sizes, **blocks)
    last = decoder.decoder.layers[-1]
    torch.nn.init.normal_(last.weight, 0, 1)  # a fresh one is black
    torch.nn.init.constant_(last.bias, 0.5)
    decoder.save_pretrained(folder)


def save_control(folder: Path, seed: int = 0) -> None:
    """A scribble ControlNet that was trained a little: a fresh one does nothing."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel.from_pretrained(folder.with_name("model"), subfolder="unet")
    control = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 8, 8, 8))
    for conv in (
        *control.controlnet_down_blocks,
        control.controlnet_mid_block,
        control.controlnet_cond_embedding.conv_out,
    ):
        torch.nn.init.normal_(conv.weight, 0, 0.3)
    control.save_pretrained(folder)


def _tokenizer() -> CLIPTokenizer:
    """Letters, and a few words as merges of them."""
    letters = [chr(i) for i in range(33, 127)]
    vocab = ["<|startoftext|>", "<|endoftext|>", *letters, *(c + "</w>" for c in letters)]
    merges = []
    for word in WORDS:
        pieces = [*word[:-1], word[-1] + "</w>"]
        while len(pieces) > 1:
            merges.append(f"{pieces[0]} {pieces[1]}")
            pieces = [pieces[0] + pieces[1], *pieces[2:]]
            vocab.append(pieces[0])
    numbers = {word: i for i, word in enumerate(dict.fromkeys(vocab))}
    return CLIPTokenizer(numbers, [tuple(m.split()) for m in dict.fromkeys(merges)], model_max_length=77)


# --- what tests do with them ---

SKETCHED = Design(strokes=TEMPLATES["runner"], seed=7, fidelity=0.8)


def forget_studio() -> None:
    """Drop what the studio keeps in memory."""
    forget()
    engine.forget()
    for remembered in (files.pipeline, files.network, files.lora, configured):
        remembered.cache_clear()


def finished(**fields) -> Design:
    return replace(SKETCHED, finish=Finish(configured().name, **fields))


def read(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
