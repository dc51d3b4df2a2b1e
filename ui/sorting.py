"""The component that sorts evaluation photos into people: groups go to the browser, placements come back."""

from pathlib import Path

import streamlit as st

from core.people.board import MOST, Order, board, order_groups
from core.people.effect import PoolingEffect
from core.people.grouping import QUOTA
from core.storage.decisions import DecisionStore
from core.storage.group_decisions import group_counts
from core.storage.groupings import Grouping
from core.taxonomy import MASKS, decode_axis
from ui.outbox import mount, prefix_of
from ui.paging import page_of

QUEUE = "groups"
_AHEAD = 60
"""Groups that a browser holds; they come anew with each answer."""

_ORDERS: dict[str, Order] = {
    "least sure first": "least_sure",
    "surest first": "surest",
    "single photos": "single",
    "confirmed": "confirmed",
}
_ALL = "Every group is confirmed. Look at the single photos, or use the grouping on Ensemble and in queues."
_EMPTY = {
    "least_sure": _ALL,
    "surest": _ALL,
    "single": "No photo stands alone.",
    "confirmed": "Nothing is confirmed yet. Start with the least sure groups: key a confirms one.",
}

_COMPONENTS = Path(__file__).resolve().parent / "components"
_SCRIPTS = ("review/outbox.js", "review/elements.js", "review/photos.js", "review/keyboard.js", "groups/board.js",
            "groups/drawing.js", "groups/groups.js")  # fmt: skip
"""One module in the browser: each file uses those before it."""

_component = st.components.v2.component(
    "maskdesk_groups",
    html='<div class="review"></div>',
    css="\n".join((_COMPONENTS / name).read_text("utf-8") for name in ("review/review.css", "groups/groups.css")),
    js="\n".join((_COMPONENTS / name).read_text("utf-8") for name in _SCRIPTS),
)


def sort_groups(grouping: Grouping, effect: PoolingEffect, *, run_id: str, who: str, store: DecisionStore) -> None:
    """Choose an order, then confirm, split, merge and move by mouse and keys.

    Args:
        grouping: as corrected so far.
        effect: what the run says of each photo.
        run_id: the run, kept with each decision.
        who: the reviewer.
        store: where decisions are kept.
    """
    vectors = grouping.vectors()
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    chosen = left.segmented_control(
        "groups", list(_ORDERS), default="least sure first", required=True, key="groups-order", bind="query-params"
    )
    order = _ORDERS[chosen]
    ordered = order_groups(grouping.table, order, vectors=vectors)
    with right:
        ahead = page_of(len(ordered), _AHEAD, key=f"part-{grouping.key}-{order}")
    masks = dict(zip(effect.single.photo_ids, decode_axis(effect.single.classes, "mask").tolist(), strict=True))
    counts = group_counts(grouping.table)
    shown = board(grouping.table, ordered[ahead], vectors=vectors, masks=masks, notes=effect.captions())
    mount(
        _component, key="sort-groups", queue=QUEUE, who=who, store=store,
        data={
            **shown, "grouping": grouping.key, "queue": QUEUE, "run_id": run_id, "who": who,
            "prefix": f"{prefix_of(store)}groups-", "masks": list(MASKS), "quota": QUOTA.tolist(), "most": MOST,
            "hides_confirmed": order != "confirmed", "empty": _EMPTY[order],
            "view": f"{grouping.key} {order} {ahead.start}",
            "progress": {"done": counts["confirmed"], "total": counts["groups"],
                         "hint": f"{counts['in_work']:,} changed" if counts["in_work"] else ""},
        },
    )  # fmt: skip
