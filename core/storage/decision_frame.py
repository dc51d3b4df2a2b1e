"""The decisions of a data set as a frame, kept in memory: a second look reads the new rows alone.

Rows are never changed, so what was read stays true as long as the database is the same file and still holds
the newest row that was read.
"""

import sqlite3
import threading
from collections import Counter
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from core.storage.decision_record import FIELDS, GROUP_KINDS, LABEL_KINDS, NUMBER_FIELDS, SELECT

_MOST = 4
"""Data sets kept at once."""

_lock = threading.Lock()
_kept: dict[tuple[Path, str], "DecisionFrame"] = {}


class DecisionFrame:
    """All rows in the order of arrival, and which of them stand."""

    def __init__(self, rows: pd.DataFrame, file_number: int) -> None:
        self.all = rows
        self._file_number = file_number

    @classmethod
    def empty(cls) -> "DecisionFrame":
        """No row at all."""
        return cls(_as_frame([]), 0)

    @staticmethod
    def kept(database: Path, dataset_id: str) -> "DecisionFrame | None":
        """What this process has read before."""
        return _kept.get((database, dataset_id))

    @classmethod
    def read(cls, connection: sqlite3.Connection, database: Path, dataset_id: str) -> "DecisionFrame":
        """The rows as of now."""
        file_number = database.stat().st_ino
        known = cls.kept(database, dataset_id)
        if known is None or not known.fits(connection, database):
            known = cls(_as_frame([]), file_number)
        last = 0 if known.all.empty else int(known.all.row.iloc[-1])
        found = connection.execute(f"{SELECT} WHERE dataset_id = ? AND row > ? ORDER BY row", (dataset_id, last))
        new = [tuple(row) for row in found]
        if new:
            rows = pd.concat([known.all, _as_frame(new)], ignore_index=True) if last else _as_frame(new)
            known = cls(rows, file_number)
        with _lock:
            _kept[database, dataset_id] = known
            while len(_kept) > _MOST:
                del _kept[next(iter(_kept))]
        return known

    def fits(self, connection: sqlite3.Connection, database: Path) -> bool:
        """Whether the database is the one that was read, and still holds the newest row of then."""
        if self._file_number != database.stat().st_ino:
            return False
        if self.all.empty:
            return True
        newest = self.all.iloc[-1]
        row = connection.execute("SELECT decision_id FROM decisions WHERE row = ?", (int(newest.row),)).fetchone()
        return row is not None and bool(row[0] == newest.decision_id)

    def undone(self) -> set[str]:
        """Ids of rows that are taken back."""
        return self._undone

    def standing(self, at_revision: int | None = None) -> pd.DataFrame:
        """Decisions about labels that stand, in the order of their time, as of a revision (now when None)."""
        return self._as_of(at_revision)._about_labels

    def placements(self, grouping: str, at_revision: int | None = None) -> pd.DataFrame:
        """Decisions about a grouping that stand, in the order of their time, as of a revision (now when None)."""
        rows = self._as_of(at_revision)._about_groups
        return rows[(rows.grouping == grouping).to_numpy(dtype=bool)].reset_index(drop=True)

    def _as_of(self, revision: int | None) -> "DecisionFrame":
        if revision is None or self.all.empty or revision >= int(self.all.row.iloc[-1]):
            return self
        return DecisionFrame(self.all[self.all.row <= revision], self._file_number)

    @cached_property
    def _undone(self) -> set[str]:
        undos = self.all[self.all.kind == "undo"]
        return undone_by(dict(zip(undos.decision_id.tolist(), undos.undoes.tolist(), strict=True)))

    @cached_property
    def _about_labels(self) -> pd.DataFrame:
        return self._standing(LABEL_KINDS)

    @cached_property
    def _about_groups(self) -> pd.DataFrame:
        return self._standing(GROUP_KINDS)

    def _standing(self, kinds: tuple[str, ...]) -> pd.DataFrame:
        rows = self.all[self.all.kind.isin(kinds).to_numpy(dtype=bool)]
        rows = rows[~rows.decision_id.isin(self._undone).to_numpy(dtype=bool)]
        times = rows.created_at.to_numpy(dtype=str)
        return rows.iloc[np.argsort(times, kind="stable")].reset_index(drop=True)


def undone_by(undos: dict[str, str]) -> set[str]:
    """Ids that are taken back; an undo that is taken back itself takes nothing back.

    Args:
        undos: undo's id -> the id that it takes back, in any order: imports may bring an undo first.
    """
    waits_for = Counter(target for target in undos.values() if target in undos)
    settled = [undo for undo in undos if not waits_for[undo]]
    undone: set[str] = set()
    while settled:  # an undo is settled when all undos of it are
        undo = settled.pop()
        target = undos[undo]
        if undo not in undone:
            undone.add(target)
        if target in undos:
            waits_for[target] -= 1
            if not waits_for[target]:
                settled.append(target)
    return undone


def _as_frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    columns = ["row", *FIELDS]
    table = pd.DataFrame(rows, columns=columns, dtype=object)
    table = table.astype({"row": int} | dict.fromkeys(NUMBER_FIELDS, float))
    unmarked = table.origin == ""  # rows of the first versions
    if unmarked.any():
        for kind, origin in (("accept", "accepted"), ("relabel", "changed")):
            table.loc[unmarked & (table.kind == kind), "origin"] = origin
    return table
