"""Who is reviewing: a name chosen at the first visit and remembered by the browser, without a cookie.

Not in the address: whoever opened a shared link would decide under another's name.
"""

from pathlib import Path

import streamlit as st

_MEMORY = st.components.v2.component(
    "reviewer_memory", js=(Path(__file__).parent / "components" / "reviewer" / "memory.js").read_text("utf-8")
)
_LONGEST = 60
_UNSEEN = "<style>.st-key-reviewer-memory{position:absolute;width:0}</style>"
_APPEAR = "<style>.st-key-reviewer-ask{animation:ask .2s .6s both}@keyframes ask{from{opacity:0}}</style>"
"""The question stays unseen for the moment in which the browser may still answer it."""


def reviewer() -> str:
    """The reviewer's name; asks for it at the first visit, and the page goes on only when it is known."""
    name = known_reviewer()
    if not name:
        _ask()
        st.stop()
    return name


def known_reviewer() -> str:
    """The reviewer's name, "" before it was given: looking needs none. ``ask_reviewer`` when something is decided."""
    _take_over_answers()
    name = str(st.session_state.get("reviewer", ""))
    asking = not name and not st.session_state.get("reviewer-changing", False)
    st.html(_UNSEEN)
    _MEMORY(
        key="reviewer-memory", data={"name": name, "ask": asking}, default={"name": None},
        on_name_change=lambda: None, height=1,
    )  # fmt: skip
    if name:
        with st.sidebar:
            st.text(f"Reviewing as {name}")
            st.button("Somebody else", key="reviewer-change", on_click=_forget, help="Choose another name")
    return name


@st.dialog("Before you decide")
def ask_reviewer() -> None:
    """Ask for the name over the page; what was pressed can then be pressed again."""
    _ask()
    if st.session_state.get("reviewer"):
        st.rerun()


def _take_over_answers() -> None:
    """The name that the browser remembered, unless one is chosen or being changed."""
    kept = st.session_state.get("reviewer-memory") or {}
    if not st.session_state.get("reviewer") and not st.session_state.get("reviewer-changing"):
        st.session_state["reviewer"] = _clean(kept.get("name") or "")


def _ask() -> None:
    st.html(_APPEAR)
    with st.container(key="reviewer-ask"), st.form("reviewer-form", border=True):
        st.markdown("**Who is reviewing?** Your name is kept with each of your decisions.")
        st.text_input("your name", max_chars=_LONGEST, key="reviewer-name")
        st.form_submit_button("Start", type="primary", on_click=_choose)


def _choose() -> None:
    st.session_state["reviewer"] = _clean(st.session_state["reviewer-name"])
    st.session_state["reviewer-changing"] = not st.session_state["reviewer"]


def _forget() -> None:
    st.session_state["reviewer"] = ""
    st.session_state["reviewer-changing"] = True


def _clean(name: str) -> str:
    return "".join(letter for letter in " ".join(name.split()) if letter.isprintable())[:_LONGEST]
