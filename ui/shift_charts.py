"""Two pictures: the mix of groups as train set, predictions and estimates have it; confidence against accuracy."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

_COLOURS = {"train": "#8a8f98", "predicted": "#b9a32c", "em": "#3b8bba", "bbse": "#e0803b"}
_NAMES = {
    "train": "train people",
    "predicted": "as predicted",
    "em": "EM estimate",
    "bbse": "BBSE estimate",
}


def mix_chart(table: pd.DataFrame, *, key: str) -> None:
    """Shares of the groups from ``shift.mix_table``, estimates with their 95 % intervals."""
    figure = go.Figure()
    for name, colour in _COLOURS.items():
        shares = table[name]
        error = None
        if f"{name}_low" in table:
            error = {
                "array": table[f"{name}_high"] - shares,
                "arrayminus": shares - table[f"{name}_low"],
                "thickness": 1.5,
            }
        figure.add_bar(
            x=table.group, y=shares, name=_NAMES[name], marker_color=colour, error_y=error,
            hovertemplate="%{x}<br>%{y:.1%}<extra>" + _NAMES[name] + "</extra>",
        )  # fmt: skip
    figure.update_layout(
        height=360, barmode="group", margin={"l": 8, "r": 8, "t": 10, "b": 8}, dragmode=False,
        legend={"orientation": "h", "y": 1.12}, yaxis={"tickformat": ".0%", "title": "share of people"},
    )  # fmt: skip
    st.plotly_chart(
        figure, key=key, config={"displayModeBar": False},
        alt="Share of each gender and age group in the train set, in the predictions, and as estimated",
    )  # fmt: skip


def reliability_chart(tables: Mapping[str, pd.DataFrame], *, key: str) -> None:
    """Confidence against accuracy, a line a table of ``calibration.reliability_table``; the diagonal is the aim."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": "#8a8f98"}, showlegend=False, hoverinfo="skip"
    )
    for (name, table), colour in zip(tables.items(), ("#b9a32c", "#3b8bba"), strict=False):
        figure.add_scatter(
            x=table.confidence, y=table.accuracy, name=name, mode="lines+markers", line={"color": colour},
            marker={"size": 5 + 18 * (table.photos / table.photos.max()) ** 0.5},
            customdata=table.photos,
            hovertemplate="said %{x:.1%}, right %{y:.1%}<br>%{customdata:,} photos<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_layout(
        height=360, margin={"l": 8, "r": 8, "t": 10, "b": 8}, dragmode=False, legend={"orientation": "h", "y": 1.12},
        xaxis={"title": "confidence", "range": [0, 1.03], "tickformat": ".0%"},
        yaxis={"title": "accuracy", "range": [0, 1.03], "tickformat": ".0%"},
    )  # fmt: skip
    st.plotly_chart(
        figure,
        key=key,
        config={"displayModeBar": False},
        alt="Confidence against accuracy before and after calibration",
    )
