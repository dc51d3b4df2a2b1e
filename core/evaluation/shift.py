"""From out-of-fold and evaluation logits to calibrated, shift-corrected probabilities, with how sure they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import brentq  # type: ignore[attr-defined]

from core.errors import RunError
from core.evaluation.age_cells import cells_of
from core.evaluation.calibration_map import Calibration, CalibrationMethod, fit_calibration, to_classes
from core.evaluation.metrics import Float64Array, confusion_matrix, paired, probabilities, same_length
from core.evaluation.prior import GROUP_NAMES, bbse_mix, em_mix, groups_of, mix_of, total_variation
from core.taxonomy import AGE_BANDS, GENDERS, FloatArray, IntArray, decode

STEADY = 0.2
"""Largest distance of the two estimates of a mix at which either is trusted: see docs/methods.md."""

_SHARPEST = 4.0
"""Largest power by which a mean of networks is sharpened."""


@dataclass(frozen=True)
class Shift:
    """What one set of train people tells about the evaluation set.

    Attributes:
        calibration: of one network's logits.
        train_mix: (6,) shares of the groups among the train photos.
        predicted_mix: (6,) shares among the evaluation photos as a network's most probable classes say.
        em_mix, bbse_mix: (6,) estimated shares.
        train_cells, em_cells: (2, A) the same by gender and age cell, see ``age_cells``.
    """

    calibration: Calibration
    train_mix: Float64Array
    predicted_mix: Float64Array
    em_mix: Float64Array
    bbse_mix: Float64Array
    train_cells: Float64Array
    em_cells: Float64Array

    @property
    def mean_mix(self) -> Float64Array:
        """(6,) the mean of the two estimates: nobody knows which is nearer, and they err for different reasons."""
        return _mean([self.em_mix, self.bbse_mix])

    @property
    def gap(self) -> float:
        """Total variation distance of the two estimates."""
        return total_variation(self.em_mix, self.bbse_mix)

    @property
    def is_steady(self) -> bool:
        """Whether the two estimates, which err for different reasons, say about the same."""
        return self.gap <= STEADY

    def calibrated(self, logits: Sequence[FloatArray]) -> Float64Array:
        """Calibrated probabilities of the networks taken together, (M, 18).

        Args:
            logits: one (M, 18) a network that predicted the photos, such as each fold's.
        """
        return pooled([self.calibration.probabilities(member) for member in logits])

    def corrected(self, logits: Sequence[FloatArray], *, mix: ArrayLike | None = None) -> Float64Array:
        """As ``calibrated``, each network's corrected to a mix of groups: the one that EM found when None.

        Within a group the ages are those that EM found.
        """
        wanted = self.em_cells
        if mix is not None:
            change = _ratio(np.asarray(mix, dtype=np.float64), self.em_mix).reshape(len(GENDERS), -1)
            wanted = wanted * change[:, self.calibration.band_of_cell]
        tilt = _ratio(wanted, self.train_cells)  # (2, A)
        return pooled([self._tilted(one, tilt) for one in logits])

    def _tilted(self, logits: FloatArray, tilt: Float64Array) -> Float64Array:
        cells = self.calibration.cell_probabilities(logits) * tilt  # (M, 3, 2, A)
        classes = to_classes(cells, self.calibration.band_of_cell)
        normalized: Float64Array = classes / np.maximum(classes.sum(axis=1, keepdims=True), 1e-300)
        return normalized


def estimate_shift(
    oof_logits: FloatArray,
    labels: ArrayLike,
    eval_logits: Sequence[FloatArray],
    *,
    method: CalibrationMethod = "bias",
    weights: ArrayLike | None = None,
    ages: ArrayLike | None = None,
) -> Shift:
    """Calibration of a run, and the class mix of the evaluation set.

    Each network is asked alone and the answers are averaged: out-of-fold logits are single networks' too, so
    calibration map and confusion matrix hold for each, and not for the mean of networks.

    Args:
        oof_logits: (N, 18) of train photos.
        labels: (N,) true classes.
        eval_logits: one (M, 18) a network, such as each fold's; one alone where only the mean is known.
        weights: (N,) how often each train photo counts.
        ages: (N,) years of train photos, negative where unknown; evaluation people may then be of other ages
            within a band, too.
    Raises:
        RunError: lengths differ, or there is no labelled or no evaluation photo.
    """
    true, guess = paired(labels, np.asarray(oof_logits).argmax(axis=1))
    if not eval_logits or not len(eval_logits[0]):
        raise RunError("there is no evaluation photo to estimate a mix from; check the data set")
    calibration = fit_calibration(oof_logits, true, method=method, weights=weights, ages=ages)
    train_cells = _cell_mix(calibration, true, ages, weights)
    by_em = []
    for member in eval_logits:
        seen = calibration.cell_probabilities(member).sum(axis=1)  # (M, 2, A), over masks
        by_em.append(em_mix(seen.reshape(len(seen), -1), train_cells.ravel()))
    em_cells = _mean(by_em).reshape(train_cells.shape)
    guesses = [groups_of(member.argmax(axis=1)) for member in eval_logits]
    by_bbse = [bbse_mix(groups_of(true), groups_of(guess), seen, weights=weights) for seen in guesses]
    return Shift(
        calibration,
        mix_of(groups_of(true), weights),
        _mean([mix_of(seen) for seen in guesses]),
        (em_cells @ np.eye(len(AGE_BANDS))[calibration.band_of_cell]).ravel(),
        _mean(by_bbse),
        train_cells,
        em_cells,
    )


def pooled(members: Sequence[Float64Array]) -> Float64Array:
    """Probabilities of several calibrated networks taken together, (M, K).

    Their mean is less sure than it may be: where networks agree they are right more often than each of them says.
    So the mean is sharpened, by a power, until the classes that the networks choose are as probable on average as
    the networks, which are calibrated, say themselves.

    Args:
        members: one (M, K) a network.

    Source: under-confidence of means: Rahaman, Thiery, Uncertainty quantification and deep ensembles, NeurIPS 2021;
        the condition is what calibration of the pool demands, see docs/methods.md.
    """
    mean, guesses = _mean(members), [member.argmax(axis=1) for member in members]
    if len(members) == 1:
        return mean
    said = float(np.mean([member.max(axis=1) for member in members]))
    log_mean, rows = np.log(np.maximum(mean, 1e-30)), np.arange(len(mean))

    def too_sure(power: float) -> float:
        found = probabilities(power * log_mean)
        return float(np.mean([found[rows, guess] for guess in guesses])) - said

    if too_sure(1.0) >= 0:
        return mean
    if too_sure(_SHARPEST) <= 0:
        return probabilities(_SHARPEST * log_mean)
    return probabilities(float(brentq(too_sure, 1.0, _SHARPEST, xtol=1e-3)) * log_mean)  # type: ignore[no-untyped-call]


def bootstrap_shift(
    oof_logits: FloatArray,
    labels: ArrayLike,
    people: ArrayLike,
    eval_logits: Sequence[FloatArray],
    *,
    method: CalibrationMethod = "bias",
    ages: ArrayLike | None = None,
    draws: int = 30,
    seed: int = 0,
) -> Iterator[Shift]:
    """``estimate_shift`` as it would be with other train people: ``draws`` of them.

    Train people are drawn with replacement, all photos of a person together. Each draw asks one network, in
    turn, so that what sets networks apart is in the spread.

    Args:
        people: (N,) person of each train photo.
        method, ages: as in ``estimate_shift``.
    Raises:
        RunError: as ``estimate_shift``.
    """
    codes, known = pd.factorize(np.asarray(people))
    same_length(oof_logits=np.asarray(oof_logits), people=codes)
    rng = np.random.default_rng(seed)
    for draw in range(draws):
        counts = np.bincount(rng.integers(len(known), size=len(known)), minlength=len(known))
        member = eval_logits[draw % len(eval_logits)]
        yield estimate_shift(oof_logits, labels, [member], method=method, weights=counts[codes], ages=ages)


def intervals(estimate: Float64Array, draws: Sequence[Float64Array], *, level: float = 0.95) -> Float64Array:
    """(2, 6): lower and upper end of each group's share, from the spread of bootstrap draws.

    Args:
        estimate: (6,) shares.
        draws: the same from each bootstrap draw; their standard deviation needs fewer than quantiles would.
    """
    half = NormalDist().inv_cdf(0.5 + level / 2) * np.std(draws, axis=0, ddof=1)
    found: Float64Array = np.clip([estimate - half, estimate + half], 0, 1)
    return found


def mix_table(shift: Shift, draws: Sequence[Shift]) -> pd.DataFrame:
    """One row a group: group, train, predicted, em, em_low, em_high, bbse, bbse_low, bbse_high (shares)."""
    em_low, em_high = intervals(shift.em_mix, [draw.em_mix for draw in draws])
    bbse_low, bbse_high = intervals(shift.bbse_mix, [draw.bbse_mix for draw in draws])
    return pd.DataFrame(
        {
            "group": pd.Series(GROUP_NAMES, dtype=object),
            "train": shift.train_mix,
            "predicted": shift.predicted_mix,
            "em": shift.em_mix,
            "em_low": em_low,
            "em_high": em_high,
            "bbse": shift.bbse_mix,
            "bbse_low": bbse_low,
            "bbse_high": bbse_high,
        }
    )


def moves(before: ArrayLike, after: ArrayLike) -> pd.DataFrame:
    """Photos whose class changes, the most frequent change first: before, after (classes), photos."""
    counts = confusion_matrix(before, after)
    np.fill_diagonal(counts, 0)
    old, new = np.nonzero(counts)
    table = pd.DataFrame({"before": old, "after": new, "photos": counts[old, new]})
    return table.sort_values("photos", ascending=False, kind="stable", ignore_index=True)


def _cell_mix(
    calibration: Calibration, labels: IntArray, ages: ArrayLike | None, weights: ArrayLike | None
) -> Float64Array:
    """(2, A) shares of gender and age cell among the train photos; of those whose age is known."""
    _, gender, cell = decode(labels)
    if ages is not None and len(calibration.band_of_cell) > len(AGE_BANDS):
        cell = cells_of(labels, ages)
    size = len(calibration.band_of_cell)
    counts = np.ones(len(labels)) if weights is None else np.asarray(weights, dtype=np.float64)
    counts = np.where(cell >= 0, counts, 0.0)
    summed = np.bincount(gender * size + np.maximum(cell, 0), weights=counts, minlength=len(GENDERS) * size)
    shares: Float64Array = summed.reshape(len(GENDERS), size) / summed.sum()
    return shares


def _ratio(after: Float64Array, before: Float64Array) -> Float64Array:
    """After by before; 0 where there was nothing before."""
    found: Float64Array = np.where(before > 0, after / np.where(before > 0, before, 1), 0.0)
    return found


def _mean(arrays: Sequence[Float64Array]) -> Float64Array:
    mean: Float64Array = np.mean(arrays, axis=0)
    return mean
