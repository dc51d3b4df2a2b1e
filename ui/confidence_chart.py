"""The confidence histogram: right and wrong ones stacked, the chosen range in full colour."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

_COLOURS = {"right": "#3b8bba", "wrong": "#e0803b", "evaluation": "#8b74c9"}
_FAINT = 0.25
Range = tuple[float, float]


def confidence_chart(table: pd.DataFrame, chosen: Range, *, key: str, range_key: str, has_truth: bool) -> None:
    """Draw the histogram; dragging over it sets the slider ``range_key`` to the bars under the drag.

    Args:
        table: of ``confidence.confidence_histogram``.
        chosen: low and high of the range.
        key: of the chart; a drag is told once a key, so let it name the range.
        has_truth: False where nobody knows what is right: one colour.
    """
    figure = go.Figure()
    is_in = (table.low >= chosen[0] - 1e-9) & (table.high <= chosen[1] + 1e-9)
    parts = {"right": table.right, "wrong": table.wrong} if has_truth else {"evaluation": table.right + table.wrong}
    share = table.wrong / (table.right + table.wrong).clip(lower=1)
    for name, counts in parts.items():
        told = "" if not has_truth else "<br>%{customdata:.0%} of the bar wrong"
        figure.add_bar(
            x=table.low, y=counts, width=table.high - table.low, offset=0, name=name, customdata=share,
            marker={"color": _COLOURS[name], "opacity": is_in.map({True: 1.0, False: _FAINT}), "line": {"width": 0}},
            hovertemplate="from %{x:.0%}: %{y:,} " + name + told + "<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=330, barmode="stack", bargap=0.05, margin={"l": 8, "r": 8, "t": 8, "b": 8}, dragmode="select",
        selectdirection="h", legend={"orientation": "h", "y": 1.1}, showlegend=has_truth,
        xaxis={"title": "confidence", "tickformat": ".0%", "fixedrange": True, "range": [0, 1]},
        yaxis={"title": "photos", "fixedrange": True},
    )  # fmt: skip

    def take() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            lows = [float(point["x"]) for point in points]
            width = float(table.high[0] - table.low[0])
            low, high = (round(value / width) * width for value in (min(lows), max(lows) + width))
            st.session_state[range_key] = (round(low, 2), round(min(high, 1.0), 2))

    st.plotly_chart(
        figure, key=key, on_select=take, selection_mode="box", config={"displayModeBar": False},
        alt="Photos by confidence, right and wrong stacked",
    )  # fmt: skip
