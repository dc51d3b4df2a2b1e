"""The jobs of a workspace: who waits, who runs, how each ended."""

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import RunError
from core.files import private_folder
from core.jobs.dispatcher_start import ensure_dispatcher
from core.storage.database import connect, migrate, transaction
from core.workspace import Workspace

ENDED = ("finished", "failed", "stopped")
ALIVE = ("queued", "running", "stopping")

_MIGRATIONS = [
    """
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY, job_id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, arguments TEXT NOT NULL,
        title TEXT NOT NULL, device TEXT NOT NULL, run_id TEXT NOT NULL, state TEXT NOT NULL,
        slot TEXT NOT NULL DEFAULT '', created_at REAL NOT NULL, started_at REAL, finished_at REAL,
        pid INTEGER, exit_code INTEGER, error TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX jobs_by_state ON jobs (state);
    """
]


@dataclass(frozen=True)
class Job:
    """One job. Times are Unix seconds; ``state`` is queued, running, stopping, finished, failed or stopped."""

    job_id: str
    kind: str
    arguments: list[str]
    title: str
    device: str
    run_id: str
    state: str
    slot: str
    created_at: float
    started_at: float | None
    finished_at: float | None
    pid: int | None
    exit_code: int | None
    error: str
    log_path: Path


class JobQueue:
    """The queue of a workspace; every call opens and closes the database."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.folder = workspace.jobs

    def submit(
        self, arguments: Sequence[str], *, kind: str, title: str, device: str = "auto", run_id: str = ""
    ) -> Job:
        """Queue ``python -m core <arguments>`` and see to it that a dispatcher lives."""
        job_id = uuid.uuid4().hex[:10]
        private_folder(self.folder / job_id)
        with closing(self._connect()) as connection, transaction(connection):
            connection.execute(
                "INSERT INTO jobs (job_id, kind, arguments, title, device, run_id, state, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, 'queued', ?)",
                (job_id, kind, json.dumps(list(arguments)), title, device, run_id, time.time()),
            )
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """One job; heals a dispatcher that died, so that whoever follows a job sees it end.

        Raises:
            RunError: no such job.
        """
        found = self._healed(self._select("WHERE job_id = ?", job_id))
        if not found:
            raise RunError(f"job {job_id!r} does not exist in {self.workspace.root}; list them with: jobs")
        return found[0]

    def list(self, limit: int = 50) -> Sequence[Job]:
        """The newest jobs first; heals a dispatcher that died."""
        return self._healed(self._select("ORDER BY number DESC LIMIT ?", limit))

    def of_run(self, run_id: str) -> Sequence[Job]:
        """A run's jobs, newest first; heals a dispatcher that died."""
        return self._healed(self._select("WHERE run_id = ? ORDER BY number DESC", run_id))

    def alive(self) -> Sequence[Job]:
        """Jobs that wait or run, oldest first: a queued job's place in line."""
        return self._select("WHERE state IN ('queued', 'running', 'stopping') ORDER BY number")

    def stop(self, job_id: str) -> Job:
        """Ask a job to stop: a queued one at once, a running one at its next step; an ended one stays."""
        self.get(job_id)
        if not self.update(job_id, ("queued",), state="stopped", finished_at=time.time()):
            (self.folder / job_id / "stop").touch()
            self.update(job_id, ("running",), state="stopping")
        return self.get(job_id)

    def update(self, job_id: str, only_from: Sequence[str], **changes: Any) -> bool:
        """Change columns of a job that is in one of the states; whether it was."""
        columns = ", ".join(f"{name} = ?" for name in changes)
        marks = ", ".join("?" for _ in only_from)
        with closing(self._connect()) as connection, transaction(connection):
            cursor = connection.execute(
                f"UPDATE jobs SET {columns} WHERE job_id = ? AND state IN ({marks})",
                (*changes.values(), job_id, *only_from),
            )
            return cursor.rowcount == 1

    def _connect(self) -> sqlite3.Connection:
        private_folder(self.folder)
        connection = connect(self.folder / "queue.sqlite")
        migrate(connection, _MIGRATIONS)
        return connection

    def _healed(self, jobs: Sequence[Job]) -> Sequence[Job]:
        if any(job.state in ALIVE for job in jobs):
            ensure_dispatcher(self.workspace)
        return jobs

    def _select(self, clause: str, *values: Any) -> Sequence[Job]:
        if not (self.folder / "queue.sqlite").exists():
            return []
        with closing(self._connect()) as connection:
            rows = connection.execute(f"SELECT * FROM jobs {clause}", values).fetchall()
        return [self._job(dict(row)) for row in rows]

    def _job(self, row: dict[str, Any]) -> Job:
        row.pop("number")
        arguments = json.loads(row.pop("arguments"))
        return Job(**row, arguments=arguments, log_path=self.folder / os.fspath(row["job_id"]) / "log.txt")
