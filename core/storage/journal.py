"""A text file of lines that only grows. A line is on the disk before ``append_lines`` returns.

Without a lock of its own: callers hold one while they append. A last line without its end was torn by a
kill; it is passed over, and cut off by the next append.
"""

import os
from collections.abc import Iterable
from pathlib import Path

_CHUNK = 1 << 16


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Add lines, each with its ``\\n``, and wait until the disk has them."""
    text = "".join(lines).encode("utf-8")
    if not text:
        return
    is_new = not path.exists()
    with path.open("ab") as file:
        end = _whole_end(path)
        if end < file.tell():
            file.truncate(end)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        _sync_folder(path.parent)


def read_lines(path: Path) -> list[bytes]:
    """All whole lines, without their ends; none when there is no file."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def last_line(path: Path) -> bytes | None:
    """The last whole line, read from the end; None when there is none."""
    end = _whole_end(path) - 1
    if end < 0:
        return None
    with path.open("rb") as file:
        line = b""
        while end > 0:
            start = max(0, end - _CHUNK)
            file.seek(start)
            part = file.read(end - start)
            cut = part.rfind(b"\n")
            line = part[cut + 1 :] + line
            if cut >= 0:
                break
            end = start
        return line


def _whole_end(path: Path) -> int:
    """Bytes up to and with the last line end."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _CHUNK)
            file.seek(start)
            cut = file.read(end - start).rfind(b"\n")
            if cut >= 0:
                return start + cut + 1
            end = start
    return 0


def _sync_folder(folder: Path) -> None:
    """Wait until the disk has the folder's new names."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
