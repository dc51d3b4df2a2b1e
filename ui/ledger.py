"""The ledger on a page: files with their scores, the chart of expected against reported, one file, two files."""

import getpass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.errors import LabelingError
from core.evaluation.comparison import signed
from core.storage.submissions import BOARDS, SubmissionLedger
from core.submission.difference import difference
from core.submission.expectation import Belief
from core.submission.references import kept_answers
from core.submission.scored import LEAST_SCORED
from core.taxonomy import CLASS_NAMES
from ui.findings import show_findings
from ui.gallery import photo_grid
from ui.session import current
from ui.times import clock

_SHOWN = 24
_SCORES = ("expected", "low", "high", "public", "private", "estimate", "estimate_error", "agreement")
_WORDS = {"created_at": "made", "made_of": "made of", "file_name": "file", "estimate_error": "estimate ±"}


def show_table(table: pd.DataFrame) -> None:
    """All files with what was expected and what the leaderboard said."""
    shown = table.assign(created_at=[clock(moment) for moment in table.created_at])
    problem = ["problem"] * bool(table.problem.any())
    told = [name for name in _SCORES if table[name].notna().any()]
    comment = ["comment"] * bool(table.comment.any())
    order = ["number", "created_at", *problem, *told, *comment, "variant", "made_of", "file_name"]
    scores = {name: st.column_config.NumberColumn(_WORDS.get(name), format="%.4f") for name in _SCORES}
    st.dataframe(
        shown, hide_index=True, alt="All submissions", placeholder="", column_order=order,
        column_config=_WORDS | scores | {"problem": st.column_config.TextColumn(width="medium")},
    )  # fmt: skip
    for words in filter(None, table.problem):
        st.caption(f"Left out of comparisons: {words}.")
    known = int(table.public.notna().sum())
    if known < LEAST_SCORED:
        st.caption(
            f"Reported scores: {known}. From {LEAST_SCORED} on, files that were scored tell what another will score."
        )
    else:
        st.caption(
            "estimate: the expected score, mended by what like files scored; ± its error, leaving one out each time, "
            "and more for a file unlike those. agreement: with the best file."
        )


def show_chart(table: pd.DataFrame) -> None:
    """Expected against reported scores, with the interval that was expected."""
    both = table[table.public.notna() & table.expected.notna()]
    if both.empty:
        return
    figure = go.Figure(
        go.Scatter(
            x=both.expected, y=both.public, mode="markers+text", text=both.number, textposition="top center",
            error_x={"type": "data", "symmetric": False, "array": both.high - both.expected,
                     "arrayminus": both.expected - both.low},
            hovertemplate="submission %{text}<br>expected %{x:.4f}<br>reported %{y:.4f}<extra></extra>",
        )
    )  # fmt: skip
    ends = [min(both.low.min(), both.public.min()), max(both.high.max(), both.public.max())]
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"dash": "dot"}, hoverinfo="skip")
    figure.update_layout(
        height=360, margin={"l": 10, "r": 10, "t": 10, "b": 10}, xaxis_title="expected macro F1",
        yaxis_title="reported, public", showlegend=False,
    )  # fmt: skip
    st.plotly_chart(figure, key="expected-reported", config={"displayModeBar": False})


def enter_score(ledger: SubmissionLedger, table: pd.DataFrame) -> None:
    """The form for a score that the leaderboard gave; a slip is mended by entering it again."""
    entered = st.session_state.setdefault("scores-entered", 0)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.selectbox("submission", table.number.tolist(), key=f"report-number-{len(table)}", width=160)
        board = st.selectbox("board", BOARDS, key="report-board", width=140)
        # without limits: an input with limits shows what lies outside, and keeps the score typed before
        score = st.number_input("score", value=None, step=0.0001, format="%.4f", key=f"score-{entered}", width=160)
        pressed = st.button("Enter the score", key=f"enter-{entered}", disabled=score is None)
    if pressed and score is not None:
        who = str(st.session_state.get("reviewer") or getpass.getuser())
        try:
            ledger.report(int(number), float(score), who=who, board=board)
        except LabelingError as problem:
            st.error(str(problem))
            return
        st.session_state["scores-entered"] = entered + 1  # other keys: a second click finds no button
        st.rerun()


def show_file(ledger: SubmissionLedger, row: pd.Series) -> None:
    """One file: download, checks, where it came from."""
    try:
        content = ledger.read(row.file_name, row.sha256)
        name = row.file_name.rpartition("/")[2]
        st.download_button("Download", content, name, "text/csv", key=f"get-{row.number}", on_click="ignore")
    except LabelingError as problem:
        st.info(str(problem))
    if row.origin.get("override"):
        st.warning(f"Written despite a red check: {row.origin['override']}")
    show_findings(row.findings)
    st.caption(f"sha256 `{row.sha256}` · code `{row.origin.get('code_version', 'made elsewhere')}`")
    with st.expander("Manifest"):
        st.json({key: value for key, value in row.origin.items() if key != "class_counts"}, expanded=2)


def show_difference(ledger: SubmissionLedger, files: pd.DataFrame, belief: Belief | None) -> None:
    """What changes between two of at least two files that can be read, and the photos themselves."""
    ids = current().index.photos.photo_id[current().index.photos.split == "eval"].tolist()
    numbers = files.number.tolist()
    left, right = st.columns(2)
    first = left.selectbox("from submission", numbers, index=1, key=f"diff-from-{len(numbers)}")
    second = right.selectbox("to submission", numbers, index=0, key=f"diff-to-{len(numbers)}")
    old, new = (kept_answers(ledger, files[files.number == number].iloc[0], ids) for number in (first, second))
    if np.array_equal(old, new):
        st.info(f"Submissions {first} and {second} hold the same answers.")
        return
    found = difference(old, new, people=belief.people if belief else None, belief=belief)
    words = f"**{len(found.rows):,} photos** change"
    words += f", of **{found.people:,} people**" if found.people is not None else ""
    words += f" (mask {found.by_axis['mask']:,}, gender {found.by_axis['gender']:,}, age {found.by_axis['age']:,})."
    if belief is not None:
        words += f" By what is chosen above, expected gain **{signed(found.gain)}**, "
        words += f"95 % {signed(found.low)} to {signed(found.high)}: "
        words += f"submission {second} beats {first} in {found.wins:.0%} of the drawn truths."
    st.markdown(words)
    move = st.selectbox(
        "moved", range(len(found.moves)), key="diff-move",
        format_func=lambda place: "{from_name} → {to_name}, {photos:,} photos".format(**found.moves.iloc[place]),
    )  # fmt: skip
    row = found.moves.iloc[move]
    photos = np.flatnonzero((old == row["from"]) & (new == row["to"]))[:_SHOWN]
    photo_grid(
        [ids[place] for place in photos], [f"{CLASS_NAMES[row['to']]}, was {CLASS_NAMES[row['from']]}"] * len(photos)
    )
