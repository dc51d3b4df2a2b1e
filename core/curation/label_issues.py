"""Train labels that a model which did not see the person doubts, axis by axis, and what it would have instead.

A label is wrong on one axis at a time, and the axes are known to different degrees: a mask almost for
certain, a gender well, an age band badly. So each axis is judged apart, gender and age from all photos of
the person together, and a doubt counts by its odds: age, which models are never sure about, does not crowd
out a gender that they are sure about.
"""

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.evaluation.metrics import Float64Array, paired, same_length
from core.evaluation.uncertainty import wilson_interval
from core.taxonomy import MASKS, FloatArray, IntArray

QUEUE = "label_issues"

NOISE = {"mask": 0.01, "gender": 0.01, "age": 0.002}
"""Share of wrong labels to expect on each axis before looking. About 1.1 % of the real photos are wrong, by gender or
by swapped masks; of 2,700 ages in years 6 are disputed and none is known to be wrong (docs/methods.md)."""

ENOUGH = 50
"""Decisions that ``hit_rate`` looks back on before it says that going on no longer pays."""

Contradiction = Literal["", "swapped", "masks", "gender"]


def confident_joint(labels: ArrayLike, pred_probs: FloatArray) -> IntArray:
    """Photos by given label (row) and confidently predicted class (column), (K, K).

    A photo counts where it is at least as probable as the photos labelled with that class are on average;
    of several such classes in the most probable one.

    Args:
        labels: (N,) given class, 0..K-1.
        pred_probs: (N, K) out-of-fold.
    Raises:
        RunError: lengths differ, or a label is no class.

    Source: Northcutt, Jiang, Chuang, Confident learning: estimating uncertainty in dataset labels, JAIR 2021,
        equations 1 and 2.
    """
    given, confident = _confident(labels, pred_probs)
    n_classes = pred_probs.shape[1]
    counted = confident >= 0
    flat = np.bincount(given[counted] * n_classes + confident[counted], minlength=n_classes**2)
    return flat.reshape(n_classes, n_classes).astype(np.int64)


def confident_issues(labels: ArrayLike, pred_probs: FloatArray) -> np.ndarray:
    """Which labels confident learning holds for wrong, (N,) bool: off the diagonal of ``confident_joint``.

    Args, errors and source as there.
    """
    given, confident = _confident(labels, pred_probs)
    result: np.ndarray = (confident >= 0) & (confident != given)
    return result


def probability_wrong(labels: ArrayLike, pred_probs: FloatArray, *, noise: float) -> Float64Array:
    """How likely each label is wrong, given how rarely labels are, (N,).

    With p the probability of the label: ``noise (1 - p) / (noise (1 - p) + (1 - noise) p)``, Bayes' rule with
    a wrong label spread over the other values as the model spreads its doubt.

    Args:
        labels: (N,) value on one axis, 0..K-1.
        pred_probs: (N, K) calibrated probabilities of that axis, out-of-fold.
        noise: share of wrong labels to expect.
    Raises:
        RunError: lengths differ, or a label is no value.
    """
    given, _ = paired(labels, labels, num_classes=pred_probs.shape[1])
    same_length(labels=given, pred_probs=pred_probs)
    of_label = np.asarray(pred_probs, dtype=np.float64)[np.arange(len(given)), given]
    doubt = noise * (1 - of_label)
    result: Float64Array = doubt / np.maximum(doubt + (1 - noise) * of_label, 1e-300)
    return result


def contradictions(photos: pd.DataFrame) -> pd.DataFrame:
    """People whose photos contradict each other or their labels.

    Args:
        photos: person_id, photo_id, mask (the label's), mask_seen (predicted), gender, gender_seen.
    Returns:
        One row a contradicting person: person_id, kind (``swapped``: what is labelled incorrect is seen as not
        worn and the other way round; ``masks``: worn, incorrect and not worn are not seen 5/1/1; ``gender``: the
        photos are not seen as one gender), photo_ids (the photos concerned).
    """
    kinds: list[tuple[str, str, list[str]]] = []
    order = photos.sort_values("person_id", kind="stable")
    bounds = np.flatnonzero(np.append(True, order.person_id.to_numpy()[1:] != order.person_id.to_numpy()[:-1]))
    columns = [order[name].to_numpy() for name in ("photo_id", "mask", "mask_seen", "gender_seen")]
    for start, end in zip(bounds, np.append(bounds[1:], len(order)), strict=True):
        ids, mask, seen, gender = (column[start:end] for column in columns)
        kind, concerned = _contradiction(mask, seen, gender)
        if kind:
            kinds.append((str(order.person_id.iloc[start]), kind, ids[concerned].tolist()))
    return pd.DataFrame(kinds, columns=["person_id", "kind", "photo_ids"]).astype(object)


def hit_rate(is_hit: ArrayLike) -> tuple[float | None, str]:
    """Share of looked-at labels that were wrong, and a hint when going on no longer pays.

    Args:
        is_hit: whether the label was changed, in the order of decisions.
    """
    hits = np.asarray(is_hit, dtype=bool)
    if not len(hits):
        return None, ""
    last = hits[-ENOUGH:]
    _, high = wilson_interval(float(last.sum()), float(len(last)))
    if len(last) == ENOUGH and high < 0.1:
        return float(hits.mean()), (
            f"{int(last.sum())} of the last {ENOUGH} were wrong, so at most {high:.0%} of the next (95 %): "
            "going on no longer pays"
        )
    return float(hits.mean()), ""


def changed_labels(decisions: pd.DataFrame, photos: pd.DataFrame) -> np.ndarray:
    """Whether each person that was looked at got another label, (M,) bool, in the order of decisions.

    Args:
        decisions: those of this queue that stand, oldest first; a swap of two masks is one look.
        photos: the index's photos, with the original labels.
    """
    said = decisions[decisions.kind.isin(["accept", "relabel", "reject"])]
    by_photo = photos.drop_duplicates("photo_id").set_index("photo_id")[["person_id", "mask", "gender", "age_band"]]
    by_person = photos.drop_duplicates("person_id").set_index("person_id")[["gender", "age_band"]]
    of_photo = (said.unit == "photo").to_numpy()
    person = said.target.where(~of_photo, by_photo.person_id.reindex(said.target).to_numpy())
    changed = np.zeros(len(said), dtype=bool)
    for name in ("mask", "gender", "age_band"):
        given = said[name].to_numpy(dtype=np.float64)
        before = by_photo[name].reindex(said.target).to_numpy(dtype=np.float64)
        if name != "mask":
            before = np.where(of_photo, before, by_person[name].reindex(said.target).to_numpy(dtype=np.float64))
        changed |= ~np.isnan(given) & ~np.isnan(before) & (given != before)
    looks = pd.Series(changed).groupby([said.batch_id.to_numpy(), person.to_numpy()], sort=False).any()
    return looks.to_numpy(dtype=bool)


def _confident(labels: ArrayLike, pred_probs: FloatArray) -> tuple[IntArray, IntArray]:
    """Given labels, and the class that each photo is confidently of (-1: none)."""
    n_classes = pred_probs.shape[1]
    given, _ = paired(labels, labels, num_classes=n_classes)
    same_length(labels=given, pred_probs=pred_probs)
    exact = np.asarray(pred_probs, dtype=np.float64)
    count = np.bincount(given, minlength=n_classes)
    of_label = np.bincount(given, weights=exact[np.arange(len(given)), given], minlength=n_classes)
    thresholds = np.where(count > 0, of_label / np.maximum(count, 1), np.inf)  # (K,)
    allowed = np.where(exact >= thresholds - 1e-6, exact, -1.0)
    return given, np.where(allowed.max(axis=1) >= 0, allowed.argmax(axis=1), -1)


def _contradiction(mask: IntArray, seen: IntArray, gender: IntArray) -> tuple[Contradiction, np.ndarray]:
    incorrect, normal = 1, len(MASKS) - 1
    labelled = {value: np.flatnonzero(mask == value) for value in (incorrect, normal)}
    if len(labelled[incorrect]) == len(labelled[normal]) == 1:
        pair = np.concatenate([labelled[incorrect], labelled[normal]])
        if seen[pair].tolist() == [normal, incorrect]:
            return "swapped", pair
    if (seen != mask).any():
        return "masks", np.flatnonzero(seen != mask)
    minority = gender != (2 * gender.sum() > len(gender))
    return ("gender", np.flatnonzero(minority)) if minority.any() else ("", minority)
