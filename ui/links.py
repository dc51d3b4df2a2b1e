"""Links from one page to another."""

from pathlib import Path

import streamlit as st

_PAGES = Path(__file__).resolve().parent.parent / "pages"


def link_to(page: str, label: str, **query: str) -> None:
    """A link to ``pages/<page>.py``; ``query`` is put in its address."""
    st.page_link(str(_PAGES / f"{page}.py"), label=label, query_params=query or None)


def no_runs_yet() -> None:
    """What every page says that needs a finished run, and the way there."""
    st.info("No runs yet. Start one on Train.")
    link_to("train", "Go to Train")
