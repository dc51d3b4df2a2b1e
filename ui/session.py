"""What the app works on: one data set and one workspace a server, read once and kept."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from core.dataset.check import check_report
from core.dataset.index import Index, load_index
from core.workspace import Workspace, data_dir_from, workspace_from

_lock = threading.Lock()
_desks: dict[tuple[Path, Path], "Desk"] = {}


@dataclass(frozen=True)
class Desk:
    """The data set and the workspace, with the look-up that the photo route needs."""

    data_dir: Path
    workspace: Workspace
    index: Index
    paths: dict[str, str] = field(repr=False)

    @cached_property
    def report(self) -> dict[str, Any]:
        """Counts and anomalies, as ``check`` tells them."""
        return check_report(self.index)

    def path_of(self, photo_id: str) -> str | None:
        """A photo's path below ``data_dir``, None for an unknown id."""
        return self.paths.get(photo_id)


def current(on_progress: Callable[[int, int], None] | None = None) -> Desk:
    """The desk that ``MASKDESK_DATA`` and ``MASKDESK_WORKSPACE`` name; the index is read once.

    Raises:
        DatasetError: the data set cannot be read.
    """
    key = (data_dir_from(), workspace_from().root)
    with _lock:
        if key not in _desks:
            _read(key, on_progress)
        return _desks[key]


def read_again(on_progress: Callable[[int, int], None] | None = None) -> None:
    """Read the data set anew; when that fails, what was read before stays.

    Raises:
        DatasetError: the data set cannot be read.
    """
    with _lock:
        _read((data_dir_from(), workspace_from().root), on_progress)


def _read(key: tuple[Path, Path], on_progress: Callable[[int, int], None] | None) -> None:
    """Put one desk in the place of all; the caller holds the lock."""
    workspace = Workspace(key[1])
    index = load_index(key[0], workspace, on_progress=on_progress)
    paths = dict(zip(index.photos.photo_id, index.photos.path, strict=True))
    _desks.clear()
    _desks[key] = Desk(key[0], workspace, index, paths)
