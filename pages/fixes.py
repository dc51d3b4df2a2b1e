"""Known label errors as proposals: accept the certain ones at once, look at the others one by one."""

import streamlit as st

from core.curation.fixes import CERTAINTIES, QUEUE, Fix, accept_certain, decide_fix, list_coverage, proposed_fixes
from core.curation.labels import effective_labels
from core.storage.decisions import DecisionStore
from ui.gallery import photo_grid
from ui.label_history import label_words
from ui.links import link_to
from ui.reviewer import reviewer
from ui.session import current

desk = current()
photos = desk.index.photos
store = DecisionStore(desk.workspace, desk.index.dataset_id)
st.title("Known fixes")
st.caption(
    "Label errors that participants of the competition published, and folder names that contradict train.csv. "
    "Accepting one is a decision like any other: it can be taken back, and the data set stays as it is."
)
fixes = proposed_fixes(photos, desk.index.anomalies, store.effective())
if not fixes:
    st.info("None of the people with a known error is in this data set. Start with the queues of a run instead.")
    st.stop()
who = reviewer()
present, listed = list_coverage(photos)
if present < listed:
    st.warning(
        f"{present} of the published list's {listed} certain people are in this data set. In another train set "
        "than the organisers' these ids are the same by chance: look before you accept."
    )

open_ones = [fix for fix in fixes if fix.state == "open"]
certain = accept_certain(fixes, who=who)
row = st.container(horizontal=True)
if row.button(f"Accept all {sum(fix.certainty == 'certain' for fix in open_ones)} certain ones", type="primary",
               disabled=not certain, help="One batch, taken back in one step."):  # fmt: skip
    store.append(certain)
    st.rerun()
last = store.last_batch(QUEUE)
if row.button("Undo the last step", disabled=last is None) and last:
    st.toast(f"Took back {store.undo_batch(last, who=who):,} decisions")
    st.rerun()

counts = {
    name: (sum(fix.certainty == name for fix in open_ones), sum(fix.certainty == name for fix in fixes))
    for name in CERTAINTIES
}
told = " · ".join(f"{name}: {still_open} open of {of}" for name, (still_open, of) in counts.items())
st.markdown(f"Start with the certain ones. {told}")
show = st.segmented_control(
    "show", ["open", "decided", "in place"], default="open", required=True, key="show", bind="query-params"
)


def card(fix: Fix) -> None:
    """One proposal with its person's photos and what can be decided."""
    own = effective_labels(photos[photos.person_id == fix.person_id], store.effective())
    st.text(f"{fix.person_id} · {fix.certainty}, {fix.source} · {fix.words}")
    ages = sorted(set(own.age))
    captions = [f"{row.kind}: {label_words(row.label)}" for row in own.itertuples()]
    photo_grid(own.photo_id.tolist(), captions)
    st.caption(f"labelled age: {', '.join('unknown' if age < 0 else f'{age} years' for age in ages)}")
    if fix.state != "open":
        st.badge(fix.state, color="green" if fix.state == "accepted" else "gray")
        link_to("history", "History", target=fix.person_id)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        years = None
        if not fix.changes:
            # without limits: an input with limits shows what lies outside, and keeps the age typed before
            years = st.number_input("right age, years", value=None, step=1, key=f"age-{fix.fix_id}", width=160)
        values = {"age_years": int(years)} if years is not None else None
        if st.button("Accept", key=f"accept-{fix.fix_id}", disabled=not fix.changes and values is None):
            store.append(decide_fix(fixes, fix.fix_id, accept=True, who=who, values=values))
            st.rerun()
        if st.button("Reject: the label is right", key=f"reject-{fix.fix_id}"):
            store.append(decide_fix(fixes, fix.fix_id, accept=False, who=who))
            st.rerun()


wanted = {"open": ["open"], "decided": ["accepted", "rejected"], "in place": ["in place"]}[show or "open"]
shown = [fix for fix in fixes if fix.state in wanted]
if not shown:
    st.success("Nothing here." if show != "open" else "All known fixes are decided. Start a training on Train.")
for fix in shown[:20]:
    with st.container(border=True):
        card(fix)
if len(shown) > 20:
    st.caption(f"and {len(shown) - 20} more, which come up when these are decided")
