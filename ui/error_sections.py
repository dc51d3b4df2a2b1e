"""The first half of the page Errors: the headline, and where macro F1 is lost."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.config import DataConfig
from core.curation.judged import ErrorTables
from core.taxonomy import AXES, OLD, YOUNG
from ui.bars import bar_table

_TOO_YOUNG, _TOO_OLD, _BOUND = "#3b8bba", "#e0803b", "#8a8f98"
_LOST = "F1 lost"
_MEANING = "F1 lost: what macro F1 would gain if these photos were right, all else as it is; such gains overlap."


def show_headline(result: Mapping[str, Any], axes: pd.DataFrame) -> None:
    """Macro F1 with its interval, accuracies, and the axis that costs most in one sentence."""
    score = result["macro_f1"]
    with st.grid("auto", min_column_width=110):
        st.metric("macro F1", f"{score:.3f}")
        for name, value in {"accuracy": result["accuracy"], **result["axis_accuracy"]}.items():
            st.metric(name, f"{value:.1%}", help=None if name == "accuracy" else f"accuracy of {name} alone")
    worst = axes.sort_values("f1_lost").iloc[-1]
    st.markdown(
        f"**{result['macro_f1_low']:.3f} to {result['macro_f1_high']:.3f}** by person (95 %), out-of-fold over "
        f"{result['photos']:,} photos. Most is lost in **{worst.axis}**: were it always right, macro F1 would be "
        f"**{score + worst.f1_lost:.3f}**."
    )


def show_losses(tables: ErrorTables, trained: DataConfig) -> None:
    """Where macro F1 is lost, a tab each: by axis and exact age, by class, by photo kind and fold."""
    st.subheader("Where the loss is", anchor=False)
    age, classes, parts = st.tabs(
        ["Axis and age", "Class", "Photo kind and fold"], key="loss", on_change="ignore", bind="query-params"
    )
    with age:
        left, right = st.columns([2, 3], gap="medium")
        with left:
            axes = tables.axes
            rows = [(one.axis, f"{one.accuracy:.1%}", f"{one.f1_lost:.3f}") for one in axes.itertuples()]
            bar_table(rows, axes.f1_lost.tolist(), head=("axis", "accuracy", _LOST))
            st.caption(_MEANING)
        with right:
            _age_chart(tables.ages, trained)
    with classes:
        _class_bars(tables.classes)
        st.caption(_MEANING)
    with parts:
        left, right = st.columns([3, 2], gap="medium")
        with left:
            _kind_bars(tables.kinds)
        with right:
            folds = tables.folds
            rows = [
                (f"fold {one.fold}", f"{one.macro_f1:.3f}", f"{one.low:.3f} to {one.high:.3f}", f"{one.accuracy:.1%}")
                for one in folds.itertuples()
            ]
            bar_table(rows, folds.macro_f1.tolist(), head=("", "macro F1", "95 % by person", "accuracy"))
            st.caption("Folds of fewer people vary more: their intervals should overlap.")


def _class_bars(classes: pd.DataFrame) -> None:
    """The costliest class first."""
    ordered = classes.sort_values("f1_lost", ascending=False)
    rows = [
        (one.name, *(f"{share:.3f}" for share in (one.precision, one.recall, one.f1)), f"{one.support:,}",
         f"{one.f1_lost:.3f}")
        for one in ordered.itertuples(index=False)
    ]  # fmt: skip
    bar_table(rows, ordered.f1_lost.tolist(), head=("class", "precision", "recall", "F1", "support", _LOST))


def _kind_bars(kinds: pd.DataFrame) -> None:
    rows = [
        (one.part, f"{one.photos:,}", f"{one.accuracy:.1%}", f"{one.low:.1%} to {one.high:.1%}",
         *(f"{getattr(one, axis):.1%}" for axis in AXES), f"{one.f1_lost:.3f}")
        for one in kinds.itertuples(index=False)
    ]  # fmt: skip
    bar_table(rows, kinds.f1_lost.tolist(), head=("photo", "photos", "right", "95 % by person", *AXES, _LOST))
    st.caption(
        "An incorrect mask and none are one photo a person each, but six classes of eighteen: each weighs five."
    )


def _age_chart(ages: pd.DataFrame, trained: DataConfig) -> None:
    """Share of photos with a wrong age band by exact age, its side told by colour; the bounds drawn in."""
    if ages.empty:
        st.info("No photo has a known age.")
        return
    told = list(zip(ages.people, ages.photos, ages.wrong, ages.low, ages.high, strict=True))
    hover = (
        "%{x} years, %{customdata[0]} people, %{customdata[1]} photos<br>%{customdata[2]:.0%} wrong, "
        "95 % by person %{customdata[3]:.0%} to %{customdata[4]:.0%}"
    )
    figure = go.Figure()
    for column, name, colour in (
        ("too_young", "taken for younger", _TOO_YOUNG),
        ("too_old", "taken for older", _TOO_OLD),
    ):
        figure.add_bar(
            x=ages.age, y=ages[column], name=name, marker_color=colour, customdata=told,
            hovertemplate=f"{hover}<br>%{{y:.0%}} {name}<extra></extra>",
        )  # fmt: skip
    for bound in (YOUNG, OLD):
        figure.add_vline(x=bound - 0.5, line={"color": _BOUND, "width": 2})
    for bound in {trained.age_young, trained.age_old} - {YOUNG, OLD}:
        figure.add_vline(x=bound - 0.5, line={"color": _BOUND, "width": 1, "dash": "dot"})
    figure.update_layout(
        height=300, barmode="stack", bargap=0.15, margin={"l": 8, "r": 8, "t": 8, "b": 8}, dragmode=False,
        legend={"orientation": "h", "y": 1.12}, xaxis={"title": "age in years", "dtick": 5, "tick0": 20},
        yaxis={"title": "wrong age band", "tickformat": ".0%"},
    )  # fmt: skip
    alt = "Share of photos with a wrong age band, by exact age"
    st.plotly_chart(figure, key="age-chart", config={"displayModeBar": False}, alt=alt)
    other = [f"{bound}" for bound in (trained.age_young, trained.age_old) if bound not in (YOUNG, OLD)]
    words = f"; dotted: {' and '.join(other)}, the run's own bound in training" if other else ""
    st.caption(f"Lines: the bounds {YOUNG} and {OLD}{words}. Everyone of 60 and over is labelled 60.")
