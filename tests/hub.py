"""A loopback Hub: serves files of one repository at one commit to the real `huggingface_hub` client."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Hub:
    """`with Hub(folder, repo, commit) as url`; `faults` maps a file's name to the status to answer with."""

    def __init__(self, folder: Path, repo: str, commit: str):
        self.faults: dict[str, int] = {}
        self.requests: list[str] = []
        hub, prefix = self, f"/{repo}/resolve/{commit}/"

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(body=True)

            def do_HEAD(self):
                self.answer(body=False)

            def answer(self, body: bool):
                hub.requests.append(self.path)
                name = self.path.removeprefix(prefix)
                known = self.path.startswith(prefix) and (folder / name).is_file()
                status = hub.faults.get(name, 200 if known else 404)
                data = (folder / name).read_bytes() if status == 200 else b""
                self.send_response(status)
                self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
                self.send_header("X-Repo-Commit", commit)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if body:
                    self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> "Hub":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()
