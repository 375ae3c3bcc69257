"""The command line: `python -m isneaker sketch DRAWING... --out DIR`, `python -m isneaker render LINK... --out DIR`."""

import argparse
import os
import sys
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL import Image

from isneaker import catalogue, sliders
from isneaker.combine import Source, combine, read_source, source_of
from isneaker.design import MAX_SEED, MAX_STEPS, Design, DesignError, Finish, parse_mix
from isneaker.images import PictureError, design_of, fit, open_picture, read_drawing, to_png
from isneaker.options import UsageError, fraction, integer, option, seeds, slider, strength, weights
from isneaker.photos import prepare
from isneaker.render import render_all, render_large
from isneaker.restyle import restyle
from isneaker.studio.setup import configured
from isneaker.tokens import find_token, from_token, to_token
from isneaker.translate import translate


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str):
        self.exit(_complain(message))


def main(arguments: list[str] | None = None) -> int:
    """Run one command -> exit status: 0, or 2 where an input was wrong (the others are still done)."""
    options = _parser().parse_args(arguments)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        stems = options.stems(options)
    except (UsageError, OSError) as error:
        return _complain(error)
    status = 0
    for given, stem in stems.items():
        try:
            designs = options.designs(given, options)
            pictures = options.make(designs)
        except (UsageError, DesignError, PictureError, catalogue.WeightsUnavailable) as error:
            status = _complain(f"{given[:80]}: {error}")
            continue
        for i, (design, picture) in enumerate(zip(designs, pictures)):
            path = options.out / (f"{stem}-{i}.png" if len(designs) > 1 else f"{stem}.png")
            path.write_bytes(to_png(picture, to_token(design)))
            print(f"{path}\t{os.environ.get('ISNEAKER_URL', '')}?d={to_token(design)}", flush=True)
    return status


def _complain(error: Exception | str) -> int:
    print(f"isneaker: {error}", file=sys.stderr)
    return 2


def _tell(share: float, what: str) -> None:
    """Say how far the studio is, to people; a script's log is left alone."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="\n" if share == 1 else "", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m isneaker", description="Sneakers from the command line.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    sketch = commands.add_parser("sketch", help="drawings, black on white, to sneakers")
    sketch.add_argument("inputs", nargs="+", metavar="DRAWING", help="a picture file of any size")
    sketch.add_argument(
        "--language", type=option(parse_mix), default=(), help="nike=0.7,adidas=0.3 or just nike; default: any"
    )
    sketch.add_argument(
        "--fidelity", type=option(fraction), default=Design.fidelity, help="0 make it a sneaker, 1 follow my lines"
    )
    sketch.add_argument("--hints", type=Path, help="a picture of colour scribbles on white or transparent ground")
    sketch.add_argument("--seed", type=option(integer(0, MAX_SEED)), default=0, help=f"0 to {MAX_SEED}")
    sketch.add_argument("--variants", type=option(integer(1, 64)), default=1, help="pictures of each drawing, 1 to 64")
    sketch.set_defaults(stems=_file_stems, designs=_sketch)

    restyle = commands.add_parser("restyle", help="photos of shoes, from the side, in another design language")
    restyle.add_argument("inputs", nargs="+", metavar="PHOTO", help="a picture file of one shoe")
    restyle.add_argument("--language", type=option(parse_mix), required=True, help="nike=0.7,adidas=0.3 or just adidas")
    restyle.add_argument("--strength", type=option(fraction), default=0.7, help="0 the shoe itself, 1 a redesign")
    restyle.add_argument("--seed", type=option(integer(0, MAX_SEED)), default=0, help=f"0 to {MAX_SEED}")
    restyle.set_defaults(stems=_file_stems, designs=_restyle)

    combine = commands.add_parser("combine", help="one sneaker out of two to four")
    combine.add_argument("inputs", nargs="+", metavar="PHOTO_OR_LINK", help="a photo, a PNG made here, or a link")
    combine.add_argument("--weights", type=option(weights), help="0.5,0.5: how much of each; default: as much of all")
    combine.set_defaults(stems=_combined_stem, designs=_combine)

    generate = commands.add_parser("generate", help="sneakers that do not exist")
    generate.add_argument("--seeds", dest="inputs", type=option(seeds), required=True, help="0-99, or 3,5,8-12")
    generate.add_argument(
        "--psi", type=option(fraction), default=Design.psi, help="0 the mean shoe, 1 as varied as photos"
    )
    generate.add_argument("--language", type=option(parse_mix), default=(), help="as for sketch")
    generate.set_defaults(stems=lambda options: {seed: seed for seed in options.inputs}, designs=_generate)

    edit = commands.add_parser("edit", help="generated sneakers, changed")
    edit.add_argument("inputs", nargs="+", metavar="LINK_OR_PNG", help="as for render")
    edit.add_argument(
        "--set", dest="edits", action="append", type=option(slider), required=True, metavar="SLIDER=VALUE",
        help="sole=1.5: by one and a half deviations; -3 to 3",
    )  # fmt: skip
    edit.set_defaults(stems=_link_stems, designs=_edited)

    translate = commands.add_parser("translate", help="pictures to pictures of another kind, by a model of pairs")
    translate.add_argument("inputs", nargs="+", metavar="PICTURE", help="a picture file of the model's kind")
    translate.add_argument("--seed", type=option(integer(0, MAX_SEED)), default=0, help=f"0 to {MAX_SEED}")
    translate.set_defaults(stems=_file_stems, designs=_translate)

    render = commands.add_parser("render", help="links, tokens or our PNGs to the pictures they mean")
    render.add_argument("inputs", nargs="+", metavar="LINK", help="an address, ?d=TOKEN, a token or a PNG made here")
    render.set_defaults(stems=_link_stems, designs=_render)

    studio = commands.add_parser("studio", help="a photoreal finish, by a diffusion model that is fetched on first use")
    studio.add_argument("inputs", nargs="+", metavar="LINK_OR_PNG", help="as for render")
    studio.add_argument("--prompt", default=Finish.prompt, help='words of your own: "suede, gum sole, night rain"')
    studio.add_argument(
        "--strength", type=option(strength), default=Finish.strength, help="0.05 hardly anything to 1 all may change"
    )
    studio.add_argument("--steps", type=option(integer(1, MAX_STEPS)), default=Finish.steps, help=f"1 to {MAX_STEPS}")
    studio.add_argument("--seed", type=option(integer(0, MAX_SEED)), default=0, help=f"0 to {MAX_SEED}")
    studio.add_argument("--large", dest="make", action="store_const", const=_large, help="1024x768 instead of 512x384")
    studio.set_defaults(stems=_link_stems, designs=_finish)

    for command in (sketch, restyle, combine, generate, edit, translate, render, studio):
        command.set_defaults(make=partial(render_all, tell=_tell))
        command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the PNGs")
    return parser


# --- commands: one input to its Designs ---


def _sketch(given: str, options: argparse.Namespace) -> list[Design]:
    drawing = read_drawing(fit(open_picture(given)))
    if options.hints:
        drawing = drawing._replace(hints=read_drawing(fit(open_picture(options.hints))).hints)
    if not drawing.strokes and not drawing.hints:
        raise UsageError("there are no lines in this drawing")
    design = Design(
        model=catalogue.newest("sketch"), fidelity=options.fidelity, languages=options.language, **drawing._asdict()
    )
    seeds = ((options.seed + i) % (MAX_SEED + 1) for i in range(options.variants))
    return [replace(design, seed=seed) for seed in seeds]


def _generate(given: str, options: argparse.Namespace) -> list[Design]:
    name = catalogue.newest("generate")
    return [Design(model=name, seed=int(given), psi=options.psi, languages=options.language)]


def _edited(given: str, options: argparse.Namespace) -> list[Design]:
    (design,) = _render(given, options)
    return [sliders.change(design, dict(options.edits))]


def _restyle(given: str, options: argparse.Namespace) -> list[Design]:
    return [restyle(prepare(open_picture(given)), options.language, options.strength, seed=options.seed)]


def _translate(given: str, options: argparse.Namespace) -> list[Design]:
    return [translate(open_picture(given), options.seed)]


def _combine(given: str, options: argparse.Namespace) -> list[Design]:
    sources = []
    for each in options.inputs:
        try:
            sources.append(_source(each))
        except (DesignError, PictureError) as error:
            raise UsageError(f"{each[:80]}: {error}") from None
    return [combine(sources, options.weights or [1.0] * len(sources))]


def _source(given: str) -> Source:
    """A link's sneaker, where the text is no file and looks like a link, else a picture's."""
    is_link = "?d=" in given or not (Path(given).suffix or Path(given).exists())
    return source_of(from_token(find_token(given))) if is_link else read_source(given)


def _render(given: str, options: argparse.Namespace) -> list[Design]:
    if not Path(given).suffix.lower() == ".png":
        return [from_token(find_token(given))]
    design = design_of(given)
    if design is None:
        raise UsageError("there is no design in this picture")
    return [design]


def _finish(given: str, options: argparse.Namespace) -> list[Design]:
    (design,) = _render(given, options)
    prompt = " ".join(options.prompt.split())
    finish = Finish(configured().name, options.strength, options.steps, options.seed, prompt)
    return [replace(design, finish=finish)]


def _large(designs: list[Design]) -> list[Image.Image]:
    return [render_large(design, _tell) for design in designs]


def _file_stems(options: argparse.Namespace) -> dict[str, str]:
    """Input files -> stems of their outputs; the same stem twice is an error."""
    stems = Counter(Path(given).stem for given in options.inputs)
    repeated = [stem for stem, count in stems.items() if count > 1]
    if repeated:
        raise UsageError(f"two inputs are called {repeated[0]!r}; their pictures would overwrite each other")
    return {given: Path(given).stem for given in options.inputs}


def _link_stems(options: argparse.Namespace) -> dict[str, str]:
    """PNGs keep their stem; links are numbered in their order, from 0."""
    names = [Path(g).stem if Path(g).suffix.lower() == ".png" else str(i) for i, g in enumerate(options.inputs)]
    if len(set(names)) < len(names) or len(set(options.inputs)) < len(options.inputs):
        raise UsageError("two inputs would make the same file")
    return dict(zip(options.inputs, names))


def _combined_stem(options: argparse.Namespace) -> dict[str, str]:
    """All inputs make one picture, combined.png."""
    count = len(options.inputs)
    if not 2 <= count <= 4:
        raise UsageError(f"two to four sneakers can be combined, not {count}")
    if options.weights and len(options.weights) != count:
        raise UsageError(f"there are {len(options.weights)} weights for {count} sneakers")
    return {"combine": "combined"}


if __name__ == "__main__":
    sys.exit(main())
