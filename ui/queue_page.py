"""What the pages of the four queues share: run, unit, filters in the address, counts, and the cards themselves."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd
import streamlit as st

from core.curation.cards import cards
from core.curation.queues import Filters, counts, queue_rows
from core.curation.review_table import ReviewTable
from core.people.inference import Inference
from core.storage.decisions import DecisionStore
from core.storage.groupings import list_groupings
from core.storage.leases import Leases
from core.storage.runs import Run
from core.storage.selections import read_selection
from core.taxonomy import AXES, CLASS_NAMES
from ui.links import link_to
from ui.review import review
from ui.review_data import effect_of, neighbours, shift_of, table_of
from ui.reviewer import reviewer
from ui.run_picker import pick_run
from ui.session import current
from ui.switches import make_inference, pick_grouping, pick_prior, show_review_effect

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
_STATE_WORDS = {"undecided": "to decide", "accept": "accepted", "relabel": "changed", "reject": "rejected",
                "skip": "put off", "all": "all"}  # fmt: skip
_PAGE_SIZES = [24, 48, 96, 200]
_AHEAD = 3
"""Pages that the browser holds."""

_CARDS_AHEAD = 36
"""Cards that it holds one by one: four seconds of the quickest reviewer."""


@dataclass(frozen=True)
class Desk:
    """What a queue's page works on.

    Attributes:
        inference: the corrections under which photos are proposed.
        reviewed: decisions that stand at the revision of the table.
    """

    run: Run
    who: str
    store: DecisionStore
    revision: int
    reviewed: pd.DataFrame
    table: ReviewTable
    inference: Inference


@dataclass(frozen=True)
class View:
    """A queue as the page shows it: filters, order, rows (best first); ``size`` cards a page, 1 for one by one."""

    filters: Filters
    order: str
    rows: pd.DataFrame
    counts: dict[str, int]
    size: int


def open_desk() -> Desk | None:
    """Run, unit, grouping and reviewer; None, and the empty state on the page, when there is no finished run."""
    here = current()
    left, middle, right, last = st.columns([3, 2, 2, 2])
    with left:
        run = pick_run()
    if run is None:
        return None
    unit = middle.segmented_control(
        "decide by", ["person", "photo"], default="person", key="unit", bind="query-params"
    )
    store = DecisionStore(here.workspace, here.index.dataset_id)
    revision = store.revision()
    newest = list_groupings(here.workspace, dataset_id=here.index.dataset_id)[:1]
    prior = pick_prior(right, first="em" if shift_of(run, revision).is_steady else "none")
    grouping = pick_grouping(last, first="".join(newest))
    inference = make_inference(prior, grouping)
    who = reviewer()
    with st.spinner("reading the run"):
        table = table_of(run, unit=unit or "person", inference=inference, revision=revision)
        effect = effect_of(run, unit=unit or "person", inference=inference, revision=revision)
    if effect is not None and inference != Inference():
        show_review_effect(effect, inference)
    return Desk(run, who, store, revision, store.effective(at_revision=revision), table, inference)


def corrected_table(desk: Desk) -> ReviewTable:
    """The table under the estimated evaluation mix, which tells how many of some proposals are wrong."""
    if desk.inference.prior == "em":
        return desk.table
    honest = replace(desk.inference, prior="em")
    return table_of(desk.run, unit=desk.table.unit, inference=honest, revision=desk.revision)


def filtered(
    desk: Desk, name: str, orders: Sequence[str], *, extra: Mapping[str, Any] | None = None, splits: bool = False
) -> View:
    """The filters of a queue, all kept in the address, and what they leave."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = _choose(
            f"order-{name}", list(orders), ORDER_WORDS, label="order", width=230
        )  # other orders, another key
        with st.popover("filters"):
            classes = {-1: "any class", **dict(enumerate(CLASS_NAMES))}
            label = _choose("class", list(classes), classes)
            axis = _choose("axis", ["", *AXES], {"": "any axis"}, label="in doubt")
            text = st.text_input("text", key="text", bind="query-params", placeholder="part of an id")
            words = {"": "train and evaluation", "eval": "evaluation"}
            split = _choose("split", ["", "train", "eval"], words, label="photos") if splits else ""
            fold = _choose("fold", [-1, *desk.run.manifest["folds_to_run"]], {-1: "any"})
            least, most = st.slider("confidence", 0.0, 1.0, (0.0, 1.0), 0.01, key="confidence", bind="query-params")
        given = [label >= 0, axis, text, split, fold >= 0, (least, most) != (0.0, 1.0)]
        if any(given):
            st.caption(f"{sum(map(bool, given))} set")
    limits = Filters(
        axis=axis, label=label, text=text, fold=fold, least=least, most=most, split=split,
        **_with_selection(desk, extra or {}),
    )  # fmt: skip
    told = counts(desk.table, name, limits)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        state = st.segmented_control(
            "state", list(_STATE_WORDS), default="undecided", key="state", bind="query-params",
            label_visibility="collapsed", format_func=lambda one: f"{_STATE_WORDS[one]} {told[one]:,}",
        )  # fmt: skip
        mode = st.segmented_control(
            "show", ["card", "grid"], default="card", key="mode", bind="query-params", label_visibility="collapsed"
        )
        words = {size: f"{size} a page" for size in _PAGE_SIZES}
        size = _choose("size", _PAGE_SIZES, words, collapsed=True, width=130) if mode == "grid" else 1
    limits = replace(limits, state=state or "undecided")
    return View(limits, order, queue_rows(desk.table, name, limits, order=order), told, size)


def _with_selection(desk: Desk, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The filters, limited to the photos that another page sent here, which the address names."""
    name = st.query_params.get("picked")
    if not name:
        return dict(extra)
    chosen = read_selection(current().workspace, name)
    photos = desk.table.photos
    groups = photos.group.to_numpy()[photos.photo_id.isin(chosen)]
    targets = frozenset(desk.table.units.target.to_numpy()[groups].tolist())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Limited to {len(chosen):,} photos that were chosen on another page.")
        if st.button("Show all", key="picked-leave"):
            del st.query_params["picked"]
            st.rerun()
    return {**extra, "picked": targets & extra.get("picked", targets)}


def show_cards(
    desk: Desk,
    view: View,
    name: str,
    *,
    empty: str,
    gained: Literal["eval", "train"] | None,
    hit_rate: float | None = None,
    hint: str = "",
    reasons: Mapping[str, list[str]] | None = None,
) -> None:
    """The queue's cards in the review component; ``empty`` says what to do when there is none.

    It is mounted without cards, too: what waits in the browser must arrive, and the last decision can be undone.
    """
    rows = _held(desk, view, name)
    if rows.empty and len(view.rows):
        empty = "Others are looking at all that is left here. Choose other filters, or wait two minutes."
    progress = {
        "done": sum(view.counts[state] for state in ("accept", "relabel", "reject")),
        "total": view.counts["all"],
        "gained": desk.table.gained[gained] if gained else None,
        "hit_rate": hit_rate,
        "hint": hint,
    }
    made = cards(desk.table, rows, queue=name, reasons=reasons)
    if view.size == 1:
        first = [card["photos"][0]["photo_id"] for card in made]
        near = neighbours(desk.run, desk.table, first, desk.revision)
        for card, photo_id in zip(made, first, strict=True):
            card["neighbours"] = near.get(photo_id, [])
    review(
        made,
        queue=name, run_id=desk.run.run_id, who=desk.who, store=desk.store, empty=empty,
        mode="grid" if view.size > 1 else "card", page_size=max(view.size, 24), progress=progress,
        view=hashlib.sha256(f"{desk.table.unit} {view.order} {view.filters}".encode()).hexdigest()[:12],
    )  # fmt: skip
    if view.rows.empty:
        link_to("train", "Train")


def _held(desk: Desk, view: View, name: str) -> pd.DataFrame:
    """The first rows, as many as the browser holds; of what is to decide those that nobody else looks at."""
    count = max(_AHEAD * view.size, _CARDS_AHEAD)
    wanted = view.rows.target.tolist()
    if wanted and view.filters.state == "undecided":
        here = current()
        wanted = Leases(here.workspace, here.index.dataset_id).take(name, desk.who, wanted, count=count)
    return view.rows[view.rows.target.isin(wanted[:count])]


def _choose(
    key: str,
    options: list[Any],
    words: Mapping[Any, str],
    *,
    label: str = "",
    collapsed: bool = False,
    width: int | Literal["stretch"] = "stretch",
) -> Any:
    """A select box whose choice is in the address; options without words are shown as they are."""
    return st.selectbox(
        label or key, options, key=key, bind="query-params", width=width,
        format_func=lambda one: words.get(one, str(one)), label_visibility="collapsed" if collapsed else "visible",
    )  # fmt: skip


def undo_button(desk: Desk, name: str) -> None:
    """Takes back the reviewer's last batch of this queue, however many decisions it has."""
    last = desk.store.last_batch(name, desk.who)
    if st.button("Undo the last batch", disabled=last is None, key=f"undo-{name}") and last:
        st.toast(f"Took back {desk.store.undo_batch(last, who=desk.who):,} decisions")
        st.rerun()
