"""The clickable confusion matrix: a heatmap for the eye, one transparent bar trace for the clicks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.taxonomy import IntArray

Cell = tuple[int, int]
"""(true, predicted) class."""

_COLOURS = {"light": ("#ffffff", "#2f6f8f"), "dark": ("#141a24", "#5fb0d6")}
_CHOSEN = "#d9534f"
_SMALL = 6
"""Classes up to which cells are drawn larger."""


def confusion_chart(
    confusion: IntArray,
    names: Sequence[str],
    *,
    shares: bool,
    key: str,
    chosen: Cell | None = None,
    on_cell: Callable[[Cell], None] | None = None,
) -> None:
    """Draw a (K, K) matrix, coloured by row share.

    Args:
        shares: write row shares instead of numbers of photos.
        key: of the chart; a cell can be clicked once a key, so let it name the chosen cell.
        chosen: the cell that gets a frame.
        on_cell: called with a clicked cell, before the page runs again.
    """
    figure = _heatmap(confusion, shares=shares)
    _add_clickable_cells(figure, confusion, names)
    if chosen is not None:
        y, x = chosen
        figure.add_shape(
            type="rect", x0=x - 0.5, x1=x + 0.5, y0=y - 0.5, y1=y + 0.5, line_color=_CHOSEN, line_width=3
        )
    size = len(names)
    is_large = size > _SMALL
    ticks = {"tickvals": list(range(size)), "ticktext": list(names), "showgrid": False, "zeroline": False}
    figure.update_layout(
        height=26 * size + 120 if is_large else 60 * size + 90, margin={"l": 8, "r": 8, "t": 8, "b": 8}, bargap=0,
        barmode="overlay", dragmode=False,
        xaxis={**ticks, "title": "predicted", "range": [-0.5, size - 0.5], "tickangle": -45 if is_large else 0},
        yaxis={**ticks, "title": "true", "range": [size - 0.5, -0.5]},
    )  # fmt: skip

    def take() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points and on_cell is not None:
            place = points[0]["customdata"]  # comes back as a dict with the keys "0" and "1"
            true, predicted = place.values() if isinstance(place, dict) else place
            on_cell((int(true), int(predicted)))

    st.plotly_chart(
        figure, key=key, on_select=take if on_cell else "ignore", selection_mode="points",
        config={"displayModeBar": False}, alt="Photos by true class (rows) and predicted class (columns)",
    )  # fmt: skip


@contextmanager
def scrolling(key: str, *, width: int) -> Iterator[None]:
    """A container whose content keeps a width in pixels; on a narrower screen it scrolls sideways."""
    with st.container(key=key):
        st.html(f"<style>.st-key-{key}{{overflow-x:auto}}.st-key-{key}>div{{min-width:{width}px}}</style>")
        yield


def _heatmap(confusion: IntArray, *, shares: bool) -> go.Figure:
    rows = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    written = np.char.mod("%.0f%%", 100 * rows) if shares else np.char.mod("%d", confusion)
    low, high = _COLOURS.get(st.context.theme.type or "light", _COLOURS["light"])
    return go.Figure(
        go.Heatmap(
            z=rows, zmin=0, zmax=1, text=np.where(confusion > 0, written, ""), texttemplate="%{text}",
            textfont={"size": 10 if len(confusion) > _SMALL else 14}, colorscale=[[0, low], [1, high]],
            showscale=False, hoverinfo="skip", xgap=1, ygap=1,
        )
    )  # fmt: skip


def _add_clickable_cells(figure: go.Figure, confusion: IntArray, names: Sequence[str]) -> None:
    """One unit rectangle a cell: plotly's heatmaps have no clicks (streamlit #8760)."""
    size = len(names)
    true, predicted = np.divmod(np.arange(size * size), size)
    counts, totals = confusion.ravel(), confusion.sum(axis=1)
    hovers: list[Any] = [
        f"true {names[t]}<br>predicted {names[p]}<br>{n:,} photos, {n / max(totals[t], 1):.1%} of the row"
        for t, p, n in zip(true, predicted, counts, strict=True)
    ]
    figure.add_bar(
        x=predicted, y=np.ones(size * size), base=true - 0.5, width=1, marker={"color": "rgba(0,0,0,0)"},
        customdata=np.stack([true, predicted], axis=1), showlegend=False, hovertext=hovers, hoverinfo="text",
    )  # fmt: skip
