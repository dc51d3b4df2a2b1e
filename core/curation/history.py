"""How labels came to be: what happened to a photo or a person, and what differs between two revisions."""

import pandas as pd

from core.curation.labels import effective_labels
from core.storage.decision_frame import DecisionFrame

_COLUMNS = ["row", "created_at", "who", "kind", "unit", "target", "queue", "run_id", "confidence", "seconds", "why",
            "origin", "batch_id", "group_id", "group_before"]  # fmt: skip


def timeline(photos: pd.DataFrame, rows: pd.DataFrame, target: str) -> pd.DataFrame:
    """Everything that was decided about a photo or a person, oldest first, with what it changed.

    Args:
        photos: an index's photos.
        rows: all rows of the store (``DecisionStore.all()``), undone ones too.
        target: a photo_id (decisions about its person count too) or a person_id (with all its photos).
    Returns:
        row, created_at, who, kind, unit, target, queue, run_id, confidence, seconds, why, origin, batch_id,
        group_id, group_before, stands, and changes: a list of (photo_id, label before, label after), -1 for no label.
    """
    own = photos[(photos.person_id == target) & (photos.person_id != "")] if target else photos.iloc[:0]
    if own.empty:
        own = photos[photos.photo_id == target]
    people = [person for person in own.person_id.unique() if person]
    about = (rows.unit == "photo") & rows.target.isin([*own.photo_id, target])
    about |= (rows.unit == "person") & rows.target.isin([*people, target])
    found = rows[about].reset_index(drop=True)
    frame = DecisionFrame(found, 0)
    before = effective_labels(own, found.iloc[:0]).label.to_numpy()
    changes = []
    for row in found.row.tolist():
        after = effective_labels(own, frame.standing(row)).label.to_numpy()
        moved = before != after
        changes.append(
            list(zip(own.photo_id[moved].tolist(), before[moved].tolist(), after[moved].tolist(), strict=True))
        )
        before = after
    found["stands"] = ~found.decision_id.isin(frame.undone())
    found["changes"] = pd.Series(changes, index=found.index, dtype=object)
    return found[[*_COLUMNS, "stands", "changes"]]


def label_differences(photos: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The photos whose label or age differs between two states of the decisions.

    Args:
        photos: an index's photos.
        before: decisions that stood at the first revision (``DecisionStore.effective(revision)``).
        after: those of the second.
    Returns:
        photo_id, person_id, split, kind, label_before, label_after (-1: none), age_before, age_after (years,
        -1 unknown), origin (of the label after), in the order of ``photos``.
    """
    old, new = effective_labels(photos, before), effective_labels(photos, after)
    table = photos[["photo_id", "person_id", "split", "kind"]].assign(
        label_before=old.label, label_after=new.label, age_before=old.age, age_after=new.age, origin=new.origin
    )
    moved = (table.label_before != table.label_after) | (table.age_before != table.age_after)
    return table[moved].reset_index(drop=True)


def difference_counts(differences: pd.DataFrame) -> pd.DataFrame:
    """How many photos went from which label to which, most first: label_before, label_after, photos."""
    counts = differences.groupby(["label_before", "label_after"]).size().rename("photos").reset_index()
    return counts.sort_values("photos", ascending=False, kind="stable", ignore_index=True)
