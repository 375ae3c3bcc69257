"""Sneakers that do not exist: what a seed, a language, psi, a slider and a code do, and their training."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional as F

from isneaker import catalogue, sliders
from isneaker.attributes import NAMES, measure
from isneaker.design import Design, DesignError
from isneaker.entropy import decode, encode
from isneaker.invert import invert, refine
from isneaker.nets import details
from isneaker.nets.encoder import PhotoEncoder
from isneaker.nets.generate import SHAPE_LAYERS, Latent, WBank, tops_of
from isneaker.nets.stylegan2 import ModulatedConv, Synthesis
from isneaker.nets.thumbnail import Thumbnail
from isneaker.render import latent_of, render, render_all, render_small
from isneaker.templates import TEMPLATES
from isneaker.tokens import from_token, to_token
from tests.conftest import forget
from tests.test_render import difference
from train import generate, losses
from train.augment import Controller, disturb
from train.data import Photos
from train.directions import closed_form, conditional_directions
from train.embed import embed
from train.loop import run

DESIGN = Design(model="generate.v1", seed=3, psi=1)


def a_code(said: bool = False) -> bytes:
    """What a Design keeps of some w, and of some details too."""
    w, grid = torch.linspace(-5, 5, 16)[None], torch.linspace(-2, 2, 768).view(4, 12, 16)
    return catalogue.load("generate.v1").bank.pack(Latent(w, details.quantise(grid) if said else 0 * grid))


def test_same_seed_same_pixels_alone_and_in_a_page(weights):
    designs = [replace(DESIGN, seed=seed) for seed in range(4)]
    alone = [render(design) for design in designs]
    forget()
    assert max(map(difference, alone, render_all(designs))) <= 1
    assert min(difference(alone[0], other) for other in alone[1:]) > 3


def test_psi_0_is_the_mean_shoe_of_every_seed(weights):
    mean, other = (render(replace(DESIGN, seed=seed, psi=0)) for seed in (1, 2))
    assert difference(mean, other) == 0
    near, far = (np.abs(np.asarray(mean, float) - np.asarray(render(replace(DESIGN, psi=p)))).mean() for p in (0.1, 1))
    assert near < far


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 4}, {"psi": 0.4}, {"languages": (("nike", 100),)}, {"languages": (("nike", 50), ("vans", 50))},
        {"edits": (("sole", 150),)}, {"edits": (("upper red", -100),)},
    ],
)  # fmt: skip
def test_every_field_changes_the_picture(weights, other):
    changes_and_travels(replace(DESIGN, **other), DESIGN)


def test_codes_change_the_picture(weights):
    plain, detailed = a_code(), a_code(said=True)
    for codes in (((50, plain),), ((50, detailed),)):
        changes_and_travels(replace(DESIGN, codes=codes), DESIGN)
    changes_and_travels(replace(DESIGN, codes=((100, plain),)), replace(DESIGN, codes=((100, detailed),)))
    for crossover in (0, 6):
        changes_and_travels(replace(DESIGN, fine=plain, crossover=crossover), DESIGN)


def changes_and_travels(design: Design, other: Design) -> None:
    """It looks different from another one, and the same behind its link."""
    assert difference(render(other), render(design)) > 2
    assert difference(render(design), render(from_token(to_token(design)))) == 0


def test_a_code_gives_back_what_it_was_made_of(weights):
    bank = catalogue.load("generate.v1").bank
    for code in (a_code(), a_code(said=True)):
        assert bank.pack(bank.unpack(code)) == code
    w, said = bank.unpack(a_code(said=True))
    assert (w - torch.linspace(-5, 5, 16)).abs().max() <= 0.5 / bank.link_scale + 1e-6 and said.abs().max() == 1


def test_a_slider_moves_its_own_layers_only(weights):
    model = catalogue.load("generate.v1")
    before, after = (latent_of(model, replace(DESIGN, edits=edits)).w for edits in ((), (("upper red", 100),)))
    changed = (before - after).abs().sum(1) > 0
    assert changed.tolist() == [layer >= 5 for layer in range(12)]


def test_a_mix_of_languages_is_continuous(weights):
    a, b, c = (render(replace(DESIGN, languages=(("nike", n), ("vans", 100 - n)))) for n in (50, 51, 95))
    near, far = (np.abs(np.asarray(a, float) - np.asarray(x, float)).mean() for x in (b, c))
    assert near < far / 5


def test_a_mix_of_languages_shares_the_shoe_out_among_their_details(weights):
    model = catalogue.load("generate.v1")
    bank = model.bank
    mixed, stored = model.bank.draw(5, {0: 0.25, 4: 0.75}).details, details.unpack(bank.details)
    for column in range(details.COLUMNS):
        own = stored[slice(*bank.share(0 if column < 4 else 4))]
        assert (own[..., column] == mixed[..., column]).all(2).all(1).any()


def test_details_stay_on_the_shoe(weights):
    model = catalogue.load("generate.v1")
    G, latent = model.synthesis, model.bank.draw(5, {})
    plain = Latent(latent.w, details.nothing())
    assert not torch.allclose(model([latent]), model([plain]), atol=1e-2)
    for conv in G.to_rgb[:2]:  # up to 32x24: white paper
        conv.weight.zero_()
    assert torch.equal(model([latent]), model([plain]))


def test_a_look_comes_from_a_shoe_of_like_outline(weights):
    bank = catalogue.load("generate.v1").bank
    low = torch.arange(40) < 20
    bank.tops[:], bank.codes[:] = torch.where(low, 60, 150)[:, None], torch.where(low, -64, 64)[:, None]
    for number in (3, 30):
        looks = [bank.look(bank.tops[number] / 255, -1, 1, torch.Generator().manual_seed(seed)) for seed in range(20)]
        assert torch.allclose(torch.stack(looks), bank.w[number])


def test_outlines_are_heights_from_left_to_right():
    photos = torch.ones(2, 3, 384, 512)
    photos[0, :, 192:, :256] = -1  # half as high as the picture, on the left
    tops = tops_of(photos)
    assert torch.allclose(tops[0, :5], torch.tensor(0.5)) and not tops[0, 7:].any() and not tops[1].any()
    assert torch.allclose(tops_of(F.avg_pool2d(photos, 4)), tops)


def test_usual_photos_come_first_and_psi_leaves_the_unusual_out():
    codes = torch.randn(60, 16, generator=torch.Generator().manual_seed(0))
    codes[5] += 20
    bank = WBank.of(codes, torch.arange(60) % 2, torch.zeros(60, 192, dtype=torch.uint8), torch.zeros(60, 12))
    assert torch.allclose(bank.w[bank.share(1)[1] - 1].clamp(max=15), codes[5].clamp(max=15), atol=0.1)
    everyone, places = torch.arange(30), torch.arange(300) / 300
    all_of_them, usual = ([bank._choose(1, everyone, float(place), psi) for place in places] for psi in (1, 0))
    assert max(usual) < 29 == max(all_of_them)
    assert np.mean(np.array(all_of_them) == usual) > 0.8


def test_a_small_picture_is_a_shade_from_the_whole():
    shoe = Design(model="generate.v1", seed=7)
    small = render_small(shoe)
    assert small.size == (256, 192)
    assert np.abs(np.asarray(small, float) - np.asarray(render(shoe).reduce(2))).mean() < 1.5
    drawn = Design(strokes=TEMPLATES["low"])
    assert difference(render_small(drawn), render(drawn).reduce(2)) == 0


def test_what_is_not_the_models_is_refused(weights):
    for wrong in (
        {"edits": (("wings", 100),)},
        {"codes": ((100, b"123"),)},
        {"codes": ((100, a_code() + b"1"),)},
        {"fine": b"1"},
    ):
        with pytest.raises(DesignError):
            render(replace(DESIGN, **wrong))
    with pytest.raises(DesignError):
        sliders.change(DESIGN, {"wings": 100})
    with pytest.raises(DesignError):
        sliders.change(Design(), {"sole": 100})


def test_sliders_can_be_set_and_taken_back(weights):
    design = sliders.change(DESIGN, {"upper_red": 50, "sole": -20})
    assert dict(design.edits) == {"upper red": 50, "sole": -20}
    assert sliders.change(design, {"upper red": 0, "sole": 0}) == DESIGN


def test_a_photo_becomes_a_short_code_and_refinement_comes_closer(weights):
    photo = render(replace(DESIGN, seed=9))
    design = invert(photo)
    assert len(to_token(design)) <= 400
    done: list[float] = []
    closer = refine(photo, design, done.append)
    errors = [np.abs(np.asarray(render(d), float) - np.asarray(photo, float)).mean() for d in (design, closer)]
    assert errors[1] < errors[0] and done[-1] == 1


def test_the_embedded_generator_inverts_and_edits():
    shoe = Design(model="generate.v1", seed=5)
    photo = render(shoe)
    inverted = invert(photo)
    assert len(to_token(inverted)) <= 400
    back = render(inverted)
    apart = np.abs(np.asarray(photo, float) - np.asarray(render(replace(shoe, seed=6)), float)).mean()
    assert np.abs(np.asarray(photo, float) - np.asarray(back, float)).mean() < 0.7 * apart
    low, high = (measure(render(sliders.change(shoe, {"collar": v}))) for v in (-150, 150))
    assert high["collar_height"] > low["collar_height"] + 0.05
    dark, light = (measure(render(sliders.change(shoe, {"upper light": v}))) for v in (-150, 150))
    assert light["upper_lightness"] > dark["upper_lightness"] + 15


# --- networks ---


def test_entropy_coding_is_lossless_and_short_for_what_is_likely():
    symbols = np.random.default_rng(0).choice(4, 500, p=(0.9, 0.05, 0.03, 0.02)).tolist()
    fitting, even = np.array([0, 900, 950, 980, 1000]), np.arange(5)
    codes = [encode(symbols, lambda n, before, edges=edges: edges) for edges in (fitting, even)]
    assert len(codes[0]) < 0.4 * len(codes[1]) == 0.4 * 126
    assert decode(codes[0], 500, lambda n, before: fitting) == symbols
    with pytest.raises(ValueError):
        decode(codes[1], 500, lambda n, before: fitting)


def test_details_are_a_byte_a_cell():
    said = details.quantise(3 * torch.randn(2, 4, 12, 16))
    assert set((said * 3).round().unique().tolist()) == {-3, -1, 1, 3}
    packed = details.pack(said)
    assert packed.shape == (2, 192) and packed.dtype == torch.uint8
    assert torch.allclose(details.unpack(packed), said)


def test_details_fade_to_nothing_and_leave_the_shape_alone():
    G = Synthesis(16, 5)
    for conv in (*G.to_rgb, G.to_blocks, G.details.add):
        torch.nn.init.normal_(conv.weight, 0, 0.05)
    for conv in G.to_rgb[:2]:
        torch.nn.init.constant_(conv.bias, 1)  # dark everywhere
    ws, said = torch.randn(1, G.num_ws, 16), details.quantise(torch.randn(1, 4, 12, 16))
    assert torch.equal(G(ws, 0 * said), G(ws))
    assert not torch.allclose(G(ws, said), G(ws), atol=1e-2)
    assert torch.equal(G(ws, said, 32), G(ws, None, 32))


def test_a_thumbnail_is_the_nearest_linear_image_of_w():
    net, w = Thumbnail(4, 8, 8), torch.randn(50, 4)
    photos = torch.ones(50, 3, 24, 32)
    photos[:, :, 2:22] -= (w @ torch.randn(4, 3 * 20 * 32) + 0.5).view(50, 3, 20, 32)
    assert (net.colours(w) == 1).all()
    net.fit(w, photos)
    assert torch.allclose(net.colours(w), photos, atol=1e-3)


def test_the_thumbnail_follows_the_look():
    G = Synthesis(16, 5)
    for part in (*G.to_rgb, G.to_blocks, G.thumbnail.linear, G.thumbnail.add):
        torch.nn.init.normal_(part.weight, 0, 0.05)
    for conv in (G.convs[1].conv, G.to_rgb[1]):  # which take the same w
        torch.nn.init.zeros_(conv.affine.weight)
    ws = torch.randn(1, G.num_ws, 16)
    other = torch.cat([ws[:, :SHAPE_LAYERS], -ws[:, SHAPE_LAYERS:]], 1)
    assert not torch.allclose(G(ws, width=32), G(other, width=32))
    torch.nn.init.zeros_(G.thumbnail.add.weight)
    assert torch.equal(G(ws, width=32), G(other, width=32))


def test_modulation_scales_channels_and_demodulation_takes_the_scale_out():
    conv = ModulatedConv(8, 4, 3, 16)
    x, w = torch.randn(2, 8, 6, 8), torch.randn(2, 16)
    doubled = ModulatedConv(8, 4, 3, 16)
    doubled.load_state_dict(conv.state_dict())
    with torch.no_grad():
        doubled.affine.weight *= 2
        doubled.affine.bias *= 2
    assert torch.allclose(conv(x, w), doubled(x, w), atol=1e-4)
    style = conv.affine(w)[0]
    fused = conv.weight * style[None, :, None, None]
    fused = fused * torch.rsqrt(fused.square().sum((1, 2, 3), keepdim=True) + 1e-8)
    expected = torch.nn.functional.conv2d(x[:1], fused, padding=1)
    assert torch.allclose(conv(x[:1], w[:1]), expected, atol=1e-4)


def test_an_untrained_synthesis_draws_white_paper_at_every_size():
    G = Synthesis(16, 5)
    ws = torch.randn(1, G.num_ws, 16)
    for width in (16, 128, 256, 512):
        picture = G(ws, width=width)
        assert picture.shape == (1, 3, width * 3 // 4, width) and (picture == 1).all()


def test_the_encoder_starts_as_principal_components():
    photos = torch.rand(40, 3, 96, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    photos *= torch.linspace(0.2, 1, 40)[:, None, None, None]
    encoder = PhotoEncoder(4, 8)
    encoder.start(photos)
    w = encoder(photos)
    assert w.mean(0).abs().max() < 0.02 and (w.T @ w / 40 - torch.diag(w.square().mean(0))).abs().max() < 0.05


# --- training ---


def config(data, out, **changes) -> generate.Config:
    tiny = {"kimg": 0.024, "batch_size": 4, "ngf": 5, "w_dim": 6, "nef": 8, "ndf": 8, "snapshot_kimg": 0.008,
            "workers": 0, "measured": 2, "kimg_128": 0.004, "kimg_256": 0.008, "kimg_512": 0.012, "kimg_details": 0.016, "r1_interval": 2, "warm_up": 0.01, "ada_kimg": 0.1}  # fmt: skip
    return generate.Config(str(data), str(out), adversary_from=0, adversary_full=0.004, **(tiny | changes))


def test_a_run_leaves_what_the_app_loads(data, tmp_path, weights):
    generate.train(config(data, tmp_path / "run"))
    stats = [json.loads(line) for line in (tmp_path / "run" / "stats.jsonl").read_text().splitlines()]
    assert [line["kimg"] for line in stats] == [0.008, 0.016, 0.024]
    assert all(np.isfinite(value) for line in stats for value in line.values())
    assert all("kernel_distance_x1000" in line for line in stats)
    embed(tmp_path / "run", "generate.v7")
    forget()
    assert catalogue.newest("generate") == "generate.v7"
    assert render(Design(model="generate.v7")).size == (512, 384)


class Killed(generate.GenerateTraining):
    """A run that stops right after its first checkpoint."""

    def snapshot(self, *_) -> None:
        raise KeyboardInterrupt


def test_a_resumed_run_equals_an_uninterrupted_one(data, tmp_path):
    generate.train(config(data, tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        run(Killed, config(data, tmp_path / "killed"))
    generate.train(config(data, tmp_path / "killed"))
    whole, resumed = (load_file(tmp_path / name / "checkpoint.safetensors") for name in ("whole", "killed"))
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_a_subset_of_the_photos_can_be_chosen(data, tmp_path):
    (tmp_path / "chosen.txt").write_text("photos/00001.webp photos/00003.webp")
    assert len(Photos(data, tmp_path / "cache", subset=str(tmp_path / "chosen.txt"))) == 2
    assert len(Photos(data, tmp_path / "cache")) == 8


def test_the_augmentation_follows_the_overfitting_measure():
    ada = Controller(target=0.6, ada_kimg=1)
    assert ada.update(1.0, 100) > 0
    risen = ada.update(1.0, 100)
    assert ada.update(0.2, 100) < risen
    for _ in range(50):
        ada.update(-1.0, 100)
    assert ada.p == 0


def test_disturbance_is_none_at_0_and_the_same_for_both_groups():
    photos = torch.rand(6, 3, 48, 64) * 2 - 1
    same, *_ = disturb(0, torch.Generator(), photos)
    assert torch.equal(same, photos)
    a, b = disturb(0.8, torch.Generator().manual_seed(0), photos, photos.clone())
    assert torch.equal(a, b) and (a - photos).abs().mean() > 0.05
    white, *_ = disturb(1, torch.Generator().manual_seed(1), torch.ones(4, 3, 48, 64))
    assert white.shape == (4, 3, 48, 64)


def test_r1_is_the_squared_slope():
    photos = torch.randn(2, 3, 4, 4, requires_grad=True)
    assert abs(losses.r1_penalty(3 * photos.sum((1, 2, 3)), photos).item() - 9 * 48) < 1e-2


def test_crossings_are_between_photos_and_the_rest_is_left_alone():
    w, details = torch.randn(8, 6), torch.randn(8, 4, 12, 16)
    ws, crossed = generate.imagine(w, details, 3, 12, torch.Generator().manual_seed(0))
    assert torch.equal(ws[:5], w[:5, None].expand(-1, 12, -1)) and torch.equal(crossed[:5], details[:5])
    assert not torch.equal(ws[5:], w[5:, None].expand(-1, 12, -1)) and not torch.equal(crossed[5:], details[5:])


def test_details_are_learnt_at_last_and_w_stays_what_it_is(data, tmp_path):
    stages = {"kimg_128": 0, "kimg_256": 0.004, "kimg_512": 0.016, "kimg_details": 0.032, "warm_up": 0.001}
    kept = {}
    for kimg in (0.016, 0.032, 0.048):
        generate.train(config(data, tmp_path / "run", kimg=kimg, **stages))
        kept[kimg] = load_file(tmp_path / "run" / "checkpoint.safetensors")
    before, alone, after = kept.values()
    free = {"G/details.add.weight", "G/thumbnail.add.weight", "G/ups.2.conv.weight", "G/to_rgb.1.weight"}
    fixed = {"E/to_w.weight", "G/input.weight", "G/ups.1.conv.weight", "G/to_rgb.0.weight", "G/thumbnail.linear.weight"}
    critics = {"D/heads.heads.0.embed.weight"}
    moved = [{name for name in a if not torch.equal(a[name], b[name])} for a, b in ((before, alone), (alone, after))]
    assert free <= moved[0] and not (fixed | critics) & moved[0]
    assert free | critics <= moved[1] and not fixed & moved[1]
    assert load_file(tmp_path / "run" / "model.safetensors")["bank.details"].any()


# --- attributes and directions ---


def shoe(collar: int, sole: tuple, upper: tuple) -> Image.Image:
    """A shoe of boxes: collar height in pixels and two colours."""
    pixels = np.full((384, 512, 3), 255, np.uint8)
    pixels[352 - 120 : 352, 40:470] = upper
    pixels[352 - collar : 352, 40:160] = upper
    pixels[352 - 40 : 352, 30:480] = sole
    return Image.fromarray(pixels)


def test_attributes_are_what_they_say():
    low, high = measure(shoe(150, (230, 230, 230), (200, 30, 30))), measure(shoe(260, (20, 20, 20), (30, 30, 200)))
    assert abs(low["sole_thickness"] * 450 - 40) < 6
    assert high["collar_height"] > low["collar_height"] + 0.2
    assert low["upper_red"] > 40 and high["upper_yellow"] < -40
    assert low["sole_lightness"] > 80 > 20 > high["sole_lightness"]
    assert set(NAMES) <= set(low)
    assert np.isnan(measure(Image.new("RGB", (512, 384), "white"))["bulk"])


def test_conditional_directions_move_their_attribute_and_leave_the_others():
    rng = np.random.default_rng(0)
    w = rng.normal(size=(4000, 6))
    attributes = np.stack([w[:, 0] + 0.9 * w[:, 1], w[:, 1], w[:, 2]], 1)
    directions = conditional_directions(w, attributes)
    effects = directions @ np.array([[1, 0.9, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]]).T
    own = np.abs(np.diag(effects))
    assert (own > 4 * (np.abs(effects).sum(1) - own)).all()


def test_closed_form_directions_are_orthogonal_and_sorted():
    G = Synthesis(8, 5)
    directions = closed_form(G, 5, 12)
    assert torch.allclose(directions @ directions.T, torch.eye(8), atol=1e-4)
