"""Every decision anyone made, append-only: SQLite, and a JSONL mirror; each restores the other.

Undo is another row. Writers take turns by a lock. A transaction is whole or absent, then the mirror gets the
same rows and is on the disk before a write returns: the database (WAL, ``synchronous=NORMAL``) may lose its
last commits with the power, the mirror does not. Before each write, and when a process first looks, the one
that lags gets what it lacks; where they contradict each other, ``decision_repair`` brings them together.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import pandas as pd

from core.errors import DecisionError
from core.files import private_folder
from core.storage.database import connect, file_lock, migrate, transaction
from core.storage.decision_files import Merge, plan_merge
from core.storage.decision_frame import DecisionFrame
from core.storage.decision_record import INSERT, MIGRATIONS, SELECT, Decision, from_line, to_line, values_of
from core.storage.decision_repair import RestoreReport, Source, restore
from core.storage.journal import append_lines, last_line, read_lines
from core.workspace import Workspace

_NEXT_STEP = "bring database and mirror together with: decisions-restore"
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}  # fmt: skip
"""Errors that say nothing about the file's content."""


class DecisionStore:
    """The decisions about one data set; every call opens and closes the database."""

    def __init__(self, workspace: Workspace, dataset_id: str) -> None:
        self.dataset_id = dataset_id
        self.database = workspace.decisions / "decisions.sqlite"
        self.mirror = workspace.decisions / "decisions.jsonl"
        self._lock = workspace.decisions / "decisions.lock"

    def append(self, decisions: Sequence[Decision]) -> int:
        """Add decisions in one transaction; those whose nonce or id is known already are passed over.

        Returns:
            How many rows were new.
        Raises:
            DecisionError: the database cannot be used; nothing was added.
        """
        with self._writing() as connection:
            return self._add(connection, decisions)

    def undo_batch(self, batch_id: str, *, who: str, why: str = "") -> int:
        """Take back every decision of a batch that stands; how many there were.

        The batch of an undo can be taken back too: then its decisions stand again.

        Raises:
            DecisionError: no such batch.
        """
        with self._writing() as connection:
            rows = self._frame(connection)
            batch = rows.all[rows.all.batch_id == batch_id]
            if batch.empty:
                raise DecisionError(f"batch {batch_id!r} does not exist; the history lists the batches")
            standing = batch[~batch.decision_id.isin(rows.undone())]
            fields = ["unit", "target", "queue", "run_id", "decision_id"]
            undo_id = f"undo-{batch_id}-{len(rows.all)}"[-200:]
            undos = [
                Decision(who=who, kind="undo", unit=unit, target=target, queue=queue, run_id=run_id,
                         why=why, batch_id=undo_id, undoes=decision_id)
                for unit, target, queue, run_id, decision_id in standing[fields].to_numpy().tolist()
            ]  # fmt: skip
            return self._add(connection, undos)

    def merge(self, decisions: Sequence[Decision]) -> Merge:
        """Add the decisions of another workspace that are not here yet; the same ones again add nothing.

        Returns:
            What was new, known, and in conflict; of a conflict what is here stays.
        """
        with self._writing() as connection:
            plan = plan_merge(self._frame(connection).all, decisions)
            self._add(connection, plan.new)
        return plan

    def last_batch(self, queue: str, who: str | None = None) -> str | None:
        """The newest batch of a queue that still stands, None when there is none."""
        rows = self._rows()
        mine = rows.all[(rows.all.queue == queue) & (rows.all.kind != "undo")]
        if who is not None:
            mine = mine[mine.who == who]
        mine = mine[~mine.decision_id.isin(rows.undone())]
        return None if mine.empty else str(mine.batch_id.iloc[-1])

    def all(self) -> pd.DataFrame:
        """Every row in the order of arrival: ``row`` and the fields of ``Decision``."""
        return self._rows().all.copy(deep=False)

    def history(self, target: str) -> pd.DataFrame:
        """All rows about one photo or person, in the order of arrival."""
        rows = self._rows().all
        return rows[rows.target == target].reset_index(drop=True)

    def revision(self) -> int:
        """The label revision: the number of the newest row, 0 before the first."""
        if not self.database.exists() and not self.mirror.exists():
            return 0
        with self._looking() as connection:
            newest = "SELECT MAX(row) FROM decisions WHERE dataset_id = ?"
            return int(connection.execute(newest, (self.dataset_id,)).fetchone()[0] or 0)

    def effective(self, at_revision: int | None = None) -> pd.DataFrame:
        """Every decision about labels that stands (not undone), oldest first, as of a revision (now when None).

        A target may have several: a later one wins axis by axis (``curation.labels``). Later is what was
        decided later, not what arrived later: after two people exchanged their decisions, both have the same
        labels.
        """
        return self._rows().standing(at_revision).copy(deep=False)

    def placements(self, grouping: str, at_revision: int | None = None) -> pd.DataFrame:
        """Every decision about groups of a grouping that stands, oldest first; of a photo the last one counts."""
        return self._rows().placements(grouping, at_revision)

    def restore(self, source: Source = "both") -> RestoreReport:
        """Make the database and the mirror anew from what is sound in them; damaged files are kept beside.

        Raises:
            DecisionError: there is no sound decision in the source.
        """
        private_folder(self.database.parent)
        with file_lock(self._lock):
            return restore(self.database, self.mirror, source)

    def restore_from_mirror(self) -> int:
        """Build the database anew from the mirror; returns the rows. Raises as ``restore``."""
        return self.restore("mirror").rows

    def restore_mirror(self) -> int:
        """Write the mirror anew from the database; returns the rows. Raises as ``restore``."""
        return self.restore("database").rows

    def _rows(self) -> DecisionFrame:
        if not self.database.exists() and not self.mirror.exists():
            return DecisionFrame.empty()
        with self._looking() as connection:
            return self._frame(connection)

    def _frame(self, connection: sqlite3.Connection) -> DecisionFrame:
        return DecisionFrame.read(connection, self.database, self.dataset_id)

    def _add(self, connection: sqlite3.Connection, decisions: Sequence[Decision]) -> int:
        top = _newest(connection)[0]
        with transaction(connection):
            for decision in decisions:
                object.__setattr__(decision, "dataset_id", self.dataset_id)
                known = connection.execute(
                    "SELECT 1 FROM decisions WHERE nonce = ? OR decision_id = ?",
                    (decision.nonce, decision.decision_id),
                ).fetchone()
                if known is None:
                    connection.execute(INSERT, (None, *values_of(decision)))
        return self._mirror_after(connection, top)

    @contextmanager
    def _looking(self) -> Iterator[sqlite3.Connection]:
        kept = DecisionFrame.kept(self.database, self.dataset_id)
        if kept is not None and self.database.exists():
            with self._open(writing=False) as connection:
                if kept.fits(connection, self.database):
                    yield connection
                    return
        with self._writing() as connection:  # the first look, or the file is another one: the mirror may hold more
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._open(writing=True) as connection:
            self._level(connection)
            yield connection

    @contextmanager
    def _open(self, *, writing: bool) -> Iterator[sqlite3.Connection]:
        private_folder(self.database.parent)
        with file_lock(self._lock, shared=not writing):
            try:
                with closing(connect(self.database)) as connection:
                    migrate(connection, MIGRATIONS)
                    yield connection
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", -1) & 0xFF in _PASSING:
                    raise DecisionError(f"{self.database} cannot be used now ({error}); try again") from None
                raise DecisionError(f"{self.database} is damaged ({error}); {_NEXT_STEP}") from None

    def _level(self, connection: sqlite3.Connection) -> None:
        """Give the mirror or the database the newest rows that the other has.

        Raises:
            DecisionError: they hold different decisions under one number.
        """
        row, decision_id = _newest(connection)
        line = last_line(self.mirror)
        mirrored, last = (0, None) if line is None else self._parse(line)
        mirrored_id = last.decision_id if last else ""
        if (row, decision_id) == (mirrored, mirrored_id):
            return
        if mirrored < row and _id_of(connection, mirrored) == mirrored_id:
            self._mirror_after(connection, mirrored)
            return
        rows = (
            [from_line(line.decode("utf-8", "replace")) for line in read_lines(self.mirror)] if mirrored > row else []
        )
        ahead = [(number, decision) for number, decision in rows if number > row]
        before = next((decision.decision_id for number, decision in rows if number == row), "")
        if not ahead or before != decision_id:
            raise DecisionError(
                f"{self.database} and {self.mirror.name} differ at row {row or mirrored}; {_NEXT_STEP}"
            )
        with transaction(connection):
            connection.executemany(INSERT, [(number, *values_of(decision)) for number, decision in ahead])

    def _parse(self, line: bytes) -> tuple[int, Decision]:
        try:
            return from_line(line.decode("utf-8", "replace"))
        except DecisionError as error:
            raise DecisionError(f"{self.mirror}: {error}; {_NEXT_STEP}") from None

    def _mirror_after(self, connection: sqlite3.Connection, row: int) -> int:
        """Append the rows above ``row`` to the mirror; how many."""
        found = connection.execute(f"{SELECT} WHERE row > ? ORDER BY row", (row,)).fetchall()
        try:
            append_lines(self.mirror, [to_line(int(number), values) for number, *values in found])
        except OSError as error:
            raise DecisionError(
                f"{self.mirror} cannot be written ({error.strerror}); make room, the next decision completes it"
            ) from None
        return len(found)


def _newest(connection: sqlite3.Connection) -> tuple[int, str]:
    found = connection.execute("SELECT row, decision_id FROM decisions ORDER BY row DESC LIMIT 1").fetchone()
    return (0, "") if found is None else (int(found[0]), str(found[1]))


def _id_of(connection: sqlite3.Connection, row: int) -> str:
    found = connection.execute("SELECT decision_id FROM decisions WHERE row = ?", (row,)).fetchone()
    return "" if found is None else str(found[0])
