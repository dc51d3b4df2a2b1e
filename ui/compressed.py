"""Streamlit's own scripts and styles, compressed once: a first screen of 4.6 MB becomes 1.8 MB.

Streamlit serves them as they lie on the disk. Their names hold a hash of what is in them, so both the server and
the browser may keep them for good.
"""

import gzip
from functools import lru_cache
from pathlib import Path
from typing import Any

import anyio
import streamlit
from starlette.datastructures import Headers
from starlette.responses import Response

_STATIC = Path(streamlit.__file__).resolve().parent / "static" / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_KEPT = 200  # files; all of them together are under 10 MB


class CompressedStatics:
    """ASGI middleware that answers for scripts and styles below ``/static/``; all else goes on."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer with the compressed file when there is one and the browser takes it."""
        found = None
        is_static = scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith("/static/")
        if is_static and "gzip" in Headers(scope=scope).get("accept-encoding", ""):
            found = await anyio.to_thread.run_sync(compressed_static, scope["path"].removeprefix("/static/"))
        if found is None:
            await self.app(scope, receive, send)
            return
        headers = {
            "Content-Encoding": "gzip",
            "Vary": "Accept-Encoding",
            "Cache-Control": "public, max-age=31536000, immutable",
        }
        await Response(found, media_type=_TYPES[Path(scope["path"]).suffix], headers=headers)(scope, receive, send)


@lru_cache(_KEPT)
def compressed_static(name: str) -> bytes | None:
    """A file below Streamlit's static folder as gzip; None for another place, another kind, or no file."""
    path = (_STATIC / name).resolve()
    if path.suffix not in _TYPES or not path.is_relative_to(_STATIC) or not path.is_file():
        return None
    return gzip.compress(path.read_bytes(), compresslevel=6, mtime=0)
