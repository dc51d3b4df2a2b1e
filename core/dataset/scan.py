"""Which files there are, and what can be told of a photo without decoding it."""

import hashlib
import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

PHOTO_ENDINGS = (".jpg", ".jpeg", ".png")
Progress = Callable[[int, int], None]

_ROTATED = (5, 6, 7, 8)
"""EXIF orientations that swap width and height (EXIF 2.32, tag 0x0112)."""

UNDECODABLE = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, ArithmeticError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip
"""What PIL raises for a photo that cannot be decoded."""

_FEW = 1500
"""Below this many new photos, starting workers costs more than it saves."""


@dataclass(frozen=True)
class FoundFile:
    """A file below ``train/images`` or ``eval/images``: POSIX path in the data set, bytes, mtime."""

    path: str
    size: int
    mtime_ns: int

    @property
    def is_photo(self) -> bool:
        """A photo by its ending, and not hidden (``._*``, ``.ipynb_checkpoints``)."""
        hidden = any(part.startswith(".") for part in self.path.split("/"))
        return not hidden and self.path.lower().endswith(PHOTO_ENDINGS)


@dataclass(frozen=True)
class PhotoFacts:
    """What the header and the bytes say: pixels after EXIF rotation, a digest, what is wrong."""

    width: int
    height: int
    digest: str
    problem: str
    """"" for a good photo, else ``unreadable`` or ``truncated``."""


def find_files(root: Path, folder: str) -> Iterator[FoundFile]:
    """All files below ``root/folder``, sorted; symbolic links are not followed."""
    pending = [folder]
    while pending:
        here = pending.pop()
        with os.scandir(root / here) as entries:
            for entry in sorted(entries, key=lambda found: found.name):
                path = f"{here}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)
                elif entry.is_file(follow_symlinks=False):
                    stat = entry.stat(follow_symlinks=False)
                    yield FoundFile(path, stat.st_size, stat.st_mtime_ns)


def photo_facts(path: Path) -> PhotoFacts:
    """Size, digest and soundness of one photo; reads its bytes and decodes pixels only where the end looks odd.

    A JPEG ends with the marker FFD9 and a PNG with its IEND chunk (ITU-T T.81 B.1.1.3; PNG specification
    11.2.5). Trailing zeros are forgiven; a photo with other bytes behind its end is decoded to find out.
    """
    try:
        content = path.read_bytes()
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        with Image.open(io.BytesIO(content)) as photo:
            width, height = photo.size
            exif = Image.Image.getexif(photo)  # a PNG's own getexif would decode the photo
            if exif.get(0x0112) in _ROTATED:
                width, height = height, width
            kind = photo.format
    except UNDECODABLE:
        return PhotoFacts(0, 0, "", "unreadable")
    end = content[-64:].rstrip(b"\0")
    whole = (kind == "JPEG" and end.endswith(b"\xff\xd9")) or (kind == "PNG" and b"IEND" in end)
    return PhotoFacts(width, height, digest, "" if whole or _decodes(content) else "truncated")


def _decodes(content: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(content)) as photo:
            photo.load()
    except UNDECODABLE:
        return False
    return True


def inspect_photos(root: Path, paths: list[str], on_progress: Progress | None = None) -> dict[str, PhotoFacts]:
    """``photo_facts`` of many photos, by all cores when they are many.

    Args:
        root: the data set's folder.
        paths: POSIX paths below it.
        on_progress: called with (done, total).
    """
    targets = [root / path for path in paths]
    facts: dict[str, PhotoFacts] = {}

    def collect(results: Iterator[PhotoFacts]) -> None:
        for done, (path, found) in enumerate(zip(paths, results, strict=True), start=1):
            facts[path] = found
            if on_progress and (done % 200 == 0 or done == len(paths)):
                on_progress(done, len(paths))

    if len(paths) < _FEW:
        collect(map(photo_facts, targets))
    else:
        # Threads: a child process would run Streamlit's script again, and reading and hashing hold no lock.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            collect(pool.map(photo_facts, targets))
    return facts
