"""Where a run is wrong: the 18 x 18 matrix over out-of-fold predictions, and the photos behind a cell."""

import numpy as np
import pandas as pd
import streamlit as st

from core.evaluation.metrics import axis_confusion, class_table
from core.taxonomy import AXES, CLASS_NAMES, NUM_CLASSES, class_name
from ui.charts import Cell, confusion_chart, scrolling
from ui.gallery import photo_grid, photo_large
from ui.run_picker import pick_run
from ui.scored import scored

_PAGE = 24
_TOP = 12

st.title("Errors")
st.caption("What a run gets wrong on people it did not train on. Choose a cell of the matrix to see its photos.")
run = pick_run()
if run is None:
    st.stop()
result, oof = run.result() or {}, scored(run)
confusion = oof.confusion

with st.grid("auto", min_column_width=110):
    st.metric("macro F1", f"{result['macro_f1']:.3f}")
    st.metric("accuracy", f"{result['accuracy']:.3f}")
    for axis, value in result["axis_accuracy"].items():
        st.metric(axis, f"{value:.3f}")
st.caption(
    f"Macro F1 95 % by person: {result['macro_f1_low']:.3f} to {result['macro_f1_high']:.3f}. "
    f"Out-of-fold over {len(oof.labels):,} photos, with the labels of that time; mask, gender, age: accuracies."
)


def choose(cell: Cell | None) -> None:
    """Make a cell the chosen one; the chosen one again leaves it."""
    chosen = None if cell == st.session_state.get("cell") else cell
    st.session_state["true"], st.session_state["predicted"] = (
        (None, None) if chosen is None else (CLASS_NAMES[chosen[0]], CLASS_NAMES[chosen[1]])
    )


def choose_row() -> None:
    """Take a row of the table of the largest confusions."""
    rows = st.session_state[table_key]["selection"]["rows"]
    choose(top_cells[rows[0]] if rows else None)


wrong = confusion - np.diag(np.diag(confusion))
order = np.argsort(-wrong, axis=None, kind="stable")[:_TOP]
top_cells = [divmod(int(place), NUM_CLASSES) for place in order if wrong.flat[place]]

matrix, choice = st.columns([5, 3], gap="medium")
with choice:
    true = st.selectbox("true class", CLASS_NAMES, index=None, key="true", bind="query-params")
    predicted = st.selectbox("predicted class", CLASS_NAMES, index=None, key="predicted", bind="query-params")
    cell = (CLASS_NAMES.index(true), CLASS_NAMES.index(predicted)) if true and predicted else None
    st.session_state["cell"] = cell
    st.button("Leave the cell", shortcut="Escape", disabled=not (true or predicted), on_click=choose, args=(None,))
    st.markdown("**Largest confusions**")
    table_key = f"confusions-{run.run_id}-{cell}"
    table = pd.DataFrame(
        [(class_name(t), class_name(p), int(confusion[t, p])) for t, p in top_cells],
        columns=["true", "predicted", "photos"],
    )
    st.dataframe(
        table, key=table_key, hide_index=True, on_select=choose_row, selection_mode="single-row",
        alt="The largest confusions", height=36 * min(len(table) + 1, 9),
    )  # fmt: skip
if cell is None:
    st.info("Choose a cell in the matrix, a row of the table, or both classes.")
else:
    rows = oof.cell(*cell)
    st.subheader(f"{true} → {predicted}: {len(rows):,} photos", anchor=False)
    if not len(rows):
        st.info("No photo is in this cell.")
    else:
        st.caption(
            "The most confident first, with the probability of the predicted class. Click one to open it alone."
        )
        pages = -(-len(rows) // _PAGE)
        page = (
            int(st.number_input(f"page, 1 to {pages}", 1, pages, key=f"page-{cell}", width=160)) if pages > 1 else 1
        )
        start = (page - 1) * _PAGE
        shown = rows[start : start + _PAGE]
        ids = oof.photo_ids[shown].tolist()
        told = [f"{oof.pred_probs[row, cell[1]]:.0%} · {oof.ages[row]} years" for row in shown]
        photo_grid(ids, [f"{number}: {words}" for number, words in enumerate(told, start + 1)])
        large = st.selectbox(
            "open one here, with its person's other photos", ids, index=None, key=f"large-{cell}",
            format_func=lambda photo_id: f"{start + 1 + ids.index(photo_id)}: {photo_id}" if photo_id in ids else "",
        )  # fmt: skip
        if large in ids:
            photo_large(large, oof.pred_probs[shown[ids.index(large)]])

with matrix:  # after the photos, which come over the wire while the browser draws
    numbers = st.segmented_control(
        "numbers", ["photos", "row shares"], default="photos", required=True, key="numbers", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    with scrolling("matrix", width=660):
        shares = numbers == "row shares"
        key = f"matrix-{run.run_id}-{cell}-{shares}"
        confusion_chart(confusion, CLASS_NAMES, shares=shares, chosen=cell, key=key, on_cell=choose)

details = st.expander("By axis and by class", key="details", on_change="rerun")
if details.open:
    with details:
        for column, (axis, names) in zip(st.columns(3), AXES.items(), strict=True):
            with column:
                st.markdown(f"**{axis}**")
                confusion_chart(axis_confusion(confusion, axis), names, shares=shares, key=f"axis-{axis}-{shares}")
        st.dataframe(class_table(confusion), hide_index=True, alt="Precision, recall and F1 of each class")
