"""Photos that runs, the folds of a run or reviewers see differently; what one run fixes and another breaks."""

from dataclasses import replace

import streamlit as st

from core.curation.agreement import QUEUE, disagreements
from core.curation.disagreements import (
    by_unit,
    dispute_lines,
    disputes_of,
    fixed_and_broken,
    reviewers_apart,
    train_labels,
    voters_apart,
)
from ui.address import in_address
from ui.queue_page import filtered, open_desk, show_cards
from ui.review_data import table_of, votes
from ui.run_picker import finished_runs
from ui.session import current

st.title("Disagreements")
st.caption("Where runs, folds or reviewers say different things, one look settles it.")
desk = open_desk()
if desk is None:
    st.stop()

others = [run.run_id for run in finished_runs() if run.run_id != desk.run.run_id]
folds = ["folds"] if len(desk.run.manifest["folds_to_run"]) > 1 else []
sources = [*others, *folds, "reviewers"]
taken_over = in_address("with", sources, default=sources[0])
source = desk.head.own.selectbox(
    "compare with", sources, key="with", on_change=taken_over, width=190,
    format_func=lambda one: {"folds": "its own folds", "reviewers": "reviewers' votes"}.get(one, one),
    help="Another run (fixed: what it has right and the run wrong), the folds of this run on evaluation photos, or "
    "what reviewers said of the same card.",
)  # fmt: skip
ids = desk.table.photos.photo_id.tolist()
target_of = desk.table.units.target.to_numpy()[desk.table.photos.group]
extra, told = {}, {}
if source == "reviewers":
    torn = disagreements(current().index.photos, desk.reviewed)
    disputed = tuple(sorted(torn.target))
    again = table_of(
        desk.run, unit=desk.table.unit, inference=desk.inference, revision=desk.revision, disputed=disputed
    )
    table = reviewers_apart(again, torn)
    people = int((torn.unit == "person").sum())
    if people and table.unit == "photo":
        st.info(f"Disputed as whole people, and shown when you decide by person: {people:,}.")
else:
    told = votes(desk.run, source, ids)
    table = voters_apart(desk.table, told)
if source in others:
    fixed, broken = fixed_and_broken(train_labels(desk.table), told[desk.run.run_id], told[source])
    rows = {"fixed": fixed, "broken": broken}
    words = {"all": "all", "fixed": f"{len(fixed):,} train photos fixed", "broken": f"{len(broken):,} broken"}
    which = desk.head.line.segmented_control(
        "which", list(words), required=True, key="which", label_visibility="collapsed", format_func=words.get,
        on_change=in_address("which", list(words), default="all"),
    )  # fmt: skip
    if which in rows:
        extra["picked"] = frozenset(target_of[rows[which]].tolist())
desk = replace(desk, table=table)
orders = ["disagreement", "gain", "margin", "entropy", "confidence", "random"]
view = filtered(desk, QUEUE, orders, extra=extra)
if told:
    torn = disputes_of(desk.table, told, set(view.rows.target[:700]))
reasons = {target: dispute_lines(disputes) for target, disputes in by_unit(desk.table, torn).items()}
show_cards(
    desk, view, QUEUE, gained="eval", reasons=reasons,
    empty="Nobody disagrees here. Compare with another run, or train one with other settings: Train.",
)  # fmt: skip
