"""Design and its token: small, exact, frozen, and safe against anything a stranger sends."""

import base64
import math
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isneaker.design import MAX_PROMPT, MAX_SEED, Design, DesignError, Finish, Reduced, mix
from isneaker.languages import LANGUAGES
from isneaker.templates import TEMPLATES
from isneaker.tokens import find_token, from_token, to_token

POINTS = st.tuples(st.integers(0, 511), st.integers(0, 383))


@st.composite
def hint_runs(draw):
    cells = sorted(draw(st.sets(st.integers(0, 3071), max_size=30)))
    return tuple((cell, 1, draw(st.integers(0, 0xFFFFFF))) for cell in cells)


FINISHES = st.builds(
    Finish,
    model=st.sampled_from(["sd-turbo-1a2b3c4d", "someone-0000ffff"]),
    strength=st.integers(5, 100).map(lambda n: n / 100),
    steps=st.integers(1, 8),
    seed=st.integers(0, MAX_SEED),
    prompt=st.text(max_size=MAX_PROMPT).filter(str.isprintable),
)


@st.composite
def sources(draw):
    width, height = draw(st.sampled_from([(64, 64), (256, 64), (128, 192), (256, 256)]))
    palette = draw(st.lists(st.integers(0, 0xFFFFFF), min_size=1, max_size=16))
    row = draw(st.binary(min_size=width, max_size=width))
    pixels = bytes(value % len(palette) for value in row) * height
    return Reduced(width, height, tuple(palette), pixels)


DESIGNS = st.builds(
    Design,
    model=st.sampled_from(["sketch.v1", "sketch.v12", "sketch.mine"]),
    strokes=st.lists(st.lists(POINTS, min_size=1, max_size=20).map(tuple), max_size=12).map(tuple),
    hints=hint_runs(),
    fidelity=st.integers(0, 100).map(lambda n: n / 100),
    languages=st.lists(st.tuples(st.sampled_from(LANGUAGES), st.integers(1, 100)), unique_by=lambda p: p[0]).map(tuple),
    seed=st.integers(0, MAX_SEED),
    mirrored=st.booleans(),
    codes=st.lists(st.tuples(st.integers(1, 12), st.binary(min_size=1, max_size=80)), max_size=8).map(tuple),
    psi=st.integers(0, 100).map(lambda n: n / 100),
    edits=st.lists(
        st.tuples(st.sampled_from(["sole", "upper hue", "bulk"]), st.integers(-300, 300).filter(bool)),
        unique_by=lambda p: p[0],
    ).map(tuple),
    fine=st.binary(max_size=80),
    crossover=st.integers(0, 32),
    finish=st.none() | FINISHES,
) | st.builds(Design, model=st.just("translate.v1"), seed=st.integers(0, MAX_SEED), source=sources())


@given(DESIGNS)
def test_token_round_trip(design):
    assert from_token(to_token(design)) == design


@given(st.text(max_size=200))
def test_any_text_is_a_design_or_refused(text):
    try:
        from_token(text)
    except DesignError:
        pass


@given(DESIGNS, st.data())
def test_a_cut_or_altered_token_is_refused(design, data):
    token = to_token(design)
    cut = data.draw(st.integers(0, len(token) - 1))
    try:
        assert from_token(token[:cut]) == design  # padding bits only
    except DesignError:
        pass


@given(st.binary(max_size=300), st.booleans())
@settings(max_examples=300)
def test_a_forged_payload_with_a_right_checksum_is_a_design_or_refused(payload, deflated):
    body = b"\1" + zlib.compress(payload)[2:-4] if deflated else b"\0" + payload
    token = base64.urlsafe_b64encode((zlib.crc32(body) & 0xFFFF).to_bytes(2, "big") + body).decode().rstrip("=")
    try:
        from_token("1" + token)
    except DesignError:
        pass


def test_an_inflating_token_is_refused():
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = b"\1" + packer.compress(bytes(30_000_000)) + packer.flush()
    token = "1" + base64.urlsafe_b64encode((zlib.crc32(body) & 0xFFFF).to_bytes(2, "big") + body).decode().rstrip("=")
    with pytest.raises(DesignError):
        from_token(token[:40_000])
    with pytest.raises(DesignError):
        from_token(token)


# Tokens of version 1 as they were first issued: they mean these Designs for ever.
FROZEN = {
    "1740A": Design(),
    "1q8UAAgIDFLQBEyg89AMBqQHNBAMCH2_R1yY9AmQEATwDAAQjBQIAPAQoBv____8PBwE": Design(
        strokes=(((10, 20), (100, 50), (90, 300)), ((5, 5),)),
        hints=((100, 4, 0xD7263D), (164, 3, 0x1F6FD1)),
        fidelity=0.35,
        languages=(("nike", 60), ("vans", 40)),
        seed=MAX_SEED,
        mirrored=True,
    ),
    "11jMADRFzZC10dXJiby0xYTJiM2M0ZCMEYxBzdcOoZGUsIGd1bSBzb2xl": Design(
        finish=Finish("sd-turbo-1a2b3c4d", 0.35, 4, 99, "suède, gum sole")
    ),
    "1uDgB7c2xDUBAAABAT6ISo0hsYJUvdKLgo7aJkWwhUUlMYAONRHW3wIUqTXGch5j6ZmnLol5Dl9_Xue1H9oPwwu_3-_1-v9_v9_v9fr_f7_f7_X6_3-_3-_1-__f_AQ": Design(
        model="translate.v1", seed=3, source=Reduced(128, 64, (0xF2EFE9, 0x9FCFE6), (b"\0" * 100 + b"\1" * 28) * 64)
    ),
}


@pytest.mark.parametrize("token", FROZEN)
def test_frozen_tokens(token):
    assert from_token(token) == FROZEN[token]


@pytest.mark.parametrize(
    "field, value",
    [
        ("fidelity", math.nan), ("fidelity", 1.01), ("fidelity", -0.1), ("seed", -1), ("seed", 2**32),
        ("strokes", (((512, 0),),)), ("strokes", ((),)), ("strokes", (((1, 1),) * 8001,)), ("hints", ((3071, 2, 0),)),
        ("hints", ((5, 2, 0), (6, 1, 0))), ("hints", ((0, 1, 1 << 24),)), ("languages", (("gucci", 1),)),
        ("languages", (("nike", 0),)), ("languages", (("nike", 1), ("nike", 2))), ("model", ""),
    ],
)  # fmt: skip
def test_out_of_range_values_are_refused(field, value):
    with pytest.raises(DesignError):
        replace(Design(), **{field: value})


@pytest.mark.parametrize(
    "field, value",
    [
        ("strength", math.nan), ("strength", 0.04), ("strength", 1.01), ("steps", 0), ("steps", 9), ("seed", -1),
        ("seed", 2**32), ("prompt", "x" * 10_000), ("prompt", "two\nlines"), ("prompt", "\ud800"), ("model", ""),
    ],
)  # fmt: skip
def test_out_of_range_finishes_are_refused(field, value):
    with pytest.raises(DesignError):
        replace(Finish("sd-turbo"), **{field: value})


GREY = Reduced(64, 64, (0x808080,), bytes(64 * 64))


@pytest.mark.parametrize(
    "field, value",
    [
        ("width", 0), ("width", 128), ("width", 2**70), ("height", -64), ("height", 63), ("palette", ()),
        ("palette", (0,) * 17), ("palette", (1 << 24,)), ("palette", (-1,)), ("pixels", b""),
        ("pixels", b"\1" + bytes(64 * 64 - 1)), ("pixels", bytes(64 * 64 + 1)),
    ],
)  # fmt: skip
def test_out_of_range_sources_are_refused(field, value):
    with pytest.raises(DesignError):
        replace(GREY, **{field: value})


def test_a_translation_has_no_finish():
    with pytest.raises(DesignError):
        Design(source=GREY, finish=Finish("sd-turbo"))


def test_the_worst_source_fits_into_a_token():
    noise = np.random.default_rng(0)
    worst = Reduced(
        256, 256, tuple(noise.integers(0, 1 << 24, 16).tolist()), noise.integers(0, 16, 65_536, np.uint8).tobytes()
    )
    token = to_token(Design(model="translate." + "x" * 30, source=worst, seed=MAX_SEED))
    assert from_token(token).source == worst


def test_a_finish_makes_a_link_only_as_much_longer_as_its_words():
    sketched = Design(strokes=TEMPLATES["runner"])
    finished = replace(sketched, finish=Finish("sd-turbo-1a2b3c4d", prompt="suede, gum sole"))
    assert len(to_token(finished)) - len(to_token(sketched)) < 80


def test_templates_make_short_links():
    for strokes in TEMPLATES.values():
        assert len(to_token(Design(strokes=strokes, seed=MAX_SEED))) <= 1_500


def test_a_token_is_found_in_whatever_is_pasted():
    token = to_token(Design(seed=5))
    for text in (token, f"?d={token}", f"https://example.org/spaces/x/?theme=dark&d={token}", f"  {token}\n"):
        assert find_token(text) == token


def test_mixes_are_percents():
    assert mix({"adidas": 3, "nike": 7}) == (("nike", 70), ("adidas", 30))
    assert mix({}) == ()
    for wrong in ({"gucci": 1}, {"nike": math.nan}, {"nike": math.inf}, {"nike": -1}, {"nike": 0}):
        with pytest.raises(DesignError):
            mix(wrong)
