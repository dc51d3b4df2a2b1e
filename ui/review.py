"""The review component on a page: cards go to the browser, decisions come back and are saved before anything else.

Decisions travel as STATE, not as a trigger, and a browser repeats them until it hears that they are kept: with a
slow or restarted server triggers get lost. Mount it outside any fragment.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from core.curation.inbox import receive
from core.storage.decisions import DecisionStore
from core.taxonomy import AXES, CLASS_NAMES
from ui.session import current

_FOLDER = Path(__file__).resolve().parent / "components" / "review"
_SCRIPTS = (
    "outbox.js",
    "meaning.js",
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
        progress: done, total, gained, hit_rate, hint; shown above the cards, each may be left out.
        view: names the filters and the order; when it changes, the cards on the screen are replaced.
        empty: what to do when no card is left. Mount it without cards, too: what is on the way must arrive.
    """
    key = f"review-{queue}"
    answers = f"{key}-answer-{who}"

    def save() -> None:
        """Runs before the script, so that the cards it makes know of these decisions."""
        outbox = st.session_state[key].get("outbox")
        st.session_state[answers] = _answer(outbox, queue=queue, who=who, store=store)

    if answers not in st.session_state:
        st.session_state[answers] = _answer(None, queue=queue, who=who, store=store)
    answer = st.session_state[answers]
    result = _component(
        key=key,
        data={
            "cards": list(cards), "queue": queue, "run_id": run_id, "who": who, "mode": mode, "page_size": page_size,
            "progress": dict(progress or {}), "view": f"{mode} {page_size} {run_id} {view}",
            "prefix": _prefix(store), "axes": list(AXES.values()), "classes": list(CLASS_NAMES), "answer": answer,
            "empty": empty,
        },
        default={"outbox": None},
        on_outbox_change=save,
    )  # fmt: skip
    outbox = result.get("outbox")
    if isinstance(outbox, Mapping) and outbox.get("attempt") != answer["attempt"]:
        # A new session after a restart: the callback was not called.
        st.session_state[answers] = _answer(outbox, queue=queue, who=who, store=store)
        st.rerun()


def _answer(outbox: object, *, queue: str, who: str, store: DecisionStore) -> dict[str, Any]:
    """Save what a browser sent; what it must hear: which batches are kept or refused, and the newest, for undo."""
    sent = outbox if isinstance(outbox, Mapping) else {}
    receipt = receive(sent.get("batches"), store=store, photos=current().index.photos, who=who)
    return {"attempt": sent.get("attempt"), "last": store.last_batch(queue, who), **asdict(receipt)}


def _prefix(store: DecisionStore) -> str:
    """Keeps what waits in a browser apart by data set and workspace."""
    return f"maskdesk-{hashlib.sha256(f'{store.database} {store.dataset_id}'.encode()).hexdigest()[:12]}-"
