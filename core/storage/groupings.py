"""Named groupings: which evaluation photos are taken to show one person, and how sure that is.

A grouping is never changed once it is kept; another one gets another name. What people correct lies over it as
decisions, and whoever opens a grouping gets the corrected one. The competition gives no such groups: they are
found (``core.people``) or brought in as a csv file with ``ImageID`` and ``group``.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import DecisionError
from core.files import private_folder, read_json, write_atomic, write_json, write_text
from core.storage.decisions import DecisionStore
from core.storage.group_decisions import corrected, grouping_key
from core.workspace import Workspace

_NAME = re.compile(r"\w[\w.-]{0,59}")
_COLUMNS = ("ImageID", "group")


@dataclass(frozen=True)
class Grouping:
    """One named grouping.

    Attributes:
        table: one row a photo: photo_id, group (text), confidence (0..1; nan for a single photo, or unknown), and
            ``decided``, see ``group_decisions.corrected``.
        about: where it comes from: dataset_id, created_at, origin and what its maker adds, such as quality.
        path: the csv file that the groups as found are kept in.
        key: what decisions name it by.
        version: follows from the decisions that ``table`` contains; empty for the groups as found.
    """

    name: str
    path: Path
    table: pd.DataFrame
    about: dict[str, Any]
    key: str
    version: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """Two groupings with the same identity have the same table: what caches go by."""
        return str(self.path), str(self.about["created_at"]), self.version

    def groups_of(self, photo_ids: Sequence[str]) -> tuple[list[str], list[float]]:
        """Group and confidence of each photo; one that is in no group stands alone under its own id."""
        rows = self.table.set_index("photo_id").reindex(list(photo_ids))
        group = rows.group.where(rows.group.notna(), pd.Series(list(photo_ids), index=rows.index, dtype=object))
        return group.tolist(), rows.confidence.astype(float).tolist()

    def vectors(self) -> NDArray[np.float32] | None:
        """(N, d) of each photo as found, alike where the scalar product is high; None for an imported grouping."""
        path = self.path.with_suffix(".npy")
        return np.load(path, allow_pickle=False) if path.exists() else None


def require_name(name: str) -> None:
    """Refuse what cannot name a grouping; asked before a long search as well.

    Raises:
        DecisionError: it is no name.
    """
    if not _NAME.fullmatch(name):
        raise DecisionError(f"grouping name {name!r} is not a word of at most 60 letters, digits, dots and dashes")


def save_grouping(
    workspace: Workspace,
    name: str,
    table: pd.DataFrame,
    *,
    dataset_id: str,
    origin: str,
    about: Mapping[str, Any],
    vectors: NDArray[np.float32] | None = None,
) -> Grouping:
    """Keep a grouping under a new name.

    Args:
        table: photo_id, group, confidence; each photo once.
        origin: where it comes from, in words.
        about: what else is to be known of it; JSON values.
        vectors: (N, d) by which the photos were found alike, in the table's order.
    Raises:
        DecisionError: the name is taken or no name, or a photo stands twice.
    """
    require_name(name)
    folder = _folder(workspace, dataset_id)
    if (folder / f"{name}.json").exists():
        raise DecisionError(f"grouping {name!r} exists already; choose another name")
    if table.photo_id.duplicated().any():
        twice = table.photo_id[table.photo_id.duplicated()].iloc[0]
        raise DecisionError(f"photo {twice} stands in two groups; give each photo once")
    private_folder(folder)
    write_text(folder / f"{name}.csv", to_csv(table))
    if vectors is not None:
        write_atomic(folder / f"{name}.npy", lambda file: np.save(file, vectors, allow_pickle=False))
    head = {"dataset_id": dataset_id, "created_at": datetime.now(UTC).isoformat(timespec="milliseconds")}
    write_json(
        folder / f"{name}.json", {**head, "origin": origin, **about}
    )  # last: a grouping without it is not there
    return open_grouping(workspace, name, dataset_id=dataset_id)


def open_grouping(workspace: Workspace, name: str, *, dataset_id: str, as_found: bool = False) -> Grouping:
    """A grouping by name, as people have corrected it.

    Args:
        as_found: leave the corrections out.

    Raises:
        DecisionError: there is none of that name, or it is damaged.
    """
    folder = _folder(workspace, dataset_id)
    names = list_groupings(workspace, dataset_id=dataset_id)
    if name not in names:
        known = f"there are: {', '.join(names)}" if names else "find one with: people"
        raise DecisionError(f"grouping {name!r} does not exist for this data set; {known}")
    try:
        table = pd.read_csv(folder / f"{name}.csv", dtype={"ImageID": object, "group": object}, keep_default_na=False,
                            na_values={"confidence": [""]})  # fmt: skip
        about = read_json(folder / f"{name}.json")
        table = table.rename(columns={"ImageID": "photo_id"})[["photo_id", "group", "confidence"]]
    except (OSError, ValueError, KeyError) as error:
        raise DecisionError(f"grouping {name!r} cannot be read ({error}); find or import it again") from None
    key = grouping_key(table)
    placed = DecisionStore(workspace, dataset_id).placements(key)
    if as_found:
        placed = placed.iloc[:0]
    version = hashlib.sha256("".join(placed.decision_id).encode()).hexdigest()[:12] if len(placed) else ""
    return Grouping(name, folder / f"{name}.csv", corrected(table, placed), about, key, version)


def to_csv(table: pd.DataFrame) -> str:
    """A grouping's table as csv with ImageID, group and confidence."""
    kept = pd.DataFrame({"ImageID": table.photo_id, "group": table.group.astype(str), "confidence": table.confidence})
    return kept.to_csv(index=False, float_format="%.6f", lineterminator="\n")


def list_groupings(workspace: Workspace, *, dataset_id: str) -> list[str]:
    """Names of the groupings of a data set, newest first."""
    kept = _folder(workspace, dataset_id).glob("*.json")
    return [path.stem for path in sorted(kept, key=lambda path: path.stat().st_mtime_ns, reverse=True)]


def read_groups_csv(path: Path, photo_ids: Sequence[str]) -> pd.DataFrame:
    """A csv file with ``ImageID`` and ``group`` (and perhaps ``confidence``) as ``save_grouping`` takes it.

    Args:
        photo_ids: the evaluation photos; a file need not name all of them.
    Raises:
        DecisionError: no such file, a missing column, an unknown or repeated ImageID, an empty group, or a
            confidence outside 0..1.
    """
    try:
        table = pd.read_csv(path, dtype=object, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DecisionError(f"{path} cannot be read as csv: {error}") from None
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing:
        raise DecisionError(f"{path} has no column {missing[0]}, only {', '.join(table.columns)}; give ImageID,group")
    known = set(photo_ids)
    for place, (photo_id, group) in enumerate(zip(table.ImageID, table.group, strict=True), start=2):
        if photo_id not in known:
            raise DecisionError(f"{path} line {place}: {photo_id!r} is no evaluation photo of this data set")
        if not group:
            raise DecisionError(f"{path} line {place}: {photo_id} has no group; leave the line out or name one")
    if table.ImageID.duplicated().any():
        raise DecisionError(f"{path}: {table.ImageID[table.ImageID.duplicated()].iloc[0]} stands twice")
    given = table.confidence if "confidence" in table.columns else pd.Series("", index=table.index)
    confidence = pd.to_numeric(given.replace("", None), errors="coerce").astype(float)
    wrong = (given != "") & ~confidence.between(0, 1)
    if wrong.any():
        line = int(wrong.to_numpy().argmax()) + 2
        raise DecisionError(f"{path} line {line}: confidence {given[wrong].iloc[0]!r} is not a number from 0 to 1")
    return pd.DataFrame({"photo_id": table.ImageID, "group": table.group, "confidence": confidence})


def _folder(workspace: Workspace, dataset_id: str) -> Path:
    return workspace.root / "groupings" / dataset_id
