"""Components whose decisions must not get lost: mounted with the answer to what a browser sent (``outbox.js``).

Decisions travel as STATE, not as a trigger, and a browser repeats them until it hears that they are kept: with a
slow or restarted server triggers get lost. Mount such a component outside any fragment.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from core.curation.inbox import receive
from core.storage.decisions import DecisionStore
from ui.session import current


def mount(
    component: Callable[..., Any],
    *,
    key: str,
    queue: str,
    who: str,
    store: DecisionStore,
    data: Mapping[str, Any],
) -> None:
    """Mount a component; what its browser sends is saved before the page's script runs.

    Args:
        component: gets ``data`` and in it ``answer``: attempt, acknowledged, refused, problem, and last, the newest
            batch of the queue that can be undone. Its state ``outbox`` is what the browser sends.
        queue: whose newest batch is told.
        who: the reviewer.
        store: where decisions are kept.
    """
    answers = f"{key}-answer-{who}"

    def save() -> None:
        """Runs before the script, so that what it shows knows of these decisions."""
        outbox = st.session_state[key].get("outbox")
        st.session_state[answers] = _answer(outbox, queue=queue, who=who, store=store)

    if answers not in st.session_state:
        st.session_state[answers] = _answer(None, queue=queue, who=who, store=store)
    answer = st.session_state[answers]
    result = component(key=key, data={**data, "answer": answer}, default={"outbox": None}, on_outbox_change=save)
    outbox = result.get("outbox")
    if isinstance(outbox, Mapping) and outbox.get("attempt") != answer["attempt"]:
        # A new session after a restart: the callback was not called.
        st.session_state[answers] = _answer(outbox, queue=queue, who=who, store=store)
        st.rerun()


def prefix_of(store: DecisionStore) -> str:
    """Keeps what waits in a browser apart by data set and workspace."""
    return f"maskdesk-{hashlib.sha256(f'{store.database} {store.dataset_id}'.encode()).hexdigest()[:12]}-"


def _answer(outbox: object, *, queue: str, who: str, store: DecisionStore) -> dict[str, Any]:
    """Save what a browser sent; what it must hear: which batches are kept or refused, and the newest, for undo."""
    sent = outbox if isinstance(outbox, Mapping) else {}
    receipt = receive(sent.get("batches"), store=store, photos=current().index.photos, who=who)
    return {"attempt": sent.get("attempt"), "last": store.last_batch(queue, who), **asdict(receipt)}
