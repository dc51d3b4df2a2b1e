"""Photos on a page: a grid with captions, and one photo large with its person's other photos."""

import html
from collections.abc import Sequence
from urllib.parse import quote

import pandas as pd
import streamlit as st

from core.taxonomy import AXES, FloatArray, class_name, marginal
from ui.session import current

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


def photo_large(photo_id: str, pred_probs: FloatArray) -> None:
    """One photo large, its probabilities by axis, and its person's other photos.

    Args:
        pred_probs: (18,) probabilities of this photo.
    """
    photos = current().index.photos
    found = photos[photos.photo_id == photo_id]
    if found.empty:
        st.info(f"Photo {photo_id} is not in the data set any more.")
        return
    row = found.iloc[0]
    left, right = st.columns([2, 3])
    left.html(
        f'<img src="{html.escape(photo_url(photo_id, 512))}" alt="{html.escape(photo_id)}" '
        f'style="{_PHOTO};max-width:384px">'
    )
    with right:
        st.markdown(
            f"`{photo_id}`  \n" + (f"label {class_name(row.label)}, {row.age} years" if row.label >= 0 else "")
        )
        for axis, names in AXES.items():
            shares = marginal(pred_probs.reshape(1, -1), axis)[0]
            told = " · ".join(f"{name} {share:.0%}" for name, share in zip(names, shares, strict=True))
            st.text(f"{axis}: {told}")
        others = photos[(photos.person_id == row.person_id) & (photos.photo_id != photo_id)]
        if row.person_id and len(others):
            st.caption("The person's other photos")
            photo_grid(others.photo_id.tolist(), others.kind.tolist(), width=100)


def captions_for(frame: pd.DataFrame) -> list[str]:
    """``class  confidence`` for rows with proposal and confidence."""
    return [f"{class_name(row.proposal)}  {row.confidence:.0%}" for row in frame.itertuples()]
