"""Repositories with a history, and what the Hub says about their files."""

import hashlib
import json
from dataclasses import dataclass

LFS_SUFFIXES = (".safetensors", ".bin", ".pt", ".ckpt", ".pkl", ".png", ".webp", ".jpg", ".parquet", ".zip", ".npz")


@dataclass
class Commit:
    """One commit: all files of the repository at that point."""

    oid: str
    title: str
    files: dict[str, bytes]


class Repo:
    """A repository: commits, branches (pull requests' too), tags."""

    def __init__(self, kind: str, name: str, private: bool = False):
        self.kind, self.name, self.private = kind, name, private
        self.commits: dict[str, Commit] = {}
        self.branches: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.pulls: list[str] = []  # their titles, number 1 first
        self.add("initial commit", {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"})

    def add(
        self,
        title: str,
        files: dict[str, bytes],
        branch: str = "main",
        base: str | None = None,
        gone: set[str] = frozenset(),
    ) -> str:
        """Commit files on top of a branch, or on another base, less those gone, and move the branch there -> the commit."""
        base = base or self.branches.get(branch)
        before = self.commits[base].files if base else {}
        files = {path: data for path, data in sorted((before | files).items()) if path not in gone}
        listing = json.dumps([base, title, [entry(path, data) for path, data in files.items()]])
        oid = git_oid(f"{self.kind} {self.name} {listing}".encode())
        self.commits[oid] = Commit(oid, title, files)
        self.branches[branch] = oid
        return oid

    def at(self, revision: str) -> Commit:
        """The commit that a branch, a tag or a full hash means."""
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        if oid not in self.commits:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self.commits[oid]


class Refusal(Exception):
    """An answer with an error's status."""

    def __init__(self, status: int, message: str, code: str = ""):
        super().__init__(message)
        self.status, self.headers = status, {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})


def is_lfs(path: str, sample: bytes, size: int) -> bool:
    """Whether a file goes to large file storage."""
    return size > 0 and (path.endswith(LFS_SUFFIXES) or b"\0" in sample or size > 10_000_000)


def oid_of(path: str, data: bytes) -> str:
    """The entity tag of a file: sha256 if it is in LFS, else git's hash."""
    return hashlib.sha256(data).hexdigest() if is_lfs(path, data[:512], len(data)) else git_oid(data)


def git_oid(data: bytes) -> str:
    """What git calls a file of these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def entry(path: str, data: bytes) -> dict:
    """A file in a listing of the tree; git sees a pointer in place of what is in LFS."""
    oid, listed = oid_of(path, data), {"type": "file", "path": path, "size": len(data)}
    if len(oid) == 40:
        return listed | {"oid": oid}
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(data)}\n".encode()
    lfs = {"oid": oid, "size": len(data), "pointerSize": len(pointer)}
    return listed | {"oid": git_oid(pointer), "lfs": lfs}
