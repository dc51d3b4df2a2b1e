"""Counts as a small table with bars, light enough for the first screen: it needs no script of its own."""

import html
from collections.abc import Mapping

import streamlit as st

_CELL = 'style="padding:2px 12px 2px 0;border:0;white-space:nowrap"'


def count_bars(counts: Mapping[str, int], *, head: tuple[str, str]) -> None:
    """One row a name: its count, and a bar as long as its share of the largest."""
    largest = max([*counts.values(), 1])
    rows = [
        f'<tr><td {_CELL}>{html.escape(name)}</td><td {_CELL} align="right">{count:,}</td>'
        '<td style="width:100%;padding:0;border:0"><div style="height:10px;border-radius:3px;'
        f"background:var(--st-primary-color,#2f6f8f);min-width:{'1px' if count else '0'};"
        f'width:{100 * count / largest:.1f}%"></div></td></tr>'
        for name, count in counts.items()
    ]
    titles = f'<th {_CELL} align="left">{head[0]}</th><th {_CELL} align="right">{head[1]}</th><th></th>'
    look = "width:100%;border-collapse:collapse;font-size:0.9rem"
    st.html(f'<table style="{look}"><tr>{titles}</tr>{"".join(rows)}</table>')
