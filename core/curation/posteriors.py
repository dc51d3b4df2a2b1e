"""How likely each gender and age band of an evaluation person is, with the shift and the answers so far taken in.

A cell is one of the six pairs of gender and age band (``core.evaluation.prior`` calls them groups); masks are
known almost for certain and keep their own probabilities.
"""

import numpy as np
from numpy.typing import ArrayLike

from core.evaluation.metrics import Float64Array
from core.evaluation.prior import NUM_GROUPS, em_mix
from core.taxonomy import NUM_CLASSES, FloatArray, IntArray

NUM_CELLS = NUM_GROUPS


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
