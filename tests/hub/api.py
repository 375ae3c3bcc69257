"""The Hub's HTTP API, one function an address."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tests.hub.repo import Refusal, Repo, entry, is_lfs, oid_of

LICENCES = ("mit", "apache-2.0", "cc0-1.0", "cc-by-4.0", "openrail", "other", "unknown")
DATE = "2026-11-01T00:00:00.000Z"


@dataclass
class Answer:
    """An answer other than JSON with status 200."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


ROUTES: list[tuple[str, re.Pattern, Callable]] = []
REPO = r"/api/(model|dataset|space)s/([^/]+/[^/]+)"


def route(method: str, pattern: str) -> Callable:
    """Let a function (call, *groups of the pattern) answer to requests; it returns JSON or an Answer."""

    def register(function: Callable) -> Callable:
        ROUTES.append((method, re.compile(pattern), function))
        return function

    return register


@route("GET", "/api/whoami-v2")
def whoami(call):
    name, role = call.user()
    return {"type": "user", "name": name, "orgs": [], "auth": {"accessToken": {"displayName": "test", "role": role}}}


@route("POST", "/api/validate-yaml")
def validate_yaml(call):
    licence = re.search(r"^license: (.*)$", call.json()["content"], re.MULTILINE)
    if licence and licence[1] not in LICENCES:
        error = {"message": f'"license" must be one of {", ".join(LICENCES)}'}
        return Answer(json.dumps({"errors": [error], "warnings": []}).encode(), 400)
    return {"errors": [], "warnings": []}


@route("POST", "/api/repos/create")
def create_repo(call):
    spec = call.json()
    kind, name = spec.get("type", "model"), f"{spec.get('organization') or call.user()[0]}/{spec['name']}"
    call.may_write(name)
    url = {"url": f"{call.hub.url}/{'' if kind == 'model' else kind + 's/'}{name}"}
    if (kind, name) in call.hub.repos:
        return Answer(json.dumps(url | {"error": "You already created this repo"}).encode(), 409)
    call.hub.repos[kind, name] = Repo(kind, name, spec.get("visibility") == "private")
    return url


@route("GET", REPO + "(?:/revision/([^/]+))?")
def info(call, kind, name, revision):
    repo = call.repo(kind, name)
    commit = repo.at(revision or "main")
    siblings = [{"rfilename": path} | ({"size": len(data)} if call.query.get("blobs") else {})
                for path, data in commit.files.items()]  # fmt: skip
    return {"id": name, "modelId": name, "sha": commit.oid, "private": repo.private, "tags": [], "downloads": 0,
            "likes": 0, "lastModified": DATE, "createdAt": DATE, "siblings": siblings}  # fmt: skip


@route("GET", REPO + "/auth-check(/write)?")
def auth_check(call, kind, name, write):
    call.repo(kind, name)
    if write:
        call.may_write(name)
    return {}


@route("GET", REPO + "/tree/([^/]+)(?:/(.*))?")
def tree(call, kind, name, revision, folder):
    prefix = f"{folder}/" if folder else ""
    files = {p: data for p, data in call.repo(kind, name).at(revision).files.items() if p.startswith(prefix)}
    if call.query.get("recursive") == "true":
        return [entry(path, data) for path, data in files.items()]
    inside = {path: path.removeprefix(prefix).split("/") for path in files}
    folders = sorted({parts[0] for parts in inside.values() if len(parts) > 1})
    listed = [entry(path, files[path]) for path, parts in inside.items() if len(parts) == 1]
    return [{"type": "directory", "path": prefix + f, "oid": "0" * 40, "size": 0} for f in folders] + listed


@route("POST", REPO + "/paths-info/([^/]+)")
def paths_info(call, kind, name, revision):
    files = call.repo(kind, name).at(revision).files
    return [entry(path, files[path]) for path in parse_qs(call.body.decode())["paths"] if path in files]


@route("GET", REPO + "/refs")
def refs(call, kind, name):
    repo = call.repo(kind, name)
    branches, pulls = [], []
    for branch, oid in repo.branches.items():
        ref = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
        (pulls if "refs/pr/" in ref else branches).append({"name": branch, "ref": ref, "targetCommit": oid})
    tags = [{"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": oid} for tag, oid in repo.tags.items()]
    return {"branches": branches, "converts": [], "tags": tags, "pullRequests": pulls}


@route("POST", REPO + "/tag/([^/]+)")
def tag(call, kind, name, revision):
    repo = call.repo(kind, name)
    call.may_write(name)
    if call.json()["tag"] in repo.tags:
        raise Refusal(409, "Tag already exists")
    repo.tags[call.json()["tag"]] = repo.at(revision).oid
    return {}


@route("POST", REPO + "/preupload/([^/]+)")
def preupload(call, kind, name, revision):
    repo = call.repo(kind, name)
    if not call.query.get("create_pr"):
        call.may_write(name)
    files, answer = repo.at(revision).files, []
    for file in call.json()["files"]:
        lfs = is_lfs(file["path"], base64.b64decode(file["sample"]), file["size"])
        old = {"oid": oid_of(file["path"], files[file["path"]])} if file["path"] in files else {}
        mode = "lfs" if lfs else "regular"
        answer.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False} | old)
    return {"files": answer}


@route("POST", REPO + "/commit/([^/]+)")
def commit(call, kind, name, revision):
    repo, files, pull = call.repo(kind, name), {}, call.query.get("create_pr")
    call.user() if pull else call.may_write(name)
    header, *lines = [json.loads(line) for line in call.body.splitlines()]
    for value in (line["value"] for line in lines if "deleted" not in line["key"]):
        files[value["path"]] = base64.b64decode(value["content"]) if "content" in value else call.lfs(value["oid"])
    gone = {line["value"]["path"] for line in lines if line["key"] == "deletedFile"}
    title, parent = header["value"]["summary"], header["value"].get("parentCommit")
    if parent and parent != repo.at(revision).oid:
        raise Refusal(412, "A commit has happened since. Please refresh and try again.")
    address = f"{call.hub.url}/{'' if kind == 'model' else kind + 's/'}{name}"
    if not pull:
        oid = repo.add(title, files, revision, gone=gone)
        return {"success": True, "commitOid": oid, "commitUrl": f"{address}/commit/{oid}"}
    repo.pulls.append(title)
    oid = repo.add(title, files, f"refs/pr/{len(repo.pulls)}", repo.at(revision).oid)
    pull_url = f"{address}/discussions/{len(repo.pulls)}"
    return {"success": True, "commitOid": oid, "commitUrl": f"{address}/commit/{oid}", "pullRequestUrl": pull_url}


@route("GET", REPO + "/discussions")
def discussions(call, kind, name):
    found = [
        {"title": title, "num": n, "author": {"name": "maker"}, "createdAt": DATE, "status": "open",
         "repo": {"name": name, "type": kind}, "isPullRequest": True}
        for n, title in enumerate(call.repo(kind, name).pulls, 1)
    ]  # fmt: skip
    return {"discussions": found, "count": len(found), "start": 0}


@route("POST", r"/(?:(dataset|space)s/)?([^/]+/[^/]+)\.git/info/lfs/objects/batch")
def lfs_batch(call, kind, name):
    call.may_write(name)
    objects = []
    for item in call.json()["objects"]:
        upload = {"href": f"{call.hub.cdn}/lfs/{item['oid']}"}, {"href": f"{call.hub.url}/lfs-verify"}
        known = item["oid"] in call.hub.objects
        objects.append(item | ({} if known else {"actions": dict(zip(("upload", "verify"), upload))}))
    return {"transfer": "basic", "objects": objects}


@route("PUT", "/lfs/([0-9a-f]{64})")
def lfs_upload(call, sha256):
    if hashlib.sha256(call.body).hexdigest() != sha256:
        raise Refusal(400, "The bytes are not those that were announced")
    call.hub.objects[sha256] = call.body
    return {}


@route("POST", "/lfs-verify")
def lfs_verify(call):
    if len(call.lfs(call.json()["oid"])) != call.json()["size"]:
        raise Refusal(400, "The size is not the one that was announced")
    return {}


@route("GET", r"/(?:(dataset|space)s/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
def resolve(call, kind, name, revision, path):
    at = call.repo(kind or "model", name).at(revision)
    if path not in at.files:
        raise Refusal(404, "Entry not found", "EntryNotFound")
    data = at.files[path]
    oid, headers = oid_of(path, data), {"X-Repo-Commit": at.oid}
    if len(oid) == 40:
        return Answer(data, headers=headers | {"ETag": f'"{oid}"'})
    call.hub.objects[oid] = data
    linked = {
        "X-Linked-Etag": f'"{oid}"',
        "X-Linked-Size": str(len(data)),
        "Location": f"{call.hub.cdn}/cdn/{name}/{oid}/{path}",
    }
    return Answer(status=302, headers=headers | linked)


@route("GET", "/cdn/[^/]+/[^/]+/([0-9a-f]{64})/.+")
def cdn(call, sha256):
    return Answer(call.hub.objects[sha256], headers={"ETag": f'"{sha256}"'})


@route("POST", "/api/jobs/([^/]+)")
def run_job(call, namespace):
    call.may_write(f"{namespace}/jobs")
    call.hub.jobs.append(call.json())
    return job(call, namespace, f"job{len(call.hub.jobs)}")


@route("GET", "/api/jobs/([^/]+)/job([0-9]+)")
def job(call, namespace, number):
    spec = call.hub.jobs[int(number.removeprefix("job")) - 1]
    owner = {"id": "1", "name": namespace, "type": "user"}
    return {"id": f"job{number.removeprefix('job')}", "createdAt": DATE, "owner": owner, "status": {"stage": "RUNNING"},
            "command": spec["command"], "flavor": spec["flavor"], "dockerImage": spec.get("dockerImage")}  # fmt: skip
