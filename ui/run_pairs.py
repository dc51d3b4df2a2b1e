"""Two runs compared on the screen: what is gained, how sure that is, and which photos it comes from."""

import math

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.curation.run_pair import RunPair, pair_runs
from core.evaluation.comparison import signed
from core.storage.decisions import DecisionStore
from core.storage.runs import Run
from core.taxonomy import AXES, decode
from ui.session import current

_COLOURS = {"better": "#4fa66a", "worse": "#d9605a", "unsure": "#8a8f98"}


def pair_of(first: Run, second: Run) -> RunPair:
    """The two runs compared with labels as decided now; made once for each state of files and decisions."""
    desk = current()
    files = [(run.path / "oof.npy").stat().st_mtime_ns for run in (first, second)]
    revision = DecisionStore(desk.workspace, desk.index.dataset_id).revision()
    return _pair(f"{first.path} {second.path} {files} {desk.index.fingerprint}", revision, first, second)


@st.cache_resource(max_entries=8, show_spinner="Comparing the runs")
def _pair(place: str, revision: int, _first: Run, _second: Run) -> RunPair:  # noqa: ARG001  the key
    desk = current()
    decided = DecisionStore(desk.workspace, desk.index.dataset_id).effective(at_revision=revision)
    return pair_runs(_first, _second, desk.index.photos, decided)


def show_scores(pair: RunPair, first: str, second: str) -> None:
    """Both scores and their difference, and in words what McNemar's test and the correlation of errors add."""
    gain, test = pair.scores.iloc[0], pair.test
    with st.grid("auto", min_column_width=180):
        st.metric("macro F1, first", f"{gain['first']:.4f}")
        st.metric("macro F1, second", f"{gain.second:.4f}")
        st.metric(
            "second less first", signed(gain.difference), f"95 %: {signed(gain.low)} to {signed(gain.high)}",
            delta_color="off", delta_arrow="off", help="Both are scored on the same 1,000 draws of people.",
        )  # fmt: skip
    st.markdown(_verdict(pair, first, second))
    st.markdown(
        f"**{test.first:,}** people speak for the first, **{test.second:,}** for the second: "
        f"p {_chance(test.exact)} exact, {_chance(test.mid_p)} mid-p.",
        help="McNemar by person: a person speaks for the run that has more of its photos right; people with equally "
        "many say nothing. p: how often chance alone splits them so unevenly; mid-p is less cautious.",
    )  # fmt: skip
    alike = "" if math.isnan(pair.same_answer) else f", and of common errors {pair.same_answer:.0%} name one class"
    st.markdown(
        f"Their errors correlate **{pair.correlation:.2f}**{alike}.",
        help="1: wrong about the same photos; near 0: they help each other in an ensemble.",
    )


def _verdict(pair: RunPair, first: str, second: str) -> str:
    """The difference in a sentence that does not say more than the interval does."""
    gain = pair.scores.iloc[0]
    if gain.low <= 0 <= gain.high:
        return f"Luck could explain it: the interval holds 0. **{first}** and **{second}** may be equally good."
    better, other = (second, first) if gain.difference > 0 else (first, second)
    return f"**{better}** is better than **{other}**, whichever people are drawn: the interval leaves 0 out."


def difference_chart(scores: pd.DataFrame, *, key: str) -> None:
    """What is gained by axis and by class, with 95 % intervals."""
    figure = go.Figure()
    rows = scores[scores.kind != "macro F1"].iloc[::-1]
    names = [
        f"{name} (accuracy)" if kind == "axis" else name for kind, name in zip(rows.kind, rows.name, strict=True)
    ]
    colours = [
        _COLOURS["better" if low > 0 else "worse" if high < 0 else "unsure"]
        for low, high in zip(rows.low, rows.high, strict=True)
    ]
    for place, row in enumerate(rows.itertuples()):
        figure.add_scatter(
            x=[row.low, row.high], y=[names[place]] * 2, mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": colours[place], "width": 2},
        )  # fmt: skip
    figure.add_scatter(
        x=rows.difference, y=names, mode="markers", marker={"size": 9, "color": colours}, showlegend=False,
        customdata=rows[["first", "second"]].assign(
            **{name: [signed(value, 3) for value in rows[name]] for name in ("difference", "low", "high")},
            photos=rows.photos,
        ),
        hovertemplate="%{y}<br>%{customdata[0]:.3f} → %{customdata[1]:.3f}: %{customdata[2]}<br>"
        "95 %: %{customdata[3]} to %{customdata[4]}<br>%{customdata[5]:,} photos<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=0, line_width=1, line_color="#8a8f98")
    figure.update_layout(
        height=24 * len(rows) + 70, margin={"l": 8, "r": 8, "t": 8, "b": 8}, dragmode=False,
        xaxis={"tickformat": ".2f"},
        yaxis={"showgrid": False},
    )  # fmt: skip
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt="Differences by axis and class")


def changes_in_words(pair: RunPair, rows: list[int]) -> list[str]:
    """What both runs say where they differ, such as ``>=60 → 30-59``."""
    told = []
    for row in rows:
        values = zip(AXES.values(), decode(pair.first[row]), decode(pair.second[row]), strict=True)
        told.append(", ".join(f"{names[one]} → {names[other]}" for names, one, other in values if one != other))
    return told


def _chance(probability: float) -> str:
    return "< 0.0001" if probability < 1e-4 else f"{probability:.4f}"
