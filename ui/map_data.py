"""What a map's points are coloured by, made once for each state of the run, the decisions and the grouping.

Called by the page and by the route that serves the points, which runs outside of any session.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.curation.map_columns import Column, map_columns
from core.storage.decisions import DecisionStore
from core.storage.groupings import open_grouping
from core.storage.maps import PhotoMap
from core.storage.runs import Run, open_run
from ui.session import current

_KEPT = 4


@dataclass(frozen=True)
class MapData:
    """A run's map with its columns.

    Attributes:
        places_version, columns_version: change when the points or what is known of them do.
        photo_map: as kept with the run.
        columns: see ``map_columns``.
        is_older_than_features: they were made anew since.
    """

    places_version: str
    columns_version: str
    photo_map: PhotoMap
    columns: dict[str, Column]
    is_older_than_features: bool


def map_data(run: Run, grouping: str = "") -> MapData:
    """The map of a run as decided now.

    Raises:
        RunError: the run has no map, or a file of it is damaged.
        DecisionError: no such grouping.
    """
    desk = current()
    made = _stamp(run, "map.json")
    revision = DecisionStore(desk.workspace, desk.index.dataset_id).revision()
    known = f"{_stamp(run, 'oof.json')}-{_stamp(run, 'evaluation.json')}-{desk.index.fingerprint}"
    return MapData(
        places_version=f"{made:x}",
        columns_version=f"{revision}-{hashlib.sha256(known.encode()).hexdigest()[:12]}",
        photo_map=_photo_map(str(run.path), made),
        columns=_columns(str(run.path), made, known, revision, grouping),
        is_older_than_features=_stamp(run, "features.json") > made,
    )


def map_part(run_id: str, part: str, grouping: str = "") -> bytes | None:
    """What the browser fetches: ``places`` (uint16, x and y by turns), ``ids`` (lines), or a column (uint16).

    None for an unknown part.
    """
    data = map_data(open_run(current().workspace, run_id), grouping)
    if part == "places":
        return np.round(data.photo_map.places * 65535).astype("<u2").tobytes()
    if part == "ids":
        return "\n".join(data.photo_map.photo_ids.tolist()).encode()
    return data.columns[part].codes.astype("<u2").tobytes() if part in data.columns else None


@lru_cache(_KEPT)
def _photo_map(path: str, stamp: int) -> PhotoMap:  # noqa: ARG001  the stamp is part of the key
    return Run(Path(path)).photo_map()


@lru_cache(_KEPT)
def _columns(path: str, stamp: int, known: str, revision: int, grouping: str) -> dict[str, Column]:  # noqa: ARG001
    desk = current()
    decisions = DecisionStore(desk.workspace, desk.index.dataset_id).effective(at_revision=revision)
    groups = None
    if grouping:
        table = open_grouping(desk.workspace, grouping, dataset_id=desk.index.dataset_id).table
        groups = dict(zip(table.photo_id, table.group, strict=True))
    run = Run(Path(path))
    return map_columns(run, _photo_map(path, stamp), desk.index.photos, decisions, groups=groups)


def _stamp(run: Run, name: str) -> int:
    """When a file of the run was written, ns; 0 when it is not there."""
    path = run.path / name
    return path.stat().st_mtime_ns if path.exists() else 0
