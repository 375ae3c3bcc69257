"""What became of the pictures of a folder: report.md, with contact sheets of what was kept and what was dropped and why."""

from collections import Counter
from pathlib import Path

from PIL import Image, ImageOps

from isneaker.images import PictureError, open_picture

TILE = (160, 120)
ROW = 8  # tiles
SHOWN = 64  # tiles on a sheet: the first ones


def write_report(out: Path, raw: Path, kept: list[dict], dropped: dict[str, str], twins: dict[str, str]) -> None:
    """Write `report.md` and `report/*.png` into `out`, given the kept rows of metadata.csv, and by name in `raw` why
    pictures were dropped, and which others duplicates repeat."""
    (out / "report").mkdir(exist_ok=True)
    for old in (out / "report").glob("*.png"):
        old.unlink()
    total = len(kept) + len(dropped) + len(twins)
    parts = [f"# {total} pictures, {len(kept)} kept", _table(kept)]
    parts.append(_sheet(out, "kept", [out / row["file_name"] for row in kept], len(kept)))
    for i, (reason, count) in enumerate(Counter(dropped.values()).most_common()):
        names = sorted(name for name in dropped if dropped[name] == reason)
        parts += [f"## {count} dropped: {reason}", _sheet(out, f"dropped-{i}", [raw / name for name in names], count)]
        parts.append(_list(f"`{name}`" for name in names))
    if twins:
        pairs = [raw / name for pair in sorted(twins.items()) for name in pair]
        parts.append(f"## {len(twins)} dropped: shown by another picture, the right one of each pair")
        parts.append(_sheet(out, "duplicates", pairs, len(pairs)))
        parts.append(_list(f"`{name}` is `{twin}`" for name, twin in sorted(twins.items())))
    (out / "report.md").write_text("\n\n".join(part for part in parts if part) + "\n")


def _table(kept: list[dict]) -> str:
    """How many photos of each language each split has."""
    counts = Counter((row["language"], row["split"]) for row in kept)
    lines = ["| language | train | validation |", "|---|---|---|"]
    for language in dict.fromkeys(row["language"] for row in kept):
        lines.append(f"| {language} | {counts[language, 'train']} | {counts[language, 'validation']} |")
    return "\n".join(lines)


def _list(lines) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _sheet(out: Path, name: str, pictures: list[Path], count: int) -> str:
    """A contact sheet of the first pictures -> its line in the report; none for files that are no pictures."""
    tiles = [tile for tile in map(_tile, pictures[:SHOWN]) if tile]
    if not tiles:
        return ""
    wide, high = TILE
    sheet = Image.new("RGB", (wide * ROW, high * -(-len(tiles) // ROW)), "white")
    for i, tile in enumerate(tiles):
        sheet.paste(tile, (i % ROW * wide, i // ROW * high))
    sheet.save(out / "report" / f"{name}.png")
    more = f"\n\nThe first {len(tiles)} of {count}." if count > len(tiles) else ""
    return f"![{name}](report/{name}.png){more}"


def _tile(path: Path) -> Image.Image | None:
    try:
        tile = ImageOps.pad(open_picture(path), (TILE[0] - 4, TILE[1] - 4), color="#eeeeee")
    except PictureError:
        return None
    return ImageOps.expand(tile, 2, "white")
