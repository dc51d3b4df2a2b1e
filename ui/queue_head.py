"""The head of a queue's page: what is used often in one row, the rest behind "Filters", a line that says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.curation.queues import Filters
from core.taxonomy import AXES, CLASS_NAMES
from ui.address import in_address

ORDER_WORDS = {
    "gain": "expected gain in macro F1",
    "wrong": "most likely wrong",
    "margin": "smallest margin",
    "entropy": "highest entropy",
    "confidence": "lowest confidence",
    "self_confidence": "lowest self-confidence",
    "normalized_margin": "lowest normalized margin",
    "mistakenness": "highest mistakenness",
    "disagreement": "most disagreement",
    "random": "random (seed 0)",
}
STATE_WORDS = {"undecided": "to decide", "accept": "accepted", "relabel": "changed", "reject": "rejected",
               "skip": "put off", "all": "all"}  # fmt: skip
_SPLIT_WORDS = {"": "train and evaluation", "eval": "evaluation"}
_PAGE_SIZES = [24, 48, 96, 200]
_STYLE = """<style>
.st-key-queue-head [data-testid="stLayoutWrapper"]:has(> [data-testid="stHorizontalBlock"]),
.st-key-queue-head [data-testid="stHorizontalBlock"] { display: contents; }
.st-key-queue-head [data-testid="stButtonGroup"] button { min-height: 2.5rem; }
@media (max-width: 40rem) {
  .st-key-queue-head { gap: 0.5rem; }
  .st-key-queue-head > * [data-testid="stWidgetLabel"] { position: absolute; clip-path: inset(50%); }
}
</style>"""
"""The places of the row flow as one, so that a narrow screen wraps control by control; all are equally high, so that
their labels stand on one line. A narrow screen has no room for labels: what is chosen says it."""

_OFF = {"state": "undecided", "class": -1, "axis": "", "text": "", "split": "", "fold": -1, "confidence": (0.0, 1.0)}
"""What each filter is when it limits nothing, by its key."""


@dataclass(frozen=True)
class Head:
    """Places of the head, filled in any order.

    Attributes:
        run, own, often, tools: the row, from left to right; ``own`` and ``tools`` are the page's.
        state, limits, more, corrections: behind "Filters", from top to bottom; ``more`` is the page's.
        line: below the row.
    """

    run: DeltaGenerator
    own: DeltaGenerator
    often: DeltaGenerator
    tools: DeltaGenerator
    state: DeltaGenerator
    limits: DeltaGenerator
    more: DeltaGenerator
    corrections: DeltaGenerator
    line: DeltaGenerator


def open_head() -> Head:
    """The empty head."""
    st.html(_STYLE)
    with st.container(horizontal=True, vertical_alignment="bottom", key="queue-head"):
        run, own, often = (st.container(horizontal=True, width="content") for _ in range(3))
        with st.popover("Filters"):
            behind = [st.container() for _ in range(4)]
        tools = st.container(horizontal=True, width="content")
    line = st.container(horizontal=True, vertical_alignment="center")
    return Head(run, own, often, tools, *behind, line)


def pick_limits(head: Head, *, folds: Sequence[int], splits: bool) -> Filters:
    """The filters behind the button but for the state, all kept in the address.

    Args:
        folds: of the run; none where no train people are shown.
        splits: whether train and evaluation photos are.
    """
    classes = {-1: "any class", **dict(enumerate(CLASS_NAMES))}
    fold, split = -1, ""
    with head.limits:
        left, right = st.columns(2)
    with left:
        label = choose("class", list(classes), classes)
        if folds:
            fold = choose("fold", [-1, *folds], {-1: "any"})
        text = st.text_input("text", key="text", bind="query-params", placeholder="part of an id")
    with right:
        axis = choose("axis", ["", *AXES], {"": "any axis"}, label="in doubt")
        if splits:
            split = choose("split", ["", "train", "eval"], _SPLIT_WORDS, label="photos")
        least, most = st.slider("confidence", 0.0, 1.0, (0.0, 1.0), 0.01, key="confidence", bind="query-params")
    return Filters(axis=axis, label=label, text=text, fold=fold, least=least, most=most, split=split)


def pick_state(head: Head, counts: Mapping[str, int]) -> str:
    """Which cards are shown: those to decide, or those that were decided in one way."""
    taken_over = in_address("state", list(STATE_WORDS), default="undecided")
    return str(
        head.state.segmented_control(
            "show", list(STATE_WORDS), required=True, key="state", on_change=taken_over,
            format_func=lambda one: f"{STATE_WORDS[one]} {counts[one]:,}",
        )
    )  # fmt: skip


def pick_order(head: Head, name: str, orders: Sequence[str]) -> tuple[str, int]:
    """The order, and cards a page: 1 for one by one."""
    with head.often:
        key = f"order-{name}"  # other orders, another key
        order = choose(key, list(orders), ORDER_WORDS, label="order", width=200)
        mode = st.segmented_control(
            "cards", ["card", "grid"], default="card", required=True, key="mode", bind="query-params"
        )
    words = {size: f"{size} a page" for size in _PAGE_SIZES}
    with head.state:
        size = choose("size", _PAGE_SIZES, words, label="cards of the grid") if mode == "grid" else 1
    return str(order), int(size)


def show_line(head: Head, limits: Filters, told: Sequence[str]) -> None:
    """Which filters are on, and what else there is to say of what is shown; the way out is behind "Filters"."""
    on = limits_in_words(limits)
    head.limits.button("Clear filters", key="filters-clear", disabled=not on, on_click=_clear)
    words = [f"Filters on: {', '.join(on)}"] * bool(on) + [*told]
    if words:
        head.line.caption(" · ".join(words), width="content")


def choose(
    key: str,
    options: list[Any],
    words: Mapping[Any, str],
    *,
    label: str = "",
    width: int | Literal["stretch"] = "stretch",
) -> Any:
    """A select box whose choice is in the address; options without words are shown as they are."""
    return st.selectbox(
        label or key, options, key=key, bind="query-params", width=width,
        format_func=lambda one: words.get(one, str(one)),
    )  # fmt: skip


def limits_in_words(limits: Filters) -> list[str]:
    """Which filters are on."""
    plain = replace(Filters(), state="undecided")
    words = {
        "state": STATE_WORDS[limits.state] + " ones" * (limits.state == "all"),
        "label": CLASS_NAMES[limits.label],
        "axis": f"most in doubt is {limits.axis}",
        "split": f"{_SPLIT_WORDS.get(limits.split, limits.split)} photos",
        "fold": f"fold {limits.fold}",
        "text": f"“{limits.text}”",
    }
    on = [told for name, told in words.items() if getattr(limits, name) != getattr(plain, name)]
    is_all = (limits.least, limits.most) == (plain.least, plain.most)
    return on if is_all else [*on, f"confidence {limits.least:.2f} to {limits.most:.2f}"]


def _clear() -> None:
    st.query_params.pop("state", None)
    st.session_state.update({key: off for key, off in _OFF.items() if key in st.session_state})
