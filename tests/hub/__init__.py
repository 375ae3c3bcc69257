"""A loopback Hub: the parts of the Hub's HTTP API that `huggingface_hub` uses, with faults on demand.

    with Hub() as hub:
        commit = hub.put("maker/boots", {"config.json": b"{}"})
        hub.faults["model.safetensors"] = Fault(status=500)

Repositories lie in memory and have a history; large and binary files go through LFS, and are served from another
origin (a "CDN"), as the real ones are. Xet is not spoken: `Hub.environment` turns it off.
"""

import json
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub.api import ROUTES, Answer
from tests.hub.repo import Refusal, Repo

USERS = {"hf_maker": ("maker", "write"), "hf_reader": ("maker", "read"), "hf_other": ("other", "write")}  # by token


@dataclass
class Fault:
    """What goes wrong in answers to addresses that contain the key under which it stands in `Hub.faults`."""

    status: int = 200  # answered in place of the right one
    retry_after: int | None = None
    cut: bool = False  # the connection ends in the middle of the body
    wrong: bool = False  # the last byte of the body is another
    drip: float = 0  # seconds between two hundred bytes
    times: int = 10**9  # answers until it heals


class Call(BaseHTTPRequestHandler):
    """One request and its answer."""

    hub: "Hub"

    def do_GET(self):
        self.answer()

    do_HEAD = do_POST = do_PUT = do_GET

    def answer(self) -> None:
        """Answer, with the fault that stands for this address if there is one."""
        self.hub.requests.append(f"{self.command} {self.path}")
        if self.token():
            self.hub.told_token.append(self.path)
        fault = self.hub.fault(unquote(self.path))
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fault.status != 200:
            retry = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
            return self.send(Answer(b'{"error": "A fault on demand"}', fault.status, retry), Fault())
        try:
            answer = self.dispatch()
        except Refusal as refusal:
            answer = Answer(json.dumps({"error": str(refusal)}).encode(), refusal.status, refusal.headers)
        self.send(answer if isinstance(answer, Answer) else Answer(json.dumps(answer).encode()), fault)

    def dispatch(self):
        """What the first fitting route says."""
        url = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(url.query).items()}
        for method, pattern, function in ROUTES:
            match = pattern.fullmatch(url.path) if method == self.command.replace("HEAD", "GET") else None
            if match:
                return function(self, *(part and unquote(part) for part in match.groups()))
        raise Refusal(404, f"No such address: {self.command} {url.path}")

    def send(self, answer: Answer, fault: Fault) -> None:
        """Write an answer, all or a range of its body, as the fault will have it."""
        body, headers, status = answer.body, dict(answer.headers), answer.status
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if start and status == 200:
            headers["Content-Range"] = f"bytes {start[1]}-{len(body) - 1}/{len(body)}"
            body, status = body[int(start[1]) :], 206
        if fault.wrong:
            body = body[:-1] + bytes([body[-1] ^ 1]) if body else body
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.write(body[: len(body) // 2] if fault.cut else body, fault.drip)

    def write(self, body: bytes, drip: float) -> None:
        """Send a body; the client may have gone."""
        try:
            for start in range(0, len(body), 100 if drip else len(body) or 1):
                self.wfile.write(body[start : start + 100] if drip else body)
                self.hub.closed.wait(drip)
        except ConnectionError:
            pass

    def json(self):
        return json.loads(self.body)

    def token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def user(self) -> tuple[str, str]:
        """Name and role of who asks. Raises Refusal where nobody known does."""
        if self.token() not in USERS:
            raise Refusal(401, "Invalid credentials in Authorization header" if self.token() else "Please log in")
        return USERS[self.token()]

    def may_write(self, repo: str) -> None:
        """Raises Refusal where who asks may not write to a repository."""
        if self.user() != (repo.split("/")[0], "write"):
            raise Refusal(403, f"You don't have the rights to write to {repo}")

    def repo(self, kind: str, name: str) -> Repo:
        """A repository that who asks may read."""
        repo = self.hub.repos.get((kind, name))
        if repo is None or (repo.private and USERS.get(self.token(), ("",))[0] != name.split("/")[0]):
            raise Refusal(404 if self.token() else 401, "Repository not found", "RepoNotFound")
        return repo

    def lfs(self, oid: str) -> bytes:
        """An uploaded object."""
        if oid not in self.hub.objects:
            raise Refusal(400, "The object was never uploaded")
        return self.hub.objects[oid]

    def log_message(self, *_):
        pass


class Hub:
    """The server, running while it is entered. `requests` are "METHOD /path", oldest first."""

    def __init__(self):
        self.repos: dict[tuple[str, str], Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.jobs: list[dict] = []
        self.faults: dict[str, Fault] = {}
        self.requests: list[str] = []
        self.told_token: list[str] = []  # the paths of those requests that carried one
        self.closed = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Call", (Call,), {"hub": self}))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.cdn = f"http://localhost:{self.server.server_port}"  # another origin: the client keeps its token to itself

    def __enter__(self) -> "Hub":
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()

    def fault(self, path: str) -> Fault:
        """The fault that stands for an address; it heals when it was used often enough."""
        for part, fault in self.faults.items():
            if part in path and fault.times > 0:
                fault.times -= 1
                return fault
        return Fault()

    def put(self, name: str, files: dict[str, bytes], kind: str = "model", private: bool = False) -> str:
        """Commit files to a repository, which is made if there is none -> the commit."""
        repo = self.repos.setdefault((kind, name), Repo(kind, name, private))
        return repo.add("Add files", files)

    def put_folder(self, name: str, folder: Path, kind: str = "model") -> str:
        """Commit a folder's files, subfolders' too -> the commit."""
        files = {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
        return self.put(name, files, kind)

    def read(self, name: str, path: str, revision: str = "main", kind: str = "model") -> bytes:
        """A file as it lies here."""
        return self.repos[kind, name].at(revision).files[path]

    def environment(self, cache: Path, token: str = "hf_maker") -> dict[str, str]:
        """What lets a process talk to this Hub and keep what it fetches in `cache`."""
        return {
            "HF_ENDPOINT": self.url, "HF_HOME": str(cache), "HF_HUB_CACHE": str(cache / "hub"), "HF_TOKEN": token,
            "HF_TOKEN_PATH": str(cache / "token"), "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_PROXY": "*",
        }  # fmt: skip
