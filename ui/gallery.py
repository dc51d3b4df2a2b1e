"""Photos on a page: a grid with captions."""

import html
from collections.abc import Sequence
from urllib.parse import quote

import streamlit as st

_GRID = "display:grid;grid-template-columns:repeat(auto-fill,minmax({width}px,1fr));gap:12px"
_PHOTO = (
    "width:100%;aspect-ratio:3/4;object-fit:contain;border-radius:6px;display:block;background:rgba(128,128,128,.15)"
)


def photo_url(photo_id: str, size: int = 256) -> str:
    """The photo route's address, relative to the server."""
    return f"/api/photo/{size}/{quote(photo_id)}"


def photo_grid(photo_ids: Sequence[str], captions: Sequence[str], *, width: int = 130) -> None:
    """Photos with a caption each, in a grid that fits any screen; a click opens one large in a tab of its own.

    Args:
        width: least width of a photo in pixels.
    """
    figures = [
        f'<figure style="margin:0"><a href="{html.escape(photo_url(photo_id, 512))}" target="_blank" rel="noopener">'
        f'<img src="{html.escape(photo_url(photo_id))}" loading="lazy" alt="{html.escape(f"{caption}, {photo_id}")}" '
        f'title="{html.escape(photo_id)}" style="{_PHOTO}"></a>'
        f'<figcaption style="font-size:0.8rem;opacity:0.8">{html.escape(caption)}</figcaption></figure>'
        for photo_id, caption in zip(photo_ids, captions, strict=True)
    ]
    st.html(f'<div style="{_GRID.format(width=width)}">{"".join(figures)}</div>')
