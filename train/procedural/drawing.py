"""Draws a procedural sneaker with Pillow: its photo, and the soft edge map of the lines that it was drawn with."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from isneaker.design import HEIGHT, WIDTH
from isneaker.poses import onto_canvas
from isneaker.templates import curve
from train.procedural.lasts import Last, Line, beside, circle, last_of, marks_of, ribbon
from train.procedural.light import light
from train.procedural.shoes import Colour, Shoe

SUPERSAMPLING = 2
EDGE = 4.0  # width of an edge before it is blurred, in pixels of the canvas
OUTLINE, SEAM, CREASE, STITCH = 255, 170, 110, 60  # how sure an edge is


class Sheet:
    """A picture and its edges, drawn together: what covers a thing covers its edges too."""

    def __init__(self, place, ground: Colour = (255, 255, 255)):
        size = (WIDTH * SUPERSAMPLING, HEIGHT * SUPERSAMPLING)
        self.place, self.colours, self.edges = place, Image.new("RGB", size, ground), Image.new("L", size)
        self.pens = ImageDraw.Draw(self.colours), ImageDraw.Draw(self.edges)

    def area(self, shape: Line, colour: Colour, edge: int = SEAM) -> None:
        """A closed shape of one colour."""
        points = self._points(shape)
        self.pens[0].polygon(points, fill=colour)
        self.pens[1].polygon(points, fill=0)
        self._edge(points + points[:1], edge)

    def line(self, line: Line, colour: Colour, width: float = 1.2, edge: int = CREASE) -> None:
        """A line, its width in pixels of the canvas."""
        points = self._points(line)
        self.pens[0].line(points, fill=colour, width=round(width * SUPERSAMPLING), joint="curve")
        self._edge(points, edge)

    def stitches(self, line: Line, colour: Colour) -> None:
        """A dashed line."""
        points = self._points(line)
        for start, end in zip(points[::2], points[1::2]):
            self.pens[0].line((start, end), fill=colour, width=SUPERSAMPLING)
        self._edge(points, STITCH)

    def paste(self, other: "Sheet", shape: Line, edge: int = OUTLINE) -> None:
        """What another sheet shows inside a closed shape."""
        points, mask = self._points(shape), Image.new("L", self.colours.size)
        ImageDraw.Draw(mask).polygon(points, fill=255)
        box = mask.getbbox()
        mask = mask.crop(box)
        self.colours.paste(other.colours.crop(box), box, mask)
        self.edges.paste(other.edges.crop(box), box, mask)
        self._edge(points + points[:1], edge)

    def _edge(self, points: list[tuple[float, float]], edge: int) -> None:
        if edge:
            self.pens[1].line(points, fill=edge, width=round(EDGE * SUPERSAMPLING), joint="curve")

    def _points(self, line: Line) -> list[tuple[float, float]]:
        return [tuple(p) for p in self.place(line).tolist()]


def draw_shoe(shoe: Shoe, rng: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    """A shoe, toe right on the common line -> photo, RGB 512x384 on white, and edges, "L" 512x384, white on black."""
    last = last_of(shoe)
    place = _placing(last)
    sheet = Sheet(place)
    sheet.area(last.lining, shoe.lining_colour, OUTLINE)
    _draw_tongue(sheet, shoe, last)
    sheet.paste(_upper(shoe, last, place, rng), last.upper)
    _draw_laces(sheet, shoe, last)
    if shoe.texture == "knit" and rng.random() < 0.6:
        _draw_pull(sheet, shoe, last)
    sheet.paste(_sole(shoe, last, place), last.sole)
    if shoe.sole == "vulcanised" and shoe.tip != "plain":
        sheet.area(_bumper(shoe), shoe.sole_colour, OUTLINE)
    cover = sheet.colours.convert("L").point([255] * 246 + [0] * 10)  # only paper is so white
    colours, edges, cover = (each.reduce(SUPERSAMPLING) for each in (sheet.colours, sheet.edges, cover))
    return light(colours, edges, cover, shoe.texture, rng), edges.filter(ImageFilter.GaussianBlur(1.3))


def _placing(last: Last):
    """The function from a shoe's own coordinates to the supersampled canvas."""
    everything = np.concatenate([last.upper, last.tongue, last.lining, last.sole]) * (1, -1)
    matrix, offset = onto_canvas(everything * 1000, 0, False)  # it is made for pixels
    return lambda line: ((np.asarray(line) * (1000, -1000)) @ matrix + offset) * SUPERSAMPLING


def darker(colour: Colour, share: float = 0.72) -> Colour:
    return tuple(int(c * share) for c in colour)


def seam(colour: Colour) -> Colour:
    """What a seam in a colour looks like: darker, lighter on black."""
    return darker(colour) if sum(colour) > 150 else tuple(c + 26 for c in colour)


# --- parts ---


def _draw_tongue(sheet: Sheet, shoe: Shoe, last: Last) -> None:
    sheet.area(last.tongue, shoe.panel_colour, OUTLINE)
    tip = last.tongue[:20]
    sheet.line(beside(tip, -0.014), seam(shoe.panel_colour), edge=STITCH)


def _upper(shoe: Shoe, last: Last, place, rng: np.random.Generator) -> Sheet:
    """The upper without bounds: what it is pasted into cuts it."""
    sheet = Sheet(place, shoe.upper_colour)
    _draw_toe(sheet, shoe, last)
    _draw_heel(sheet, shoe, last)
    for i, mark in enumerate(marks_of(shoe, last, rng)):
        colour = shoe.panel_colour if shoe.mark == "star" and i else shoe.mark_colour
        sheet.area(mark, colour, SEAM + 40)
        if shoe.stitched and shoe.mark not in ("star", "arcs"):
            sheet.line(np.concatenate([mark, mark[:1]]), seam(colour), 0.6, 0)
    _draw_eyestay(sheet, shoe, last)
    padding = beside(last.collar, -0.034)
    sheet.line(padding, seam(shoe.upper_colour), edge=CREASE)
    return sheet


def _draw_toe(sheet: Sheet, shoe: Shoe, last: Last) -> None:
    """Vamp seam, and what covers the toe."""
    end, fore, colour = last.throat[-1], shoe.fore + shoe.spring, shoe.panel_colour
    vamp = curve(np.array([end - (0.015, 0.01), end - (0.035, 0.09), (0.66, fore * 0.7)]))
    sheet.line(vamp, seam(shoe.upper_colour), edge=CREASE)
    _stitch(sheet, shoe, beside(vamp, 0.011), shoe.upper_colour)
    if shoe.tip == "cap":
        rubber = shoe.sole_colour if shoe.texture == "canvas" else colour
        edge = curve(np.array([(0.83, 0.0), (0.815, shoe.toe * 0.6), (0.845, shoe.toe + 0.01), (0.88, shoe.toe + 0.1)]))
        sheet.area(np.concatenate([edge, [(1.1, 0.3), (1.1, 0.0)]]), rubber)
    elif shoe.tip == "guard":
        edge = curve(
            np.array(
                [(0.68, 0.0), (0.76, fore + 0.035), (0.87, fore + 0.06), (0.96, fore + 0.075), (1.05, fore + 0.09)]
            )
        )
        sheet.area(np.concatenate([edge, [(1.1, 0.0)]]), colour)
    elif shoe.tip == "overlay":
        edge = curve(np.array([(0.56, 0.02), (0.64, fore + 0.045), (0.72, fore + 0.085), (0.82, shoe.toe - 0.015), (0.89, shoe.toe - 0.03),
                               (0.99, fore + 0.05)]))  # fmt: skip
        sheet.area(np.concatenate([edge, [(1.1, 0.1), (1.1, 0.0)]]), colour)
        _stitch(sheet, shoe, beside(edge, -0.011), colour)
        _draw_holes(sheet, shoe, end + (0.065, -0.03))


def _draw_holes(sheet: Sheet, shoe: Shoe, place: np.ndarray) -> None:
    """Air for the toes."""
    for row in range(2):
        for k in range(4 - row):
            x, y = place + (0.022 * k + 0.011 * row, -0.006 * k - 0.018 * row)
            sheet.area(circle(x, y, 0.0035), seam(shoe.upper_colour), 0)


def _draw_heel(sheet: Sheet, shoe: Shoe, last: Last) -> None:
    """A panel around the heel, and the patch at its top."""
    colour, heel, collar = shoe.panel_colour, shoe.heel, shoe.collar
    if shoe.counter:
        edge = curve(np.array([(0.3, heel * 0.8), (0.225, heel + 0.055), (0.15, 0.26), (0.07, 0.285), (-0.02, 0.28)]))
        sheet.area(np.concatenate([edge, [(-0.05, 0.0)]]), colour)
        _stitch(sheet, shoe, beside(edge, 0.011), colour)
    patch = curve(
        np.array([(0.125, collar + 0.02), (0.11, collar - 0.05), (0.06, collar - 0.085), (-0.02, collar - 0.08)])
    )
    sheet.area(np.concatenate([patch, [(-0.05, collar + 0.05)]]), shoe.mark_colour if shoe.stitched else colour)


def _draw_eyestay(sheet: Sheet, shoe: Shoe, last: Last) -> None:
    """The band along the throat that holds the laces; in high shoes with an ankle panel."""
    colour, wide = shoe.panel_colour, 0.062
    inner = beside(last.throat, -wide)[2:]
    end = last.throat[-1]
    border = np.concatenate(
        [inner[:-6], curve(np.array([inner[-6], end + (-0.012, -0.052), end + (0.016, -0.022), end + (0.01, 0.03)]))]
    )
    if shoe.collar > 0.5 and shoe.tip != "cap":
        ankle = curve(np.array([(-0.02, 0.36), (0.12, 0.345), (0.26, 0.375), (0.36, 0.4)]))
        sheet.line(ankle, seam(shoe.upper_colour), edge=SEAM)
        _stitch(sheet, shoe, beside(ankle, 0.011), shoe.upper_colour)
    sheet.area(np.concatenate([border, last.throat[::-1] + (0, 0.1), border[:1]]), colour)
    _stitch(sheet, shoe, beside(border, 0.01), colour)


def _stitch(sheet: Sheet, shoe: Shoe, line: Line, colour: Colour) -> None:
    if shoe.stitched:
        sheet.stitches(line, seam(colour) if sum(colour) > 300 else tuple(c + 60 for c in colour))


def _draw_laces(sheet: Sheet, shoe: Shoe, last: Last) -> None:
    """From eyelets over the throat's edge; the lowest first."""
    steps = np.linspace(0.9, 0.06, shoe.eyelets) * (len(last.throat) - 1)
    low, high = beside(last.throat, -0.03), beside(last.throat, 0.016)
    for step in steps.astype(int):
        eyelet, over = low[step], high[max(0, step - 2)]
        sheet.area(circle(*eyelet, 0.0085), darker(shoe.panel_colour, 0.55), CREASE)
        sheet.area(
            ribbon(np.array([eyelet, (eyelet + over) / 2 + (0.004, 0.006), over]), (0.016, 0.02, 0.018)),
            shoe.lace_colour,
            SEAM + 60,
        )


def _draw_pull(sheet: Sheet, shoe: Shoe, last: Last) -> None:
    """A loop at the heel to pull the shoe on with."""
    x, y = last.collar[0]
    loop = curve(np.array([(x - 0.004, y - 0.07), (x - 0.034, y - 0.03), (x - 0.03, y + 0.0), (x + 0.012, y - 0.006)]))
    sheet.line(loop, shoe.mark_colour, 4, OUTLINE)


def _sole(shoe: Shoe, last: Last, place) -> Sheet:
    """The sole without bounds."""
    sheet, colour, top = Sheet(place, shoe.sole_colour), shoe.sole_colour, last.top
    ground = last.sole[len(top) :][::-1]  # along the ground, heel to toe
    floor = np.stack([top[:, 0], np.interp(top[:, 0], ground[:, 0], ground[:, 1])], 1)

    def level(share: float) -> Line:
        return floor + share * (top - floor)

    if shoe.sole == "chunky":
        for share, wave in ((0.68, 0.012), (0.42, 0.018)):
            sheet.line(
                level(share) + np.stack([0 * top[:, 0], wave * np.sin(16 * top[:, 0] + 9 * share)], 1),
                seam(colour),
                1.6,
            )
    elif shoe.sole == "runner":
        wedge = curve(
            np.array(
                [
                    (-0.05, shoe.heel * 0.62),
                    (0.2, shoe.heel * 0.56),
                    (0.42, shoe.heel * 0.34),
                    (0.6, 0.012),
                    (0.62, -0.02),
                ]
            )
        )
        sheet.area(np.concatenate([wedge, [(-0.05, -0.05)]]), darker(colour, 0.9), CREASE)
    else:
        sheet.stitches(level(0.82), seam(colour))
    if shoe.sole == "vulcanised":
        sheet.line(level(0.66), shoe.outsole_colour, 2, SEAM)
        sheet.line(level(0.2), seam(colour), 1, CREASE)
    else:
        outsole = level(0.0) + (0, 0.026)
        sheet.area(np.concatenate([outsole, [(1.1, -0.1), (-0.1, -0.1)]]), shoe.outsole_colour)
        _draw_grooves(sheet, shoe, outsole)
    if shoe.window:
        middle = shoe.bevel + shoe.heel * 0.5
        sheet.area(
            ribbon(
                np.array([(0.1, middle), (0.17, middle - 0.004), (0.25, middle - 0.006)]), (0.012, 0.036, 0.03, 0.01)
            ),
            shoe.mark_colour,
        )
    return sheet


def _draw_grooves(sheet: Sheet, shoe: Shoe, outsole: Line) -> None:
    for x in np.arange(0.06, 0.98, 0.035 if shoe.sole == "cup" else 0.055):
        y = float(np.interp(x, outsole[:, 0], outsole[:, 1]))
        sheet.line(np.array([(x, y - 0.03), (x + 0.004, y - 0.004)]), seam(shoe.outsole_colour), 1.2, STITCH)


def _bumper(shoe: Shoe) -> Line:
    """The strip of rubber around the toe of a canvas shoe."""
    y = shoe.fore + shoe.spring
    edge = curve(np.array([(0.8, shoe.fore * 0.97), (0.87, y + 0.018), (0.94, y + 0.034), (1.0, y + 0.02)]))
    return np.concatenate([edge, [(1.004, y * 0.8), (0.95, y * 0.85), (0.88, shoe.fore * 0.9)]])
