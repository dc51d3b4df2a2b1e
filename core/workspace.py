"""Where everything lies that MaskDesk writes; the data set itself is only ever read."""

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_DATA = PROJECT / "data" / "demo"
DEFAULT_WORKSPACE = PROJECT / "data" / "workspace"


@dataclass(frozen=True)
class Workspace:
    """The folder of runs, decisions, caches and submissions, and its parts.

    Only ``cache`` and ``thumbnails`` may be deleted without losing work.
    """

    root: Path

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.root / "runs"

    @property
    def decisions(self) -> Path:
        """``decisions.sqlite`` and its mirror ``decisions.jsonl``."""
        return self.root / "decisions"

    @property
    def submissions(self) -> Path:
        """Exported csv files with their manifests."""
        return self.root / "submissions"

    @property
    def outside(self) -> Path:
        """Predictions made elsewhere, one folder each."""
        return self.root / "outside"

    @property
    def ensembles(self) -> Path:
        """Recipes of ensembles that were given a name, one JSON file each."""
        return self.root / "ensembles"

    @property
    def selections(self) -> Path:
        """Photos that were sent to a queue together, a file each."""
        return self.root / "selections"

    @property
    def jobs(self) -> Path:
        """The job queue, and one folder a job."""
        return self.root / "jobs"

    @property
    def cache(self) -> Path:
        """Decoded photos and the saved index; made again when missing."""
        return self.root / "cache"

    @property
    def thumbnails(self) -> Path:
        """Small JPEGs for the screen; made again when missing."""
        return self.root / "thumbnails"


def data_dir_from(value: str | os.PathLike[str] | None = None) -> Path:
    """The data set's folder: the argument, else ``MASKDESK_DATA``, else ``data/demo``."""
    return Path(value or os.environ.get("MASKDESK_DATA") or DEFAULT_DATA).resolve()


def workspace_from(value: str | os.PathLike[str] | None = None) -> Workspace:
    """The workspace: the argument, else ``MASKDESK_WORKSPACE``, else ``data/workspace``."""
    return Workspace(Path(value or os.environ.get("MASKDESK_WORKSPACE") or DEFAULT_WORKSPACE).resolve())
