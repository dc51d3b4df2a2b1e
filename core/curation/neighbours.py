"""The train photos most like a photo, of the two classes that compete for it: who is right is seen at a glance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.storage.features import Features
from core.taxonomy import FloatArray, IntArray

PER_CLASS = 3


def nearest_of_two_classes(
    features: Features, train: pd.DataFrame, photo_ids: Sequence[str], competing: IntArray
) -> dict[str, list[dict[str, Any]]]:
    """For each photo the nearest train photos of both classes, nearest first: cosine of the network's features.

    At most one photo of a person, and none of the photo's own person.

    Args:
        features: of a run; photos without a vector are passed over.
        train: the train photos as labelled now: photo_id, person_id, label.
        photo_ids: the photos to look at.
        competing: (M, 2) the most probable class of each, and the second.
    Returns:
        By photo_id, two entries as a card has them: label and photo_ids.
    """
    place = pd.Index(features.photo_ids)
    known = train[np.isin(train.label.to_numpy(), competing)]  # the vectors of other classes need not be read
    known = known[place.get_indexer(pd.Index(known.photo_id)) >= 0]
    people = dict(zip(train.photo_id, train.person_id, strict=True))
    rows = place.get_indexer(pd.Index(photo_ids))
    seen = np.flatnonzero(rows >= 0)
    likeness = _unit(features, features.rows_of(known.photo_id)) @ _unit(features, rows[seen]).T  # (T, seen)
    told: dict[str, list[dict[str, Any]]] = {}
    for column, which in enumerate(seen.tolist()):
        own = people.get(photo_ids[which], "")
        ranked = known.assign(likeness=likeness[:, column])[(known.person_id != own).to_numpy()]
        told[photo_ids[which]] = [
            {"label": int(label), "photo_ids": _best(ranked[ranked.label == label])} for label in competing[which]
        ]
    return told


def competing_classes(predictions: IntArray, pred_probs: FloatArray, labels: IntArray) -> IntArray:
    """The two classes that compete for each photo, (M, 2): the predicted one, and the label where it is another.

    Args:
        predictions: (M,) as the reviewer sees them; calibrated or corrected, another class may be likelier.
        pred_probs: (M, K).
        labels: (M,) as the photos are labelled now, -1 for none; these, and those as predicted, take the likeliest
            other class.
    """
    others = np.array(pred_probs, dtype=np.float64)
    others[np.arange(len(others)), predictions] = -1
    return np.stack(
        [predictions, np.where((labels >= 0) & (labels != predictions), labels, others.argmax(axis=1))], axis=1
    )


def _unit(features: Features, rows: IntArray) -> NDArray[np.float32]:
    """(n, D) vectors of length 1."""
    vectors = features.vectors[rows].astype(np.float32)
    unit: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit


def _best(ranked: pd.DataFrame) -> list[str]:
    best = ranked.sort_values("likeness", ascending=False, kind="stable").drop_duplicates("person_id")
    return best.photo_id.head(PER_CLASS).tolist()
