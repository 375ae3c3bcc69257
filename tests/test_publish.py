"""A run is published on the Hub, whole or not at all, and a Space serves it."""

import json
import subprocess
import sys
import urllib.request

import pytest
from gradio_client import Client, handle_file
from PIL import Image

from isneaker import catalogue
from isneaker.design import Design
from isneaker.render import render
from isneaker.strokes import draw
from isneaker.templates import TEMPLATES
from isneaker.tokens import from_token, to_token
from tests.conftest import ROOT, App, forget, save_tiny_generator, save_tiny_model
from tests.hub import Fault
from tests.test_render import difference
from train import job
from train.publish import PublishError, check, publish

REPO, SPACE = "maker/boots", "maker/space"
NOTES = {"data": "/home/maker/my boots", "kimg_seen": 2.0, "hours": 0.1, "device": "2 CPU cores", "batch_size": 8}


def save_run(folder, save=save_tiny_model, seed: int = 0, **notes):
    """What a training command leaves behind."""
    save(folder, seed)
    (folder / "train_config.json").write_text(json.dumps(NOTES | notes))
    (folder / "metrics.json").write_text(json.dumps({"ink_recall": 0.9, "odd_number": 3}))
    (folder / "samples.png").write_bytes(b"\x89PNG")
    (folder / "stats.jsonl").write_text("{}\n")
    (folder / "checkpoint.safetensors").write_bytes(b"\0")
    return folder


@pytest.fixture
def run(hub, weights, tmp_path):
    return save_run(tmp_path / "boots")


def command(*words: str, module: str = "train.publish") -> tuple[int, str, str]:
    """Exit status, standard output and standard error of the command."""
    done = subprocess.run([sys.executable, "-m", module, *words], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_a_run_becomes_a_repository_a_tag_and_a_row(hub, run):
    row = publish(run, REPO, licence="cc-by-4.0", data_source="my own photos", data_licence="cc0-1.0")
    commit = hub.repos["model", REPO].at("v1")
    assert set(commit.files) == {".gitattributes", "README.md", "config.json", "metrics.json", "model.safetensors",
                                 "samples.png", "train_config.json"}  # fmt: skip
    assert row == {
        "name": f"sketch.maker-boots-{commit.oid[:7]}", "architecture": "sketch", "licence": "cc-by-4.0", "more": {},
        "sha256": catalogue.sha256_of(run / "model.safetensors"), "repo": REPO, "commit": commit.oid,
    }  # fmt: skip
    assert json.loads((run / "train_config.json").read_text()) == NOTES  # the run stays as it was


def test_the_card_says_what_is_known_and_no_more(hub, run):
    publish(run, REPO, licence="cc-by-4.0", data_source="my own photos", data_licence="cc0-1.0")
    card = hub.read(REPO, "README.md").decode()
    assert card.startswith("---\nlicense: cc-by-4.0\nlibrary_name: isneaker\ntags: [image-to-image, pix2pix]\n---\n")
    for fact in ("2.0 thousand pictures in 0.1 hours on 2 CPU cores", "| folder | my boots |", "| my own photos |",
                 "| cc0-1.0 |", "| languages | nike 4, adidas 4,", "edges of the picture | 0.9 |", "| odd number | 3 |",
                 '"batch_size": 8'):  # fmt: skip
        assert fact in card
    assert "7,085" not in card and "zjy-T" not in card  # those are of the data of our own models
    (run / "metrics.json").unlink()
    publish(run, REPO)
    card = hub.read(REPO, "README.md").decode()
    assert "license: unknown" in card and "| source | not stated |" in card and "Not measured" in card


def test_tags_count_up_and_stay(hub, run):
    first = publish(run, REPO)
    assert publish(run, REPO)["commit"] == first["commit"]  # nothing new, nothing written
    (run / "train_config.json").write_text(json.dumps(NOTES | {"kimg_seen": 3.0}))
    second = publish(run, REPO)
    tags = hub.repos["model", REPO].tags
    assert tags == {"v1": first["commit"], "v2": second["commit"]}
    with pytest.raises(PublishError, match="has a tag v1 already"):
        publish(run, REPO, tag="v1")
    publish(save_run(run.with_name("later"), seed=3), REPO, tag="best")
    assert set(tags) == {"v1", "v2", "best"}


def test_files_of_an_earlier_model_do_not_stay_beside_a_new_one(hub, run, tmp_path):
    row = publish(save_run(tmp_path / "rolls", save_tiny_generator), REPO)
    assert row["architecture"] == "generate" and list(row["more"]) == ["directions.safetensors"]
    hub.put(REPO, {"notes.txt": b"the maker's own"})
    publish(run, REPO)
    files = hub.repos["model", REPO].at("v2").files
    assert "directions.safetensors" not in files and "notes.txt" in files


def test_a_pull_request_adds_the_row_to_a_space(hub, run):
    hub.put(SPACE, {"weights/catalogue.json": b'[{"name": "sketch.v1"}]', "app.py": b""}, kind="space")
    row = publish(run, REPO, space=SPACE)
    rows = json.loads(hub.read(SPACE, "weights/catalogue.json", "refs/pr/1", kind="space"))
    assert rows == [{"name": "sketch.v1"}, row]
    assert hub.repos["space", SPACE].pulls == [f"Serve {row['name']}"]
    assert json.loads(hub.read(SPACE, "weights/catalogue.json", kind="space")) == rows[:1]


def test_old_links_keep_their_rows_when_a_row_is_merged(hub, run, weights):
    row = publish(run, REPO)
    old = json.loads((weights / "catalogue.json").read_text())
    (weights / "catalogue.json").write_text(json.dumps([*old, row]))
    forget()
    assert catalogue.newest("sketch") == row["name"] and catalogue.load(row["name"])
    assert catalogue.load("sketch.v1") is not catalogue.load(row["name"])


# --- bad input: one line, status 2, nothing written ---


def test_a_push_without_token_or_rights_is_refused_before_training(hub, monkeypatch):
    check(REPO)
    with pytest.raises(PublishError, match="maker may not write to other/boots"):
        check("other/boots")
    hub.faults["auth-check"] = Fault(status=403)
    with pytest.raises(PublishError, match="maker may not write to maker/boots .access refused"):
        check(REPO)
    for token, message in [("hf_reader", "may only read"), ("hf_wrong", "does not accept the token .access refused"),
                           ("hf_other", "other may not write")]:  # fmt: skip
        monkeypatch.setenv("HF_TOKEN", token)
        with pytest.raises(PublishError, match=message):
            check(REPO)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(PublishError, match="no token for the Hub"):
        check(REPO)
    for name in ("boots", "maker/boots/2", "maker/", "http://x/y", "maker/bo ots"):
        with pytest.raises(PublishError, match="is no USER/REPO"):
            check(name)


def damage(run, kind: str):
    """Make a run one that can't be published."""
    weights = run / "model.safetensors"
    if kind == "pickle":
        weights.rename(run / "model.pt")
    elif kind == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif kind == "other":
        (run / "config.json").write_text('{"ngf": 32, "nef": 8, "z_dim": 16, "num_codes": 40}')
    elif kind == "strange":
        (run / "config.json").write_text('{"layers": 3}')
    return run.with_name("none") if kind == "none" else run


@pytest.mark.parametrize("kind, message", [
    ("none", "there is no run at"), ("pickle", "no model.safetensors; model.pt is a pickle"),
    ("cut", "no model that the app can load"), ("other", "no model that the app can load"),
    ("strange", "its architecture is none of"),
])  # fmt: skip
def test_what_is_no_run_is_refused(hub, run, kind, message):
    with pytest.raises(PublishError, match=message) as error:
        publish(damage(run, kind), REPO)
    assert "\n" not in str(error.value)
    assert not hub.repos and not hub.requests


def test_a_space_without_a_catalogue_is_refused_before_anything_is_written(hub, run):
    for space in ("maker/none", "maker/other"):
        hub.put("maker/other", {"app.py": b""}, kind="space")
        with pytest.raises(PublishError, match=f"{space} has no weights/catalogue.json"):
            publish(run, REPO, space=space)
    assert ("model", REPO) not in hub.repos


def test_a_licence_that_the_hub_does_not_know_is_refused_before_anything_is_written(hub, run):
    with pytest.raises(PublishError, match="refuses the card .*must be one of mit"):
        publish(run, REPO, licence="mine all mine")
    assert not hub.repos


def test_a_hub_that_fails_leaves_no_half_model(hub, run):
    hub.faults["/commit/"] = Fault(status=500)
    with pytest.raises(PublishError, match="could not be written .error 500"):
        publish(run, REPO)
    assert set(hub.repos["model", REPO].at("main").files) == {".gitattributes"} and not hub.repos["model", REPO].tags
    hub.faults.clear()
    assert publish(run, REPO)["commit"] == hub.repos["model", REPO].tags["v1"]


def test_the_command_says_wrong_input_in_one_line(hub, run, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_reader")
    status, out, err = command(str(run), REPO)
    assert (status, out, len(err.splitlines())) == (2, "", 1) and err.startswith("publish: the token of maker may only")


# --- the whole way ---


def test_what_is_published_is_served_by_an_app(hub, run, tmp_path, monkeypatch):
    """One command publishes, one variable serves, and old links keep their weights."""
    hub.put(SPACE, {"weights/catalogue.json": b"[]"}, kind="space")
    status, out, err = command(str(run), REPO, "--space", SPACE, "--licence", "mit", "--private")
    row = json.loads(out)
    assert status == 0 and f"/spaces/{SPACE}/discussions/1" in err
    pin = err.split("ISNEAKER_WEIGHTS=")[1].strip()
    draw(TEMPLATES["low"]).point(lambda v: 255 - v).save(tmp_path / "drawing.png")
    with App(tmp_path / "gradio", ISNEAKER_WEIGHTS=pin, **hub.environment(tmp_path / "hf")) as app:
        page = urllib.request.urlopen(app.url).read().decode()
        client = Client(app.url, verbose=False, download_files=tmp_path / "got")
        path, token = client.predict(handle_file(tmp_path / "drawing.png"), "", 0.8, 1, api_name="/sketch")
        old = client.predict(to_token(Design(strokes=TEMPLATES["low"])), api_name="/render")
    assert f"{row['name']} ({REPO}@{row['commit'][:7]})" in page
    monkeypatch.setenv("ISNEAKER_WEIGHTS", pin)
    forget()
    assert from_token(token).model == row["name"]
    assert difference(Image.open(path), render(from_token(token))) <= 2
    assert difference(Image.open(path), Image.open(old)) > 20


# --- jobs ---


def test_a_training_command_becomes_a_job(hub):
    words = ["train.sketch", "--data", "/data", "--kimg", "50", "--push-to", REPO]
    sent = job.submit(words, SPACE, "maker/photos", "l4x1", "90m", {"TRACKIO": "1"})
    assert (sent.id, sent.url) == ("job1", f"{hub.url}/jobs/maker/job1")
    (spec,) = hub.jobs
    assert (spec["flavor"], spec["timeoutSeconds"]) == ("l4x1", 5400)
    assert spec["secrets"] == {"HF_TOKEN": "hf_maker", "TRACKIO": "1"}
    assert spec["command"][-1].endswith(
        f"exec accelerate launch -m train.sketch --data /data --kimg 50 --push-to {REPO}"
    )
    assert [(v["type"], v["source"], v["mountPath"]) for v in spec["volumes"]] == [
        ("space", SPACE, "/code"), ("dataset", "maker/photos", "/data"),
    ]  # fmt: skip


def test_a_job_that_would_lose_its_result_is_refused(hub):
    with pytest.raises(PublishError, match="lost unless its command has --push-to"):
        job.submit(["train.sketch", "--data", "/data"], SPACE)
    with pytest.raises(PublishError, match="maker may not write to other/boots"):
        job.submit(["train.sketch", "--push-to=other/boots"], SPACE)
    hub.faults["/api/jobs"] = Fault(status=402)
    with pytest.raises(PublishError, match="the job was refused .error 402"):
        job.submit(["train.sketch", "--push-to", REPO], SPACE)
    assert not hub.jobs


def test_the_job_command_takes_options_before_the_training_command(hub):
    words = ("--space", SPACE, "--timeout", "1h", "--secret", "A=b", "--", "train.sketch", "--push-to", REPO)
    status, out, err = command(*words, module="train.job")
    assert (status, out) == (0, "job1\n") and "hf jobs logs -f job1" in err
    assert hub.jobs[0]["secrets"]["A"] == "b" and hub.jobs[0]["timeoutSeconds"] == 3600
