"""The model cards, written from each model's `train_config.json` and `metrics.json`."""

import json
from collections import Counter
from pathlib import Path

from safetensors import safe_open

from isneaker.languages import LANGUAGES

SKETCH_CARD = """---
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

{kimg_seen} thousand pictures in {hours} hours on {device}, batches of {batch_size}, at 512x384. Data: 7,088 side-view photos
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

Lines that no shoe
has turn into slits, and now and then a wide empty area with a line into it gets a white hole. Text and logos come out as smudges. Languages with few photos (under_armour 14, reebok 87, asics 106) repeat themselves.
Drawings from the front, from above or of anything but a shoe give something shoe-like at best.

Not affiliated with any brand. Brand names describe visual style; marks and silhouettes belong to their owners. A research
demo.
"""

SKETCH_LABELS = {
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


GENERATE_CARD = """---
license: mit
library_name: isneaker
tags: [unconditional-image-generation, stylegan2, gan-inversion]
---

# {name}

Sneakers that do not exist, 512x384, and their sliders: a StyleGAN2 synthesis network for two CPU cores, encoders from
photos to w and to details (a byte for each of 16x12 cells, for what a linear image of w, the thumbnail, has no room for),
and both of the training photos, between which new ones are drawn. `config.json` holds the arguments of
`isneaker.nets.generate.GenerateModel`; `directions.safetensors` the sliders (`sliders.png` shows them).

![24 seeds at psi 0.7; a row of each design language; sliders](samples.png)

## Training

{kimg_seen} thousand pictures in {hours} hours on {device}, batches of {batch_size}: first as a decoder of real photos
(w from the encoder; L1, colour and frozen features), at 128x96, then 256x192, then 512x384; critics of patches and of
frozen features (non-saturating, R1, adaptive augmentation) from {adversary_from} thousand pictures on; from {kimg_512} on the
details, until {kimg_details} at 128x96 without the critics. Data: the same 7,088 photos as `sketch.v1`, gathered from public
repositories of product photos, most of them without a licence; none is part of this model's files. {notes}

## Scores

{samples} samples at psi 1 in the data's own mix against 370 held-out photos (`python -m train.evaluate generate`):

| measure | value |
|---|---|
{scores}

## Limits

Logos and lettering come out as smudges, laces as texture; soles of many parts are simplified. Of an uploaded sneaker colours,
outline, large panels and stripes come back, small graphics do not. A shape on a look of quite another outline has white patches
where the two disagree; Remix takes looks of like outline.

Not affiliated with any brand. Brand names describe visual style; marks and silhouettes belong to their owners. A research
demo.
"""

GENERATE_LABELS = {
    "kernel_distance_x1000": "kernel distance to the held-out photos, EfficientNet-lite0 features, x1000",
    "kernel_distance_x1000_psi_07": "... of 400 samples at psi 0.7",
    "frechet_distance": "Fréchet distance in the same features",
    "variety_ratio": "feature distance between samples, held-out photos = 1",
    "nearest_training_ratio": "feature distance to the nearest training photo, held-out photos = 1",
    "inversion_ratio": "feature distance of held-out photos to their re-synthesis, nearest training photo = 1",
    "inversion_perceptual_ratio": "... of feature maps, place by place",
    "inversion_colour_ratio": "colour distance (CIE Lab, cells of 8 pixels) to it, nearest training photo = 1",
}

CUTOUT_CARD = """---
license: mit
library_name: isneaker
tags: [image-segmentation]
---

# {name}

Finds the sneaker in a photo: a small U-Net at 192x144, and the principal axes of sneakers' silhouettes, which say whether
it is one, which way is down and where its toe points. `config.json` holds the arguments of
`isneaker.nets.cutout.CutoutModel`; `isneaker/photos.py` uses it.

![Sneakers that do not exist, on procedural grounds, and what was cut out](samples.png)

## Training

{kimg_seen} thousand composites in {hours} hours of a shared machine ({device}), from scratch: cut-out photos of the training
split, turned, scaled and mirrored, over procedural grounds and pieces of the pictures that come with scikit-image, with
clutter, shadows, blur and grain (`train/scenes.py`). The photos are those of sketch.v1; none is part of these files.

## Scores

On {pictures} composites of held-out photos over held-out grounds, 576x432 pixels (`python -m train.evaluate cutout`):

| measure | value |
|---|---|
{scores}

## Limits

It has seen real floors and streets only as scikit-image's few pictures. Shoes on feet, two shoes that touch, and shoes
that the frame cuts are refused or cut badly; of a shoe in two strong colours sometimes only one is found (the second
sample of the lower row). A shadow as dark as the shoe may stay.
"""

CUTOUT_LABELS = {
    "iou_plain": "mean IoU, plain grounds",
    "iou_cluttered": "mean IoU, cluttered grounds",
    "refused_plain": "refused though a shoe is there, plain grounds",
    "refused_cluttered": "... cluttered grounds; some shoes are cut off by the frame",
    "refused_empty": "refused where there is no shoe",
    "toe": "toe found on the right side, of those not refused",
}


def write_card(folder: Path, architecture: str) -> None:
    """Write `README.md` into an embedded model's folder."""
    (folder / "README.md").write_text(card_of(folder, architecture))


def card_of(folder: Path, architecture: str) -> str:
    """The card of an embedded model, from its `train_config.json` and `metrics.json`."""
    config, metrics = (json.loads((folder / name).read_text()) for name in ("train_config.json", "metrics.json"))
    card, labels = CARDS[architecture]
    rows = [(label, metrics[key]) for key, label in (labels | EVERY_LABEL).items() if key in metrics]
    rows += [(key.replace("_", " "), value) for key, value in metrics.items() if key.startswith("slider_")]
    scores = "\n".join(f"| {label} | {value} |" for label, value in rows)
    fields = {"notes": "", **config, **metrics, "name": folder.name, "scores": scores}
    return card.format(**fields)


EVERY_LABEL = {
    "language_share": "share of pictures called the language they were asked for, mean over nine languages",
    "language_share_photos": "... of held-out photos",
    "milliseconds": "milliseconds a picture, two CPU cores",
}
CARDS = {
    "sketch": (SKETCH_CARD, SKETCH_LABELS),
    "generate": (GENERATE_CARD, GENERATE_LABELS),
    "cutout": (CUTOUT_CARD, CUTOUT_LABELS),
}


# --- of a maker's run ---

RUN_CARD = """---
license: {licence}
library_name: isneaker
tags: [{tags}]
---

# {title}

{what} It was trained with iSneaker, which serves it where `ISNEAKER_WEIGHTS={repo}@COMMIT` is set, with all 40 digits of the
commit. `config.json` holds the arguments of its network.

{samples}## Training

{training}

| the pictures | as the publisher states |
|---|---|
| folder | {data} |
| languages | {languages} |
| source | {data_source} |
| licence | {data_licence} |

<details><summary>All settings</summary>

```json
{settings}
```

</details>

## Scores

{scores}

Brand names, where there are any, describe visual style; marks and silhouettes belong to their owners.
"""

WHAT = {
    "sketch": ("Lines to a photo: a style-modulated U-Net and a style encoder.", "image-to-image, pix2pix"),
    "generate": ("Pictures that do not exist: a StyleGAN2 synthesis network and an encoder.", "stylegan2"),
    "cutout": ("Finds a sneaker in a photo.", "image-segmentation"),
    "translate": (
        "One kind of picture to another: a style-modulated U-Net, trained on pairs.",
        "image-to-image, pix2pix",
    ),
}


def run_card(run: Path, repo: str, notes: dict, data_source: str = "", data_licence: str = "") -> str:
    """The card of a maker's run: what its files say, and of the pictures only what the maker states.

    notes: `train_config.json` with "architecture" and "licence".
    """
    what, tags = WHAT.get(notes["architecture"], ("An image-to-image network.", "image-to-image"))
    samples = "![Samples](samples.png)\n\n" if (run / "samples.png").exists() else ""
    return RUN_CARD.format(
        licence=notes["licence"], tags=tags, title=repo.split("/")[1], what=what, repo=repo, samples=samples,
        training=_training(notes), data=Path(str(notes.get("data", "not stated"))).name, languages=_languages(run),
        data_source=data_source or "not stated", data_licence=data_licence or "not stated",
        settings=json.dumps(notes, indent=2), scores=_scores(run, notes["architecture"]),
    )  # fmt: skip


def _training(notes: dict) -> str:
    """One sentence of what is known about the run."""
    known = [
        ("kimg_seen", "{} thousand pictures"), ("hours", "in {} hours"), ("device", "on {}"),
        ("batch_size", "in batches of {}"),
    ]  # fmt: skip
    words = [text.format(notes[key]) for key, text in known if key in notes]
    return f"{' '.join(words)}." if words else "Not recorded."


def _languages(run: Path) -> str:
    """How many of the training pictures are of which design language, as the weights tell."""
    with safe_open(run / "model.safetensors", "np") as file:
        numbers = file.get_tensor("bank.languages").tolist() if "bank.languages" in file.keys() else []
    counts = Counter(LANGUAGES[number] for number in numbers)
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "not recorded"


def _scores(run: Path, architecture: str) -> str:
    """The table of `metrics.json`."""
    if not (run / "metrics.json").exists():
        return f"Not measured (`python -m train.evaluate {architecture}`)."
    metrics = json.loads((run / "metrics.json").read_text())
    labels = CARDS[architecture][1] if architecture in CARDS else {}
    rows = [f"| {labels.get(key, key.replace('_', ' '))} | {value} |" for key, value in metrics.items()]
    return "\n".join(["| measure | value |", "|---|---|", *rows])
