"""What a drawn sneaker is like: the parameters of one shoe, and what is typical of each design language."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Shoe:
    """Lengths are shares of the shoe's own length; colours RGB of 0..255.

    collar: height at the heel, 0.34 (low) to 0.62 (high); heel and fore: thickness of the sole there; spring: how far the
    toe lifts off; bevel: how far the heel does; arch: dip of the sole's top edge; toe: height of the toe box.
    """

    language: str
    mark: str
    sole: str  # cup, runner, vulcanised or chunky
    tip: str  # of the toe: cap, overlay, guard or plain
    texture: str  # leather, canvas, suede or knit
    collar: float
    heel: float
    fore: float
    spring: float
    bevel: float
    arch: float
    toe: float
    eyelets: int
    stitched: bool
    window: bool  # in the heel of the sole
    counter: bool  # a panel around the heel
    upper_colour: Colour
    panel_colour: Colour
    mark_colour: Colour
    sole_colour: Colour
    outsole_colour: Colour
    lace_colour: Colour
    lining_colour: Colour


@dataclass(frozen=True)
class Habits:
    """What is typical of a language: choices to draw from, with repeats for what is frequent; palettes are upper, panel,
    mark, sole and outsole."""

    marks: str
    soles: str
    tips: str
    textures: str
    collars: tuple[float, ...]
    palettes: tuple[str, ...]


_SOLES = {  # heel, fore, spring, bevel, arch
    "cup": (0.095, 0.08, 0.015, 0.008, 0.0),
    "runner": (0.14, 0.075, 0.045, 0.035, 0.012),
    "vulcanised": (0.08, 0.078, 0.006, 0.004, 0.0),
    "chunky": (0.165, 0.11, 0.05, 0.02, 0.01),
}

HABITS = {
    "nike": Habits("sweep", "cup cup runner", "overlay overlay plain", "leather leather knit", (0.37, 0.37, 0.47, 0.58), (
        "ecebe8 1c1c1f 1c1c1f eceae4 1c1c1f", "ecebe8 b3202a b3202a eceae4 b3202a", "1d1d20 2b2b2f e8e6e2 e8e6e2 1d1d20",
        "ebe9e4 2351a6 2351a6 ebe9e4 2351a6", "c22630 1c1c1f 1c1c1f e9e7e2 c22630", "1f7a4c ebe9e4 ebe9e4 ebe9e4 1f7a4c",
        "f0a12c 1c1c1f 1c1c1f eceae4 f0a12c", "8fb7d9 ecebe8 ecebe8 eceae4 8fb7d9", "b8e62e 23252a 23252a e6e5e0 23252a")),
    "adidas": Habits("stripes", "cup runner runner", "plain cap guard", "leather knit suede", (0.35, 0.36, 0.37, 0.46), (
        "eae9e6 eae9e6 1b1b1e e8e6e1 d8d4cb", "202124 202124 ebe9e5 e8e6e1 202124", "22345f 22345f ebe9e5 e9e7e2 b98a55",
        "eae9e6 dcdad4 1d6b45 e9e6dd d8d4cb", "b7c4cc a9b6bf 2a3138 ecebe7 2a3138", "cfc6b4 c0b59f 8f7f63 d9d0bd a58f6b",
        "e0542f 2a2b30 2a2b30 eceae5 2a2b30", "1d6b45 1d6b45 ebe9e4 e9e6dd b98a55")),
    "puma": Habits("strip", "cup cup runner", "plain guard", "suede suede leather", (0.34, 0.35, 0.36, 0.45), (
        "243b6b 243b6b e9e7e2 e9e7e2 b98a55", "a3232f a3232f e9e7e2 e9e7e2 b98a55", "222224 222224 e8e6e1 e8e6e1 b98a55",
        "2d6b4a 2d6b4a e9e6dd e9e6dd b98a55", "e8b93c e8b93c 232323 e9e6dd b98a55", "8d8a9c 8d8a9c e9e7e2 e9e7e2 8d8a9c",
        "e5e2dc e5e2dc 23304d e9e7e2 23304d", "d9879c d9879c efece7 efece7 b98a55")),
    "converse": Habits("star", "vulcanised", "cap", "canvas", (0.36, 0.58, 0.6, 0.61), (
        "1e1e21 1e1e21 ebe9e4 e9e6de a3232f", "a5222e a5222e ebe9e4 e9e6de 1e2a52", "243058 243058 ebe9e4 e9e6de a3232f",
        "e6e3db e6e3db 243058 e9e6de a3232f", "2f6b4d 2f6b4d ebe9e4 e9e6de 1e1e21", "d7a63a d7a63a ebe9e4 e9e6de 1e1e21",
        "7d5a86 7d5a86 ebe9e4 e9e6de 1e1e21", "8a8a86 8a8a86 ebe9e4 e9e6de 1e2a52")),
    "vans": Habits("wave", "vulcanised", "guard plain", "canvas suede suede", (0.34, 0.35, 0.35, 0.54), (
        "1d1d1f 1d1d1f ebe9e4 ebe8e1 b98a55", "24345c 24345c ebe9e4 ebe8e1 b98a55", "8c2530 8c2530 ebe9e4 ebe8e1 b98a55",
        "2c2d2f 1d1d1f 1d1d1f 232325 232325", "566b52 3f5040 ebe9e4 ebe8e1 b98a55", "d6a43c 1d1d1f 1d1d1f ebe8e1 b98a55",
        "e4e1da 24345c 24345c ebe8e1 b98a55", "7b4e33 5e3b27 e9dfc9 ebe8e1 b98a55")),
    "new_balance": Habits("letter", "runner chunky runner", "overlay guard", "suede suede knit", (0.36, 0.37, 0.37, 0.39), (
        "9a9da1 84878c e8e7e3 e8e6e1 55585d", "a9a49a 8f8a80 e9e7e2 e6e1d6 3c3a38", "2c3f66 24345a d9d8d4 e8e6e1 2c2c2e",
        "5f7257 4c5e47 e9e6dd e9e6dd b98a55", "b9b7b2 d4d2cd 2c3f66 ebe9e5 8c8f94", "7a2631 651e29 e9e6dd e9e6dd b98a55",
        "27282b 3b3c40 c9c9c6 e8e6e1 27282b", "d9cdb8 c2b296 8a7a5e e9e3d6 b98a55")),
    "reebok": Habits("cross", "cup cup runner", "overlay plain", "leather", (0.35, 0.36, 0.37, 0.47), (
        "e9e7e2 dedbd4 24345c ebe9e5 b98a55", "e9e7e2 dedbd4 a3232f ebe9e5 d8d4cb", "222225 303034 e5e3de e5e3de 222225",
        "e5dfd2 d3cab8 6b5b45 e9e3d6 b98a55", "e9e7e2 2b5d8f a3232f ebe9e5 2b5d8f", "c9d3d8 aebcc4 24345c ebe9e5 b98a55",
        "a3232f 8a1d28 e9e7e2 e9e7e2 24345c")),
    "asics": Habits("crossing", "runner runner chunky", "overlay guard", "knit knit leather", (0.36, 0.37, 0.37, 0.38), (
        "e6e6e4 2a4ea0 2a4ea0 ebeae6 a3232f", "27282c 3a3b40 d9dadb dfdfdc 27282c", "c7cbd0 9fa5ad 23252b ebeae6 9fa5ad",
        "2a4ea0 24407f f0b23a e9e8e4 2a4ea0", "f07a3c 2b2c31 2b2c31 ebeae6 2b2c31", "cfe04a 2b3a3f 2b3a3f ebeae6 2b3a3f",
        "4fb3b8 2d6f7d efeeea efeeea 2d6f7d", "d6d2c8 b7b1a3 1f5a46 ebe7dd b98a55")),
    "under_armour": Habits("arcs", "chunky runner", "plain overlay", "knit", (0.37, 0.38, 0.47, 0.5), (
        "2a2b2f 1f2023 d9dadb 2a2b2f 1f2023", "3b4148 2d3238 e0552f e5e4e0 e0552f", "a3232f 2a2b2f e7e5e0 e7e5e0 2a2b2f",
        "2a4a86 203a6b d9dadb e7e5e0 203a6b", "dfdfdd c4c5c7 2a2b2f e9e8e4 c4c5c7", "4a4f55 3a3e43 c8e43a 2a2b2f c8e43a",
        "6a7a63 55634f 22251f dfddd4 22251f")),
    "other": Habits("bolt diamond band none none", "cup chunky vulcanised runner", "plain cap overlay guard",
                    "leather suede canvas knit", (0.35, 0.37, 0.42, 0.5, 0.58), (
        "e7e4dd d2cdc2 8a7a5e e9e6df d2cdc2", "222224 222224 c9a24b 222224 222224", "d9b7a6 c79d89 efeae3 efeae3 c79d89",
        "b98a55 8f673b 3a2a1a e9e0cf 8f673b", "7fae9a 5c8f7b efece6 efece6 b98a55", "e8e6e2 e8e6e2 2d7a4f e9e7e2 e9e7e2",
        "6b5b95 55487a f2c94c ece9e3 55487a", "2e5d6b 234854 f0a48a ece9e3 234854", "f0c8d0 e0a8b4 8e3b52 f1ece8 e0a8b4")),
}  # fmt: skip


def imagine_shoe(language: str, rng: np.random.Generator) -> Shoe:
    """A shoe in one of LANGUAGES."""
    habits = HABITS[language]
    mark, sole, tip, texture = (
        str(rng.choice(words.split())) for words in (habits.marks, habits.soles, habits.tips, habits.textures)
    )
    heel, fore, spring, bevel, arch = np.array(_SOLES[sole]) * rng.uniform(0.8, 1.25, 5)
    colours = _colours(str(rng.choice(habits.palettes)), rng)
    return Shoe(
        language, mark, sole, tip, texture,
        collar=float(rng.choice(habits.collars) + rng.uniform(-0.012, 0.022) + 0.4 * (heel - 0.09)),
        heel=float(heel), fore=float(fore), spring=float(spring), bevel=float(bevel), arch=float(arch),
        toe=float(rng.uniform(0.165, 0.205) + 0.5 * (fore - 0.08)),
        eyelets=int(rng.integers(5, 8)),
        stitched=bool(texture != "knit" and rng.random() < 0.75),
        window=bool(sole != "vulcanised" and rng.random() < (0.5 if language in ("nike", "asics") else 0.15)),
        counter=bool(rng.random() < 0.65),
        **colours,
    )  # fmt: skip


def _colours(palette: str, rng: np.random.Generator) -> dict[str, Colour]:
    """A palette's five colours, shifted a little; laces and lining go with them."""
    upper, panel, mark, sole, outsole = (
        _shift(tuple(bytes.fromhex(colour)), rng) for colour in palette.split()
    )  # fmt: skip
    if rng.random() < 0.2:
        upper, panel = panel, upper
    if _far(upper, mark) < 60:  # a mark is there to be seen
        mark = (232, 230, 225) if sum(upper) < 380 else (32, 32, 35)
    return {
        "upper_colour": upper, "panel_colour": panel, "mark_colour": mark, "sole_colour": sole, "outsole_colour": outsole,
        "lace_colour": (upper, mark, (230, 228, 223), (34, 34, 37))[rng.integers(4)],
        "lining_colour": _shift((mark, outsole, (70, 70, 74), (196, 192, 184))[rng.integers(4)], rng),
    }  # fmt: skip


def _shift(colour: Colour, rng: np.random.Generator) -> Colour:
    light, tint = rng.uniform(-12, 8), rng.uniform(-7, 7, 3)
    return tuple(int(np.clip(c + light + t, 24, 234)) for c, t in zip(colour, tint))


def _far(a: Colour, b: Colour) -> int:
    return max(abs(x - y) for x, y in zip(a, b))
