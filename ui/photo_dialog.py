"""One photo opened over a page: what the run says of it, its person, its like among the train photos, and why."""

import numpy as np
import streamlit as st

from core.curation.judged import Judged
from core.curation.neighbours import competing_classes
from core.evaluation.metrics import Float64Array
from core.storage.runs import Run
from core.taxonomy import AXES, CLASS_NAMES, class_name, decode_axis, marginal
from ui.bars import bar_table
from ui.opened_photo import close_photo, open_photo, opened_photo, photos_behind
from ui.photo_evidence import show_neighbours, show_photo
from ui.photo_wall import photo_wall
from ui.scored import calibrated_probabilities, foretold, judged


@st.dialog("Photo", width="large", on_dismiss=close_photo)
def photo_dialog(run: Run) -> None:
    """The opened photo; another one is opened within the dialog, and the page behind does not run again."""
    whole, pred_probs = judged(run), calibrated_probabilities(run)
    found = np.flatnonzero(whole.photo_ids == opened_photo())
    if not len(found):
        whole, pred_probs = foretold(run)
        found = np.flatnonzero(whole.photo_ids == opened_photo())
    if not len(found):
        st.info(f"The run predicted no photo {opened_photo()!r}. Close this, and choose another.")
        return
    _steps()
    row = int(found[0])
    left, right = st.columns([2, 3], gap="medium")
    with left:
        show_photo(run, whole, row)
    with right:
        _probabilities(whole, row, pred_probs[row])
        _person(whole, row, pred_probs)
        one = slice(row, row + 1)
        competing = competing_classes(whole.predictions[one], pred_probs[one], whole.labels[one])
        show_neighbours(run, whole, row, competing[0])


def _steps() -> None:
    """To the photo before and after, when the opened one is of those behind the dialog."""
    shown, opened = photos_behind(), opened_photo()
    if opened not in shown or len(shown) < 2:
        return
    place = shown.index(opened)
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, key, to in (("Previous", "Left", place - 1), ("Next", "Right", place + 1)):
            is_there = 0 <= to < len(shown)
            args = (shown[to],) if is_there else ()
            st.button(name, key=f"step-{key}", shortcut=key, disabled=not is_there, on_click=open_photo, args=args)
        st.caption(f"{place + 1} of the {len(shown)} photos behind")


def _probabilities(whole: Judged, row: int, pred_probs: Float64Array) -> None:
    """What is true, what was predicted, and the probabilities of each axis."""
    true, predicted = int(whole.labels[row]), int(whole.predictions[row])
    by_label = f"**{class_name(true)}** by its label, " if true >= 0 else ""
    st.markdown(f"{by_label}predicted **{class_name(predicted)}**")
    rows, lengths = [], []
    for axis, names in AXES.items():
        for place, share in enumerate(marginal(pred_probs.reshape(1, -1), axis)[0]):
            marks = [word for word, label in (("label", true), ("predicted", predicted))
                     if label >= 0 and decode_axis(np.array([label]), axis)[0] == place]  # fmt: skip
            rows.append((f"{axis}: {names[place]}", " and ".join(marks), f"{share:.1%}"))
            lengths.append(float(share))
    bar_table(rows, lengths, head=("", "", "calibrated"))
    likeliest = int(pred_probs.argmax())
    if likeliest != predicted:
        st.caption(
            f"Calibrated, the likeliest class is {class_name(likeliest)}: the network leans to what it predicted."
        )


def _person(whole: Judged, row: int, pred_probs: Float64Array) -> None:
    """The person's other photos with what was predicted for them."""
    others = np.flatnonzero((whole.people == whole.people[row]) & (np.arange(len(whole.people)) != row))
    if not len(others):
        return
    st.markdown("**The person's other photos**")
    said = whole.predictions[others]
    captions = [
        f"{CLASS_NAMES[label]} {share:.0%}" for label, share in zip(said, pred_probs[others, said], strict=True)
    ]
    photo_wall(
        whole.photo_ids[others].tolist(), captions, key="person-photos", on_open=open_photo, width=90,
        wrong=((said != whole.labels[others]) & (whole.labels[others] >= 0)).tolist(),
    )  # fmt: skip
