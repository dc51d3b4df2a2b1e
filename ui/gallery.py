"""Photos on a page: a grid with captions, and one photo large with its person's other photos."""

import html
from urllib.parse import quote

import pandas as pd
import streamlit as st

from core.taxonomy import AXES, class_name, marginal
from ui.session import current

_GRID = "display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px"


def photo_url(photo_id: str, size: int = 256) -> str:
    """The photo route's address, relative to the server."""
    return f"/api/photo/{size}/{quote(photo_id)}"


def photo_grid(photo_ids: list[str], captions: list[str]) -> None:
    """Photos with a caption each, in a grid that fits any width."""
    figures = [
        f'<figure style="margin:0"><img src="{html.escape(photo_url(photo_id))}" loading="lazy" '
        f'alt="{html.escape(caption)}" style="width:100%;border-radius:6px">'
        f'<figcaption style="font-size:0.8rem;opacity:0.8">{html.escape(caption)}</figcaption></figure>'
        for photo_id, caption in zip(photo_ids, captions, strict=True)
    ]
    st.html(f'<div style="{_GRID}">{"".join(figures)}</div>')


def photo_large(photo_id: str, pred_probs: object) -> None:
    """One photo large, its probabilities by axis, and its person's other photos.

    Args:
        pred_probs: (18,) probabilities of this photo.
    """
    photos = current().index.photos
    row = photos.loc[photos.photo_id == photo_id].iloc[0]
    left, right = st.columns([2, 3])
    with left:
        st.html(
            f'<img src="{html.escape(photo_url(photo_id, 512))}" alt="{html.escape(photo_id)}" '
            'style="width:100%;max-width:384px;border-radius:8px">'
        )
    with right:
        known = f"label: {class_name(row.label)}, {row.age} years" if row.label >= 0 else "no label"
        st.markdown(f"**{photo_id}**  \n{known}")
        for axis, names in AXES.items():
            shares = marginal(pred_probs.reshape(1, -1), axis)[0]  # type: ignore[attr-defined]
            st.markdown(f"{axis}: " + " · ".join(f"{name} {p:.0%}" for name, p in zip(names, shares, strict=True)))
    if row.person_id:
        others = photos[(photos.person_id == row.person_id) & (photos.photo_id != photo_id)]
        st.caption("The person's other photos")
        photo_grid(others.photo_id.tolist(), others.kind.tolist())


def captions_for(frame: pd.DataFrame) -> list[str]:
    """``class  confidence`` for rows with proposal and confidence."""
    return [f"{class_name(row.proposal)}  {row.confidence:.0%}" for row in frame.itertuples()]
