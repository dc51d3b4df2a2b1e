"""What a run has told of itself so far, and its curves."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.storage.runs import Run

_MOST_POINTS = 400
_COLOURS = [
    "#3b8bba",
    "#e0803b",
    "#4fa66a",
    "#c9558c",
    "#8b74c9",
    "#b9a32c",
    "#4fb3b3",
    "#d9605a",
    "#8a8f98",
    "#a4774c",
]

Story = dict[str, Any]


def story_of(run: Run) -> Story:
    """A run's events so far, gathered; each event is read once a session.

    Returns:
        ``epochs``: the epoch events by (fold, epoch), the last try of each; ``losses``: training loss while
        an epoch goes on, {fold: [(epochs done, loss)]}; ``last``: the newest event; ``overall``: 0..1.
    """
    story: Story = st.session_state.setdefault(
        f"story {run.path} {run.manifest['created_at']}",
        {"offset": 0, "epochs": {}, "losses": {}, "last": {}, "overall": 0.0},
    )
    events, story["offset"] = run.events(story["offset"])
    for event in events:
        _add(story, event)
    return story


def _add(story: Story, event: Mapping[str, Any]) -> None:
    story["last"] = event
    if event["event"] == "epoch":
        story["epochs"][event["fold"], event["epoch"]] = event
    elif event["event"] == "progress":
        story["overall"] = event["overall"]
        place = event["epoch"] - 1 + event["done"] / max(event["total"], 1)
        points = [point for point in story["losses"].get(event["fold"], []) if point[0] < place]  # a resumed epoch
        points.append((place, event["loss"]))
        story["losses"][event["fold"]] = points if len(points) <= _MOST_POINTS else points[::2]


def draw_curves(story: Story, *, key: str) -> None:
    """Loss and validation macro F1 by epoch, a colour a fold; nothing before there is anything to draw."""
    folds = sorted({fold for fold, _ in story["epochs"]} | set(story["losses"]))
    if not folds:
        return
    loss, score = go.Figure(), go.Figure()
    for place, fold in enumerate(folds):
        rows = [story["epochs"][pair] for pair in sorted(story["epochs"]) if pair[0] == fold]
        epochs = [row["epoch"] for row in rows]
        colour = _COLOURS[place % len(_COLOURS)]
        live = story["losses"].get(fold, [])
        same: dict[str, Any] = {"legendgroup": str(fold), "marker": {"color": colour, "size": 7}}
        loss.add_scatter(
            x=[x for x, _ in live],
            y=[y for _, y in live],
            mode="lines",
            showlegend=False,
            opacity=0.45,
            line={"color": colour, "width": 1},
            name=f"fold {fold}, training",
            **same,
        )
        loss.add_scatter(
            x=epochs,
            y=[row["train_loss"] for row in rows],
            mode="lines+markers",
            showlegend=False,
            line={"color": colour, "width": 2, "dash": "dot"},
            name=f"fold {fold}, training",
            **same,
        )
        for figure, column, words in ((loss, "val_loss", ", held out"), (score, "val_macro_f1", "")):
            figure.add_scatter(
                x=epochs,
                y=[row[column] for row in rows],
                mode="lines+markers",
                line={"color": colour, "width": 2},
                name=f"fold {fold}{words}",
                **same,
            )
    last = max([row["epochs"] for row in story["epochs"].values()], default=0)
    with st.grid("auto", min_column_width=320):
        for name, title, figure in (
            ("loss", "Loss; dotted: training, solid: held out", loss),
            ("score", "Macro F1 of the held-out people", score),
        ):
            figure.update_layout(
                title={"text": title, "font": {"size": 14}},
                height=270,
                hovermode="x unified",
                margin={"l": 8, "r": 8, "t": 40, "b": 8},
                showlegend=name == "score" and len(folds) > 1,
                xaxis={"title": "epoch", "range": [0, last + 0.2] if last else None, "dtick": max(1, last // 8)},
                yaxis={"tickformat": ".2f"},
            )
            st.plotly_chart(figure, key=f"{key}-{name}", config={"displayModeBar": False}, alt=f"{title}, by epoch")
