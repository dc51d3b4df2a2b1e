"""What happened in a run, one JSON object a line: ``events.jsonl``.

Written by the training process, read by pages while it grows. A kill can tear the last line: readers
stop at the last newline and pass over a torn line, and the next writer closes it with a newline.
"""

import json
import operator
import os
import time
from pathlib import Path
from typing import Any

EVENTS = "events.jsonl"

COUNTED = {
    "cache": "decoding photos once",
    "features": "looking at photos",
    "gradcam": "looking at photos",
    "map": "steps of the layout",
}
"""Events that carry ``done`` and ``total``, and what they count."""


def append_event(run_path: Path, kind: str, **fields: Any) -> None:
    """Add one line ``{"time": unix seconds, "event": kind, ...}`` in a single write.

    Args:
        run_path: the run's folder.
        fields: plain values or numpy numbers.
    """
    content = {"time": round(time.time(), 3), "event": kind, **fields}
    line = json.dumps(content, ensure_ascii=False, default=operator.methodcaller("item")) + "\n"
    descriptor = os.open(run_path / EVENTS, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = "\n" + line
        os.write(descriptor, line.encode("utf-8"))
    finally:
        os.close(descriptor)


def read_events(run_path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Events from a byte offset up to the last newline, and the offset to go on from."""
    try:
        with (run_path / EVENTS).open("rb") as file:
            file.seek(offset)
            content = file.read()
    except FileNotFoundError:
        return [], offset
    whole = content[: content.rfind(b"\n") + 1]
    events = []
    for line in whole.splitlines():
        try:
            event = json.loads(line)
        except ValueError:  # torn by a kill
            continue
        if isinstance(event, dict) and "event" in event:
            events.append(event)
    return events, offset + len(whole)
