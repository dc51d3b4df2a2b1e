"""Small JPEGs for the screen, made once and kept."""

import hashlib
import io
from pathlib import Path

from PIL import Image, ImageOps

from core.dataset.scan import UNDECODABLE
from core.errors import DatasetError
from core.files import write_atomic
from core.workspace import Workspace

SIZES = (192, 256, 512)
"""Largest heights in pixels that the screens ask for; 512 is the whole photo."""


def photo_jpeg(data_dir: Path, workspace: Workspace, path: str, size: int) -> bytes:
    """A photo as a JPEG of at most ``size`` pixels in height.

    Args:
        path: from the index, POSIX, relative to the data set; never from a user.
        size: one of ``SIZES``.
    Raises:
        DatasetError: no such size, or the photo cannot be decoded.
    """
    if size not in SIZES:
        raise DatasetError(f"photo size {size} is not one of {', '.join(map(str, SIZES))}")
    source = data_dir / path
    try:
        stat = source.stat()
        key = hashlib.sha256(f"{source}|{stat.st_size}|{stat.st_mtime_ns}|{size}".encode()).hexdigest()
        kept = workspace.thumbnails / key[:2] / f"{key}.jpg"
        if kept.exists():
            return kept.read_bytes()
        content = _make(source, size)
    except UNDECODABLE:
        raise DatasetError(f"photo {path} cannot be decoded; see check") from None
    write_atomic(kept, lambda file: file.write(content))
    return content


def _make(source: Path, size: int) -> bytes:
    with Image.open(source) as photo:
        shrink = size / max(photo.size)
        photo.draft("RGB", (round(photo.width * shrink), round(photo.height * shrink)))  # a JPEG halves for free
        upright = ImageOps.exif_transpose(photo).convert("RGB")
    upright.thumbnail((size, size), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=88)
    return out.getvalue()
