"""The model card of a sketch model, written from its `train_config.json` and `metrics.json`."""

import json
from pathlib import Path

CARD = """---
license: mit
library_name: isneaker
tags: [image-to-image, sketch-to-photo, pix2pix]
---

# {name}

Lines to a photo of a sneaker, 512x384: a style-modulated U-Net, a style encoder, and the style codes
of the training photos, from which design languages are drawn. `config.json` holds the arguments of
`isneaker.nets.sketch.SketchModel`.

![Pictures of held-out sketches; outlines with five seeds each](samples.png)

## Training

{kimg_seen} thousand pictures in {hours} hours on {device}, batches of {batch_size}, at 512x384. Data: 7,085 side-view photos
of sneakers gathered from public repositories of product photos (zjy-T/Sneaker-GAN, aditdesai/sneaker-gen-gans,
jzcluo/SneakerGAN, notevensmart/Nike-shoe-classifier, mikepatel/NBA-Shoes-GAN, thanhdatnguyentk/Nike-Adidas-Recognize,
CcnyUndergraduateCsDegree/SneakerApp, Gautamchandnani/Nike_Adidas_Puma_Shoes), most of them shop photos without a licence;
none is part of this model's files. Brand labels were given by eye. {notes}

## Scores

On {pictures} held-out photos, from their edge maps at fidelity 1, styles drawn by seed (`python -m train.evaluate sketch`):

| measure | value |
|---|---|
{scores}

## Limits

Wide empty areas, as in a high outline, get a
white hole with some codes. Text and logos come out as smudges. Languages with few photos (under_armour 14, reebok 87, asics 106) repeat themselves.
Drawings from the front, from above or of anything but a shoe give something shoe-like at best.

Not affiliated with any brand. Brand names describe visual style; marks and silhouettes belong to their owners. A research
demo.
"""

LABELS = {
    "kernel_distance_x1000": "kernel distance to the held-out photos, EfficientNet-lite0 features, x1000",
    "frechet_distance": "Fréchet distance in the same features",
    "ink_recall": "ink found again as edges of the picture",
    "ink_recall_other_sketch": "... of another sketch's picture",
    "ink_recall_own_photo": "... of the photo itself",
    "grid_power_ratio": "power at the 4-pixel period, photos = 1",
    "variety_ratio": "feature distance of variants of a sketch, random photos = 1",
    "hint_error_lab": "median CIE Lab distance to scribbled colours",
    "chroma_ratio": "mean chroma of the shoe, photos = 1",
    "lightness_std_ratio": "spread of lightness from shoe to shoe, photos = 1",
    "hue_std_ratio": "spread of hue and saturation from shoe to shoe, photos = 1",
}


def write_card(folder: Path) -> None:
    """Write `README.md` into a model's folder."""
    config, metrics = (json.loads((folder / name).read_text()) for name in ("train_config.json", "metrics.json"))
    scores = "\n".join(f"| {label} | {metrics[key]} |" for key, label in LABELS.items())
    fields = {"notes": "", **config, "name": folder.name, "scores": scores, "pictures": metrics["pictures"]}
    (folder / "README.md").write_text(CARD.format(**fields))
