"""The rehearsal of the leaderboard on a page: how far public and private scores lie apart, and which rank is luck."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.evaluation.rehearsal import Rehearsal


def show_rehearsal(rehearsal: Rehearsal) -> None:
    """The spread in words, each candidate's private scores in a chart, ranks in a table."""
    table = rehearsal.table()
    best = table.name.iloc[0]
    lost, other = rehearsal.cost_of_choosing()
    spread = rehearsal.spread()[rehearsal.names.index(best)]
    cells = st.columns(2)
    cells[0].metric(
        "public and private half may differ by", f"{spread:.3f}", help="Macro F1; 95 % of draws differ less."
    )
    if len(table) > 1:
        cells[1].metric(
            "choosing by the public score costs", f"{lost:.3f}",
            help=f"Macro F1 on the private half, a mean; in {other:.0%} of draws another one is the best there.",
        )  # fmt: skip
    st.caption(
        "Held-out train people are drawn to the estimated evaluation mix, as many as the evaluation set has, and "
        "dealt into a public and a private half, again and again. All are scored on the same people."
    )
    _scores_chart(table)
    if len(table) > 1:
        others = [name for name in table.name if name != best]
        st.markdown("  \n".join(rehearsal.says(best, name) + "." for name in others[:3]))
        st.dataframe(
            table[["name", "public", "private", "best_rank", "worst_rank", "first"]], hide_index=True,
            alt="Scores and ranks of the candidates on the private half",
            column_config={
                "public": st.column_config.NumberColumn(format="%.4f"),
                "private": st.column_config.NumberColumn(format="%.4f"),
                "best_rank": st.column_config.NumberColumn("best rank"),
                "worst_rank": st.column_config.NumberColumn("worst rank", help="95 % of draws, private half."),
                "first": st.column_config.NumberColumn("is first in", format="percent"),
            },
        )  # fmt: skip


def _scores_chart(table: pd.DataFrame) -> None:
    """Private macro F1 of each candidate: the mean and 95 % of draws."""
    figure = go.Figure(
        go.Scatter(
            x=table.private, y=table.name, mode="markers", marker={"size": 9},
            error_x={"type": "data", "symmetric": False, "array": table.high - table.private,
                     "arrayminus": table.private - table.low},
            customdata=table[["low", "high"]],
            hovertemplate="%{y}<br>%{x:.4f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=110 + 28 * len(table), margin={"l": 8, "r": 8, "t": 8, "b": 8}, dragmode=False,
        xaxis={"title": "macro F1 on the private half, 95 % of draws"}, yaxis={"autorange": "reversed"},
    )  # fmt: skip
    st.plotly_chart(
        figure,
        key="rehearsal",
        config={"displayModeBar": False},
        alt="Macro F1 of each candidate on the private half, with the interval of 95 % of draws",
    )
