"""An ensemble's members on a page: scores, likeness, errors in common, classes."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.evaluation.comparison import signed
from core.evaluation.metrics import Float64Array
from core.submission import choosing
from core.submission.combine import Ballot, Combined
from core.submission.recipe import Recipe
from core.taxonomy import AXES, CLASS_NAMES
from ui.ensembles import rehearsal_of
from ui.methods import show_methods
from ui.rehearsal import show_rehearsal
from ui.times import duration

_TABS = ("Members", "Methods", "Agreement", "Errors in common", "Classes", "Rehearsal")
_HEADS = {
    "macro_f1": "macro F1", "gain_low": "gain, from", "gain_high": "gain, to",
    "at_mix": "at the evaluation mix", "at_mix_gain": "gain there",
}  # fmt: skip


def show_scores(ballot: Ballot, combined: Combined, table: pd.DataFrame) -> None:
    """The headline, and every member beside it."""
    own = table.iloc[-1]
    people = len(set(ballot.person_ids))
    cost = sum(member.seconds for member in ballot.members)
    cells = st.columns(4)
    cells[0].metric("macro F1, out-of-fold", _number(own.macro_f1), help="Of people like the train people.")
    cells[1].metric(
        "at the evaluation mix", _number(own.at_mix),
        help="The same people, weighed so that genders and ages are as many as the evaluation set probably has: the "
        "mean of both estimates by the best member; see the page Shift.",
    )  # fmt: skip
    cells[2].metric("people that count", f"{people:,}")
    cells[3].metric("training it rests on", duration(cost))
    if people:
        st.caption(
            f"95 % by person: {own.low:.3f} to {own.high:.3f}. Over the best member, same people: "
            f"{_gains(own)}. Combined in {combined.seconds:.2f} s."
        )
    if people and np.isnan(own.at_mix):
        st.caption(
            "The evaluation mix is not known: its two estimates by the best member disagree, see the page Shift."
        )
    if lacking := ballot.without_score():
        st.warning(
            f"{', '.join(lacking)} predict no train photo, so no score can be shown: leave them out to see one."
        )


def _number(score: float) -> str:
    return "unknown" if np.isnan(score) else f"{score:.4f}"


def _gains(own: pd.Series) -> str:
    """The gain over the best member, as the train people are and at the evaluation mix where that is known."""
    told = [(own.gain, own.gain_low, own.gain_high), (own.at_mix_gain, own.at_mix_gain_low, own.at_mix_gain_high)]
    told = told if not np.isnan(own.at_mix) else told[:1]
    words = [f"{signed(gain)} ({signed(low)} to {signed(high)})" for gain, low, high in told]
    _, low, high = told[-1]  # the evaluation mix is what counts
    certain = "a gain is certain" if low > 0 else "a gain is not certain"
    certain = "a loss is certain: take the best member, or others" if high < 0 else certain
    return f"{'; at the evaluation mix '.join(words)}, so {certain}"


@st.fragment
def show_members(
    recipe: Recipe, ballot: Ballot, combined: Combined, table: pd.DataFrame, mix: Float64Array | None
) -> None:
    """Tables and charts about the members, one a tab; only the open one is made.

    Args:
        mix: (6,) of the evaluation people, None where nothing steady is known.
    """
    names = [member.name for member in ballot.members]
    scores, methods, alike, errors, classes, rehearsal = st.tabs(_TABS, key="about-members", on_change="rerun")
    if scores.open:
        with scores:
            _show_table(ballot, combined, table, names, mix)
    if methods.open:
        with methods:
            show_methods(recipe, ballot)
    if alike.open:
        with alike:
            apart = ", ".join(f"{axis} {share:.1%}" for axis, share in choosing.axis_disagreement(ballot).items())
            st.caption(
                f"Share of the evaluation photos to which two members give one class. Not all agree on: {apart}."
            )
            _heatmap(choosing.agreement(ballot), names, "agreement")
    if errors.open:
        with errors:
            if len(ballot.labels):
                st.caption("Correlation of being wrong, out-of-fold: members that err apart help each other.")
                _heatmap(choosing.error_correlation(ballot), names, "errors")
            else:
                st.info("No person is predicted out-of-fold by all members.")
    if classes.open:
        with classes:
            counts = pd.DataFrame(choosing.class_histograms(ballot), index=names, columns=CLASS_NAMES)
            _class_chart(counts, "classes")
    if rehearsal.open:
        with rehearsal:
            show_rehearsal(rehearsal_of(recipe))


def _show_table(
    ballot: Ballot, combined: Combined, table: pd.DataFrame, names: list[str], mix: Float64Array | None
) -> None:
    """Every member with its score, what it adds and what it counts."""
    adds = pd.Series(choosing.what_each_adds(ballot, mix=mix), index=names)
    weights = pd.DataFrame(combined.weights.reshape(-1, len(names)).T, index=names)
    weights.columns = list(AXES) if len(weights.columns) == 3 else ["weight"]
    found = table.drop(columns=["at_mix_gain_low", "at_mix_gain_high"]).dropna(axis=1, how="all")
    numbers = found.set_index("name").assign(adds=adds).join(weights).round(4)
    shown = (numbers + 0).reset_index()  # + 0: no zero with a minus
    shown.loc[len(shown) - 1, "name"] = f"this ensemble: {combined.recipe.method}"
    st.dataframe(
        shown, hide_index=True, placeholder="", alt="Members and the ensemble, out-of-fold",
        column_config={name: st.column_config.NumberColumn(_HEADS.get(name, name), format="%.4f")
                       for name in shown.columns[1:]},
    )  # fmt: skip
    weighed = "" if mix is None else "At the evaluation mix: the people weighed to the mix that is estimated. "
    there = "" if mix is None else "there "
    st.caption(
        f"gain: over the best member, paired. {weighed}"
        f"adds: macro F1 {there}of the equal soft vote less that of the vote without this member."
    )


def _heatmap(values: np.ndarray[tuple[int, int], np.dtype[np.float64]], names: list[str], key: str) -> None:
    """An (M, M) matrix of shares or correlations; the diagonal is 1 and would take all the colour."""
    if len(names) < 2:
        st.info("One member alone has nobody to be compared with; choose more above.")
        return
    values = np.where(np.eye(len(names), dtype=bool), np.nan, values)
    text = [["" if np.isnan(value) else f"{value:.2f}" for value in row] for row in values]
    text = text if len(names) <= 12 else None
    figure = go.Figure(
        go.Heatmap(z=values, x=names, y=names, text=text, texttemplate="%{text}" if text else None,
                   colorscale="Blues", hovertemplate="%{y}<br>%{x}<br>%{z:.3f}<extra></extra>", xgap=1, ygap=1)
    )  # fmt: skip
    figure.update_layout(
        height=max(260, min(26 * len(names) + 160, 900)), margin={"l": 10, "r": 10, "t": 10, "b": 10},
        yaxis={"autorange": "reversed"},
    )  # fmt: skip
    st.plotly_chart(figure, key=key, config={"displayModeBar": False})


def _class_chart(counts: pd.DataFrame, key: str) -> None:
    """Evaluation photos by class, a line a member.

    Args:
        counts: (M, 18) photos, indexed by member.
    """
    figure = go.Figure(
        [go.Scatter(x=list(CLASS_NAMES), y=row, name=str(name), mode="lines+markers") for name, row in
         zip(counts.index, counts.to_numpy(), strict=True)]
    )  # fmt: skip
    figure.update_layout(
        height=380, margin={"l": 10, "r": 10, "t": 10, "b": 10}, yaxis_title="photos", xaxis_tickangle=-45,
        showlegend=len(counts) <= 12,
    )  # fmt: skip
    st.plotly_chart(figure, key=key, config={"displayModeBar": False})
