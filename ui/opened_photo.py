"""Which photo a page shows opened; it stands in the address as ``photo``, so a link shows it too."""

from collections.abc import Sequence

import streamlit as st


def open_photo(photo_id: str) -> None:
    """Let the page show this photo opened."""
    st.query_params["photo"] = photo_id


def opened_photo() -> str:
    """The photo that the address names; empty when none is open."""
    return str(st.query_params.get("photo", ""))


def close_photo() -> None:
    """Let the page show no photo opened."""
    st.query_params.pop("photo", None)


def put_behind(photo_ids: Sequence[str]) -> None:
    """Note which photos the page shows, in their order, so that an opened one leads to the next."""
    st.session_state["photos-behind"] = list(photo_ids)


def photos_behind() -> list[str]:
    """The photos that the page shows behind the opened one."""
    return list(st.session_state.get("photos-behind", []))
