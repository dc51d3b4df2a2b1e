"""The ledger: every submission file that was written, append-only."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from core.errors import SubmissionError
from core.files import private_folder
from core.storage.database import APPEND_ONLY, connect, migrate, transaction
from core.workspace import Workspace

_COLUMNS = ["created_at", "dataset_id", "file_name", "sha256", "rows", "origin", "findings", "comment"]
_MIGRATIONS = [
    """
    CREATE TABLE submissions (
        number INTEGER PRIMARY KEY, created_at TEXT NOT NULL, dataset_id TEXT NOT NULL, file_name TEXT NOT NULL,
        sha256 TEXT NOT NULL, rows INTEGER NOT NULL, origin TEXT NOT NULL, findings TEXT NOT NULL,
        comment TEXT NOT NULL
    );
    """
    + APPEND_ONLY.format(table="submissions")
]


class SubmissionLedger:
    """The submissions of one data set."""

    def __init__(self, workspace: Workspace, dataset_id: str) -> None:
        self.dataset_id = dataset_id
        self.path = workspace.submissions / "ledger.sqlite"

    def add(
        self,
        file_name: str,
        sha256: str,
        rows: int,
        origin: Mapping[str, Any],
        findings: Sequence[Mapping[str, Any]],
        comment: str = "",
    ) -> None:
        """Note a file: where it lies, what it is made of, what the checks said."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        values = (now, self.dataset_id, file_name, sha256, rows, json.dumps(origin), json.dumps(findings), comment)
        with closing(self._open()) as connection, transaction(connection):
            connection.execute(
                f"INSERT INTO submissions ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",
                values,
            )

    def list(self) -> pd.DataFrame:
        """Newest first: number, created_at (ISO, UTC), file_name, sha256, rows, origin, findings, comment."""
        columns = ["number", *_COLUMNS]
        if not self.path.exists():
            return pd.DataFrame(columns=columns)
        with closing(self._open()) as connection:
            found = connection.execute(
                "SELECT * FROM submissions WHERE dataset_id = ? ORDER BY number DESC", (self.dataset_id,)
            ).fetchall()
        table = pd.DataFrame([tuple(row) for row in found], columns=columns)
        for name in ("origin", "findings"):
            table[name] = [json.loads(text) for text in table[name]]
        return table

    def read(self, file_name: str, sha256: str) -> bytes:
        """A listed file's bytes, as they were when it was written.

        Raises:
            SubmissionError: the file is gone, or has changed since.
        """
        path = self.path.parent / file_name
        try:
            content = path.read_bytes()
        except OSError:
            raise SubmissionError(f"{path} is not there any more; write it again from the same runs") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise SubmissionError(f"{path} has changed since it was written; write it again from the same runs")
        return content

    def _open(self) -> sqlite3.Connection:
        private_folder(self.path.parent)
        connection = connect(self.path)
        migrate(connection, _MIGRATIONS)
        return connection
