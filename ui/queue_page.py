"""What the pages of the four queues share: run, unit, filters in the address, counts, and the cards themselves."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd
import streamlit as st

from core.curation.cards import cards
from core.curation.queues import Filters, counts, queue_rows
from core.curation.review_table import KINDS, ReviewTable
from core.errors import DecisionError
from core.people.inference import Inference
from core.storage.decisions import DecisionStore
from core.storage.groupings import list_groupings
from core.storage.leases import Leases
from core.storage.runs import Run
from core.storage.selections import read_selection
from ui.links import link_to, no_runs_yet
from ui.queue_head import (
    STATE_WORDS,
    Head,
    limits_in_words,
    open_head,
    pick_limits,
    pick_order,
    pick_state,
    show_line,
)
from ui.review import review
from ui.review_data import effect_of, neighbours, shift_of, table_of
from ui.reviewer import reviewer
from ui.run_picker import finished_runs, pick_run
from ui.session import current
from ui.switches import effect_words, make_inference, pick_grouping, pick_prior, show_review_effect

_AHEAD = 3
"""Pages that the browser holds."""

_CARDS_AHEAD = 36
"""Cards that it holds one by one: four seconds of the quickest reviewer."""


@dataclass(frozen=True)
class Desk:
    """What a queue's page works on.

    Attributes:
        told: what its head says of the corrections.
        inference: the corrections under which photos are proposed.
        reviewed: decisions that stand at the revision of the table.
    """

    head: Head
    told: list[str]
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


def open_desk(*, evaluation: bool = True) -> Desk | None:
    """The head with run and unit, and who reviews; None, and the empty state on the page, without a finished run.

    Args:
        evaluation: whether the queue shows evaluation photos, so that their corrections can be switched.
    """
    here = current()
    if not finished_runs():
        no_runs_yet()
        return None
    head = open_head()
    with head.run:
        run = pick_run(width=170)
    unit = head.often.segmented_control(
        "decide by", ["person", "photo"], default="person", required=True, key="unit", bind="query-params"
    )
    store = DecisionStore(here.workspace, here.index.dataset_id)
    revision = store.revision()
    inference = _usual_inference(run, revision)
    if evaluation:
        inference = _pick_inference(head, inference)
    who = reviewer()
    with head.line, st.spinner("reading the run"):
        table = table_of(run, unit=unit, inference=inference, revision=revision)
        effect = effect_of(run, unit=unit, inference=inference, revision=revision) if evaluation else None
    told = []
    if effect is not None and inference != Inference():
        told = [effect_words(effect, inference)]
        with head.corrections:
            show_review_effect(effect, inference)
    return Desk(head, told, run, who, store, revision, store.effective(at_revision=revision), table, inference)


def _pick_inference(head: Head, usual: Inference) -> Inference:
    with head.corrections:
        left, right = st.columns(2)
    return make_inference(pick_prior(left, first=usual.prior), pick_grouping(right, first=usual.grouping))


def _usual_inference(run: Run, revision: int) -> Inference:
    """The corrections that are on unless switched off: the mix where its estimates agree, the newest grouping."""
    here = current()
    newest = list_groupings(here.workspace, dataset_id=here.index.dataset_id)[:1]
    return Inference("em" if shift_of(run, revision).is_steady else "none", "".join(newest))


def corrected_table(desk: Desk) -> ReviewTable:
    """The table under the estimated evaluation mix, which tells how many of some proposals are wrong."""
    if desk.inference.prior == "em":
        return desk.table
    honest = replace(desk.inference, prior="em")
    return table_of(desk.run, unit=desk.table.unit, inference=honest, revision=desk.revision)


def filtered(
    desk: Desk,
    name: str,
    orders: Sequence[str],
    *,
    extra: Mapping[str, Any] | None = None,
    holds: Literal["train", "eval", "both"] = "both",
    told: Sequence[str] = (),
) -> View:
    """The filters of a queue, all kept in the address, and what they leave.

    Args:
        extra: filters of this queue alone.
        holds: photos of which split are in it.
        told: what the line below the controls says of them.
    """
    folds = [] if holds == "eval" else desk.run.manifest["folds_to_run"]
    limits = pick_limits(desk.head, folds=folds, splits=holds == "both")
    limits = replace(limits, **_with_selection(desk, extra or {}))
    found = counts(desk.table, name, limits)
    limits = replace(limits, state=pick_state(desk.head, found))
    order, size = pick_order(desk.head, name, orders)
    show_line(desk.head, limits, [*told, *desk.told])
    return View(limits, order, queue_rows(desk.table, name, limits, order=order), found, size)


def _with_selection(desk: Desk, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The filters, limited to the photos that another page sent here, which the address names."""
    name = st.query_params.get("picked")
    if not name:
        return dict(extra)
    try:
        chosen = read_selection(current().workspace, name)
    except DecisionError as problem:
        desk.head.line.warning(f"All photos are shown: {problem}.")
        return dict(extra)
    photos = desk.table.photos
    groups = photos.group.to_numpy()[photos.photo_id.isin(chosen)]
    targets = frozenset(desk.table.units.target.to_numpy()[groups].tolist())
    with desk.head.line:
        st.caption(f"Limited to {len(chosen):,} photos that were chosen on another page.", width="content")
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
    elif rows.empty and limits_in_words(view.filters):
        empty = "No card is left under these filters. Choose others, or clear them, behind Filters."
    progress = {
        "done": sum(view.counts[state] for state in ("accept", "relabel", "reject")),
        "total": view.counts["all"],
        "states": [{"kind": kind, "words": STATE_WORDS[kind], "cards": view.counts[kind]} for kind in KINDS if kind],
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


def undo_button(desk: Desk, name: str) -> None:
    """Takes back the reviewer's last batch of this queue, however many decisions it has."""
    last = desk.store.last_batch(name, desk.who)
    if st.button("Undo the last batch", disabled=last is None, key=f"undo-{name}") and last:
        st.toast(f"Took back {desk.store.undo_batch(last, who=desk.who):,} decisions")
        st.rerun()
