"""The tables of scores in README.md, made of the JSON that `train.evaluate` leaves beside the weights."""

import json
import re
from pathlib import Path

from isneaker import catalogue

README = Path(__file__).parents[2] / "README.md"
MODELS = (
    "| model | realism: kernel distance x1000 | faithfulness | variety, photos = 1 | called their language | Design to picture |\n"
    "|---|---|---|---|---|---|"
)
RESTYLED = "| what | Nike to Adidas | Adidas to Nike |\n|---|---|---|"


def scores() -> str:
    """One row for each embedded model."""
    return "\n".join([MODELS, *(_row(row) for row in catalogue.rows().values() if _row(row))])


def _row(row: catalogue.Row) -> str:
    path = catalogue.WEIGHTS / row.name / "metrics.json"
    m = json.loads(path.read_text()) if path.exists() else {}
    cells = {
        "sketch": lambda: (f"{m['kernel_distance_x1000']:.1f}", f"{m['ink_recall']:.2f} of the ink, {m['ink_recall_other_sketch']:.2f} of another's"),
        "generate": lambda: (f"{m['kernel_distance_x1000']:.1f}", f"photos come back at {m['inversion_ratio']:.2f} of the distance to the nearest training photo"),
        "cutout": lambda: ("", f"IoU {m['iou_plain']:.2f} on plain, {m['iou_cluttered']:.2f} on cluttered grounds"),
    }  # fmt: skip
    if row.architecture not in cells or not m:
        return ""
    realism, faithfulness = cells[row.architecture]()
    language = (
        f"{_percent(m['language_share'])} (photos {_percent(m['language_share_photos'])})"
        if "language_share" in m
        else ""
    )
    variety = f"{m['variety_ratio']:.2f}" if "variety_ratio" in m else ""
    speed = f"{m['milliseconds']} ms" if "milliseconds" in m else ""
    return f"| {row.name} | {realism} | {faithfulness} | {variety} | {language} | {speed} |"


def restyled() -> str:
    """What restyling does to Nike's and Adidas' held-out photos."""
    m = json.loads((catalogue.WEIGHTS / catalogue.newest("sketch") / "restyle.json").read_text())
    rows = {
        "called the target": "", "... the photos before": "_unrestyled", "... half the one language, half the other": "_half",
        "... the other way that was tried: the target's codes without its marks": "_codes_only",
    }  # fmt: skip
    ways = ("nike_to_adidas", "adidas_to_nike")
    lines = [f"| {what} | {' | '.join(_percent(m[way + key]) for way in ways)} |" for what, key in rows.items()]
    lines.append(f"| outline IoU with the photo | {' | '.join(format(m[way + '_iou'], '.2f') for way in ways)} |")
    return "\n".join([RESTYLED, *lines])


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def with_tables(text: str) -> str:
    """The README with its tables made anew; each stands between `<!-- NAME -->` and `<!-- /NAME -->`."""
    for name, table in (("scores", scores), ("restyled", restyled)):
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m: f"{m[1]}{table()}\n{m[2]}", text, flags=re.DOTALL
        )
    return text
