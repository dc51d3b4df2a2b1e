"""What is wrong with a submission before it is spent: each finding says what it saw and the likely cause.

Red: the organisers' form is broken, or the file cannot be meant. Yellow: worth a look.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import SubmissionError
from core.evaluation.metrics import Float64Array, same_length
from core.submission.finding import Finding
from core.submission.likeness import Reference, check_likeness, check_mix
from core.submission.text_table import HEADER, TextTable, read_text_table
from core.taxonomy import MASKS, NUM_CLASSES, PHOTO_KINDS, IntArray, decode_axis, mask_of_kind

MASK_SHARES = np.bincount([mask_of_kind(kind) or 0 for kind in PHOTO_KINDS]) / len(PHOTO_KINDS)
"""5/7 worn, 1/7 incorrect, 1/7 normal: every person's seven photos, so every data set's too."""

MASK_TOLERANCE = 0.02
"""Share of all rows by which a mask count may be off; good submissions are within 0.4 %."""


def check_submission(
    submission: Path | bytes | pd.DataFrame,
    info: pd.DataFrame,
    *,
    references: Sequence[Reference] = (),
    mix: Float64Array | None = None,
) -> list[Finding]:
    """All findings on a submission, in the order of the checks; none of them red means it may be written.

    Args:
        submission: the csv file, its bytes, or a frame as it would be written.
        info: the organisers' info.csv: ImageID in the order asked for.
        references: other predictions of the same photos, rows as ``info``; without them nobody can see that
            rows are shifted or classes renamed.
        mix: (6,) shares of gender x age that are estimated for the evaluation set.
    Raises:
        RunError: a reference and info differ in length.
    """
    for one in references:
        same_length(predictions=one.classes, info=info.ImageID.to_numpy())
    try:
        table = read_text_table(submission)
    except SubmissionError as error:
        return [Finding("red", "file", str(error))]
    findings = [*_check_file(table), *_check_columns(table, set(info.ImageID))]
    if not set(HEADER) <= set(table.header):
        return findings
    ids, answers = table.column("ImageID"), table.column("ans")
    in_order = ids == info.ImageID.tolist()
    findings += [*_check_ids(ids, info.ImageID.tolist()), *_check_classes(answers)]
    if any(finding.check == "classes" and finding.level == "red" for finding in findings) or not answers:
        return findings
    classes = np.array(answers, dtype=np.int64)
    findings += [*_check_constant(classes), *_check_masks(classes)]
    if in_order and len(set(answers)) > 1:
        findings += [*check_mix(classes, mix), *check_likeness(classes, references, ids)]
    return findings


def _check_file(table: TextTable) -> Iterator[Finding]:
    if table.has_bom:
        yield Finding(
            "red",
            "file",
            "a byte order mark stands before the header",
            "saved by a spreadsheet as UTF-8 with BOM",
        )
    if table.has_crlf:
        yield Finding("yellow", "file", "lines end with CR LF", "written on Windows; the organisers' file has LF")
    uneven = [place for place, row in enumerate(table.rows, 2) if len(row) != len(table.header)]
    if uneven:
        yield Finding(
            "red", "file",
            f"{len(uneven):,} lines have not {len(table.header)} cells, first line {uneven[0]}",
            "a line is torn or blank, or another separator was used",
        )  # fmt: skip
    if not table.is_plain:
        yield Finding(
            "yellow", "file", "cells are quoted, or lines end with CR alone", "not written as the organisers' file"
        )
    if table.is_plain and not (table.has_bom or table.has_crlf or uneven):
        yield Finding("ok", "file", "UTF-8 text, every line whole")


def _check_columns(table: TextTable, known: set[str]) -> Iterator[Finding]:
    header = table.header
    if header == HEADER:
        yield Finding("ok", "columns", "ImageID,ans")
        return
    if known & set(header):
        cause = "the header line is missing (written with header=False)"
    elif sorted(header) == sorted(HEADER):
        cause = "the columns are in the wrong order"
    elif set(HEADER) <= set(header):
        index = header[0] in ("", "index", "Unnamed: 0")
        cause = "the index was written too (to_csv without index=False)" if index else "columns too many"
    elif [name.strip().lower() for name in header] == [name.lower() for name in HEADER]:
        cause = "the names are spelt differently"
    elif len(header) == NUM_CLASSES + ("ImageID" in header):
        cause = (
            f"it holds {NUM_CLASSES} probabilities a photo: write the class of the largest as ans, or add the file "
            "as it is to an ensemble, on the page Ensemble or by ensemble --add"
        )
    else:
        cause = "another separator than a comma, or not a submission"
    yield Finding("red", "columns", f"{','.join(header)[:80]!r} instead of 'ImageID,ans'", cause)


def _check_ids(ids: list[str], wanted: list[str]) -> Iterator[Finding]:
    if len(ids) == len(wanted):
        yield Finding("ok", "rows", f"{len(ids):,}")
    else:
        cause = "made for another data set, or cut off while written"
        if len(ids) == len(wanted) + 1:
            cause = "a line was added"
        if ids == wanted[1:]:
            cause = "the first photo was taken for a header"
        yield Finding("red", "rows", f"{len(ids):,} instead of {len(wanted):,}", cause)
    seen, known = set(ids), set(wanted)
    missing = [photo_id for photo_id in wanted if photo_id not in seen]
    unknown = [photo_id for photo_id in ids if photo_id not in known]
    counts = pd.Series(ids, dtype=object).value_counts()
    twice = counts.index[counts > 1].tolist()
    for found, what, cause in (
        (missing, "missing", "photos were skipped, or dropped in a join"),
        (unknown, "not in info.csv", _why_unknown(unknown, known)),
        (twice, "more than once", "predictions were appended twice, or joined on a key that is not unique"),
    ):
        if found:
            yield Finding("red", "ids", f"{len(found):,} ImageIDs {what}, first {found[0]!r}", cause)
    if missing or unknown or twice:
        return
    yield Finding("ok", "ids", "each ImageID of info.csv once")
    if ids == wanted:
        yield Finding("ok", "order", "as info.csv")
        return
    row = next(place for place, pair in enumerate(zip(ids, wanted, strict=True)) if pair[0] != pair[1])
    cause = "sorted by name, as a folder listing" if ids == sorted(ids) else "rows were shuffled or sorted"
    yield Finding("red", "order", f"row {row + 1:,} is {ids[row]!r}, info.csv has {wanted[row]!r}", cause)


def _why_unknown(unknown: list[str], known: set[str]) -> str:
    if not unknown:
        return ""
    for change, cause in (
        (str.strip, "spaces stand before or behind ImageIDs"),
        (str.lower, "small letters were made capital"),
    ):
        if all(change(photo_id) in known for photo_id in unknown):
            return cause
    if unknown == ["ImageID"]:
        return "the header stands again in the middle: two files were put together"
    if all(re.fullmatch(r"[0-9.]+E\+[0-9]+", photo_id) for photo_id in unknown):
        return "a spreadsheet took ImageIDs for numbers"
    name = Path(unknown[0])
    if name.stem in PHOTO_KINDS:
        return "photos of the train set were predicted"
    if name.name in known and str(name) not in known:
        return "paths were written instead of file names"
    if any(photo_id.rpartition(".")[0] == name.stem for photo_id in known):
        return "the file ending was cut off or changed"
    return "made for another data set"


def _check_classes(answers: list[str]) -> Iterator[Finding]:
    whole = [bool(re.fullmatch(r"-?[0-9]{1,9}", answer)) for answer in answers]
    if not all(whole):
        wrong = [(row, answer) for row, (answer, good) in enumerate(zip(answers, whole, strict=True), 1) if not good]
        row, answer = wrong[0]
        if answer.strip().lower() in ("", "nan", "none", "<na>", "null"):
            cause = "photos without a prediction: a join left gaps"
        elif re.fullmatch(r"[0-9]{1,9}", answer.strip()):
            cause = "spaces stand before or behind the numbers"
        elif re.fullmatch(r"-?[0-9]*\.[0-9]*", answer):
            cause = "floats: an average was not rounded, or a gap made the column float"
        else:
            cause = "class names or other text instead of numbers"
        yield Finding("red", "classes", f"{len(wrong):,} are no whole number, first {answer!r} in row {row:,}", cause)
        return
    classes = np.array(answers, dtype=np.int64)
    outside = np.flatnonzero((classes < 0) | (classes >= NUM_CLASSES))
    if not len(outside):
        odd = [answer for answer in answers if answer != str(int(answer))]
        if odd:
            yield Finding("yellow", "classes", f"{len(odd):,} are written like {odd[0]!r}", "numbers kept as text")
        else:
            yield Finding("ok", "classes", f"whole numbers within 0..{NUM_CLASSES - 1}")
        return
    value = classes[outside[0]]
    cause = "classes were counted from 1" if value == NUM_CLASSES and classes.min() > 0 else "a wrong class table"
    yield Finding(
        "red", "classes",
        f"{len(outside):,} lie outside 0..{NUM_CLASSES - 1}, first {value} in row {outside[0] + 1:,}",
        "photos without a label" if value == -1 else cause,
    )  # fmt: skip


def _check_constant(classes: IntArray) -> Iterator[Finding]:
    if (classes != classes[0]).any():
        yield Finding("ok", "constant column", f"{len(np.unique(classes))} different classes")
        return
    untouched = "the untouched sample file" if classes[0] == 0 else "the model predicts one class for every photo"
    yield Finding("red", "constant column", f"every row is class {classes[0]}", untouched)


def _check_masks(classes: IntArray) -> Iterator[Finding]:
    counts = np.bincount(decode_axis(classes, "mask"), minlength=len(MASKS))
    expected = MASK_SHARES * len(classes)
    saw = ", ".join(f"{name} {count:,}" for name, count in zip(MASKS, counts, strict=True))
    if (np.abs(counts - expected) <= max(1, MASK_TOLERANCE * len(classes))).all():
        yield Finding("ok", "mask counts", saw)
        return
    wanted = " / ".join(f"{count:,.0f}" for count in expected)
    yield Finding(
        "yellow", "mask counts", f"{saw}; {wanted} expected (5 / 1 / 1 a person)",
        "a weak model, or a wrong class table",
    )  # fmt: skip
