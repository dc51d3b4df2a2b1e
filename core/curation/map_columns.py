"""What is known of each photo of a map, as codes to colour it by."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.curation.disagreements import together, votes_of
from core.curation.labels import effective_labels
from core.curation.review_table import KINDS, decision_kinds
from core.storage.maps import PhotoMap
from core.storage.runs import Run
from core.taxonomy import AXES, CLASS_NAMES, IntArray, decode, decode_axis

NONE = 65535
"""The code of a photo of which a column knows nothing."""

COLOURINGS = ("class", *AXES, "error", "split", "decision", "person")
"""Columns to colour by; ``label`` (as it stands) and ``said`` (by the run) come beside them."""

_ERRORS = ("right", *(f"wrong {axis}" for axis in AXES), "wrong on several", "not known")
_SPLITS = ("train, seen by this network", "train, not seen", "evaluation, trained on", "evaluation")
_DECISIONS = ("undecided", "accepted", "changed", "rejected", "put off")  # as KINDS


@dataclass(frozen=True)
class Column:
    """One value a photo.

    Attributes:
        codes: (N,) uint16, place in ``names``, or ``NONE``.
        names: what the codes mean; empty for people, who are many.
    """

    codes: NDArray[np.uint16]
    names: tuple[str, ...]


def map_columns(
    run: Run,
    found: PhotoMap,
    photos: pd.DataFrame,
    decisions: pd.DataFrame,
    *,
    groups: Mapping[str, str] | None = None,
) -> dict[str, Column]:
    """The columns of a run's map: ``COLOURINGS``, ``label`` and ``said``.

    A photo's class is its label where it has one, else what the run says.

    Args:
        photos: an index's photos; a photo of the map that has left the data set keeps what the run said.
        decisions: as in ``labels.effective_labels``, with row.
        groups: group of evaluation photos by photo_id; without, each stands alone.
    """
    ids = found.photo_ids
    now = effective_labels(photos, decisions).set_index("photo_id").reindex(ids)
    label = now.label.fillna(-1).to_numpy(dtype=np.int64)
    said = votes_of({"run": together([run.oof(), run.evaluation()])}, ids.tolist())["run"]
    known = np.where(label >= 0, label, said)
    certain = np.maximum(known, 0)
    people = now.person_id.fillna("").to_numpy(dtype=object)
    kinds = decision_kinds(pd.DataFrame({"photo_id": ids, "person_id": people}), decisions)
    columns = {
        "label": (label, CLASS_NAMES),
        "said": (said, CLASS_NAMES),
        "class": (known, CLASS_NAMES),
        **{axis: (np.where(known >= 0, decode_axis(certain, axis), -1), names) for axis, names in AXES.items()},
        "error": (_errors(label, said), _ERRORS),
        "split": (_splits(run, found, now.split.to_numpy(dtype=object)), _SPLITS),
        "decision": (np.array([KINDS.index(kind) for kind in kinds]), _DECISIONS),
        "person": (_people(ids, people, groups or {}), ()),
    }
    return {
        name: Column(np.where(codes < 0, NONE, codes).astype(np.uint16), names)
        for name, (codes, names) in columns.items()
    }


def _errors(label: IntArray, said: IntArray) -> IntArray:
    """Place in ``_ERRORS``."""
    both = (label >= 0) & (said >= 0)
    wrong = np.stack(decode(np.maximum(label, 0))) != np.stack(decode(np.maximum(said, 0)))  # (3, N)
    one = 1 + wrong.argmax(axis=0)
    kinds = np.where(wrong.sum(axis=0) == 0, 0, np.where(wrong.sum(axis=0) == 1, one, len(AXES) + 1))
    return np.where(both, kinds, len(_ERRORS) - 1)


def _splits(run: Run, found: PhotoMap, split: NDArray[np.object_]) -> IntArray:
    """Place in ``_SPLITS``: whether the network that laid out the map was trained on the photo."""
    table = run.train_photos().set_index("photo_id")
    seen = set(table.index[(table.fold != found.fold) & (table.target >= 0)])
    was_seen = np.array([photo_id in seen for photo_id in found.photo_ids.tolist()], dtype=bool)
    return np.where(split == "train", np.where(was_seen, 0, 1), np.where(was_seen, 2, 3))


def _people(ids: NDArray[np.str_], people: NDArray[np.object_], groups: Mapping[str, str]) -> IntArray:
    """A number a person; evaluation photos that are in no group get -1."""
    names = [person or f"group {groups[photo]}" if person or photo in groups else None
             for photo, person in zip(ids.tolist(), people.tolist(), strict=True)]  # fmt: skip
    codes, _ = pd.factorize(np.array(names, dtype=object))
    return codes.astype(np.int64)
