"""The loopback Hub speaks the Hub's API to the real client, and fails on demand."""

import hashlib
import json
import time

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download, model_info, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from tests.hub import Fault

REPO = "maker/boots"
WEIGHTS = bytes(range(256)) * 40


@pytest.fixture
def commit(hub):
    """A repository of a small text and a binary file."""
    return hub.put(REPO, {"config.json": b'{"ngf": 8}', "unet/model.safetensors": WEIGHTS})


def fetched(file: str, **where) -> bytes:
    with open(hf_hub_download(REPO, file, **where), "rb") as stream:
        return stream.read()


def test_files_come_at_their_commit_and_only_once(hub, commit):
    newer = hub.put(REPO, {"config.json": b'{"ngf": 9}'})
    assert fetched("config.json", revision=commit) == b'{"ngf": 8}'
    assert fetched("config.json", revision=newer) == fetched("config.json") == b'{"ngf": 9}'
    assert fetched("unet/model.safetensors", revision=commit) == WEIGHTS
    hub.requests.clear()
    assert fetched("unet/model.safetensors", revision=commit) == WEIGHTS
    assert not hub.requests


def test_what_is_not_there_is_told_apart(hub, commit):
    with pytest.raises(EntryNotFoundError):
        hf_hub_download(REPO, "other.json")
    with pytest.raises(RevisionNotFoundError):
        hf_hub_download(REPO, "config.json", revision="v9")
    with pytest.raises(RepositoryNotFoundError):
        hf_hub_download("maker/none", "config.json")
    with pytest.raises(RepositoryNotFoundError):
        hub.put("other/secret", {"config.json": b"{}"}, private=True)
        hf_hub_download("other/secret", "config.json")


def test_a_folder_is_uploaded_described_and_fetched_again(hub, tmp_path):
    folder = tmp_path / "run"
    (folder / "unet").mkdir(parents=True)
    (folder / "unet" / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Boots\n")
    api = HfApi()
    assert api.create_repo(REPO, private=True).repo_id == api.create_repo(REPO, exist_ok=True).repo_id == REPO
    commit = api.upload_folder(repo_id=REPO, folder_path=folder, commit_message="First").oid
    api.create_tag(REPO, tag="v1", revision=commit)

    info = model_info(REPO, revision="v1", files_metadata=True)
    assert info.sha == commit and info.private
    assert {s.rfilename for s in info.siblings} == {".gitattributes", "README.md", "unet/model.safetensors"}
    files = {f.path: f for f in api.list_repo_tree(REPO, recursive=True, revision=commit)}
    assert files["unet/model.safetensors"].lfs.sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert files["README.md"].lfs is None
    assert [(t.name, t.target_commit) for t in api.list_repo_refs(REPO).tags] == [("v1", commit)]
    assert "PUT /lfs/" in " ".join(hub.requests)
    snapshot = snapshot_download(REPO, revision=commit)
    with open(f"{snapshot}/unet/model.safetensors", "rb") as file:
        assert file.read() == WEIGHTS
    assert api.upload_folder(repo_id=REPO, folder_path=folder).oid == commit  # nothing changed, nothing committed


def test_a_pull_request_leaves_main_as_it_was(hub):
    hub.put("other/space", {"rows.json": b"[]"}, kind="space")
    change = CommitOperationAdd("rows.json", b'["boots"]')
    pull = HfApi().create_commit("other/space", [change], commit_message="Add", repo_type="space", create_pr=True)
    assert (pull.pr_num, pull.pr_revision) == (1, "refs/pr/1")
    assert hub.read("other/space", "rows.json", kind="space") == b"[]"
    assert hub.read("other/space", "rows.json", "refs/pr/1", kind="space") == b'["boots"]'
    assert [d.title for d in HfApi().get_repo_discussions("other/space", repo_type="space")] == ["Add"]
    path = hf_hub_download("other/space", "rows.json", repo_type="space", revision="refs/pr/1")
    assert json.load(open(path)) == ["boots"]


def test_a_dataset_is_read_like_a_model(hub):
    hub.put("maker/photos", {"metadata.csv": b"file_name\n", "photos/1.webp": WEIGHTS}, kind="dataset")
    folder = snapshot_download("maker/photos", repo_type="dataset")
    assert open(f"{folder}/photos/1.webp", "rb").read() == WEIGHTS


@pytest.mark.parametrize("token, status", [("hf_reader", 403), ("hf_other", 403), ("hf_wrong", 401)])
def test_who_may_not_write_is_refused(hub, commit, token, status):
    api = HfApi(token=token)
    with pytest.raises(HfHubHTTPError) as error:
        api.upload_file(path_or_fileobj=b"{}", path_in_repo="config.json", repo_id=REPO)
    assert error.value.response.status_code == status
    assert hub.read(REPO, "config.json") == b'{"ngf": 8}'


def test_the_token_stays_with_the_hub(hub, commit):
    fetched("unet/model.safetensors", revision=commit)
    assert any("/resolve/" in path for path in hub.told_token)
    assert any("/cdn/" in request for request in hub.requests)
    assert not any("/cdn/" in path for path in hub.told_token)


def test_a_cut_connection_is_taken_up_again(hub, commit):
    hub.faults["/cdn/"] = Fault(cut=True, times=1)
    assert fetched("unet/model.safetensors", revision=commit) == WEIGHTS
    assert len([request for request in hub.requests if "GET /cdn/" in request]) == 2


def test_a_busy_hub_is_asked_again_when_it_said(hub, commit):
    hub.faults["config.json"] = Fault(status=429, retry_after=0, times=2)
    start = time.monotonic()
    assert fetched("config.json", revision=commit) == b'{"ngf": 8}'
    assert time.monotonic() - start >= 1


def test_wrong_bytes_and_slow_bytes_get_through(hub, commit):
    """The client checks sizes, not hashes: that is left to whoever loads the file."""
    hub.faults["/cdn/"] = Fault(wrong=True, drip=0.003)
    start = time.monotonic()
    assert fetched("unet/model.safetensors", revision=commit) == WEIGHTS[:-1] + bytes([WEIGHTS[-1] ^ 1])
    assert time.monotonic() - start >= 0.3
