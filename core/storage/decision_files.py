"""Decisions as a csv or JSONL file that another workspace reads: out, in again, and merged without doubles."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import DecisionError
from core.files import write_text
from core.storage.decision_record import FIELDS, LATER_FIELDS, NUMBER_FIELDS, Decision

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""First characters that make a spreadsheet compute a cell (OWASP, CSV Injection), and the one that stops it."""

_EXTRA = {"row", "sum"}
"""Columns of the store's own mirror, which can be imported as it is."""


@dataclass(frozen=True)
class Merge:
    """What an import would add.

    Attributes:
        new: decisions that are not there yet.
        known: how many are there already, the same.
        conflicts: decisions whose id or nonce stands for another decision here: (id, field -> (here, there)).
    """

    new: list[Decision]
    known: int
    conflicts: list[tuple[str, dict[str, tuple[Any, Any]]]]


def write_decisions(path: Path, rows: pd.DataFrame) -> int:
    """Write decisions as csv or JSON lines, by the file's ending; how many.

    Args:
        rows: from ``DecisionStore.all()``.
    Raises:
        DecisionError: another ending, or a place that cannot be written to.
    """
    decisions = to_decisions(rows)
    if path.suffix == ".csv":
        file = io.StringIO(newline="")
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(FIELDS)
        writer.writerows([_to_cell(getattr(one, name)) for name in FIELDS] for one in decisions)
        text = "\ufeff" + file.getvalue()  # with the mark, spreadsheets read it as UTF-8
    elif path.suffix == ".jsonl":
        lines = ({name: getattr(one, name) for name in FIELDS} for one in decisions)
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    else:
        raise DecisionError(f"{path.name} ends neither in .csv nor in .jsonl; choose one")
    try:
        write_text(path, text)
    except OSError as error:
        raise DecisionError(f"{path} cannot be written: {error.strerror}; choose another place") from None
    return len(decisions)


def read_decisions(path: Path, dataset_id: str) -> list[Decision]:
    """The decisions in a file that ``write_decisions`` wrote, here or elsewhere; checked one by one.

    Raises:
        DecisionError: not such a file, made for another data set, or a line with a wrong value; names it.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DecisionError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DecisionError(f"{path} is not UTF-8 text (byte {error.start}); export it again") from None
    if path.suffix not in (".csv", ".jsonl"):
        raise DecisionError(f"{path.name} ends neither in .csv nor in .jsonl; choose one")
    records = _csv_records(path, text) if path.suffix == ".csv" else _json_records(path, text)
    decisions = []
    for number, record in records:
        where = f"{path.name} line {number}"
        unknown, missing = record.keys() - set(FIELDS) - _EXTRA, set(FIELDS) - set(LATER_FIELDS) - record.keys()
        if unknown or missing:
            problem = f"has no field {min(missing)}" if missing else f"has an unknown field {min(unknown)!r}"
            raise DecisionError(f"{where} {problem}; export it again")
        try:
            decision = Decision(**{name: record[name] for name in FIELDS if name in record})
        except DecisionError as error:
            raise DecisionError(f"{where}: {error}") from None
        if decision.dataset_id != dataset_id:
            raise DecisionError(
                f"{where}: dataset_id = {decision.dataset_id!r}, but this data set is {dataset_id}; "
                "import it into a workspace of that data set"
            )
        decisions.append(decision)
    return decisions


def plan_merge(rows: pd.DataFrame, decisions: Sequence[Decision]) -> Merge:
    """Which decisions are new here, known, or contradict one of the same id.

    Args:
        rows: all rows of the store.
        decisions: of another one, in its order.
    """
    ids = {one.decision_id for one in decisions}
    nonces = {one.nonce for one in decisions}
    by_key: dict[str, Decision] = {}
    for one in to_decisions(rows[rows.decision_id.isin(ids) | rows.nonce.isin(nonces)]):
        by_key |= {f"id {one.decision_id}": one, f"nonce {one.nonce}": one}
    new, known = [], 0
    conflicts: list[tuple[str, dict[str, tuple[Any, Any]]]] = []
    for one in decisions:
        keys = (f"id {one.decision_id}", f"nonce {one.nonce}")
        other = by_key.get(keys[0]) or by_key.get(keys[1])
        if other is None:
            new.append(one)
            by_key |= dict.fromkeys(keys, one)
        elif one != other:
            pairs = {name: (getattr(other, name), getattr(one, name)) for name in FIELDS}
            conflicts.append((one.decision_id, {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}))
        else:
            known += 1
    return Merge(new, known, conflicts)


def to_decisions(rows: pd.DataFrame) -> list[Decision]:
    """Rows of the store as decisions again."""
    whole = set(NUMBER_FIELDS) - {"confidence", "seconds"}

    def value(name: str, content: Any) -> Any:
        if name not in NUMBER_FIELDS:
            return content
        return None if content != content else int(content) if name in whole else content

    table = rows[list(FIELDS)].to_dict("records")
    return [Decision(**{str(name): value(str(name), content) for name, content in row.items()}) for row in table]


def _csv_records(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 1
    try:
        header = next(reader, [])
        for cells in reader:
            number += 1
            if len(cells) != len(header):
                raise DecisionError(
                    f"{path.name} line {number}: {len(cells)} cells, but the header has {len(header)}"
                )
            yield (
                number,
                {
                    name: _from_cell(f"{path.name} line {number}", name, cell)
                    for name, cell in zip(header, cells, strict=True)
                },
            )
            number = reader.line_num
    except csv.Error as error:
        raise DecisionError(f"{path.name} line {reader.line_num} is not csv: {error}") from None


def _json_records(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise DecisionError(f"{path.name} line {number} is no JSON object: {line[:60]!r}")
        yield number, content


def _to_cell(value: Any) -> Any:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _from_cell(where: str, name: str, cell: str) -> Any:
    if name in NUMBER_FIELDS:
        if not cell.strip():
            return None
        try:
            number = float(cell)
        except ValueError:
            raise DecisionError(f"{where}: {name} = {cell!r} is not a number") from None
        return int(number) if name not in ("confidence", "seconds") and number.is_integer() else number
    text = cell.removeprefix("'")
    return None if name == "undoes" and not text else text
