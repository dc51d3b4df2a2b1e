"""Bringing a damaged decision database and its mirror together: everything sound in either is kept."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from core.errors import DecisionError
from core.files import write_text
from core.storage.database import connect, migrate, transaction
from core.storage.decision_record import INSERT, MIGRATIONS, SELECT, Decision, from_line, to_line, values_of
from core.storage.journal import read_lines

Source = Literal["both", "mirror", "database"]
Rows = dict[int, Decision]


@dataclass(frozen=True)
class RestoreReport:
    """What a restoration found.

    Attributes:
        rows: decisions that database and mirror hold now.
        only_in_database, only_in_mirror: rows that the other lacked, or was not asked for.
        damaged_lines: lines of the mirror, counted from 1, that could not be used.
        database_problem: what is wrong with the database; empty when it was sound.
        lost: row numbers that neither could give.
        renumbered: rows of the mirror whose number another decision of the database had.
        kept: where the files of before lie.
    """

    rows: int
    only_in_database: int
    only_in_mirror: int
    damaged_lines: list[int]
    database_problem: str
    lost: list[int]
    renumbered: int
    kept: list[str]


def restore(database: Path, mirror: Path, source: Source) -> RestoreReport:
    """Write both anew from what is sound; the caller holds the store's lock.

    Raises:
        DecisionError: there is no sound decision in the source; nothing was changed.
    """
    lines, damaged = ({}, []) if source == "database" else read_mirror(mirror)
    rows, problem = ({}, "") if source == "mirror" else read_database(database)
    together, renumbered = _merge(rows, lines)
    if not together:
        raise DecisionError(
            f"{database} and {mirror.name} hold no sound decision ({problem or 'nothing found'}); "
            f"put back a copy of {database.parent}"
        )
    draft = database.with_name(f"{database.name}.new")
    _write_database(draft, together)
    kept = _set_aside(database, mirror)
    draft.replace(database)
    write_text(mirror, "".join(to_line(row, values_of(decision)) for row, decision in sorted(together.items())))
    return RestoreReport(
        rows=len(together),
        only_in_database=len(rows.keys() - lines.keys()),
        only_in_mirror=len(lines.keys() - rows.keys()),
        damaged_lines=damaged,
        database_problem=problem,
        lost=sorted(set(range(1, max(together))) - together.keys()),
        renumbered=renumbered,
        kept=kept,
    )


def read_mirror(mirror: Path) -> tuple[Rows, list[int]]:
    """The sound lines by row number, and the places (from 1) of the others."""
    rows: Rows = {}
    damaged = []
    for place, line in enumerate(read_lines(mirror), start=1):
        try:
            number, decision = from_line(line.decode("utf-8"))
        except (DecisionError, UnicodeDecodeError):
            damaged.append(place)
            continue
        rows.setdefault(number, decision)
    return rows, damaged


def read_database(database: Path) -> tuple[Rows, str]:
    """The rows that can be read, and what is wrong with the file (empty when it is sound)."""
    if not database.exists():
        return {}, f"{database.name} does not exist"
    rows: Rows = {}
    problem = ""
    try:
        with closing(connect(database)) as connection:
            verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            problem = "" if verdict == "ok" else str(verdict)
            migrate(connection, MIGRATIONS)
            for order in ("", "DESC"):  # from both ends towards a damaged page
                problem = _collect(connection, order, rows) or problem
                if not problem:
                    break
    except sqlite3.DatabaseError as error:
        problem = str(error)
    return rows, problem


def _collect(connection: sqlite3.Connection, order: str, rows: Rows) -> str:
    """Read rows until one cannot be; why."""
    problem = ""
    try:
        for found in connection.execute(f"{SELECT} ORDER BY row {order}"):
            content = dict(found)
            number = int(content.pop("row"))
            try:
                rows[number] = Decision(**content)
            except DecisionError as error:
                problem = f"row {number}: {error}"
    except sqlite3.DatabaseError as error:
        problem = str(error)
    return problem


def _merge(rows: Rows, lines: Rows) -> tuple[Rows, int]:
    """All decisions once, and how many got a new number. A mirror's line carries a check sum: it wins."""
    together = dict(rows)
    others = []
    for number, decision in sorted(lines.items()):
        if number not in rows or rows[number].decision_id == decision.decision_id:
            together[number] = decision
        else:
            others.append(decision)
    known = {decision.decision_id for decision in together.values()}
    top = max(together, default=0)
    new = [decision for decision in others if decision.decision_id not in known]
    together |= dict(enumerate(new, start=top + 1))
    return _once(sorted(together.items())), len(new)


def _once(items: Iterable[tuple[int, Decision]]) -> Rows:
    seen: set[str] = set()
    kept = {}
    for number, decision in items:
        if decision.decision_id not in seen and decision.nonce not in seen:
            kept[number] = decision
            seen |= {decision.decision_id, decision.nonce}
    return kept


def _write_database(path: Path, rows: Rows) -> None:
    for name in _parts(path):
        name.unlink(missing_ok=True)
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        migrate(connection, MIGRATIONS)
        with transaction(connection):
            connection.executemany(INSERT, [(number, *values_of(decision)) for number, decision in rows.items()])
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _set_aside(database: Path, mirror: Path) -> list[str]:
    """Keep the files of before under another name."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    kept = []
    for path in (*_parts(database), mirror):
        if path.exists():
            aside = path.with_name(f"{path.name}.before-{moment}")
            path.replace(aside)
            kept.append(str(aside))
    return kept


def _parts(database: Path) -> list[Path]:
    return [database.with_name(database.name + ending) for ending in ("", "-wal", "-shm")]
