"""Put a run's result into `weights/` as a row of the catalogue: `python -m train.embed runs/sketch sketch.v1`."""

import argparse
import json
import shutil
from pathlib import Path

from isneaker import catalogue


def embed(run: Path, name: str) -> None:
    """Copy the run's files to `weights/NAME/` and add or, before the first release, replace its row."""
    folder = catalogue.WEIGHTS / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("config.json", "model.safetensors", "train_config.json"):
        shutil.copyfile(run / file, folder / file)
    path = catalogue.WEIGHTS / "catalogue.json"
    rows = json.loads(path.read_text()) if path.exists() else []
    row = {
        "name": name, "architecture": name.split(".")[0], "sha256": catalogue.sha256_of(folder / "model.safetensors"),
        "licence": "MIT",
    }  # fmt: skip
    rows = [row if old["name"] == name else old for old in rows] + [row] * all(old["name"] != name for old in rows)
    path.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    options = parser.parse_args()
    embed(options.run, options.name)
