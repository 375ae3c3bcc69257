"""The studio finish: toy diffusion models from the loopback Hub, through `render` and the command line."""

import re
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from isneaker.__main__ import main
from isneaker.design import Design, DesignError, Finish
from isneaker.images import open_picture
from isneaker.render import render, render_large
from isneaker.studio import engine, setup
from isneaker.studio.finish import LARGE, _blend, _boxes
from isneaker.studio.prompt import SETTING, prompt_of
from isneaker.studio.setup import SD_TURBO, TAESD, Pin, Setup, configured
from isneaker.templates import TEMPLATES
from isneaker.tokens import from_token, to_token
from tests.conftest import ROOT, forget
from tests.studio_models import SKETCHED, finished, forget_studio, read, save_pipeline
from tests.test_render import difference

pytest_plugins = ["tests.studio_fixtures"]

# --- what is finished, and how ---


def test_the_same_design_is_the_same_picture_and_every_field_counts(studio):
    first = render(finished(prompt="suede"))
    assert first.size == (512, 384) and np.asarray(first).std() > 5
    engine.forget()
    forget()
    assert difference(first, render(finished(prompt="suede"))) == 0
    for other in ({"prompt": "red"}, {"seed": 1}, {"strength": 0.8}, {"steps": 3}):
        assert difference(first, render(finished(**{"prompt": "suede"} | other))) > 0
    assert difference(first, render(SKETCHED)) > 20


@pytest.mark.parametrize("strength, steps", [(0.05, 1), (0.35, 3), (1, 2)])
def test_as_many_steps_are_taken_as_are_asked_for(studio, strength, steps):
    words = []
    render(finished(strength=strength, steps=steps), lambda share, what: words.append(what))
    taken = [word for word in words if word.startswith("Step")]
    assert taken == [f"Step {i} of {steps}" for i in range(steps + 1)]


def test_only_safetensors_come_at_the_pinned_commit_and_only_once(studio, hub):
    render(finished())
    commit = configured().model.commit
    asked = {r.split("/resolve/")[1] for r in hub.requests if r.startswith("HEAD /maker/model/resolve/")}
    assert asked and all(path.startswith(commit) for path in asked)
    assert not [path for path in asked if not path.endswith((".json", ".safetensors", ".txt", ".md"))]
    assert not [path for path in asked if "/vae/" in path]  # the decoder of a CPU stands in for it
    hub.requests.clear()
    forget_studio()
    render(finished(seed=5))
    assert not [request for request in hub.requests if "/cdn/" in request or "/tree/" in request]


def test_half_precision_is_preferred_where_all_have_it(put, toys, hub, weights, tmp_path):
    save_pipeline(tmp_path / "halves", variant="fp16")
    put(model=read(toys / "model") | read(tmp_path / "halves"))
    render(finished())
    weights_asked = {r for r in hub.requests if "HEAD" in r and r.endswith(".safetensors")}
    assert len(weights_asked) == 3 and all(".fp16." in request for request in weights_asked)


def test_a_drawing_guides_where_it_is_to_be_followed(put, toys, weights):
    put(model=toys / "model", control=toys / "control")
    design = finished()
    other = replace(design, strokes=TEMPLATES["high"])
    wall = Image.new("RGB", (512, 384), (200, 90, 60))
    from isneaker.studio.finish import finish

    def made(design: Design) -> Image.Image:
        return finish(design, wall, lambda share, what: None)

    assert difference(made(design), made(other)) > 0
    assert difference(made(replace(design, fidelity=0.3)), made(replace(other, fidelity=0.3))) == 0


def test_the_large_picture_is_deterministic_and_has_no_seams(studio):
    large = render_large(finished())
    assert large.size == LARGE == (1024, 768)
    assert difference(large, render_large(finished())) == 0
    rng = np.random.default_rng(0)
    whole = Image.fromarray(rng.integers(0, 256, (LARGE[1], LARGE[0], 3), np.uint8))
    assert difference(_blend([whole.crop(box) for box in _boxes()]), whole) == 0


def test_the_name_of_a_setup_holds_every_pin():
    assert Setup(SD_TURBO, TAESD).name == "sd-turbo-1b77c566"  # in links: it stays
    pin = Pin("maker/model", "0" * 40)
    setups = [Setup(pin), Setup(pin, TAESD), Setup(pin, None, TAESD), Setup(pin, None, None, TAESD), Setup(SD_TURBO)]
    assert len({each.name for each in setups}) == 5


def test_on_zero_gpu_the_work_is_done_where_the_gpu_is(studio, monkeypatch):
    asked = []

    def gpu(duration):
        return lambda function: lambda *args: asked.append(duration) or function(*args)

    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=gpu))
    monkeypatch.setattr(engine, "find_spec", lambda name: name == "spaces")
    monkeypatch.setattr(engine, "_on_gpu", engine._zero_gpu(engine._run_silently))
    render(finished())
    assert asked == [engine.GPU_SECONDS]


# --- the prompt ---


def test_the_prompt_says_what_is_seen_and_what_the_visitor_adds():
    design = Design(
        strokes=TEMPLATES["high"], languages=(("vans", 60), ("nike", 40)), finish=Finish("x", prompt="suede")
    )
    picture = render(replace(design, finish=None))
    prompt = prompt_of(design, picture)
    assert "high-top sneaker in the style of Vans and Nike" in prompt
    assert prompt.index("suede") < prompt.index(SETTING)
    assert prompt_of(replace(design, mirrored=True), picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == prompt


def test_colours_are_named():
    picture = np.full((384, 512, 3), 255, np.uint8)
    picture[150:300, 60:450] = 0x21, 0x59, 0xC4
    picture[300:345, 60:450] = 0xC5, 0x25, 0x2C
    subject = prompt_of(Design(), Image.fromarray(picture))
    assert subject.startswith("a blue ") and "red sole" in subject
    assert prompt_of(Design(), Image.new("RGB", (512, 384), "white")).startswith("a sneaker, ")


def test_a_prompt_of_ten_thousand_characters_is_refused():
    with pytest.raises(DesignError, match="at most 200 characters, not 10000"):
        Finish("sd-turbo", prompt="x" * 10_000)


# --- the command line ---


def test_studio_prints_path_and_link_and_the_link_renders_the_same(studio, tmp_path, capsys):
    options = ["--prompt", "suede, gum  sole", "--strength", "0.4", "--steps", "1", "--seed", "9"]
    assert main(["studio", to_token(SKETCHED), *options, "--out", str(tmp_path / "out")]) == 0
    path, link = capsys.readouterr().out.strip().split("\t")
    design = from_token(link.removeprefix("?d="))
    assert path == str(tmp_path / "out" / "0.png")
    assert design == finished(prompt="suede, gum sole", strength=0.4, steps=1, seed=9)
    assert main(["render", path, "--out", str(tmp_path / "again")]) == 0
    assert difference(open_picture(path), open_picture(tmp_path / "again" / "0.png")) == 0
    assert main(["studio", path, "--large", "--out", str(tmp_path / "large")]) == 0
    assert open_picture(tmp_path / "large" / "0.png").size == (1024, 768)


@pytest.mark.parametrize(
    "options",
    [["--strength", "0"], ["--strength", "nan"], ["--steps", "9"], ["--seed", "-1"], ["--prompt", "x" * 10_000]],
)
def test_a_bad_option_is_one_line_and_status_2(weights, options, tmp_path, capsys):
    try:
        status = main(["studio", to_token(SKETCHED), *options, "--out", str(tmp_path)])
    except SystemExit as exit:
        status = exit.code
    captured = capsys.readouterr()
    assert status == 2 and captured.out == "" and len(captured.err.splitlines()) == 1


def test_where_the_studio_is_away_the_command_says_so_in_one_line(studio, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(engine, "free_memory", lambda: 0)
    assert main(["studio", to_token(SKETCHED), to_token(Design()), "--out", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


# --- what it costs who does not use it ---


def test_nothing_heavy_is_imported_with_the_app():
    heavy = "[name for name in ('diffusers', 'transformers', 'peft', 'accelerate') if name in sys.modules]"
    code = f"import sys, app; import isneaker.__main__; sys.exit(str({heavy} or ''))"
    env = {"ISNEAKER_STUDIO": "1", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=env)
    assert done.returncode == 1 and done.stderr.strip() == ""


def test_the_readme_names_every_environment_variable():
    told = (ROOT / "README.md").read_text()
    used = {
        name for f in (ROOT / "isneaker" / "studio").glob("*.py") for name in re.findall(r"ISNEAKER_\w+", f.read_text())
    }
    parts = {f"ISNEAKER_STUDIO_{part.upper()}" for part in Setup.__dataclass_fields__}
    for name in (used - {"ISNEAKER_STUDIO_"}) | parts:
        assert name in told


def test_a_page_offers_it_where_that_is_wanted_or_a_gpu_is_there(monkeypatch):
    for wish, gpu, there in (("1", False, True), ("0", True, False), ("", True, True), ("", False, False)):
        monkeypatch.setenv("ISNEAKER_STUDIO", wish)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
        assert setup.offered() == there
