"""The second half of the page Errors: the matrix, the photos behind its cells, and one photo opened."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core.curation.judged import Judged
from core.evaluation.error_tables import VIEWS, View, confidences, margins
from core.evaluation.metrics import Float64Array
from core.storage.runs import Run
from core.taxonomy import PHOTO_KINDS, IntArray
from ui.charts import Cell, confusion_chart, scrolling
from ui.chosen import send_to_queues
from ui.opened_photo import open_photo, opened_photo, put_behind
from ui.paging import page_of
from ui.photo_dialog import photo_dialog
from ui.photo_wall import photo_wall
from ui.scored import calibrated_probabilities, judged

_PAGE = 24
_TOP = 12
_ANY = "any"
_WIDTHS = {"true": 125, "predicted": 125, "photos": 60}
_ORDERS = {
    "most confident": (confidences, -1),
    "least confident": (confidences, 1),
    "largest margin": (margins, -1),
    "smallest margin": (margins, 1),
}
_SIDE_BY_SIDE = """<style>@media (min-width: 1000px) {.st-key-behind {max-height: 660px; overflow-y: auto}}</style>"""


@dataclass(frozen=True)
class _Choice:
    """Which matrix is shown, of which photos, and which row and column of it are chosen."""

    view: View
    shares: bool
    rows: IntArray
    true: int | None
    predicted: int | None

    @property
    def cell(self) -> Cell | None:
        return None if self.true is None or self.predicted is None else (self.true, self.predicted)


@st.fragment
def matrix_and_photos(run: Run) -> None:
    """The matrix, the photos of the chosen cell, and the opened photo; all choices stand in the address."""
    whole = judged(run)
    st.subheader("Matrix", anchor=False)
    choice, name = _controls(whole)
    part = whole.part(choice.rows)
    confusion = choice.view.matrix(part.confusion)
    left, right = st.columns([5, 3], gap="medium")
    with right:
        true, predicted = _row_and_column(choice.view)
        choice = _Choice(choice.view, choice.shares, choice.rows, true, predicted)
        if true is None and predicted is None:
            put_behind([])
            _largest_confusions(confusion, choice.view, key=f"confusions-{run.run_id}-{name}-{len(choice.rows)}")
        else:
            with st.container(key="behind"):
                st.html(_SIDE_BY_SIDE)
                _photos_behind(run, part, choice)
    with left, scrolling("matrix-area", width=590 if len(choice.view.names) > 6 else 300):
        # after the photos, which come over the wire while the browser draws
        key = f"matrix-{run.run_id}-{name}-{choice.cell}-{choice.shares}-{len(choice.rows)}"
        confusion_chart(
            confusion, choice.view.names, shares=choice.shares, chosen=choice.cell, key=key, on_cell=_choose
        )
    if opened_photo():
        photo_dialog(run)


def _controls(whole: Judged) -> tuple[_Choice, str]:
    """Which matrix, numbers or shares, and filters by kind, fold and age; the choice and the matrix's name."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            "matrix", list(VIEWS), default="18 classes", required=True, key="matrix", bind="query-params",
            label_visibility="collapsed", on_change=_choose, args=(None,),
        )  # fmt: skip
        numbers = st.segmented_control(
            "numbers", ["photos", "row shares"], default="photos", required=True, key="numbers",
            bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
        with st.popover("filters"):
            kinds = [_ANY, *PHOTO_KINDS]
            kind = st.selectbox("photo kind", kinds, key="kind", bind="query-params", on_change=_first_page)
            folds = [_ANY, *(str(fold) for fold in np.unique(whole.folds))]
            fold = st.selectbox("fold", folds, key="in-fold", bind="query-params", on_change=_first_page)
            youngest, oldest = _bounds(whole.ages)
            ages = st.slider(
                "age in years", youngest, oldest, (youngest, oldest), key="aged", bind="query-params",
                on_change=_first_page,
            )  # fmt: skip
        shown = np.ones(len(whole.labels), dtype=bool)
        if kind != _ANY:
            shown &= whole.kinds == kind
        if fold != _ANY:
            shown &= whole.folds == int(fold)
        if ages != (youngest, oldest):
            shown &= (whole.ages >= ages[0]) & (whole.ages <= ages[1])
        if not shown.all():
            st.caption(f"{shown.sum():,} of {len(shown):,} photos")
    view = VIEWS[name or "18 classes"]
    return _Choice(view, numbers == "row shares", np.flatnonzero(shown), None, None), name or "18 classes"


def _row_and_column(view: View) -> tuple[int | None, int | None]:
    """The chosen row and column; one alone means all its wrong photos."""
    places = []
    for column, (key, label) in zip(st.columns(2), (("true", "true"), ("predicted", "predicted")), strict=True):
        chosen = column.selectbox(
            label, view.names, index=None, key=key, bind="query-params", placeholder="any", on_change=_first_page
        )
        places.append(view.names.index(chosen) if chosen in view.names else None)
    st.button(
        "Leave the cell", shortcut="Escape", on_click=_choose, args=(None,),
        disabled=places == [None, None] or bool(opened_photo()),
    )  # fmt: skip
    return places[0], places[1]


def _largest_confusions(confusion: IntArray, view: View, *, key: str) -> None:
    """The most frequent confusions; a row chooses its cell."""
    wrong = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_TOP]
    cells = [divmod(int(place), len(confusion)) for place in order if wrong.flat[place]]
    if not cells:
        st.info("No photo is wrong here.")
        return

    def take() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        _choose(cells[rows[0]] if rows else None, view)

    st.markdown("**Largest confusions**")
    table = pd.DataFrame(
        [(view.names[true], view.names[predicted], int(confusion[true, predicted])) for true, predicted in cells],
        columns=["true", "predicted", "photos"],
    )
    st.dataframe(
        table, key=key, hide_index=True, on_select=take, selection_mode="single-row",
        alt="The largest confusions", height=36 * min(len(table) + 1, 13),
        column_config={name: st.column_config.Column(width=width) for name, width in _WIDTHS.items()},
    )  # fmt: skip
    st.caption("Choose a cell of the matrix or a row of this table to see its photos.")


def _photos_behind(run: Run, part: Judged, choice: _Choice) -> None:
    """The photos of the chosen cell, or the wrong ones of the chosen row or column, a page at a time."""
    names = choice.view.names
    of_true, of_predicted = choice.view.group[part.labels], choice.view.group[part.predictions]
    chosen = np.ones(len(part.labels), dtype=bool)
    for place, group in ((choice.true, of_true), (choice.predicted, of_predicted)):
        if place is not None:
            chosen &= group == place
    if choice.cell is None:
        chosen &= of_true != of_predicted
    rows = np.flatnonzero(chosen)
    words = [f"wrong {names[place]}" if place is not None else "any" for place in (choice.true, choice.predicted)]
    if choice.cell is not None:
        words = [names[place] for place in choice.cell]
    st.markdown(f"##### {words[0]} → {words[1]}: {len(rows):,} photos")
    if not len(rows):
        st.info("No photo is in this cell.")
        return
    ordered, paged = st.columns([3, 2])
    order = ordered.selectbox("order", list(_ORDERS), key="order", bind="query-params", on_change=_first_page)
    with paged:
        in_sight = page_of(len(rows), _PAGE, key="page", in_address=True)
    pred_probs = calibrated_probabilities(run)[choice.rows][rows]
    measure, sign = _ORDERS[order]
    values = measure(pred_probs, part.predictions[rows])
    ranked = np.argsort(sign * values, kind="stable")
    shown = ranked[in_sight]
    send_to_queues(part.photo_ids[rows[ranked]].tolist(), run_id=run.run_id)
    _wall(part.part(rows[shown]), values[shown], "margin" if measure is margins else "")


def _wall(photos: Judged, values: Float64Array, word: str) -> None:
    ids = photos.photo_ids.tolist()
    put_behind(ids)
    captions = [f"{word} {value:.0%} · {age} years".strip() for value, age in zip(values, photos.ages, strict=True)]
    photo_wall(ids, captions, key="cell-photos", on_open=open_photo, width=82)
    st.caption(f"{word.capitalize() or 'Probability'} of the predicted class, calibrated. Click a photo to open it.")


def _choose(cell: Cell | None, view: View | None = None) -> None:
    """Make a cell the chosen one; the chosen one again leaves it."""
    names = (view or VIEWS[st.session_state.get("matrix") or "18 classes"]).names
    wanted = (None, None) if cell is None else (names[cell[0]], names[cell[1]])
    if wanted == (st.session_state.get("true"), st.session_state.get("predicted")):
        wanted = (None, None)
    st.session_state["true"], st.session_state["predicted"] = wanted
    _first_page()


def _first_page() -> None:
    st.session_state["page"] = 1


def _bounds(ages: IntArray) -> tuple[int, int]:
    """Least and greatest known age, a year apart at least."""
    known = ages[ages >= 0]
    youngest, oldest = (int(known.min()), int(known.max())) if len(known) else (18, 60)
    return youngest, max(oldest, youngest + 1)
