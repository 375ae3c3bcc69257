"""What a long job has done so far, a line a record, so that it goes on where it was killed."""

import json
from pathlib import Path


class Journal:
    """Records in the order in which they were made; what a kill left half-written is cut off, and all records are where
    they were made by something else than `made_by`, any JSON value."""

    def __init__(self, path: Path, made_by):
        self.records: list[dict] = []
        whole = []
        if path.exists():
            lines = path.read_bytes().split(b"\n")[:-1]  # the last one has no end yet
            if lines and json.loads(lines[0]) == made_by:
                whole = lines
                self.records = [json.loads(line) for line in lines[1:]]
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.partial")
        partial.write_bytes(b"".join(line + b"\n" for line in whole or [json.dumps(made_by).encode()]))
        partial.replace(path)
        self.file = open(path, "a")

    def add(self, record: dict) -> None:
        """Keep a record; a later kill does not lose it."""
        self.file.write(json.dumps(record) + "\n")
        self.file.flush()
        self.records.append(record)
