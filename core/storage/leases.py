"""Who is looking at which card right now, so that two people are not given the same one.

A lease is a promise for two minutes, not a record: it lies in its own small database, which may be
deleted at any time. What was decided is in ``storage.decisions``.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from core.errors import DecisionError
from core.files import private_folder
from core.storage.database import connect, migrate, transaction
from core.workspace import Workspace

_MIGRATIONS = (
    """
    CREATE TABLE leases (
        dataset_id TEXT NOT NULL, queue TEXT NOT NULL, target TEXT NOT NULL, who TEXT NOT NULL,
        until REAL NOT NULL, PRIMARY KEY (dataset_id, queue, target)
    ) WITHOUT ROWID;
    """,
)


class Leases:
    """The leases on one data set's cards; shared by all processes of a workspace."""

    def __init__(self, workspace: Workspace, dataset_id: str, *, clock: Callable[[], float] = time.time) -> None:
        self.path = workspace.decisions / "leases.sqlite"
        self.dataset_id = dataset_id
        self._clock = clock

    def take(self, queue: str, who: str, targets: Sequence[str], *, count: int, seconds: float = 120) -> list[str]:
        """The first ``count`` targets that nobody else holds, in order; from now on ``who`` holds them.

        Those that ``who`` holds already are among them and are renewed. Leave a decided card to expire
        rather than releasing it: whoever read the queue a moment before would be given it again.

        Args:
            targets: what is undecided, best first.
            seconds: how long, from now.
        Raises:
            DecisionError: no name, or a time that is not above 0.
        """
        if not who.strip() or not seconds > 0:
            raise DecisionError(f"lease for {who!r} of {seconds} seconds; give a name and a time above 0")
        with self._open() as connection, transaction(connection):
            now = self._clock()
            connection.execute("DELETE FROM leases WHERE until <= ?", (now,))
            taken = {
                target
                for (target,) in connection.execute(
                    "SELECT target FROM leases WHERE dataset_id = ? AND queue = ? AND who <> ?",
                    (self.dataset_id, queue, who),
                )
            }
            free = [target for target in dict.fromkeys(targets) if target not in taken][: max(count, 0)]
            connection.executemany(
                "INSERT INTO leases (dataset_id, queue, target, who, until) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET until = excluded.until",
                [(self.dataset_id, queue, target, who, now + seconds) for target in free],
            )
        return free

    def release(self, queue: str, who: str, targets: Sequence[str]) -> int:
        """Let go of cards that ``who`` holds, such as those of a page that was left; how many those were."""
        with self._open() as connection, transaction(connection):
            released = connection.executemany(
                "DELETE FROM leases WHERE dataset_id = ? AND queue = ? AND who = ? AND target = ?",
                [(self.dataset_id, queue, who, target) for target in targets],
            )
            return max(released.rowcount, 0)

    def held(self, queue: str) -> dict[str, str]:
        """Who holds each card of a queue now."""
        if not self.path.exists():
            return {}
        with self._open() as connection:
            rows = connection.execute(
                "SELECT target, who FROM leases WHERE dataset_id = ? AND queue = ? AND until > ?",
                (self.dataset_id, queue, self._clock()),
            )
            return dict(rows.fetchall())

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        private_folder(self.path.parent)
        try:
            with closing(connect(self.path)) as connection:
                migrate(connection, _MIGRATIONS)
                yield connection
        except sqlite3.DatabaseError as error:
            raise DecisionError(
                f"{self.path} cannot be used ({error}); try again, and if it stays so delete it: it holds no decision"
            ) from None
