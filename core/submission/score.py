"""The score of a submission where the truth is known."""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import SubmissionError
from core.evaluation.metrics import accuracy, axis_accuracy, macro_f1
from core.evaluation.uncertainty import macro_f1_interval
from core.submission.text_table import HEADER, TextTable, read_text_table
from core.taxonomy import NUM_CLASSES


def score_submission(submission: Path, truth: Path) -> dict[str, Any]:
    """Scores of a submission's rows for which the truth is given, matched by ImageID.

    Args:
        submission: csv with ImageID and ans, rows in any order.
        truth: csv with ImageID and ans; other columns are left alone, but ``person`` (which photos show
            one person) adds the 95 % interval of macro F1. It may hold a part of the photos.
    Returns:
        macro_f1, accuracy, axis_accuracy, rows (scored), rows_without_truth; macro_f1_low and
        macro_f1_high when persons are known.
    Raises:
        SubmissionError: a file or column is missing, an ImageID stands twice or is missing, or an answer
            is no class.
    """
    truth_table = read_text_table(truth)
    true, answers = _answers(truth_table, truth), _answers(read_text_table(submission), submission)
    missing = true.index.difference(answers.index, sort=False)
    if len(missing):
        first = ", ".join(missing[:3])
        raise SubmissionError(
            f"{submission} lacks {len(missing):,} of the {len(true):,} ImageIDs in {truth.name}, "
            f"first {first}; score a file made for the same data set"
        )
    labels, predictions = true.to_numpy(), answers.loc[true.index].to_numpy()
    scores: dict[str, Any] = {
        "macro_f1": macro_f1(labels, predictions),
        "accuracy": accuracy(labels, predictions),
        "axis_accuracy": axis_accuracy(labels, predictions),
        "rows": len(labels),
        "rows_without_truth": len(answers) - len(labels),
    }
    if "person" in truth_table.header:
        low, high = macro_f1_interval(labels, predictions, truth_table.column("person"))
        scores |= {"macro_f1_low": low, "macro_f1_high": high}
    return scores


def _answers(table: TextTable, path: Path) -> "pd.Series[int]":
    """Class by ImageID."""
    lacking = [name for name in HEADER if name not in table.header]
    if lacking:
        raise SubmissionError(
            f"{path} has no column {' and no column '.join(lacking)} but {','.join(table.header)[:80]!r}; "
            "it needs ImageID and ans"
        )
    answers = pd.Series(table.column("ans"), index=table.column("ImageID"), dtype=object)
    if answers.empty:
        raise SubmissionError(f"{path} has a header but no row; export it again")
    if answers.index.has_duplicates:
        twice = answers.index[answers.index.duplicated()][0]
        raise SubmissionError(f"{path} holds {twice!r} more than once; give one row a photo")
    for photo_id, answer in answers.items():
        if not re.fullmatch(r"[0-9]{1,9}", answer) or int(answer) >= NUM_CLASSES:
            raise SubmissionError(
                f"{path}: ans {answer!r} of {photo_id} is no class; give whole numbers 0..{NUM_CLASSES - 1}"
            )
    return answers.astype("int64")
