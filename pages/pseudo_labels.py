"""Evaluation photos with the class a run proposes: accept or reject one, a page, or all above a threshold."""

import getpass

import streamlit as st

from core.curation.pseudo_labels import (
    EXPECTED_WRONG_ASSUMES,
    QUEUE,
    accept_above,
    expected_wrong,
    proposals,
    run_temperature,
    undecided_above,
)
from core.storage.decision_record import Decision, new_id
from core.storage.decisions import DecisionStore
from core.taxonomy import CLASS_NAMES
from ui.gallery import captions_for, photo_grid
from ui.run_picker import pick_run
from ui.session import current

_PAGE = 12

desk = current()
st.title("Pseudo labels")
st.caption(
    "Accept or reject what a run proposes for evaluation photos. Accepted ones enter the next training when its "
    "setting data.pseudo_labels is accepted. Some competitions forbid labels made by hand on evaluation photos."
)
run = pick_run()
if run is None:
    st.stop()
store = DecisionStore(desk.workspace, desk.index.dataset_id)
decided = store.effective()
photos = desk.index.photos
table = proposals(run.evaluation(), photos, decided, temperature=run_temperature(run.oof(), photos, decided))
who = st.text_input("your name, kept with each decision", getpass.getuser(), key="who").strip() or getpass.getuser()

counts = table.decision.value_counts()
done = len(table) - int(counts.get("", 0))
st.progress(
    done / max(len(table), 1), f"{done:,} of {len(table):,} decided, {int(counts.get('accept', 0)):,} accepted"
)

with st.container(border=True):
    threshold = st.slider("accept all undecided at or above this confidence", 0.5, 1.0, 0.95, 0.005, key="threshold")
    above = undecided_above(table, threshold)
    wrong = expected_wrong(above.confidence)
    st.markdown(f"**{len(above):,} photos**, about **{wrong:.0f}** of them wrong.", help=EXPECTED_WRONG_ASSUMES)
    accept, undo = st.columns(2)
    if accept.button(f"Accept {len(above):,}", type="primary", disabled=above.empty):
        store.append(accept_above(table, threshold, run_id=run.run_id, who=who))
        st.rerun()
    last = store.last_batch(QUEUE)
    if undo.button("Undo the last batch", disabled=last is None) and last:
        st.toast(f"Took back {store.undo_batch(last, who=who):,} decisions")
        st.rerun()

left, right = st.columns(2)
state = left.selectbox("show", ["undecided", "accepted", "rejected", "all"], bind="query-params", key="show")
label = right.selectbox(
    "class", [-1, *range(18)], format_func=lambda c: "all classes" if c < 0 else CLASS_NAMES[c], key="class"
)
wanted = {"undecided": [""], "accepted": ["accept"], "rejected": ["reject"], "all": table.decision.unique()}[state]
queue = table[table.decision.isin(wanted) & ((table.proposal == label) | (label < 0))]
queue = queue.sort_values("confidence", ascending=False)
if queue.empty:
    st.info(
        "Nothing is left under these filters. Choose another class or state, or train again with what you accepted."
    )
    st.stop()
shown = queue.head(_PAGE)
photo_grid(shown.photo_id.tolist(), captions_for(shown))
ids = shown.photo_id.tolist()
wrong_ones = st.multiselect(
    "wrong ones on this page", ids, format_func=lambda name: f"{ids.index(name) + 1}: {name[:10]}"
)


def decide(rows: object, kind: str, batch: str) -> list[Decision]:
    """One decision a row."""
    return [
        Decision(kind=kind, target=row.photo_id, proposal=int(row.proposal), confidence=float(row.confidence),
                 queue=QUEUE, run_id=run.run_id, who=who, batch_id=batch)
        for row in rows.itertuples()
    ]  # fmt: skip


if st.button(f"Accept {len(shown) - len(wrong_ones)}, reject {len(wrong_ones)}", disabled=state != "undecided"):
    batch_id, is_wrong = new_id(), shown.photo_id.isin(wrong_ones)
    store.append(decide(shown[~is_wrong], "accept", batch_id) + decide(shown[is_wrong], "reject", batch_id))
    st.rerun()
