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
    voters_apart,
)
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
words = {"folds": "the folds of this run (evaluation photos)"}
source = desk.head.own.selectbox(
    "compare with", [*others, *folds, "reviewers"], key="with", bind="query-params",
    format_func=lambda one: words.get(one, one), width=190,
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
line = []
if source in others:
    fixed, broken = fixed_and_broken(desk.table.photos.label.to_numpy(), told[desk.run.run_id], told[source])
    which = desk.head.own.segmented_control(
        "train photos", ["all", "fixed", "broken"], default="all", required=True, key="which", bind="query-params"
    )
    line = [
        f"{source} fixes {len(fixed):,} train photos that {desk.run.run_id} has wrong, and breaks {len(broken):,}"
    ]
    if which in ("fixed", "broken"):
        extra["picked"] = frozenset(target_of[fixed if which == "fixed" else broken].tolist())
desk = replace(desk, table=table)
orders = ["disagreement", "gain", "margin", "entropy", "confidence", "random"]
view = filtered(desk, QUEUE, orders, extra=extra, told=line)
if told:
    torn = disputes_of(desk.table, told, set(view.rows.target[:700]))
reasons = {target: dispute_lines(disputes) for target, disputes in by_unit(desk.table, torn).items()}
show_cards(
    desk, view, QUEUE, gained="eval", reasons=reasons,
    empty="Nobody disagrees here. Compare with another run, or train one with other settings: Train.",
)  # fmt: skip
