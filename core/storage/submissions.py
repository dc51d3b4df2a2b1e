"""The ledger: every submission file, and the leaderboard scores that were reported for it; append-only."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import SubmissionError
from core.files import private_folder
from core.storage.database import APPEND_ONLY, connect, migrate, transaction
from core.workspace import Workspace

BOARDS = ("public", "private")

_COLUMNS = ["created_at", "dataset_id", "file_name", "sha256", "rows", "origin", "findings", "comment"]
_MIGRATIONS = [
    """
    CREATE TABLE submissions (
        number INTEGER PRIMARY KEY, created_at TEXT NOT NULL, dataset_id TEXT NOT NULL, file_name TEXT NOT NULL,
        sha256 TEXT NOT NULL, rows INTEGER NOT NULL, origin TEXT NOT NULL, findings TEXT NOT NULL,
        comment TEXT NOT NULL
    );
    """
    + APPEND_ONLY.format(table="submissions"),
    """
    CREATE TABLE scores (
        row INTEGER PRIMARY KEY, created_at TEXT NOT NULL, submission INTEGER NOT NULL, board TEXT NOT NULL,
        score REAL, who TEXT NOT NULL, comment TEXT NOT NULL
    );
    """
    + APPEND_ONLY.format(table="scores"),
]


class SubmissionLedger:
    """The submissions of one data set."""

    def __init__(self, workspace: Workspace, dataset_id: str) -> None:
        self.dataset_id = dataset_id
        self.path = workspace.submissions / "ledger.sqlite"

    def add(self, file_name: str, manifest: Mapping[str, Any]) -> int:
        """Note a file: where it lies, what it is made of, what the checks said; gives its number.

        Args:
            file_name: in the workspace's folder of submissions, or a whole path.
            manifest: sha256, rows, findings, comment, and everything else, which is kept as its origin.
        """
        origin = {key: value for key, value in manifest.items() if key not in ("findings", "comment")}
        values = (
            _now(), self.dataset_id, file_name, manifest["sha256"], manifest["rows"], json.dumps(origin),
            json.dumps(manifest["findings"]), manifest["comment"],
        )  # fmt: skip
        with closing(self._open()) as connection, transaction(connection):
            added = connection.execute(
                f"INSERT INTO submissions ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",
                values,
            )
            return int(added.lastrowid or 0)

    def report(self, number: int, score: float | None, *, who: str, board: str = "public", comment: str = "") -> None:
        """Note the score that the leaderboard gave a file; the last row counts, so a slip is mended by another.

        Args:
            score: macro F1, 0..1; None takes the reported score back.
            board: ``public`` or ``private``.
        Raises:
            SubmissionError: no such file, board or score.
        """
        if board not in BOARDS:
            raise SubmissionError(f"board {board!r} does not exist; use one of {', '.join(BOARDS)}")
        if score is not None and not 0 <= score <= 1:
            raise SubmissionError(f"score {score} is outside 0..1; give macro F1, such as 0.7648")
        if number not in set(self.list().number):
            raise SubmissionError(f"submission {number} is not in the ledger; list it with: ledger")
        with closing(self._open()) as connection, transaction(connection):
            connection.execute(
                "INSERT INTO scores (created_at, submission, board, score, who, comment) VALUES (?, ?, ?, ?, ?, ?)",
                (_now(), number, board, score, who, comment),
            )

    def reports(self, number: int) -> pd.DataFrame:
        """Every score row of a file, oldest first: row, created_at, board, score, who, comment."""
        columns = ["row", "created_at", "board", "score", "who", "comment"]
        with closing(self._open()) as connection:
            found = connection.execute(
                f"SELECT {', '.join(columns)} FROM scores WHERE submission = ? ORDER BY row", (number,)
            ).fetchall()
        return pd.DataFrame([tuple(row) for row in found], columns=columns)

    def list(self) -> pd.DataFrame:
        """Newest first: number, created_at (ISO, UTC), file_name, sha256, rows, origin, findings, comment, and
        ``public`` and ``private``, the scores that were reported last (NaN without)."""
        columns = ["number", *_COLUMNS]
        if not self.path.exists():
            return pd.DataFrame(columns=[*columns, *BOARDS])
        with closing(self._open()) as connection:
            found = connection.execute(
                "SELECT * FROM submissions WHERE dataset_id = ? ORDER BY number DESC", (self.dataset_id,)
            ).fetchall()
            scores = connection.execute("SELECT submission, board, score FROM scores ORDER BY row").fetchall()
        table = pd.DataFrame([tuple(row) for row in found], columns=columns)
        for name in ("origin", "findings"):
            table[name] = [json.loads(text) for text in table[name]]
        last = {(number, board): score for number, board, score in map(tuple, scores)}
        for board in BOARDS:
            table[board] = pd.Series([last.get((number, board)) for number in table.number], dtype=float)
        return table

    def read(self, file_name: str, sha256: str) -> bytes:
        """A listed file's bytes, as they were when it was written; from the copy, where there is one and it is not.

        Raises:
            SubmissionError: the file is gone, or has changed since.
        """
        path, is_there = self.path.parent / file_name, False
        for place in (path, self.copy_of(sha256)):
            try:
                content = place.read_bytes()
            except OSError:
                continue
            if hashlib.sha256(content).hexdigest() == sha256:
                return content
            is_there = True
        if is_there:
            raise SubmissionError(f"{path} has changed since it was written; put the old one back, or write it again")
        raise SubmissionError(f"{path} is gone; put it back, or write it again from the same members")

    def copy_of(self, sha256: str) -> Path:
        """Where the copy lies of a file that was written outside of the workspace."""
        return self.path.parent / "copies" / f"{sha256}.csv"

    def _open(self) -> sqlite3.Connection:
        private_folder(self.path.parent)
        connection = connect(self.path)
        migrate(connection, _MIGRATIONS)
        return connection


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
