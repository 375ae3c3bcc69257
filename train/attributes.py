"""The measured attributes of the pictures in a folder, as JSON: `python -m train.attributes DIR`."""

import argparse
import json
from pathlib import Path

from PIL import Image

from isneaker.attributes import measure
from isneaker.design import HEIGHT, WIDTH

SUFFIXES = (".png", ".webp", ".jpg", ".jpeg")


def main() -> None:
    """Print {file: {attribute: value}}."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    files = sorted(f for f in parser.parse_args().folder.iterdir() if f.suffix.lower() in SUFFIXES)
    measured = {f.name: measure(Image.open(f).convert("RGB").resize((WIDTH, HEIGHT))) for f in files}
    print(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main()
