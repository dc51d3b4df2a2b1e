"""Train photos that look like somebody else: the metric of other train people against the folder they lie in."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.people.grouping import describe_groups
from core.people.learning import fit_slope
from core.people.metric import fit_metric

ODD = 0.5
"""A photo below this confidence is more like another person than like its own folder."""


def odd_photos(
    features: NDArray[np.floating], photo_ids: list[str], person_ids: list[str], *, seed: int = 0
) -> pd.DataFrame:
    """How well each train photo fits its own folder, by a metric that has not seen its person.

    The people are dealt into two halves; the metric of each half judges the other.

    Args:
        features: (N, D) of the train photos.
        photo_ids: (N,)
        person_ids: (N,) whose folders they lie in.
        seed: of the halves.
    Returns:
        photo_id, person_id, fits (probability that it belongs to its own folder, of that and the most alike other
        one; nan for a folder of one photo), nearest (the most alike other person); the least fitting first.
    Raises:
        RunError: too few people.
    """
    person = np.asarray(person_ids, dtype=object)
    people = np.unique(person.astype(str))
    halves = np.isin(person, np.random.default_rng(seed).permutation(people)[: len(people) // 2])
    parts = []
    for judged in (halves, ~halves):
        vectors = fit_metric(features[~judged], person[~judged]).embed(features[judged])
        parts.append(_fit_of(vectors, np.asarray(photo_ids, dtype=object)[judged], person[judged]))
    return pd.concat(parts).sort_values("fits", kind="stable", ignore_index=True)


def _fit_of(
    vectors: NDArray[np.float32], photo_ids: NDArray[np.object_], person: NDArray[np.object_]
) -> pd.DataFrame:
    codes, names = pd.factorize(person)
    known = describe_groups(vectors, codes.astype(np.int64))
    sums = np.zeros((len(names), vectors.shape[1]), np.float32)
    np.add.at(sums, codes, vectors)
    likeness = vectors @ (sums / np.bincount(codes)[:, None]).T
    likeness[np.arange(len(codes)), codes] = -np.inf
    fits = known.confidence(fit_slope(known.own - known.other))
    nearest = np.asarray(names)[likeness.argmax(axis=1)]
    return pd.DataFrame({"photo_id": photo_ids, "person_id": person, "fits": fits, "nearest": nearest})


def odd_reasons(table: pd.DataFrame, kinds: pd.Series) -> dict[str, list[str]]:
    """Person -> what is odd about which of its photos, in words; the least fitting photo first.

    Args:
        table: from ``odd_photos``; rows at ``ODD`` and above are passed over.
        kinds: kind of each train photo, by photo_id.
    """
    reasons: dict[str, list[str]] = {}
    for photo_id, person_id, fits, nearest in table[table.fits < ODD][
        ["photo_id", "person_id", "fits", "nearest"]
    ].itertuples(index=False):
        words = f"{kinds.get(photo_id, photo_id)} looks like {nearest} rather than its own folder ({fits:.0%} fits)"
        reasons.setdefault(str(person_id), []).append(words)
    return reasons
