"""What a file is compared with: its members, the runs of the data set, and the files written before it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import LabelingError, SubmissionError
from core.storage.runs import list_runs
from core.storage.submissions import SubmissionLedger
from core.submission.likeness import Reference
from core.submission.members import Member, Rows
from core.submission.text_table import read_text_table
from core.taxonomy import NUM_CLASSES, IntArray
from core.workspace import Workspace

_RUNS = 6
_EARLIER = 20


def references_for(workspace: Workspace, rows: Rows, members: Sequence[Member] = ()) -> list[Reference]:
    """Everything that a file can be compared with, rows as info.csv.

    Args:
        members: of the file, where it is an ensemble's.
    Returns:
        Members; the finished runs with the best scores that are no members; earlier files, the best first.
    """
    found = [
        Reference(member.name, member.classes[rows.evaluation], "member", member.origin.get("macro_f1") or 0.0)
        for member in members
    ]
    known = {member.name for member in members}
    runs = [run for run in list_runs(workspace, rows.dataset_id) if run.state() == "finished"]
    runs.sort(key=lambda run: -((run.result() or {}).get("macro_f1") or 0))
    for run in [run for run in runs if f"run:{run.run_id}" not in known][:_RUNS]:
        try:
            predictions = run.evaluation()
            order = predictions.rows_of(np.array(rows.evaluation_ids))
        except LabelingError:
            continue  # a damaged run is no reference
        score = (run.result() or {}).get("macro_f1") or 0.0
        found.append(Reference(f"run {run.run_id}", predictions.logits.argmax(axis=1)[order], score=score))
    return found + earlier_files(workspace, rows)


def earlier_files(workspace: Workspace, rows: Rows) -> list[Reference]:
    """Files of the ledger that are still there, by reported score, then expected score, then time."""
    ledger = SubmissionLedger(workspace, rows.dataset_id)
    table = ledger.list()
    if table.empty:
        return []
    expected = [(origin.get("expected") or {}).get("mean", np.nan) for origin in table.origin]
    table = table.assign(expected=expected).sort_values(
        ["public", "expected", "number"], ascending=False, na_position="last"
    )
    found = []
    for row in table.drop_duplicates("sha256").head(_EARLIER).itertuples():
        try:
            classes = kept_answers(ledger, row, rows.evaluation_ids)
        except LabelingError:
            continue
        score = float(np.nanmax([row.public, row.expected, 0.0]))  # type: ignore[arg-type]
        found.append(Reference(f"submission {row.number}", classes, "earlier", score))
    return found


def kept_answers(ledger: SubmissionLedger, row: Any, evaluation_ids: list[str]) -> IntArray:
    """(E,) classes of a file of the ledger, in info.csv's order.

    Args:
        row: of ``ledger.list()``.
    Raises:
        SubmissionError: it is gone or has changed, or was kept though it cannot be read; which file, and what to do.
    """
    about = f"submission {row.number}"
    try:
        content = ledger.read(str(row.file_name), str(row.sha256))  # names the file itself
        about += f", {ledger.path.parent / row.file_name}"
        return answers_of(content, evaluation_ids)
    except SubmissionError as error:
        raise SubmissionError(f"{about}: {error}") from None


def answers_of(content: Path | bytes, evaluation_ids: list[str]) -> IntArray:
    """(E,) classes of a file, in info.csv's order.

    Raises:
        SubmissionError: not a file that could be read so; the gate says more.
    """
    table = read_text_table(content)
    if not {"ImageID", "ans"} <= set(table.header):
        raise SubmissionError(f"columns are {','.join(table.header)[:60]!r}; give ImageID and ans")
    numbers = pd.to_numeric(pd.Series(table.column("ans"), dtype=object), errors="coerce").to_numpy()
    answers = pd.Series(numbers, index=table.column("ImageID"))
    if answers.index.has_duplicates or not set(evaluation_ids) <= set(answers.index):
        raise SubmissionError("its ImageIDs are not those of info.csv; run the gate on it")
    chosen = answers.loc[evaluation_ids].to_numpy()
    if not np.isin(chosen, np.arange(NUM_CLASSES)).all():
        raise SubmissionError("its answers are not all classes 0..17; run the gate on it")
    return chosen.astype(np.int64)
