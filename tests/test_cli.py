"""The command line, as scripts use it."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw

from isneaker.__main__ import main
from isneaker.design import Design
from isneaker.images import open_picture, sketch_of
from isneaker.templates import TEMPLATES
from isneaker.tokens import from_token
from tests.conftest import ROOT


@pytest.fixture
def drawings(tmp_path):
    paths = []
    for name in ("low", "high"):
        sketch_of(Design(strokes=TEMPLATES[name])).resize((900, 500)).save(tmp_path / f"{name}.png")
        paths.append(str(tmp_path / f"{name}.png"))
    return paths


def test_sketch_prints_path_and_link_and_the_link_renders_the_same(weights, drawings, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ISNEAKER_URL", "https://example.org/")
    options = ["--language", "nike=0.7,adidas=0.3", "--fidelity", "1", "--seed", "5", "--variants", "2"]
    assert main(["sketch", *drawings, *options, "--out", str(tmp_path / "out")]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == [
        str(tmp_path / "out" / f"{n}-{i}.png") for n in ("low", "high") for i in (0, 1)
    ]
    assert all(link.startswith("https://example.org/?d=") for _, link in lines)
    design = from_token(lines[1][1].split("?d=")[1])
    assert (design.seed, design.fidelity, design.languages) == (6, 1, (("nike", 70), ("adidas", 30)))

    assert main(["render", lines[1][1], lines[2][0], "--out", str(tmp_path / "again")]) == 0
    for again, first in (("0.png", lines[1][0]), ("high-0.png", lines[2][0])):
        a, b = (np.asarray(open_picture(p), int) for p in (tmp_path / "again" / again, first))
        assert np.abs(a - b).max() <= 1


def test_one_picture_keeps_the_stem(weights, drawings, tmp_path, capsys):
    assert main(["sketch", drawings[0], "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path}/out/low.png\t?d=1")


def test_hints_colour_the_drawing(weights, drawings, tmp_path, capsys):
    hints = Image.new("RGBA", (900, 500))
    ImageDraw.Draw(hints).line(((200, 400), (700, 400)), fill="#1f6fd1", width=30)
    hints.save(tmp_path / "hints.png")
    assert main(["sketch", drawings[0], "--hints", str(tmp_path / "hints.png"), "--out", str(tmp_path / "out")]) == 0
    design = from_token(capsys.readouterr().out.split("?d=")[1].strip())
    assert {colour for _, _, colour in design.hints} == {0x1F6FD1}


def test_a_bad_input_is_one_line_and_the_others_are_done(weights, drawings, tmp_path, capsys):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    inputs = [str(tmp_path / "broken.png"), drawings[0], str(tmp_path / "missing.png")]
    assert main(["sketch", *inputs, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert len(captured.err.splitlines()) == 2 and "not a picture" in captured.err and "no such file" in captured.err


@pytest.mark.parametrize(
    "options",
    [
        ["--seed", "nan"], ["--seed", "-1"], ["--seed", "4294967296"], ["--seed", "1.5"], ["--fidelity", "1.1"],
        ["--fidelity", "nan"], ["--language", "gucci"], ["--language", "nike=nan"], ["--language", "nike=0"],
        ["--language", "nike,nike"], ["--variants", "0"], ["--hints", "missing.png"],
    ],
)  # fmt: skip
def test_a_bad_option_is_one_line_and_status_2(weights, drawings, options, tmp_path, capsys):
    try:
        status = main(["sketch", drawings[0], *options, "--out", str(tmp_path / "out")])
    except SystemExit as exit:
        status = exit.code
    captured = capsys.readouterr()
    assert status == 2 and captured.out == "" and len(captured.err.splitlines()) == 1


def test_repeated_stems_are_refused(weights, drawings, tmp_path, capsys):
    (tmp_path / "b").mkdir()
    Image.open(drawings[0]).save(tmp_path / "b" / "low.png")
    assert main(["sketch", drawings[0], str(tmp_path / "b" / "low.png"), "--out", str(tmp_path / "out")]) == 2
    assert "low" in capsys.readouterr().err


@pytest.mark.parametrize("link", ["?d=1cut", "https://example.org/?d=", "2AAAA", "missing.png", "1" * 50_000])
def test_bad_links_are_refused(weights, link, tmp_path, capsys):
    assert main(["render", link, "--out", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_module_runs_as_a_command():
    done = subprocess.run([sys.executable, "-m", "isneaker", "nonsense"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and done.stdout == ""
