"""Photos that a picture or a comparison chose: a page of them at a time."""

from collections.abc import Sequence

import streamlit as st

from ui.gallery import photo_grid

_PAGE = 24


def photo_pages(photo_ids: Sequence[str], captions: Sequence[str], *, key: str) -> None:
    """A page of photos with captions, and where there are more, a field for the page.

    Args:
        key: names the choice; another choice starts at its first page.
    """
    pages = -(-len(photo_ids) // _PAGE)
    page = int(st.number_input(f"page, 1 to {pages:,}", 1, pages, key=f"page-{key}", width=160)) if pages > 1 else 1
    shown = slice((page - 1) * _PAGE, page * _PAGE)
    photo_grid(photo_ids[shown], captions[shown])
