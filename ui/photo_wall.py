"""Photos that open when they are clicked, or with Enter; arrows move among them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from ui.gallery import photo_url

_FOLDER = Path(__file__).resolve().parent / "components" / "wall"
_component = st.components.v2.component(
    "maskdesk_wall",
    html='<div class="wall"></div>',
    css=(_FOLDER / "wall.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "wall.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def photo_wall(
    photo_ids: Sequence[str],
    captions: Sequence[str],
    *,
    key: str,
    on_open: Callable[[str], None],
    wrong: Sequence[bool] | None = None,
    width: int = 110,
) -> None:
    """A grid of photos.

    Args:
        key: of the component on the page.
        on_open: called with a photo_id when a photo is opened, before the page runs again.
        wrong: which photos get a red mark.
        width: least width of a photo in pixels.
    """
    marks = wrong if wrong is not None else [False] * len(photo_ids)
    photos = [
        {"id": photo_id, "src": photo_url(photo_id), "caption": caption, "mark": "wrong" if is_wrong else ""}
        for photo_id, caption, is_wrong in zip(photo_ids, captions, marks, strict=True)
    ]

    def take() -> None:
        opened = st.session_state[key].get("open")
        if opened in set(photo_ids):
            on_open(str(opened))

    _component(key=key, data={"photos": photos, "width": width}, on_open_change=take)
