"""Draws a town twice: as a map in flat colours, and as it looks from above."""

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from train.procedural_towns import MAJOR, MINOR, RAIL, SIZE, Polygon, Town

SCALE = 2  # drawn this much larger, then reduced, so that edges are smooth
LAND, COURTS, WORKS, PARK, WOOD, BUILDING = "#f2efe9", "#e9e2d4", "#e6dbe4", "#c8e8b4", "#a3cf94", "#d3c4b6"
WATER, STREET, STREET_EDGE, ROAD, ROAD_EDGE, TRACK = "#9fcfe6", "#ffffff", "#c9c5bc", "#fbd27a", "#d9a04a", "#77757c"
GROUNDS = {"courts": COURTS, "works": WORKS, "park": PARK, "wood": WOOD}
CARS = ((232, 232, 230), (40, 42, 46), (150, 40, 36), (60, 84, 130), (160, 160, 162))
SUN = np.array((-0.6, -0.8))  # where the light comes from; shadows fall the other way


# --- shapes, as masks ---


def _mask(shapes: Iterable[Polygon], width: float = 0) -> Image.Image:
    """Polygons, or polylines of a width, white on black, "L"."""
    mask = Image.new("L", (SIZE * SCALE, SIZE * SCALE))
    pen = ImageDraw.Draw(mask)
    for shape in shapes:
        points = [tuple(point) for point in (shape * SCALE).tolist()]
        if width:
            pen.line(points, 255, round(width * SCALE), joint="curve")
            for x, y in (points[0], points[-1]):
                r = width * SCALE / 2
                pen.ellipse((x - r, y - r, x + r, y + r), 255)
        else:
            pen.polygon(points, 255)
    return mask


def _dashes(line: Polygon, on: float, off: float) -> list[Polygon]:
    """Every other piece of a polyline."""
    far = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.arange(0, far[-1] - on, on + off)
    return [np.stack([np.interp((a, a + on), far, line[:, i]) for i in (0, 1)], 1) for a in at]


def standing(town: Town) -> list[tuple[str, Polygon]]:
    """The buildings that are not in the way of water, rail or a main road."""
    taken = np.asarray(_mask(town.water)) > 0
    for lines, width in ((town.water, 6), (town.rail, RAIL + 4), (town.major, MAJOR + 4)):
        taken = taken | (np.asarray(_mask(lines, width)) > 0)
    kept = []
    for kind, shape in town.buildings:
        piece = _piece(shape)
        if piece and not taken[piece[0]][np.asarray(piece[1]) > 0].any():
            kept.append((kind, shape))
    return kept


def _piece(shape: Polygon) -> tuple[tuple[slice, slice], Image.Image] | None:
    """Where in the picture a polygon lies, and its mask there; None where it is outside."""
    low, high = np.floor(shape.min(0) * SCALE).astype(int), np.ceil(shape.max(0) * SCALE).astype(int) + 1
    low, high = low.clip(0, SIZE * SCALE), high.clip(0, SIZE * SCALE)
    if (high <= low).any():
        return None
    mask = Image.new("L", tuple((high - low).tolist()))
    ImageDraw.Draw(mask).polygon([tuple(point) for point in (shape * SCALE - low).tolist()], 255)
    return (slice(low[1], high[1]), slice(low[0], high[0])), mask


# --- the map ---


def draw_map(town: Town, buildings: list[tuple[str, Polygon]]) -> Image.Image:
    """The town as a map, RGB, SIZE x SIZE."""
    picture = Image.new("RGB", (SIZE * SCALE, SIZE * SCALE), LAND)
    for kind, colour in GROUNDS.items():
        picture.paste(colour, mask=_mask(shape for k, shape in town.blocks if k == kind))
    picture.paste(BUILDING, mask=_mask(shape for _, shape in buildings))
    picture.paste(STREET_EDGE, mask=_mask(town.minor, MINOR + 1.4))
    picture.paste(STREET, mask=_mask(town.minor, MINOR))
    picture.paste(WATER, mask=_mask(town.water))
    picture.paste(ROAD_EDGE, mask=_mask(town.major, MAJOR + 1.6))
    picture.paste(ROAD, mask=_mask(town.major, MAJOR))
    picture.paste(TRACK, mask=_mask(town.rail, 3.4))
    picture.paste("white", mask=_mask((dash for line in town.rail for dash in _dashes(line, 7, 7)), 1.8))
    return picture.reduce(SCALE)


# --- from above ---


class View:
    """The picture from above while it is painted: rgb [H,W,3] of 0..255, and what the day is like."""

    def __init__(self, rng: np.random.Generator):
        self.rng, self.side = rng, SIZE * SCALE
        dry = rng.uniform(0, 1)
        self.grass = (1 - dry) * np.array((104, 130, 74.0)) + dry * np.array((158, 148, 100.0))
        self.leaves = (1 - dry) * np.array((56, 88, 48.0)) + dry * np.array((94, 100, 54.0))
        self.water = rng.uniform(0.75, 1.1) * np.array(
            ((56, 84, 92), (64, 92, 76), (46, 74, 104))[rng.integers(3)], float
        )
        roofs = (((178, 104, 80), (158, 92, 74)), ((122, 116, 112), (152, 144, 134)), ((172, 110, 84), (114, 108, 108)))
        self.roofs = np.array(roofs[rng.integers(3)], float)
        self.rgb = self.texture(self.grass, 14)

    def noise(self, cell: int) -> np.ndarray:
        """Smooth noise [H,W] of deviation 1, its grain `cell` pixels of the tile wide."""
        few = max(2, SIZE // cell)
        grain = Image.fromarray(self.rng.standard_normal((few, few)).astype(np.float32))
        return np.asarray(grain.resize((self.side, self.side), Image.Resampling.BICUBIC))

    def texture(self, colour, strength: float, cells: tuple[int, ...] = (1, 4, 24)) -> np.ndarray:
        """A colour that varies at several scales: [H,W,3]."""
        grain = sum(self.noise(cell) for cell in cells) / len(cells) ** 0.5
        return np.float32(colour) + np.float32(strength) * grain[..., None]

    def paint(self, what: np.ndarray, mask: Image.Image, blur: float = 0, share: float = 1) -> None:
        """Put a texture or colour where a mask is."""
        mask = mask.filter(ImageFilter.GaussianBlur(blur * SCALE)) if blur else mask
        if box := mask.getbbox():
            where = slice(box[1], box[3]), slice(box[0], box[2])
            alpha = np.asarray(mask.crop(box), np.float32)[..., None] * np.float32(share / 255)
            what = np.float32(what)
            self.rgb[where] += alpha * ((what[where] if what.ndim == 3 else what) - self.rgb[where])

    def shade(self, mask: Image.Image, length: float, share: float = 0.45) -> None:
        """The shadow of what stands where a mask is, `length` units long."""
        x, y = (-SUN * length * SCALE).round().astype(int)
        self.paint((18, 22, 34), ImageChops.offset(mask, int(x), int(y)), 0.5, share)


def draw_view(town: Town, buildings: list[tuple[str, Polygon]], rng: np.random.Generator) -> Image.Image:
    """The town from above, RGB, SIZE x SIZE."""
    view = View(rng)
    _grounds(view, town)
    streets, water = _mask(town.minor, MINOR), _mask(town.water)
    view.paint(view.texture((168, 163, 155), 6), _mask(town.minor, MINOR + 4))
    view.paint(view.texture((112, 112, 114), 6), streets)
    view.paint(view.texture((112, 104, 82), 12), _mask(town.water, 5), 0.8)
    view.paint(view.texture(view.water, 7, (3, 40)), water, 0.4)
    _main_roads(view, town)
    _rail(view, town)
    _traffic(view, town)
    free = ImageChops.invert(ImageChops.lighter(water, _mask(town.major + town.rail, MAJOR + 3)))
    free = ImageChops.subtract(free, ImageChops.lighter(_mask(town.minor, MINOR + 1), _mask(s for _, s in buildings)))
    view.shade(_mask(shape for _, shape in buildings), 4)
    for kind, shape in buildings:
        _roof(view, kind, shape)
    _trees(view, town, free)
    return Image.fromarray(view.rgb.clip(0, 255).astype(np.uint8)).reduce(SCALE)


def _grounds(view: View, town: Town) -> None:
    shapes = {kind: _mask(s for k, s in town.blocks if k == kind) for kind in ("courts", "works", "park", "wood")}
    view.paint(view.texture((146, 142, 130), 9), shapes["courts"])
    view.paint(view.texture((168, 164, 156), 9), shapes["works"])
    view.paint(view.texture(view.grass * (0.96, 1.06, 0.92), 9, (2, 30)), shapes["park"])
    view.paint(view.texture(view.leaves * 0.8, 10), shapes["wood"])


def _main_roads(view: View, town: Town) -> None:
    view.shade(ImageChops.multiply(_mask(town.major, MAJOR + 3), _mask(town.water)), 3, 0.4)
    view.paint(view.texture((170, 166, 158), 5), _mask(town.major, MAJOR + 3))
    view.paint(view.texture((98, 98, 102), 5), _mask(town.major, MAJOR))
    view.paint((225, 225, 220), _mask((d for line in town.major for d in _dashes(line, 5, 6)), 0.8), share=0.8)


def _rail(view: View, town: Town) -> None:
    view.paint(view.texture((124, 112, 102), 12), _mask(town.rail, RAIL), 0.4)
    for line in town.rail:
        ahead = np.gradient(line, axis=0)
        aside = np.stack([-ahead[:, 1], ahead[:, 0]], 1) / np.linalg.norm(ahead, axis=1, keepdims=True)
        view.paint((84, 74, 66), _mask(_dashes(line, 0.8, 1.4), 5.5), share=0.6)
        view.paint((196, 192, 188), _mask([line + 1.5 * aside, line - 1.5 * aside], 0.7))


def _traffic(view: View, town: Town) -> None:
    """A car here and there, on the right side of the road; minor roads end at the water."""
    wet = np.asarray(_mask(town.water, 0)) > 0
    for lines, side, share in ((town.minor, 1.9, 0.1), (town.major, 3.0, 0.25)):
        for dash in (dash for line in lines for dash in _dashes(line, 4.2, 10)):
            if view.rng.random() > share:
                continue
            ahead = (dash[1] - dash[0]) / np.linalg.norm(dash[1] - dash[0])
            aside = np.array((-ahead[1], ahead[0]))
            car = dash + view.rng.choice((-1, 1)) * side * aside
            colour = np.array(CARS[view.rng.integers(len(CARS))])
            shape = np.array((car[0] + aside, car[1] + aside, car[1] - aside, car[0] - aside))
            piece = _piece(shape)
            if piece and not (lines is town.minor and wet[piece[0]].any()):
                _facet(view, shape, colour)


def _roof(view: View, kind: str, shape: Polygon) -> None:
    """A roof with a ridge along its longer side, or a flat one with a parapet."""
    rng = view.rng
    if kind == "works":
        colour = np.array((186, 186, 184)) * rng.uniform(0.8, 1.15) + rng.normal(0, 5, 3)
        _facet(view, shape, colour * 0.82)
        middle = shape.mean(0)
        _facet(view, middle + (shape - middle) * 0.93, colour)
        for _ in range(rng.integers(0, 5)):
            u, v = rng.uniform(0.2, 0.8, 2)
            spot = (1 - u) * (1 - v) * shape[0] + u * (1 - v) * shape[1] + u * v * shape[2] + (1 - u) * v * shape[3]
            _facet(view, spot + (shape - middle) * 0.06, colour * rng.choice((0.7, 1.15)))
        return
    colour = view.roofs[rng.integers(2)] * rng.uniform(0.82, 1.15) + rng.normal(0, 4, 3)
    if np.linalg.norm(shape[1] - shape[0]) < np.linalg.norm(shape[2] - shape[1]):
        shape = np.roll(shape, 1, 0)
    ridge = (shape[0] + shape[3]) / 2, (shape[1] + shape[2]) / 2
    for facet in ((shape[0], shape[1], ridge[1], ridge[0]), (shape[3], shape[2], ridge[1], ridge[0])):
        facet = np.array(facet)
        away = facet[:2].mean(0) - shape.mean(0)
        _facet(view, facet, colour * (1 + 0.22 * (away @ SUN) / np.linalg.norm(away)))


def _facet(view: View, shape: Polygon, colour: np.ndarray) -> None:
    """One flat piece."""
    if piece := _piece(shape):
        part = view.rgb[piece[0]]
        grain = view.rng.normal(0, 5, part.shape[:2])[..., None]
        part += (np.asarray(piece[1], np.float32)[..., None] / 255) * (colour + grain - part)


def _trees(view: View, town: Town, free: Image.Image) -> None:
    """Trees: many in woods, some in parks, few in gardens."""
    rng, crowns = view.rng, Image.new("L", free.size)
    chances = {"wood": 0.9, "park": 0.16, "houses": 0.09, "courts": 0.05, "works": 0.03}
    ground = np.full((SIZE, SIZE), 0.05)
    for kind, chance in chances.items():
        inside = _mask(s for k, s in town.blocks if k == kind).reduce(SCALE)
        ground[np.asarray(inside) > 127] = chance
    places = np.argwhere(rng.random((SIZE, SIZE)) < ground * (np.asarray(free.reduce(SCALE)) > 250) / 12)
    radii = rng.uniform(1.8, 4.2, len(places))
    tops = Image.new("L", free.size)
    for (y, x), r in zip((places * SCALE).tolist(), (radii * SCALE).tolist()):
        ImageDraw.Draw(crowns).ellipse((x - r, y - r, x + r, y + r), 255)
        x, y, r = x + SUN[0] * r * 0.3, y + SUN[1] * r * 0.3, r * 0.6
        ImageDraw.Draw(tops).ellipse((x - r, y - r, x + r, y + r), 255)
    view.shade(crowns, 2.5)
    view.paint(view.texture(view.leaves, 11, (1, 3)), crowns, 0.3)
    view.paint(view.texture(view.leaves * 1.35, 11, (1, 3)), tops, 0.7, 0.7)
