"""The train photos most like a photo, of the two classes that compete for it: the quickest way to see who is right."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.storage.features import Features
from core.taxonomy import IntArray

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
    known = train[(train.label >= 0).to_numpy() & (place.get_indexer(pd.Index(train.photo_id)) >= 0)]
    people = dict(zip(train.photo_id, train.person_id, strict=True))
    rows = place.get_indexer(pd.Index(photo_ids))
    told: dict[str, list[dict[str, Any]]] = {}
    for photo_id, row, pair in zip(photo_ids, rows.tolist(), competing.tolist(), strict=True):
        if row >= 0:
            own = people.get(photo_id, "")
            told[photo_id] = [
                {"label": int(label), "photo_ids": _nearest(features, known, row, label, own)} for label in pair
            ]
    return told


def _nearest(features: Features, known: pd.DataFrame, row: int, label: int, own: str) -> list[str]:
    of_class = known[(known.label == label).to_numpy() & (known.person_id != own).to_numpy()]
    vectors = features.vectors[features.rows_of(of_class.photo_id)].astype(np.float32)
    wanted = features.vectors[row].astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(wanted)
    order = np.argsort(-(vectors @ wanted) / np.maximum(lengths, 1e-9), kind="stable")
    return of_class.iloc[order].drop_duplicates("person_id").photo_id.head(PER_CLASS).tolist()
