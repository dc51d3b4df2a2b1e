"""How labels came to be: what happened to a photo or a person, what two revisions differ in, who decided what."""

import streamlit as st

from core.storage.decisions import DecisionStore
from ui.label_history import show_recent, show_revisions, show_timeline
from ui.links import link_to
from ui.reviewer import known_reviewer
from ui.reviewers import show_disagreements, show_files, show_origins, show_work
from ui.session import current

_ONE, _REVISIONS, _REVIEWERS = "photo or person", "revisions", "reviewers"

desk = current()
store = DecisionStore(desk.workspace, desk.index.dataset_id)
st.title("History")
st.caption("Every decision is kept, undone ones too: see what changed a label, compare two states, and who agrees.")

view = st.segmented_control(
    "view",
    [_ONE, _REVISIONS, _REVIEWERS],
    default=_ONE,
    required=True,
    key="view",
    bind="query-params",
    label_visibility="collapsed",
)
if store.revision() == 0:
    st.info("Nothing is decided yet. Start with the known fixes, or with the pseudo labels of a run.")
    link_to("fixes", "Known fixes")
    link_to("pseudo_labels", "Pseudo labels")
    if view == _REVIEWERS:
        show_files(store)
    st.stop()

who = known_reviewer()
if view == _ONE:
    target = st.text_input("photo or person", key="target", bind="query-params", placeholder="an id, or choose below")
    if target:
        st.button("Show the newest decisions", on_click=lambda: st.session_state.update(target=""))
        show_timeline(store, target.strip(), who)
    else:
        show_recent(store)
elif view == _REVISIONS:
    show_revisions(store, who)
else:
    show_work(store)
    show_origins(store)
    show_files(store)
    show_disagreements(store)
