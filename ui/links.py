"""Links from one page to another."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

_PAGES = Path(__file__).resolve().parent.parent / "pages"


def link_to(page: str, label: str, **query: str | Sequence[str]) -> None:
    """A link to ``pages/<page>.py``; ``query`` is put in its address, a sequence as a repeated parameter."""
    pairs = [(name, one) for name, value in query.items() for one in ([value] if isinstance(value, str) else value)]
    st.page_link(str(_PAGES / f"{page}.py"), label=f"{label} →", query_params=pairs or None)


def no_runs_yet() -> None:
    """What every page says that needs a finished run, and the way there."""
    st.info("No runs yet. Start one on Train.")
    link_to("train", "Go to Train")
