"""The review component on a page: cards go to the browser, decisions come back (``ui.outbox``)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from core.storage.decisions import DecisionStore
from core.taxonomy import AXES, CLASS_NAMES
from ui.outbox import mount, prefix_of

_FOLDER = Path(__file__).resolve().parent / "components" / "review"
_SCRIPTS = (
    "outbox.js",
    "elements.js",
    "meaning.js",
    "marks.js",
    "photos.js",
    "drawing.js",
    "toolbar.js",
    "screen.js",
    "keyboard.js",
    "review.js",
)
"""One module in the browser: each file uses those before it."""

_component = st.components.v2.component(
    "maskdesk_review",
    html='<div class="review"></div>',
    css=(_FOLDER / "review.css").read_text(encoding="utf-8"),
    js="\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS),
)


def review(
    cards: Sequence[Mapping[str, Any]],
    *,
    queue: str,
    run_id: str,
    who: str,
    store: DecisionStore,
    mode: Literal["card", "grid"] = "card",
    page_size: int = 24,
    progress: Mapping[str, Any] | None = None,
    view: str = "",
    empty: str = "Nothing is left here. Choose other filters, or another queue.",
) -> None:
    """Mount the review component.

    Args:
        cards: what is undecided, best first; about three pages of it, so that the next page is at hand.
        queue: kept with each decision; one component a queue on a page.
        run_id: the run whose proposals these are, "" for none.
        who: the reviewer.
        store: where decisions are kept.
        mode: one card with everything about it, or a grid whose rest is accepted by Enter.
        page_size: cards of a grid, 24 to 200.
        progress: shown above the cards: done, total, states (each kind, words, cards), gained, hit_rate, hint; each
            may be left out.
        view: names the filters and the order; when it changes, the cards on the screen are replaced.
        empty: what to do when no card is left. Mount it without cards, too: what is on the way must arrive.
    """
    mount(
        _component, key=f"review-{queue}", queue=queue, who=who, store=store,
        data={
            "cards": list(cards), "queue": queue, "run_id": run_id, "who": who, "mode": mode, "page_size": page_size,
            "progress": dict(progress or {}), "view": f"{mode} {page_size} {run_id} {view}",
            "prefix": prefix_of(store), "axes": list(AXES.values()), "classes": list(CLASS_NAMES), "empty": empty,
        },
    )  # fmt: skip
