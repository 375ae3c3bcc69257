"""What README and model cards say is what `train.evaluate` measured."""

import json
import shutil

import pytest

from isneaker import catalogue
from train.card import card_of
from train.evaluate.scores import README, with_tables

EMBEDDED = [row for row in catalogue.rows().values() if (catalogue.WEIGHTS / row.name / "metrics.json").exists()]


@pytest.mark.parametrize("row", EMBEDDED, ids=lambda row: row.name)
def test_a_card_says_what_was_measured(row):
    folder = catalogue.WEIGHTS / row.name
    assert (folder / "README.md").read_text() == card_of(folder, row.architecture)


def test_the_readme_says_what_was_measured():
    text = README.read_text()
    assert "<!-- scores -->" in text and "<!-- restyled -->" in text
    assert text == with_tables(text)


def test_another_measurement_is_noticed(monkeypatch, tmp_path):
    for row in EMBEDDED:
        shutil.copytree(catalogue.WEIGHTS / row.name, tmp_path / row.name)
        path = tmp_path / row.name / "metrics.json"
        better = {key: 0.123 for key in ("kernel_distance_x1000", "iou_plain")}
        path.write_text(json.dumps(json.loads(path.read_text()) | better))
        assert card_of(tmp_path / row.name, row.architecture) != (tmp_path / row.name / "README.md").read_text()
    shutil.copyfile(catalogue.WEIGHTS / "catalogue.json", tmp_path / "catalogue.json")
    monkeypatch.setattr(catalogue, "WEIGHTS", tmp_path)
    assert with_tables(README.read_text()) != README.read_text()
