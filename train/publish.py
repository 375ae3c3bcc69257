"""Publish a run on the Hub and print its row for a catalogue: `python -m train.publish runs/sketch USER/REPO`.

The row goes into `weights/catalogue.json` of the Space that shall serve it (`--space` opens a pull request there), or
set `ISNEAKER_WEIGHTS=USER/REPO@COMMIT` in that Space.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, ModelCard
from huggingface_hub.errors import LocalTokenNotFoundError, RepositoryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file

from isneaker import catalogue, hub
from train.card import run_card

NEEDED = ("config.json", "train_config.json", "model.safetensors")
WELCOME = ("metrics.json", "samples.png", "sliders.png", "directions.*")
PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
CATALOGUE = "weights/catalogue.json"  # in a Space


class PublishError(Exception):
    """Why nothing was published, in one line."""


def publish(
    run: Path, repo: str, tag: str | None = None, private: bool = False, space: str | None = None,
    licence: str = "unknown", data_source: str = "", data_licence: str = "",
) -> dict:  # fmt: skip
    """Put a run's folder on the Hub as one commit, with its card, and tag it (the next vN) -> its row for a catalogue.

    licence: of the weights, as the Hub names licences; data_source, data_licence: what the card says about the
    pictures. All that can be checked is checked before anything is written. Raises PublishError.
    """
    architecture = check_run(run)
    check(repo)
    files = {file.name: file.read_bytes() for name in (*NEEDED, *WELCOME) for file in sorted(run.glob(name))}
    notes = json.loads(files["train_config.json"]) | {"architecture": architecture, "licence": licence}
    files["train_config.json"] = json.dumps(notes, indent=2).encode() + b"\n"
    card = run_card(run, repo, notes, data_source, data_licence)
    files["README.md"] = card.encode()
    with told("the Hub refuses the card"):
        ModelCard(card).validate()
    if space:
        listed(space)
    commit = upload(repo, files, f"Publish a {architecture} model", tag, private)
    more = [name for name in files if name.startswith("directions.")]
    row = catalogue.Row(
        catalogue.name_of(architecture, repo, commit), architecture, catalogue.sha256_of(run / "model.safetensors"),
        licence, repo, commit, {name: catalogue.sha256_of(run / name) for name in more},
    )  # fmt: skip
    if space:
        propose(asdict(row), space)
    return asdict(row)


# --- before anything is written ---


def check_run(run: Path) -> str:
    """The architecture of a run that can be published. Raises PublishError."""
    if not run.is_dir():
        raise PublishError(f"there is no run at {run}")
    missing = [name for name in NEEDED if not (run / name).exists()]
    pickles = [file.name for file in run.iterdir() if file.suffix in PICKLES]
    if missing:
        hint = f"; {pickles[0]} is a pickle, and none is ever published" if pickles else ""
        raise PublishError(f"{run} has no {' and no '.join(missing)}{hint}")
    try:
        config, notes = (json.loads((run / name).read_text()) for name in NEEDED[:2])
        architecture = catalogue.architecture_in(config, notes)
        catalogue.build(architecture, config, load_file(run / "model.safetensors"))
    except (ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise PublishError(f"{run} holds no model that the app can load: {str(error).splitlines()[0]}") from error
    return architecture


def check(repo: str) -> None:
    """Raises PublishError where the token in use may not write to a repository, which need not be there yet."""
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", repo, re.ASCII):
        raise PublishError(f"{repo!r} is no USER/REPO")
    api, owner = HfApi(), repo.split("/")[0]
    with told("the Hub does not accept the token"):
        try:
            me = api.whoami()
        except LocalTokenNotFoundError:
            raise PublishError("there is no token for the Hub: set HF_TOKEN or run `hf auth login`") from None
    if me.get("auth", {}).get("accessToken", {}).get("role") == "read":
        raise PublishError(f"the token of {me['name']} may only read; pushing to {repo} takes one that may write")
    if owner not in [me["name"], *(org["name"] for org in me.get("orgs", []))]:
        raise PublishError(f"{me['name']} may not write to {repo}")
    with told(f"{me['name']} may not write to {repo}"):
        try:
            api.auth_check(repo, write=True)
        except RepositoryNotFoundError:
            pass  # it will be made


def listed(space: str) -> tuple[str, list[dict]]:
    """The newest commit of a Space and the rows of its catalogue. Raises PublishError."""
    with told(f"the Space {space} has no {CATALOGUE} that can be read"):
        head = HfApi().repo_info(space, repo_type="space").sha
        path = HfApi().hf_hub_download(space, CATALOGUE, repo_type="space", revision=head)
        return head, json.loads(Path(path).read_text())


@contextmanager
def told(what: str) -> Iterator[None]:
    """Errors of the Hub as a PublishError that says what failed, and why."""
    try:
        yield
    except hub.AWAY as error:
        raise PublishError(f"{what} ({hub.reason(error)})") from error
    except ValueError as error:
        raise PublishError(f"{what} ({' '.join(str(error).split())})") from error


# --- writing ---


def upload(repo: str, files: dict[str, bytes], message: str, tag: str | None = None, private: bool = False) -> str:
    """Put a model's files into a repository, which is made if it is not there, in place of an earlier model's, and tag
    them -> the commit.

    Tags stay where they are: a `tag` that exists is refused; without one, it is the next vN. Raises PublishError.
    """
    api = HfApi()
    with told(f"{repo} could not be written"):
        api.create_repo(repo, private=private, exist_ok=True)
        tags = {known.name: known.target_commit for known in api.list_repo_refs(repo).tags}
    if tag in tags:
        raise PublishError(f"{repo} has a tag {tag} already, and tags stay where they are")
    with told(f"{repo} could not be written"):
        stale = [name for name in api.list_repo_files(repo) if name not in files and _ours(name)]
        changes = [CommitOperationAdd(name, data) for name, data in files.items()]
        changes += [CommitOperationDelete(name) for name in stale]
        commit = api.create_commit(repo, changes, commit_message=message).oid  # one commit: all or nothing
        if tag or commit not in tags.values():
            api.create_tag(repo, tag=tag or next_tag(tags), revision=commit)
    return commit


def _ours(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in (*NEEDED, *WELCOME))


def next_tag(tags: dict[str, str]) -> str:
    """The vN after those there are."""
    numbers = [int(name[1:]) for name in tags if re.fullmatch(r"v\d+", name)]
    return f"v{max(numbers, default=0) + 1}"


def propose(row: dict, space: str) -> str:
    """Open a pull request that adds a row to a Space's catalogue -> its address. Raises PublishError."""
    head, rows = listed(space)
    if row["name"] in [old["name"] for old in rows]:
        raise PublishError(f"{space} lists {row['name']} already")
    change = CommitOperationAdd(CATALOGUE, json.dumps([*rows, row], indent=2).encode() + b"\n")
    with told(f"no pull request could be opened at {space}"):
        pull = HfApi().create_commit(
            space, [change], commit_message=f"Serve {row['name']}", repo_type="space", create_pr=True,
            parent_commit=head,
        )  # fmt: skip
    print(f"Pull request: {pull.pr_url}", file=sys.stderr)
    return pull.pr_url


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("repo", help="USER/REPO on the Hub")
    parser.add_argument("--tag", help="default: the next vN")
    parser.add_argument("--private", action="store_true", help="if the repository is made")
    parser.add_argument("--space", help="USER/SPACE where a pull request shall add the row")
    parser.add_argument("--licence", default="unknown", help="of the weights, as the Hub names it: mit, cc-by-4.0, ...")
    parser.add_argument("--data-source", default="", help="where the pictures come from, for the card")
    parser.add_argument("--data-licence", default="", help="the pictures' licence, for the card")
    try:
        row = publish(**vars(parser.parse_args()))
    except PublishError as error:
        print(f"publish: {error}", file=sys.stderr)
        return 2
    print(json.dumps(row, indent=2))
    print(f"To serve it: ISNEAKER_WEIGHTS={row['repo']}@{row['commit']}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
