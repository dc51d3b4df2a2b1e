"""Reading predictions that were made elsewhere: a csv of classes, or a csv or npy of 18 probabilities."""

import hashlib
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import SubmissionError
from core.evaluation.metrics import Float64Array
from core.storage.outside import OutsidePredictions, keep_outside
from core.submission.finding import Finding
from core.submission.likeness import check_likeness
from core.submission.members import Rows
from core.submission.references import references_for
from core.submission.text_table import read_text_table
from core.taxonomy import NUM_CLASSES
from core.workspace import Workspace

SURE = 0.9
"""Probability given to the class of a file that names classes alone; the other 17 share the rest."""

_LEAST = 1e-6


def add_outside(
    workspace: Workspace,
    rows: Rows,
    name: str,
    content: bytes,
    *,
    file_name: str,
    ids: bytes | None = None,
    comment: str = "",
) -> OutsidePredictions:
    """Check predictions from outside and keep them as a member ``outside:<name>``.

    Matched by ImageID. Rows of train photos (``<person>/<photo>``) may be among them: they count as
    out-of-fold, and the member then has a score.

    Args:
        content: the file. csv: ImageID,ans with classes, or ImageID and 18 columns of probabilities, by the
            numbers that end their names, else in the order of the classes; npy: (N, 18) probabilities.
        file_name: tells csv from npy, and is kept.
        ids: for an npy, a csv with the ImageID of each row; without it the rows are info.csv's.
        comment: the user's own words.
    Raises:
        SubmissionError: says which row or column cannot be meant.
    """
    if Path(file_name).suffix.lower() == ".npy":
        photo_ids, pred_probs, matched = _from_npy(content, rows, ids, file_name)
        kind = "probabilities"
    else:
        photo_ids, pred_probs, kind = _from_csv(content, file_name)
        matched = "by ImageID"
    _check_ids(photo_ids, rows, file_name)
    train = len(set(photo_ids) & set(rows.photo_ids[: rows.first_evaluation]))
    origin = {
        "dataset_id": rows.dataset_id,
        "file_name": file_name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "content": kind,
        "matched": matched,
        "rows": len(photo_ids),
        "train_rows": train,
        "added_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "comment": comment,
    }
    return keep_outside(workspace, name, photo_ids, np.log(np.maximum(pred_probs, _LEAST)), origin)


def doubts_of(workspace: Workspace, rows: Rows, added: OutsidePredictions) -> list[Finding]:
    """What speaks against predictions from outside, beside runs and earlier files: moved rows, other numbers."""
    predictions = added.predictions()
    classes = predictions.logits[predictions.rows_of(np.array(rows.evaluation_ids))].argmax(axis=1)
    found = check_likeness(classes, references_for(workspace, rows), rows.evaluation_ids)
    return [one for one in found if one.level != "ok"]


def _from_npy(content: bytes, rows: Rows, ids: bytes | None, file_name: str) -> tuple[list[str], Float64Array, str]:
    try:
        values = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise SubmissionError(f"{file_name} is no npy file of numbers ({error}); save it with numpy.save") from None
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.dtype.kind != "f":
        raise SubmissionError(f"{file_name} holds no (N, {NUM_CLASSES}) floats; save probabilities, a row a photo")
    if ids is None:
        if len(values) != len(rows.evaluation_ids):
            raise SubmissionError(
                f"{file_name} has {len(values):,} rows, info.csv {len(rows.evaluation_ids):,}; give the ImageID of "
                "each row as a csv too"
            )
        return rows.evaluation_ids, _checked(values, file_name), "by place, rows as info.csv"
    table = read_text_table(ids)
    if "ImageID" not in table.header:
        raise SubmissionError(f"the ids have no column ImageID but {','.join(table.header)[:60]!r}; name it so")
    photo_ids = table.column("ImageID")
    if len(photo_ids) != len(values):
        raise SubmissionError(f"{file_name} has {len(values):,} rows but there are {len(photo_ids):,} ids")
    return photo_ids, _checked(values, file_name), "by ImageID, given apart"


def _from_csv(content: bytes, file_name: str) -> tuple[list[str], Float64Array, str]:
    table = read_text_table(content, name=file_name)
    if "ImageID" not in table.header:
        raise SubmissionError(f"{file_name} has no column ImageID but {','.join(table.header)[:60]!r}; name it so")
    others = [name for name in table.header if name != "ImageID"]
    text = pd.DataFrame({name: table.column(name) for name in others})
    values = text.apply(pd.to_numeric, errors="coerce")
    if values.isna().any(axis=None):
        row = int(np.argmax(values.isna().any(axis=1)))
        raise SubmissionError(f"{file_name}: row {row + 1} holds {text.iloc[row].tolist()}; give numbers alone")
    photo_ids = table.column("ImageID")
    if len(others) == NUM_CLASSES:
        ordered = values.to_numpy(dtype=np.float64)[:, _in_class_order(others)]
        return photo_ids, _checked(ordered, file_name), "probabilities"
    if others != ["ans"]:
        raise SubmissionError(
            f"{file_name} has {len(others)} columns besides ImageID; give ans, or {NUM_CLASSES} probabilities"
        )
    answers = values.ans.to_numpy()
    wrong = ~np.isin(answers, np.arange(NUM_CLASSES))
    if wrong.any():
        row = int(wrong.argmax())
        raise SubmissionError(f"{file_name}: row {row + 1} is class {text.ans[row]}; give 0..{NUM_CLASSES - 1}")
    pred_probs = np.full((len(answers), NUM_CLASSES), (1 - SURE) / (NUM_CLASSES - 1))
    pred_probs[np.arange(len(answers)), answers.astype(np.int64)] = SURE
    return photo_ids, pred_probs, "classes"


def _in_class_order(names: list[str]) -> list[int]:
    """Places of the columns by the number that ends their names, as ``p0``, ``p1``, ``p10``; else as they stand.

    >>> _in_class_order([f"p{label}" for label in sorted(range(18), key=str)])[:4]
    [0, 1, 10, 11]
    """
    found = [re.search(r"[0-9]+$", name) for name in names]
    numbers = [int(one.group()) if one else -1 for one in found]
    whole = sorted(numbers) in (list(range(NUM_CLASSES)), list(range(1, NUM_CLASSES + 1)))
    return sorted(range(NUM_CLASSES), key=numbers.__getitem__) if whole else list(range(NUM_CLASSES))


def _checked(values: np.ndarray[Any, Any], file_name: str) -> Float64Array:
    if values.shape[1] != NUM_CLASSES:
        raise SubmissionError(f"{file_name} has {values.shape[1]} columns of numbers; give {NUM_CLASSES}")
    pred_probs: Float64Array = values.astype(np.float64)
    good = np.isfinite(pred_probs).all(axis=1) & (pred_probs >= 0).all(axis=1)
    good &= np.abs(np.where(good, pred_probs.sum(axis=1), 0) - 1) < 0.01
    if not good.all():
        row = int(np.argmin(good))
        raise SubmissionError(
            f"{file_name}: row {row + 1} is {pred_probs[row].round(3).tolist()[:4]}... and sums to "
            f"{pred_probs[row].sum():.3f}; give probabilities (softmax of the logits) that sum to 1"
        )
    pred_probs /= pred_probs.sum(axis=1, keepdims=True)
    return pred_probs


def _check_ids(photo_ids: list[str], rows: Rows, file_name: str) -> None:
    known, given = set(rows.photo_ids), set(photo_ids)
    if len(given) != len(photo_ids):
        twice = pd.Series(photo_ids, dtype=object)
        raise SubmissionError(f"{file_name} holds {twice[twice.duplicated()].iloc[0]!r} more than once")
    unknown = [photo_id for photo_id in photo_ids if photo_id not in known]
    if unknown:
        raise SubmissionError(
            f"{file_name} holds {len(unknown):,} ImageIDs that the data set does not, first {unknown[0]!r}"
        )
    missing = [photo_id for photo_id in rows.evaluation_ids if photo_id not in given]
    if missing:
        raise SubmissionError(
            f"{file_name} leaves out {len(missing):,} of the {len(rows.evaluation_ids):,} photos of info.csv, "
            f"first {missing[0]!r}"
        )
