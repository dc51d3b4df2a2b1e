"""The class mix of the evaluation set, estimated without a label of it, and decisions corrected by it.

Two people in a hundred of the train set may be men of 60 and over, and ten in a hundred of the evaluation
set; a network then says "60 and over" far too seldom. Under label shift, where each group still looks the
same and only the shares of the groups change, those shares can be had from the network's own predictions.

A group is gender x age (6); the masks are known: five worn, one incorrect, one not worn a person, in both sets.
So the probability of a class is corrected by the ratio of its group's shares alone.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import nnls  # type: ignore[attr-defined]

from core.errors import RunError
from core.evaluation.metrics import Float64Array, paired, same_length
from core.taxonomy import AGE_BANDS, GENDERS, NUM_CLASSES, FloatArray, IntArray

NUM_GROUPS = len(GENDERS) * len(AGE_BANDS)
GROUP_NAMES = tuple(f"{gender}, {band}" for gender in GENDERS for band in AGE_BANDS)

EM_STRENGTH = 0.06
"""Weight of the train mix in the EM estimate, as a share of the evaluation photos: see docs/methods.md."""

BBSE_RIDGE = 0.05
"""Weight of the distance from the train mix in the BBSE estimate: see docs/methods.md."""


def groups_of(labels: ArrayLike) -> IntArray:
    """Group 0..5 (gender * 3 + age) of each class."""
    true, _ = paired(labels, labels)
    return true % NUM_GROUPS


def group_probabilities(pred_probs: FloatArray) -> Float64Array:
    """(N, 18) probabilities of classes as (N, 6) of groups: summed over masks."""
    probs = np.asarray(pred_probs, dtype=np.float64)
    if probs.ndim != 2 or probs.shape[1] != NUM_CLASSES:
        raise RunError(f"pred_probs have shape {probs.shape}; give (photos, {NUM_CLASSES})")
    summed: Float64Array = probs.reshape(len(probs), -1, NUM_GROUPS).sum(axis=1)
    return summed


def mix_of(groups: ArrayLike, weights: ArrayLike | None = None) -> Float64Array:
    """Share of each group, (6,).

    Args:
        groups: (N,) group 0..5.
        weights: (N,) how often each photo counts.
    Raises:
        RunError: there is no photo.
    """
    known = np.asarray(groups, dtype=np.int64)
    counts = np.bincount(known, weights=weights, minlength=NUM_GROUPS).astype(np.float64)
    if counts.sum() <= 0:
        raise RunError("there is no labelled photo to count groups of; train a fold first")
    shares: Float64Array = counts / counts.sum()
    return shares


def mix_weights(groups: ArrayLike, mix: ArrayLike) -> Float64Array:
    """How much each of these photos or people counts, (N,), when their groups shall have a mix; 1 on average.

    Args:
        groups: (N,) group 0..5.
        mix: (6,) shares wanted; those of groups that are not there are lost, the others keep their ratios.
    Raises:
        RunError: not six shares, a negative one, or none for any group that is there.
    """
    known = np.asarray(groups, dtype=np.int64)
    here, wanted = mix_of(known), np.asarray(mix, dtype=np.float64)
    if wanted.shape != (NUM_GROUPS,) or wanted.min() < 0 or wanted[here > 0].sum() <= 0:
        raise RunError(f"mix is {wanted.tolist()}; give {NUM_GROUPS} shares, none negative")
    ratio = np.where(here > 0, wanted / np.where(here > 0, here, 1), 0.0)[known]
    weights: Float64Array = ratio / ratio.mean()
    return weights


def total_variation(first: ArrayLike, second: ArrayLike) -> float:
    """Half the summed difference of two mixes: the share of people that would have to change group.

    >>> round(total_variation([0.5, 0.5], [0.2, 0.8]), 6)
    0.3
    """
    return float(np.abs(np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)).sum() / 2)


def em_mix(
    group_probs: FloatArray,
    train_mix: ArrayLike,
    *,
    strength: float = EM_STRENGTH,
    weights: ArrayLike | None = None,
    start: ArrayLike | None = None,
) -> Float64Array:
    """The class mix under which these probabilities are most likely, (6,).

    In turn: correct each photo's probabilities by the mix, and take their mean as the mix, until it stands
    still. Maximum likelihood runs away along groups that the network hardly tells apart, so the train mix
    has a say of ``strength``: a Dirichlet prior of that weight.

    Args:
        group_probs: (N, 6) of evaluation photos, calibrated with a bias; on others EM does harm. Groups may be
            finer, such as gender x age cell.
        train_mix: (6,) shares that the calibration was made on; a group without train people stays at 0.
        strength: as a share of the photos; 0 is maximum likelihood.
        weights: (N,) how often each photo counts.
        start: (6,) where to begin; the train mix when None.
    Raises:
        RunError: shapes that do not fit, or no photo.

    Source: Saerens, Latinne, Decaestecker, Adjusting the outputs of a classifier to new a priori
        probabilities, Neural Computation 2002; with a prior: Dempster, Laird, Rubin, JRSS B 1977, section 3.
    """
    probs = np.asarray(group_probs, dtype=np.float64)
    if probs.ndim != 2 or not len(probs):
        raise RunError(f"group_probs have shape {probs.shape}; give (photos, groups), at least one photo")
    groups = probs.shape[1]
    before = _mix("train_mix", train_mix, groups)
    shares = np.full(len(probs), 1 / len(probs)) if weights is None else np.asarray(weights, dtype=np.float64)
    same_length(group_probs=probs, weights=shares)
    shares = shares / shares.sum()
    likelihood = probs / np.where(before > 0, before, np.inf)  # (N, 6), up to a factor a photo
    mix: Float64Array = before if start is None else _mix("start", start, groups)
    for _ in range(2000):
        expected = mix * ((shares / np.maximum(likelihood @ mix, 1e-300)) @ likelihood)
        following: Float64Array = (expected + strength * before) / (expected.sum() + strength)
        if np.abs(following - mix).max() < 1e-7:
            return following
        mix = following
    return mix


def bbse_mix(
    groups: ArrayLike,
    predicted: ArrayLike,
    eval_predicted: ArrayLike,
    *,
    ridge: float = BBSE_RIDGE,
    weights: ArrayLike | None = None,
    eval_weights: ArrayLike | None = None,
) -> Float64Array:
    """The class mix that explains how often each group is predicted, (6,): black-box shift estimation.

    The train people tell how often a person of group j is predicted as i; the mix is the one on the simplex
    with which that gives the evaluation set's predictions, in least squares. It needs no calibration, only
    predictions. The inverse of that matrix makes noise large, so a ridge holds the mix near the train mix.

    Args:
        groups: (N,) true group of train photos.
        predicted: (N,) their predicted group, out-of-fold.
        eval_predicted: (M,) predicted group of evaluation photos.
        ridge: weight of the squared distance from the train mix; 0 is plain BBSE.
        weights, eval_weights: how often each photo counts.
    Raises:
        RunError: lengths differ, or there is no photo.

    Source: Lipton, Wang, Smola, Detecting and correcting for label shift with black box predictors, ICML
        2018; ridge: Azizzadenesheli et al., Regularized learning for domain adaptation under label shifts,
        ICLR 2019.
    """
    true, guess = paired(groups, predicted, num_classes=NUM_GROUPS)
    before = mix_of(true, weights)
    counts = np.bincount(guess * NUM_GROUPS + true, weights=weights, minlength=NUM_GROUPS**2)
    joint = counts.reshape(NUM_GROUPS, NUM_GROUPS)
    given = joint / np.maximum(joint.sum(axis=0), 1e-12)  # (6 predicted, 6 true), columns sum to 1
    seen = mix_of(eval_predicted, eval_weights)
    known = before > 0
    # Non-negative least squares with the sum of shares as one heavy row.
    rows = np.vstack([given, np.sqrt(ridge) * np.eye(NUM_GROUPS), np.full((1, NUM_GROUPS), 1e3)])
    wanted = np.concatenate([seen, np.sqrt(ridge) * before, [1e3]])
    mix = np.zeros(NUM_GROUPS)
    mix[known], _ = nnls(rows[:, known], wanted)
    shares: Float64Array = mix / mix.sum()
    return shares


def corrected(pred_probs: FloatArray, train_mix: ArrayLike, mix: ArrayLike) -> Float64Array:
    """Probabilities as they are when the groups have another mix, (N, 18).

    Args:
        pred_probs: (N, 18) calibrated on people of ``train_mix``.
        train_mix, mix: (6,) shares of groups before and after; a group without train people cannot be had.
    Raises:
        RunError: shapes that do not fit.

    Source: Saerens et al. 2002, equation 2.4; masks have the same shares before and after.
    """
    probs, before, after = np.asarray(pred_probs, dtype=np.float64), _mix("train_mix", train_mix), _mix("mix", mix)
    group_probabilities(probs)  # refuses other shapes
    ratio = np.where(before > 0, after / np.where(before > 0, before, 1), 0.0)
    tilted = probs * np.tile(ratio, NUM_CLASSES // NUM_GROUPS)
    shifted: Float64Array = tilted / np.maximum(tilted.sum(axis=1, keepdims=True), 1e-300)
    return shifted


def _mix(name: str, shares: ArrayLike, groups: int = NUM_GROUPS) -> Float64Array:
    mix: Float64Array = np.asarray(shares, dtype=np.float64)
    if mix.shape != (groups,) or not np.isfinite(mix).all() or mix.min() < 0 or mix.sum() <= 0:
        raise RunError(f"{name} is {mix.tolist()}; give {groups} shares, none negative")
    normalized: Float64Array = mix / mix.sum()
    return normalized
