"""Training data: in a folder, on the Hub, larger than the disk."""

import numpy as np
import pytest
import torch

from train import cache, remote
from train.cache import DataError, Decoded, Streamed, opened
from train.data import Sneakers, locate
from train.remote import HubFolder


@pytest.fixture
def full_disk(monkeypatch):
    """A disk on which nothing fits."""
    for module in (cache, remote):
        monkeypatch.setattr(module, "free_bytes", lambda folder: 0)


def same(a: Sneakers, b: Sneakers) -> bool:
    return len(a) == len(b) and all(torch.equal(a[n][key], b[n][key]) for n in range(len(a)) for key in a[n])


def test_a_data_set_on_the_hub_is_fetched_at_its_commit(hub, data, tmp_path):
    commit = hub.put_folder("maker/shoes", data, "dataset")
    folder = locate("maker/shoes", tmp_path / "caches")
    assert folder.name == f"maker-shoes-{commit[:7]}"
    hub.put("maker/shoes", {"metadata.csv": b"other"}, "dataset")
    assert locate(f"maker/shoes@{commit}", tmp_path / "caches") == folder
    assert same(Sneakers(folder, tmp_path / "caches"), Sneakers(data, tmp_path / "caches"))


def test_data_larger_than_the_disk_give_the_same_samples(hub, data, tmp_path, full_disk):
    hub.put_folder("maker/shoes", data, "dataset")
    folder = locate("maker/shoes", tmp_path / "caches")
    assert isinstance(folder, HubFolder) and isinstance(opened(folder, tmp_path / "caches"), Streamed)
    streamed = Sneakers(folder, tmp_path / "caches")
    assert not (tmp_path / "caches").exists()
    decoded = Decoded(data, tmp_path / "caches")
    part = streamed.index[:3]
    assert (streamed.photos[part] == decoded.photos[part]).all()
    assert np.array_equal(streamed.lines[2].outline, decoded.lines[2].outline)
    streamed.photos, streamed.lines = decoded.photos, decoded.lines
    assert same(streamed, again := Sneakers(folder, tmp_path / "caches")) and again.photos is not decoded.photos


@pytest.mark.parametrize("name", ["maker/none", "maker/shoes@" + 40 * "0"])
def test_data_that_are_not_on_the_hub_are_one_clear_line(hub, data, tmp_path, name):
    hub.put_folder("maker/shoes", data, "dataset")
    with pytest.raises(DataError, match=f"{name} can't be had from the Hub: not there"):
        locate(name, tmp_path / "caches")


def test_a_folder_comes_before_the_hub(data, monkeypatch):
    monkeypatch.chdir(data.parent)
    (data.parent / "own").mkdir(exist_ok=True)
    (data.parent / "own" / "shoes").mkdir(exist_ok=True)
    assert locate("own/shoes", data.parent) == (data.parent / "own" / "shoes").resolve()
