"""A visitor's photo becomes what the training photos are, or the visitor is told why not."""

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from isneaker.images import PictureError, open_picture
from isneaker.photos import find_shoe, prepare
from tests.pictures import mask_of, on_carpet, shoe


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


@pytest.fixture(scope="module")
def picture():
    return shoe()


def test_a_prepared_shoe_lies_as_training_photos_do(picture):
    small = Image.new("RGB", (900, 1200), "#f2f1ee")
    small.paste(
        Image.composite(picture, Image.new("RGB", (512, 384), "#f2f1ee"), Image.fromarray(mask_of(picture))), (60, 500)
    )
    photo, mask, seen, note = prepare(small)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    assert photo.size == (512, 384) and photo.mode == "RGB"
    assert abs(rows[-1] - 352) <= 3 and abs((columns[0] + columns[-1]) / 2 - 256) <= 3
    assert columns[-1] - columns[0] <= 466 and rows[-1] - rows[0] <= 332
    assert np.asarray(photo)[~mask].min() > 150 and (np.asarray(photo)[:20] == 255).all()
    assert seen.height / seen.width == pytest.approx(4 / 3, 0.01) and note.startswith("Found the shoe")
    assert overlap(mask, prepare(picture).mask) > 0.85


def test_the_toe_is_turned_right(picture):
    straight, turned = prepare(picture), prepare(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert overlap(straight.mask, turned.mask) > 0.95 and "mirrored" in turned.note and "mirrored" not in straight.note
    by_hand = prepare(picture, mirror=True)
    assert overlap(by_hand.mask, straight.mask[:, ::-1]) > 0.95


@pytest.mark.parametrize("angle", [-25, 12, 90, 180])
def test_a_tilted_shoe_is_levelled(picture, angle):
    tilted = picture.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    assert overlap(prepare(tilted).mask, prepare(picture).mask) > 0.85


def test_turning_by_hand_is_on_top_of_levelling(picture):
    assert overlap(prepare(picture, turn=20).mask, prepare(picture).mask) < 0.9


@pytest.mark.parametrize("name, angle", [("runner", 0), ("high", 8), ("low", -6)])
def test_a_shoe_on_a_carpet_is_found(name, angle):
    picture, there = on_carpet(shoe(name), angle)
    cover, pose = find_shoe(picture.resize((600, 450)))
    assert overlap(cover > 0.5, np.asarray(Image.fromarray(there).resize((600, 450)))) > 0.7 and not pose.mirrored


def test_what_is_no_side_view_of_one_shoe_gets_a_word(picture):
    y, x = np.mgrid[:400, :600]
    ball = np.where((((x - 300) ** 2 + (y - 200) ** 2) < 120**2)[..., None], (200, 60, 40), 255).astype(np.uint8)
    stick = np.where(((abs(x - 300) < 12) & (abs(y - 200) < 180))[..., None], (90, 60, 40), 255).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 255, (400, 600, 3)).astype(np.uint8)
    pair = Image.new("RGB", (600, 900), "white")
    pair.paste(picture, (40, 0))
    pair.paste(picture, (40, 450))
    for each in (*map(Image.fromarray, (ball, stick, noise)), Image.new("RGB", (600, 400), "white")):
        with pytest.raises(PictureError, match="no (shoe|sneaker)"):
            prepare(each)
    with pytest.raises(PictureError, match="two shoes"):
        prepare(pair)
    with pytest.raises(PictureError, match="too small"):
        prepare(Image.new("RGB", (1, 1)))


def test_files_of_phones_and_shops_are_read(picture, tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # turn by 90 degrees to see it upright
    picture.rotate(90, expand=True).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    picture.convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    grey = np.asarray(picture.convert("L"), np.uint16) * 257
    Image.fromarray(grey).save(tmp_path / "deep.png")
    picture.save(tmp_path / "moving.gif", save_all=True, append_images=[Image.new("RGB", (512, 384))])
    pillow_heif.from_pillow(picture).save(tmp_path / "phone.heic", quality=90)
    whole = prepare(picture).mask
    for name in ("turned.jpg", "print.jpg", "deep.png", "moving.gif", "phone.heic"):
        assert overlap(prepare(open_picture(tmp_path / name)).mask, whole) > 0.9, name


def test_files_that_are_no_pictures_get_a_word(tmp_path):
    (tmp_path / "manual.jpg").write_bytes(b"%PDF-1.7\n" + b"stream" * 100)
    Image.new("1", (12_000, 9_000)).save(tmp_path / "huge.png")  # 108 megapixels
    for name, message in (("manual.jpg", "not a picture"), ("huge.png", "too many pixels")):
        with pytest.raises(PictureError, match=message):
            open_picture(tmp_path / name)


def test_a_stripe_is_no_shoe_whatever_the_visitor_says():
    stripe = Image.new("RGB", (300, 900), "white")
    stripe.paste((90, 60, 40), (140, 60, 160, 840))
    for by_hand in ({"mirror": True}, {"turn": 40}):
        with pytest.raises(PictureError, match="no sneaker"):
            prepare(stripe, **by_hand)
