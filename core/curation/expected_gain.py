"""What it is worth to know a photo's class: the expected rise of macro F1."""

import numpy as np
from numpy.typing import ArrayLike

from core.evaluation.metrics import Float64Array, f1_from_counts, paired, same_length
from core.taxonomy import FloatArray


def expected_gain(pred_probs: FloatArray, predictions: ArrayLike | None = None) -> Float64Array:
    """Expected rise of macro F1 when a photo's true class is learned and predicted, (N,).

    F1 of class c is 2 T / (S + M): T photos rightly predicted as c, S photos of c, M predicted as c.
    With probabilities for truth, T and S are expected numbers. When photo i, predicted as c, turns out to
    be k, only two classes change: c loses one wrong prediction, k wins a right one. The gain is their
    change in F1, weighted with the probability of each k, over K. So a photo is worth much where it is
    unsure AND where its classes are rare, and a photo without doubt is worth nothing.

    Taking expected numbers for T and S is exact up to terms of the order of 1 / photos a class. Photos
    count one by one: what an answer tells about the person's other photos is not in it.

    Args:
        pred_probs: (N, K) calibrated probabilities of all photos that are scored together; one-hot where
            the answer is known already.
        predictions: (N,) class that would be submitted; the most probable one when None.
    Raises:
        RunError: lengths differ, or a prediction is no class.

    Source: docs/methods.md; expected F from probabilities as in Ye, Chai, Lee, Chieu, Optimizing F-measure:
        a tale of two approaches, ICML 2012.
    """
    pred_probs = np.asarray(pred_probs, dtype=np.float64)
    num_classes = pred_probs.shape[1]
    chosen = pred_probs.argmax(axis=1) if predictions is None else predictions
    current, _ = paired(chosen, chosen, num_classes=num_classes)
    same_length(predictions=current, pred_probs=pred_probs)
    of_current = pred_probs[np.arange(len(current)), current]  # (N,)
    hits = np.bincount(current, weights=of_current, minlength=num_classes)  # (K,) expected T
    support = pred_probs.sum(axis=0)  # (K,) expected S
    predicted = np.bincount(current, minlength=num_classes)  # (K,) M
    # The class that the photo turns out to be: one photo more in S, before and after.
    support_if = support - pred_probs + 1  # (N, K)
    won = f1_from_counts(hits + 1, support_if, predicted + 1) - f1_from_counts(hits, support_if, predicted)
    # The class that was predicted: the photo is none of it.
    left_hits, left_support = hits[current] - of_current, support[current] - of_current  # (N,)
    left = f1_from_counts(left_hits, left_support, predicted[current] - 1)
    kept = f1_from_counts(left_hits, left_support, predicted[current])
    gains = won + (left - kept)[:, None]  # (N, K)
    gains[np.arange(len(current)), current] = 0
    expected: Float64Array = (pred_probs * gains).sum(axis=1) / num_classes
    return expected


def expected_gain_by_person(
    mask_probs: FloatArray, cell_probs: FloatArray, groups: ArrayLike, predictions: ArrayLike
) -> Float64Array:
    """Expected rise of macro F1 when a person's gender and age band are learned, (U,).

    One answer settles all photos of the person: each keeps the mask that is predicted and takes the answer's
    gender and age band. The gain of an answer is the change of F1 over all 18 classes that its photos make
    together, given that the answer is true; the person's gain is its mean over the answers. A person whose
    photos contradict each other is worth more than one whose photos agree, at the same doubt.

    Args:
        mask_probs: (N, 3) calibrated, a row a photo.
        cell_probs: (U, 6) calibrated probability of each gender and age band (``gender * 3 + age band``).
        groups: (N,) the person of each photo, 0..U-1.
        predictions: (N,) class that would be submitted.
    Raises:
        RunError: lengths differ, or a prediction is no class.

    Source: docs/methods.md.
    """
    masks, cells = np.asarray(mask_probs, dtype=np.float64), np.asarray(cell_probs, dtype=np.float64)
    current, _ = paired(predictions, predictions)
    owner = np.asarray(groups, dtype=np.int64)
    same_length(predictions=current, mask_probs=masks, groups=owner)
    n_people, (n_masks, n_cells) = len(cells), (masks.shape[1], cells.shape[1])
    sure = masks[np.arange(len(current)), current // n_cells]  # (N,) that the predicted mask is right

    def by_person(weights: ArrayLike) -> Float64Array:
        counts = np.zeros((n_people, n_masks * n_cells))
        np.add.at(counts, (owner, current), weights)
        return counts.reshape(n_people, n_masks, n_cells)

    predicted, right = by_person(1.0), by_person(sure)  # (U, 3, 6); right: hits if the cell is the answer
    size = np.zeros((n_people, n_masks))
    np.add.at(size, owner, masks)
    settled, settled_right = predicted.sum(axis=2), right.sum(axis=2)  # (U, 3) photos of each mask, once answered
    hits = (right * cells[:, None, :]).sum(axis=0)  # (3, 6) expected T
    support = size.T @ cells  # expected S
    totals = predicted.sum(axis=0)  # M
    # Of the person itself: taken out of the expected totals, and put back as the answer says.
    others_hits = hits - right * cells[:, None, :]  # (U, 3, 6)
    others_support = support - size[:, :, None] * cells[:, None, :]
    gains = np.zeros((n_people, n_cells))
    for answer in range(n_cells):
        is_answer = np.arange(n_cells) == answer
        support_if = others_support + size[:, :, None] * is_answer
        before = f1_from_counts(others_hits + right * is_answer, support_if, totals)
        after = f1_from_counts(
            others_hits + settled_right[:, :, None] * is_answer,
            support_if,
            totals - predicted + settled[:, :, None] * is_answer,
        )
        gains[:, answer] = (after - before).sum(axis=(1, 2))
    expected: Float64Array = (cells * gains).sum(axis=1) / (n_masks * n_cells)
    return expected
