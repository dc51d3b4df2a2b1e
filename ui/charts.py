"""The clickable confusion matrix: a heatmap for the eye, one transparent bar trace for the clicks."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

Cell = tuple[int, int]


def confusion_chart(
    confusion: np.ndarray[Any, Any], names: list[str], *, shares: bool, chosen: Cell | None, key: str
) -> Cell | None:
    """Draw a (K, K) matrix; the cell (true, predicted) that was clicked in this rerun, else None."""
    size = len(names)
    rows = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    text = [
        [f"{v:.0%}" if shares else f"{n:,}" for v, n in zip(*pair, strict=True)]
        for pair in zip(rows, confusion, strict=True)
    ]
    text = [[t if confusion[i, j] else "" for j, t in enumerate(line)] for i, line in enumerate(text)]
    figure = go.Figure(
        go.Heatmap(z=rows, text=text, texttemplate="%{text}", colorscale="Blues", zmin=0, zmax=1, showscale=False,
                   hoverinfo="skip", xgap=1, ygap=1)
    )  # fmt: skip
    true, predicted = np.divmod(np.arange(size * size), size)
    hovers = [
        f"true {names[t]}<br>predicted {names[p]}<br>{confusion[t, p]:,} photos, {rows[t, p]:.1%} of the row"
        for t, p in zip(true, predicted, strict=True)
    ]
    figure.add_bar(
        x=predicted, y=np.ones(size * size), base=true - 0.5, width=1, marker={"color": "rgba(0,0,0,0)"},
        customdata=np.stack([true, predicted], axis=1), showlegend=False,
        hovertext=hovers, hoverinfo="text",
    )  # fmt: skip
    if chosen is not None:
        y, x = chosen
        figure.add_shape(
            type="rect", x0=x - 0.5, x1=x + 0.5, y0=y - 0.5, y1=y + 0.5, line_color="#d9534f", line_width=3
        )
    ticks = {"tickvals": list(range(size)), "ticktext": names, "showgrid": False, "zeroline": False}
    figure.update_layout(
        height=max(260, 34 * size + 150), margin={"l": 10, "r": 10, "t": 10, "b": 10}, bargap=0, barmode="overlay",
        dragmode=False, xaxis={**ticks, "title": "predicted", "range": [-0.5, size - 0.5], "tickangle": -45},
        yaxis={**ticks, "title": "true", "range": [size - 0.5, -0.5]},
    )  # fmt: skip
    event = st.plotly_chart(
        figure, key=key, on_select="rerun", selection_mode="points", config={"displayModeBar": False}
    )
    points = event["selection"]["points"] if event else []
    if not points:
        return None
    data = points[0]["customdata"]
    values = list(data.values()) if isinstance(data, dict) else list(data)
    return int(values[0]), int(values[1])
