"""SQLite as all stores use it: WAL, a patient lock, short transactions, append-only migrations."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from core.errors import LabelingError
from core.files import file_lock as file_lock  # the stores take it from here

_BUSY_S = 30.0


def connect(path: Path) -> sqlite3.Connection:
    """Open or create a database. Close it after use: a connection belongs to one thread and no fork.

    Autocommit; use ``transaction`` for writes.
    """
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            with file_lock(path.with_name(path.name + ".lock")):  # changing the mode does not wait by itself
                connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction: all of it, or nothing when an error or a kill comes between."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def migrate(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """Apply the migrations that the database lacks, each once, whoever comes first.

    Args:
        migrations: SQL scripts; only ever append to the list. ``PRAGMA user_version`` counts them.
    Raises:
        LabelingError: the database was written by a newer MaskDesk.
    """
    if _version(connection) == len(migrations):
        return
    with transaction(connection):
        version = _version(connection)
        if version > len(migrations):
            raise LabelingError(
                f"a database has version {version}, this MaskDesk knows {len(migrations)}; update MaskDesk"
            )
        for script in migrations[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    # executescript would commit the surrounding transaction.
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


APPEND_ONLY = """
CREATE TRIGGER {table}_never_update BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
CREATE TRIGGER {table}_never_delete BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
"""
"""Triggers for a table whose rows are never changed; fill in with ``format(table=...)``. A REPLACE is a
DELETE only with ``recursive_triggers``: never use it here."""
