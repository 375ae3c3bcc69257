"""Make the first tiles of the Discover tab, so that nobody waits for them: `python -m train.tiles`."""

from PIL import Image

from isneaker import catalogue
from isneaker.design import HEIGHT, WIDTH, Design
from isneaker.render import render_small
from isneaker.ui.tiles import COLUMNS, READY, sheet_of


def main() -> None:
    """Write the sheet beside the newest generate model, in place of an older one."""
    model = catalogue.newest("generate")
    sheet = Image.new("RGB", (COLUMNS * WIDTH // 2, READY // COLUMNS * HEIGHT // 2))
    for seed in range(READY):
        place = (seed % COLUMNS * WIDTH // 2, seed // COLUMNS * HEIGHT // 2)
        sheet.paste(render_small(Design(model=model, seed=seed)), place)
    path = sheet_of(model)
    for old in path.parent.glob("tiles-*.webp"):
        old.unlink()
    sheet.save(path, quality=88, method=6)


if __name__ == "__main__":
    main()
