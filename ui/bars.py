"""Numbers as a small table with bars, light enough for the first screen: it needs no script of its own."""

import html
from collections.abc import Mapping, Sequence

import streamlit as st

_CELL = 'style="padding:2px 12px 2px 0;border:0;white-space:nowrap"'


def count_bars(counts: Mapping[str, int], *, head: tuple[str, str]) -> None:
    """One row a name: its count, and a bar as long as its share of the largest."""
    bar_table([(name, f"{count:,}") for name, count in counts.items()], list(counts.values()), head=head)


def bar_table(rows: Sequence[Sequence[str]], lengths: Sequence[float], *, head: Sequence[str]) -> None:
    """One row a line: a name, its numbers, and a bar as long as its share of the longest.

    Args:
        rows: the name, then numbers as they are written.
        lengths: of the bars, 0 or more.
        head: a title for the name and for each number.
    """
    longest = max([*lengths, 1e-12])
    pairs = zip(rows, lengths, strict=True)
    lines = [f"<tr>{_cells('td', row)}{_bar(100 * length / longest)}</tr>" for row, length in pairs]
    look = "width:100%;border-collapse:collapse;font-size:0.9rem"
    table = f'<table style="{look}"><tr>{_cells("th", head)}<th></th></tr>{"".join(lines)}</table>'
    st.html(f'<div style="overflow-x:auto">{table}</div>')


def _cells(kind: str, texts: Sequence[str]) -> str:
    """The first one to the left, numbers to the right."""
    sides = ["left", *["right"] * (len(texts) - 1)]
    pairs = zip(texts, sides, strict=True)
    return "".join(f'<{kind} {_CELL} align="{side}">{html.escape(text)}</{kind}>' for text, side in pairs)


def _bar(percent: float) -> str:
    return (
        '<td style="width:100%;min-width:60px;padding:0;border:0"><div style="height:10px;border-radius:3px;'
        f"background:var(--st-primary-color,#2f6f8f);min-width:{'1px' if percent else '0'};"
        f'width:{percent:.1f}%"></div></td>'
    )
