"""Every decision anyone made, append-only: SQLite, and a JSONL mirror that can restore it.

Undo is another row. A transaction is whole or absent; the mirror is brought up to date after each
write and at each opening, so a kill between the two loses nothing.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pandas as pd

from core.errors import DecisionError
from core.files import private_folder
from core.storage.database import connect, file_lock, migrate, transaction
from core.storage.decision_record import (
    FIELDS,
    INSERT,
    MIGRATIONS,
    NUMBER_FIELDS,
    Decision,
    from_line,
    to_line,
    values_of,
)
from core.workspace import Workspace

_NEXT_STEP = "restore it from its mirror with: decisions-restore"


class DecisionStore:
    """The decisions about one data set; every call opens and closes the database."""

    def __init__(self, workspace: Workspace, dataset_id: str) -> None:
        self.dataset_id = dataset_id
        self.database = workspace.decisions / "decisions.sqlite"
        self.mirror = workspace.decisions / "decisions.jsonl"

    def append(self, decisions: Sequence[Decision]) -> int:
        """Add decisions in one transaction; those whose nonce is known already are passed over.

        Returns:
            How many rows were new.
        """
        added = 0
        with closing(self._open()) as connection, transaction(connection):
            for decision in decisions:
                object.__setattr__(decision, "dataset_id", self.dataset_id)
                known = connection.execute("SELECT 1 FROM decisions WHERE nonce = ?", (decision.nonce,)).fetchone()
                if known is None:
                    connection.execute(INSERT, (None, *values_of(decision)))
                    added += 1
        self._catch_up_mirror()
        return added

    def undo_batch(self, batch_id: str, *, who: str, why: str = "") -> int:
        """Take back every decision of a batch that stands; how many there were.

        Raises:
            DecisionError: no such batch.
        """
        rows = self.all()
        batch = rows[rows.batch_id == batch_id]
        if batch.empty:
            raise DecisionError(f"batch {batch_id!r} does not exist; the history lists the batches")
        standing = batch[~batch.decision_id.isin(_undone(rows))]
        return self.append(
            [
                Decision(who=who, kind="undo", unit=unit, target=target, queue=queue, run_id=run_id,
                         why=why, batch_id=f"undo-{batch_id}-{len(rows)}", undoes=decision_id)
                for unit, target, queue, run_id, decision_id in standing[
                    ["unit", "target", "queue", "run_id", "decision_id"]].to_numpy().tolist()
            ]
        )  # fmt: skip

    def last_batch(self, queue: str, who: str | None = None) -> str | None:
        """The newest batch of a queue that still stands, None when there is none."""
        rows = self.all()
        mine = rows[(rows.queue == queue) & (rows.kind != "undo") & ~rows.decision_id.isin(_undone(rows))]
        if who is not None:
            mine = mine[mine.who == who]
        return None if mine.empty else str(mine.batch_id.iloc[-1])

    def all(self) -> pd.DataFrame:
        """Every row, oldest first: ``row`` and the fields of ``Decision``."""
        if not self.database.exists() and not self.mirror.exists():
            return _frame([])
        with closing(self._open()) as connection:
            rows = connection.execute("SELECT * FROM decisions WHERE dataset_id = ? ORDER BY row", (self.dataset_id,))
            return _frame([tuple(row) for row in rows])

    def history(self, target: str) -> pd.DataFrame:
        """All rows about one photo or person, oldest first."""
        rows = self.all()
        return rows[rows.target == target].reset_index(drop=True)

    def revision(self) -> int:
        """The label revision: the number of the newest row, 0 before the first."""
        rows = self.all()
        return 0 if rows.empty else int(rows.row.iloc[-1])

    def effective(self, at_revision: int | None = None) -> pd.DataFrame:
        """Every decision that stands (not undone), oldest first, as of a revision (now when None).

        A target may have several: a later one wins axis by axis (``curation.labels``).
        """
        rows = self.all()
        if at_revision is not None:
            rows = rows[rows.row <= at_revision]
        standing = rows[(rows.kind != "undo") & ~rows.decision_id.isin(_undone(rows))]
        return standing.reset_index(drop=True)

    def restore_from_mirror(self) -> int:
        """Build the database anew from the mirror; the damaged one is kept beside it. Returns the rows.

        Raises:
            DecisionError: the mirror cannot be read either.
        """
        rows = self._mirror_rows()
        if not rows:
            raise DecisionError(f"{self.mirror} holds no decision; put back a copy of {self.database.parent}")
        for name in (self.database.name, f"{self.database.name}-wal", f"{self.database.name}-shm"):
            path = self.database.with_name(name)
            if path.exists():
                path.replace(path.with_name(f"{name}.damaged"))
        with closing(self._open()) as connection, transaction(connection):
            for number, decision in rows:
                connection.execute("INSERT OR IGNORE" + INSERT.removeprefix("INSERT"), (number, *values_of(decision)))
        return len(rows)

    def restore_mirror(self) -> int:
        """Write the mirror anew from the database; returns the rows."""
        self.mirror.unlink(missing_ok=True)
        return self._catch_up_mirror()

    def _open(self) -> sqlite3.Connection:
        private_folder(self.database.parent)
        fresh = not self.database.exists()
        try:
            connection = connect(self.database)
            migrate(connection, MIGRATIONS)
        except sqlite3.DatabaseError as error:
            raise DecisionError(f"{self.database} is damaged ({error}); {_NEXT_STEP}") from None
        if fresh and self.mirror.exists() and self.mirror.stat().st_size:
            with transaction(connection):
                for number, decision in self._mirror_rows():
                    connection.execute(
                        "INSERT OR IGNORE" + INSERT.removeprefix("INSERT"), (number, *values_of(decision))
                    )
        return connection

    def _mirror_rows(self) -> list[tuple[int, Decision]]:
        if not self.mirror.exists():
            return []
        lines = self.mirror.read_text(encoding="utf-8").splitlines()
        rows = []
        for place, line in enumerate(lines):
            try:
                rows.append(from_line(line))
            except DecisionError:
                if place < len(lines) - 1:  # the last line may be torn by a kill; it is still in the database
                    raise DecisionError(f"{self.mirror} line {place + 1} is damaged; put back a copy") from None
        return rows

    def _catch_up_mirror(self) -> int:
        """Append what the mirror lacks; returns the rows it then holds."""
        with file_lock(self.mirror.with_name("mirror.lock")):
            known = self._whole_mirror_lines()
            with closing(self._open()) as connection:
                rows = connection.execute(
                    "SELECT * FROM decisions ORDER BY row LIMIT -1 OFFSET ?", (known,)
                ).fetchall()
            if rows:
                with self.mirror.open("ab") as file:
                    file.write("".join(to_line(row["row"], dict(row)) for row in rows).encode())
                    file.flush()
                    os.fsync(file.fileno())
            return known + len(rows)

    def _whole_mirror_lines(self) -> int:
        """Lines of the mirror; a torn last one is cut off."""
        if not self.mirror.exists():
            return 0
        content = self.mirror.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self.mirror, len(whole))
        return whole.count(b"\n")


def _frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["row", *FIELDS])
    numbers = dict.fromkeys(NUMBER_FIELDS, float)
    others = {name: object for name in FIELDS if name not in numbers}
    return table.astype({"row": int, **numbers, **others})


def _undone(rows: pd.DataFrame) -> set[str]:
    """Ids of decisions that are taken back; an undone undo takes nothing back."""
    undone: set[str] = set()
    for row in rows[rows.kind == "undo"].iloc[::-1].itertuples():
        if row.decision_id not in undone:
            undone.add(str(row.undoes))
    return undone
