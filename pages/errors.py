"""Where a run is wrong: the 18 x 18 matrix over out-of-fold predictions, and the photos behind a cell."""

import numpy as np
import streamlit as st

from core.evaluation.metrics import (
    accuracy,
    axis_accuracy,
    axis_confusion,
    class_table,
    confusion_matrix,
    macro_f1,
    probabilities,
)
from core.taxonomy import AXES, CLASS_NAMES, NUM_CLASSES, class_name
from ui.charts import confusion_chart
from ui.gallery import photo_grid, photo_large
from ui.run_picker import pick_run

_PAGE = 24

st.title("Errors")
st.caption("What a run gets wrong on people it did not train on. Choose a cell to see its photos.")
run = pick_run()
if run is None:
    st.stop()
result, oof = run.result() or {}, run.oof()
table = run.train_photos().set_index("photo_id").loc[oof.photo_ids.tolist()]
labels, predictions, pred_probs = table.label.to_numpy(), oof.logits.argmax(1), probabilities(oof.logits)
confusion = confusion_matrix(labels, predictions)

headline = {"macro F1": macro_f1(labels, predictions), "accuracy": accuracy(labels, predictions)}
headline |= axis_accuracy(labels, predictions)
for column, (name, value) in zip(st.columns(len(headline)), headline.items(), strict=True):
    column.metric(name, f"{value:.4f}")
st.caption(
    f"macro F1 95 % by person: {result['macro_f1_low']:.3f} to {result['macro_f1_high']:.3f}, "
    f"{len(labels):,} photos, out-of-fold"
)

if "cell" not in st.session_state:
    wanted = st.query_params.get("cell", "").split("-")
    good = len(wanted) == 2 and all(part.isdigit() and int(part) < NUM_CLASSES for part in wanted)
    st.session_state.cell = (int(wanted[0]), int(wanted[1])) if good else None
shares = (
    st.segmented_control("numbers", ["photos", "row shares"], default="photos", key="errors-numbers") == "row shares"
)
clicked = confusion_chart(
    confusion,
    list(CLASS_NAMES),
    shares=shares,
    chosen=st.session_state.cell,
    key=f"matrix-{st.session_state.cell}-{shares}",
)
if clicked is not None:
    st.session_state.cell = None if clicked == st.session_state.cell else clicked
    st.rerun()

with st.expander("By axis, and by class"):
    for column, (axis, names) in zip(st.columns(3), AXES.items(), strict=True):
        with column:
            st.markdown(f"**{axis}**")
            confusion_chart(
                axis_confusion(confusion, axis), list(names), shares=shares, chosen=None, key=f"axis-{axis}"
            )
    st.dataframe(class_table(confusion), hide_index=True, width="stretch")

off_diagonal = confusion - np.diag(np.diag(confusion))
top = np.argsort(-off_diagonal, axis=None)[:10]
pairs = [divmod(int(place), NUM_CLASSES) for place in top if off_diagonal.flat[place]]
options = [None, *dict.fromkeys([*pairs, *([st.session_state.cell] if st.session_state.cell else [])])]


def cell_words(cell: tuple[int, int] | None) -> str:
    """A cell in words."""
    if cell is None:
        return "no cell"
    return f"{class_name(cell[0])} → {class_name(cell[1])} ({confusion[cell]:,})"


picked = st.selectbox(
    "cell, the largest confusions first", options, index=options.index(st.session_state.cell), format_func=cell_words
)
if picked != st.session_state.cell:
    st.session_state.cell = picked
    st.rerun()
if picked is None:
    st.query_params.pop("cell", None)
    st.info("Choose a cell in the matrix or in the list above.")
    st.stop()

st.query_params["cell"] = f"{picked[0]}-{picked[1]}"
chosen = np.flatnonzero((labels == picked[0]) & (predictions == picked[1]))
chosen = chosen[np.argsort(-pred_probs[chosen, picked[1]])]
st.subheader(f"{cell_words(picked)} photos, most confident first")
if not len(chosen):
    st.info("No photo is in this cell.")
    st.stop()
pages = -(-len(chosen) // _PAGE)
page = st.number_input(f"page of {pages}", 1, pages, 1) if pages > 1 else 1
shown = chosen[(page - 1) * _PAGE : page * _PAGE]
photo_grid(
    oof.photo_ids[shown].tolist(),
    [f"{pred_probs[row, picked[1]]:.0%} · {table.age.iloc[row]} years" for row in shown],
)
large = st.selectbox(
    "open one large", [None, *oof.photo_ids[shown].tolist()], format_func=lambda name: name or "none"
)
if large:
    photo_large(large, pred_probs[int(np.flatnonzero(oof.photo_ids == large)[0])])
