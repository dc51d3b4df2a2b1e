"""How likely each gender and age band of a person is: from the run, its calibration, the shift, the answers so far.

A cell is one of the six pairs of gender and age band (``core.evaluation.prior`` calls them groups); masks are
known almost for certain and keep their own probabilities.
"""

import numpy as np
from numpy.typing import ArrayLike

from core.evaluation.calibration_map import fit_calibration
from core.evaluation.metrics import Float64Array, probabilities
from core.evaluation.prior import NUM_GROUPS, em_mix, group_probabilities
from core.taxonomy import MASKS, NUM_CLASSES, FloatArray, IntArray

NUM_CELLS = NUM_GROUPS
NORMAL_COUNTS = 3.0
"""A photo without a mask tells as much as this many with one (docs/methods.md has the trial)."""


def pooled_scores(logits: FloatArray, groups: ArrayLike) -> Float64Array:
    """The log-probabilities of gender and age band, (U, 6), as the mean over a person's photos.

    Each photo's are those given its most probable mask; a photo seen without a mask counts
    ``NORMAL_COUNTS`` times.

    Args:
        logits: (N, 18).
        groups: (N,) person of each photo, 0..U-1, each with a photo.
    """
    owner = np.asarray(groups, dtype=np.int64)
    cube = probabilities(logits).reshape(-1, len(MASKS), NUM_CELLS)
    mask = cube.sum(axis=2).argmax(axis=1)
    given = np.maximum(cube[np.arange(len(cube)), mask], 1e-12)
    log_cells = np.log(given / given.sum(axis=1, keepdims=True))
    weights = np.where(mask == len(MASKS) - 1, NORMAL_COUNTS, 1.0)
    summed = np.zeros((owner.max() + 1, NUM_CELLS))
    np.add.at(summed, owner, weights[:, None] * log_cells)
    pooled: Float64Array = summed / np.bincount(owner, weights=weights)[:, None]
    return pooled


def calibrated_cells(scores: FloatArray, known_rows: ArrayLike, cells: ArrayLike) -> Float64Array:
    """(U, 6) probabilities that mean what they say, from pooled scores.

    Args:
        scores: (U, 6), see ``pooled_scores``.
        known_rows: rows of people whose cell is known and who were scored out of fold.
        cells: their cells.
    Raises:
        RunError: nobody is known.

    Source: ``calibration_map.fit_calibration``, on people instead of photos; the mask's link is idle.
    """
    rows = np.asarray(known_rows)
    of_classes = np.tile(np.asarray(scores, dtype=np.float64), NUM_CLASSES // NUM_CELLS)
    return group_probabilities(fit_calibration(of_classes[rows], cells).probabilities(of_classes))


def evaluation_mix(cells: FloatArray, train_mix: FloatArray, known: ArrayLike) -> Float64Array:
    """Share of each cell among the evaluation people, (6,), with the answers so far held fixed.

    Args:
        cells: (U, 6) of those people, calibrated on people of ``train_mix``.
        train_mix: (6,).
        known: (U,) cell of those already answered, -1 for the others.

    Source: ``prior.em_mix``; with answers as in Nigam, McCallum, Thrun, Mitchell, Text classification from labeled
        and unlabeled documents using EM, Machine Learning 2000.
    """
    answered = np.asarray(known)
    told = np.where((answered >= 0)[:, None], np.eye(NUM_CELLS)[answered], cells)
    return em_mix(told, np.maximum(train_mix, 1e-3))


def shifted(cells: FloatArray, train_mix: FloatArray, mix: FloatArray) -> Float64Array:
    """(U, 6) probabilities when cells are mixed as ``mix`` and not as ``train_mix``; see ``prior.corrected``."""
    weighted = np.asarray(cells, dtype=np.float64) * (np.asarray(mix) / np.maximum(train_mix, 1e-3))
    result: Float64Array = weighted / np.maximum(weighted.sum(axis=1, keepdims=True), 1e-300)
    return result


def joint(mask_probs: FloatArray, cells: FloatArray, groups: IntArray) -> Float64Array:
    """(N, 18) of photos, from their masks (N, 3) and their people's cells (U, 6)."""
    cube = np.asarray(mask_probs)[:, :, None] * np.asarray(cells)[groups][:, None, :]
    classes: Float64Array = cube.reshape(-1, NUM_CLASSES)
    return classes
