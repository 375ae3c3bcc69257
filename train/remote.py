"""A data set on the Hub as a training folder: fetched as a whole, or read file by file where the disk is too small."""

import re
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_url, snapshot_download
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

from isneaker import hub
from train.cache import DataError, decoded_bytes, free_bytes

NAME = re.compile(r"([\w-][\w.-]*/[\w-][\w.-]*)(?:@([\w.-]+))?", re.ASCII)


@dataclass(frozen=True)
class HubFile:
    """One file of a data set at a commit; used as a `Path` is, for reading."""

    repo: str
    commit: str
    file: str

    def read_bytes(self) -> bytes:
        """Its content, which no disk keeps. Raises OSError."""
        url = hf_hub_url(self.repo, self.file, repo_type="dataset", revision=self.commit)
        try:
            response = http_backoff("GET", url, headers=build_hf_headers(), follow_redirects=True)
            hf_raise_for_status(response)
        except hub.AWAY as error:
            raise OSError(f"{self.file}: {hub.reason(error)}") from error
        return response.content


@dataclass(frozen=True)
class HubFolder:
    """A data set at a commit; used as a `Path` is, for `folder / file`."""

    repo: str
    commit: str

    @property
    def name(self) -> str:
        return f"{self.repo.replace('/', '-')}-{self.commit[:7]}"

    def __str__(self) -> str:
        return f"{self.repo}@{self.commit[:7]}"

    def __truediv__(self, file: str) -> HubFile:
        return HubFile(self.repo, self.commit, file)


def is_name(data: str) -> bool:
    """Whether a `--data` option can mean USER/NAME or USER/NAME@REVISION on the Hub."""
    return bool(NAME.fullmatch(data)) and not Path(data).exists()


def fetch(data: str, caches: Path) -> Path | HubFolder:
    """A data set on the Hub, at the commit that its revision is now: a local copy if that and what is decoded from it fit
    on the disk of `caches`. Raises DataError."""
    repo, revision = NAME.fullmatch(data).groups()
    try:
        info = HfApi().dataset_info(repo, revision=revision, files_metadata=True)
        size = sum(file.size or 0 for file in info.siblings)
        pictures = len(info.siblings) // 2  # photos and edges
        folder = HubFolder(repo, info.sha)
        if size + decoded_bytes(pictures) > free_bytes(caches):
            return folder
        copy = caches / "hub" / folder.name
        snapshot_download(repo, repo_type="dataset", revision=info.sha, local_dir=copy)
        return copy
    except hub.AWAY as error:
        raise DataError(f"the data set {data} can't be had from the Hub: {hub.reason(error)}") from error
