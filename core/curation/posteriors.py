"""How likely each gender and age band of a person is: from the run, its calibration, the shift, the answers so far.

A cell is one of the six pairs of gender and age band (``gender * 3 + age band``); masks are known almost
for certain and keep their own probabilities.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from core.errors import RunError
from core.evaluation.metrics import Float64Array, paired, probabilities, same_length
from core.taxonomy import AGE_BANDS, GENDERS, MASKS, NUM_CLASSES, FloatArray, IntArray

NUM_CELLS = len(GENDERS) * len(AGE_BANDS)
NORMAL_COUNTS = 3.0
"""A photo without a mask tells as much as this many with one (docs/methods.md has the trial)."""

_RIDGE = 1.0
"""How strongly biases are held at 0: one person's worth of evidence at a bias of 1."""


@dataclass(frozen=True)
class Calibration:
    """``softmax(scores / temperature + bias)`` is right about as often as it says.

    Attributes:
        temperature: above 1 for overconfident scores.
        bias: (6,) added to the cells; a run that was trained with another age boundary needs it.
        mix: (6,) share of each cell among the people it was fitted on.
    """

    temperature: float
    bias: Float64Array
    mix: Float64Array

    def apply(self, scores: FloatArray) -> Float64Array:
        """(U, 6) probabilities from (U, 6) scores."""
        return probabilities(np.asarray(scores, dtype=np.float64) / self.temperature + self.bias)


def split_axes(logits: FloatArray) -> tuple[Float64Array, Float64Array]:
    """(N, 3) mask probabilities, and (N, 6) log-probabilities of the cells given the most probable mask."""
    pred_probs = probabilities(logits)
    cube = pred_probs.reshape(-1, len(MASKS), NUM_CELLS)
    masks = cube.sum(axis=2)
    given = np.maximum(cube[np.arange(len(cube)), masks.argmax(axis=1)], 1e-12)
    return masks, np.log(given / given.sum(axis=1, keepdims=True))


def pooled_scores(log_cells: FloatArray, masks: ArrayLike, groups: ArrayLike) -> Float64Array:
    """Mean of the photos' log-probabilities, (U, 6), a photo without a mask counting ``NORMAL_COUNTS`` times.

    Args:
        log_cells: (N, 6), see ``split_axes``.
        masks: (N,) predicted mask.
        groups: (N,) person of each photo, 0..U-1, each with a photo.
    """
    owner = np.asarray(groups, dtype=np.int64)
    weights = np.where(np.asarray(masks) == len(MASKS) - 1, NORMAL_COUNTS, 1.0)
    total = np.bincount(owner, weights=weights)
    summed = np.stack([np.bincount(owner, weights=weights * column) for column in np.asarray(log_cells).T], axis=1)
    pooled: Float64Array = summed / total[:, None]
    return pooled


def fit_calibration(scores: FloatArray, cells: ArrayLike) -> Calibration:
    """Temperature and biases that make the known cells most likely.

    Args:
        scores: (U, 6) out-of-fold.
        cells: (U,) the people's gender and age band, 0..5.
    Raises:
        RunError: lengths differ, or nobody is labelled.

    Source: Alexandari, Kundaje, Shrikumar, Maximum likelihood with bias-corrected calibration is hard-to-beat
        at label shift adaptation, ICML 2020 (BCTS).
    """
    exact: Float64Array = np.asarray(scores, dtype=np.float64)
    true, _ = paired(cells, cells, num_classes=NUM_CELLS)
    same_length(cells=true, scores=exact)
    if not len(true):
        raise RunError("nobody with a label was predicted out of fold; train a fold first")
    rows = np.arange(len(true))

    def loss(values: Float64Array) -> tuple[float, Float64Array]:
        inverse, bias = np.exp(values[0]), values[1:]
        pred_probs = probabilities(exact * inverse + bias)
        likelihood = np.log(np.maximum(pred_probs[rows, true], 1e-300)).sum()
        error = pred_probs.copy()
        error[rows, true] -= 1
        slope = np.concatenate([[(error * exact).sum() * inverse], error.sum(axis=0) + _RIDGE * bias])
        return float(-likelihood + _RIDGE * (bias**2).sum() / 2), slope

    first = np.zeros(1 + NUM_CELLS)
    limits = [(-np.log(20), np.log(20)), *[(-8.0, 8.0)] * NUM_CELLS]
    best = minimize(loss, first, jac=True, method="L-BFGS-B", bounds=limits).x  # type: ignore[no-untyped-call]
    return Calibration(float(np.exp(-best[0])), best[1:], np.bincount(true, minlength=NUM_CELLS) / len(true))


def estimate_mix(
    cell_probs: FloatArray, mix: FloatArray, known: ArrayLike | None = None, *, pseudo_people: float = 1.0
) -> Float64Array:
    """Share of each cell among other people, (6,): the most likely one, by EM, with the answers so far held fixed.

    Args:
        cell_probs: (U, 6) of those people, calibrated to the mix of the people the run was trained on.
        mix: (6,) that mix.
        known: (U,) cell of those already answered, -1 for the others.
        pseudo_people: this many people in each cell, so that no share becomes 0.

    Source: Saerens, Latinne, Decaestecker, Adjusting the outputs of a classifier to new a priori probabilities,
        Neural Computation 2002; with known answers as in Nigam et al., Machine Learning 2000.
    """
    told: Float64Array = np.asarray(cell_probs, dtype=np.float64)
    start: Float64Array = np.maximum(np.asarray(mix, dtype=np.float64), 1e-6)
    answered = np.full(len(told), -1) if known is None else np.asarray(known)
    counted = np.bincount(answered[answered >= 0], minlength=NUM_CELLS) + pseudo_people
    ratio = told[answered < 0] / start
    estimate = start / start.sum()
    for _ in range(500):
        expected = ratio * estimate
        expected /= np.maximum(expected.sum(axis=1, keepdims=True), 1e-300)
        following = counted + expected.sum(axis=0)
        following /= following.sum()
        if np.abs(following - estimate).max() < 1e-7:
            break
        estimate = following
    result: Float64Array = following
    return result


def shifted(cell_probs: FloatArray, mix: FloatArray, other: FloatArray) -> Float64Array:
    """(U, 6) probabilities when cells are mixed as ``other`` and not as ``mix``; Saerens et al., equation 2.4."""
    weighted = np.asarray(cell_probs, dtype=np.float64) * (np.asarray(other) / np.maximum(np.asarray(mix), 1e-6))
    result: Float64Array = weighted / np.maximum(weighted.sum(axis=1, keepdims=True), 1e-300)
    return result


def joint(mask_probs: FloatArray, cell_probs: FloatArray, groups: IntArray) -> Float64Array:
    """(N, 18) of photos, from their masks (N, 3) and their people's cells (U, 6)."""
    cube = np.asarray(mask_probs)[:, :, None] * np.asarray(cell_probs)[groups][:, None, :]
    classes: Float64Array = cube.reshape(-1, NUM_CLASSES)
    return classes
