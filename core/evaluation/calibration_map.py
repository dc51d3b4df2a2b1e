"""A run's logits as probabilities that mean what they say, axis by axis.

The 18 classes are a chain: the mask, then the gender given the mask, then the age given both. Each link
has its own sharpness and may lean to one value, so each gets its own temperature and, with ``bias``, its
own bias: a network that was trained with 58 as "60 and over" leans to the oldest band, and one temperature
cannot take that back. A bare face tells more than a masked one, and the few bare faces are a third of macro F1:
so ``bias`` also tells the masks apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from core.errors import RunError
from core.evaluation.age_cells import BAND_OF_CELL, FEWEST, POOLED, AgeLink, cells_of, fit_age_link
from core.evaluation.calibration import TEMPERATURES, fit_temperature
from core.evaluation.metrics import Float64Array, paired, probabilities, same_length
from core.one_thread import on_one_thread
from core.taxonomy import AGE_BANDS, GENDERS, MASKS, FloatArray, IntArray, decode

CalibrationMethod = Literal["none", "temperature", "axes", "bias"]
"""``temperature``: one for all. ``axes``: one a link of the chain. ``bias``: that, and a bias a value, by mask."""


@dataclass(frozen=True)
class Link:
    """One link of the chain: probabilities become softmax(scale * log p + bias).

    Attributes:
        scale: 1 / temperature.
        bias: one number a value of the axis.
    """

    scale: float
    bias: tuple[float, ...]

    def __call__(self, log_probs: Float64Array) -> Float64Array:
        """Log-probabilities of the link, mended; (..., K) to (..., K)."""
        return _normalized(self.scale * log_probs + np.asarray(self.bias))


AnyLink = Link | AgeLink
_Fit = Callable[[Float64Array, IntArray, Float64Array, Any], Any]


@dataclass(frozen=True)
class Calibration:
    """A map from logits to calibrated probabilities, fitted by ``fit_calibration``.

    Attributes:
        method: how it was fitted.
        temperature: of all logits, before the chain.
        mask: first link of the chain.
        gender: its second link, one a mask.
        age: its third, one a mask for each gender; to finer cells of age where ages were known.
    """

    method: CalibrationMethod
    temperature: float = 1.0
    mask: Link = Link(1.0, (0.0,) * len(MASKS))
    gender: tuple[AnyLink, ...] = (Link(1.0, (0.0,) * len(GENDERS)),) * len(MASKS)
    age: tuple[tuple[AnyLink, ...], ...] = ((Link(1.0, (0.0,) * len(AGE_BANDS)),) * len(MASKS),) * len(GENDERS)

    @property
    def band_of_cell(self) -> IntArray:
        """(A,) age band of each cell that ``cell_probabilities`` tells apart."""
        return BAND_OF_CELL if isinstance(self.age[0][0], AgeLink) else np.arange(len(AGE_BANDS))

    def probabilities(self, logits: FloatArray) -> Float64Array:
        """Calibrated probabilities, (N, 18), of logits or log-probabilities of the same kind.

        Raises:
            RunError: not (N, 18), or a row without finite values.
        """
        if self.method in ("none", "temperature"):
            return probabilities(logits, temperature=self.temperature)
        return to_classes(self.cell_probabilities(logits), self.band_of_cell)

    def cell_probabilities(self, logits: FloatArray) -> Float64Array:
        """The same with age cells for bands: (N, 3, 2, A) of mask, gender, cell; raises alike."""
        if self.method in ("none", "temperature"):
            return self.probabilities(logits).reshape(-1, len(MASKS), len(GENDERS), len(AGE_BANDS))
        mask, gender, age = _chain(logits)
        genders = np.stack([link(gender[:, one]) for one, link in enumerate(self.gender)], axis=1)
        ages = np.stack(
            [
                np.stack([link(age[:, one, of]) for one, link in enumerate(links)], axis=1)
                for of, links in enumerate(self.age)
            ],
            axis=2,
        )
        joint: Float64Array = np.exp(self.mask(mask)[:, :, None, None] + genders[..., None] + ages)
        return joint


def to_classes(cell_probs: Float64Array, band_of_cell: IntArray) -> Float64Array:
    """(N, 18) of classes, from (N, 3, 2, A) of mask, gender and age cell."""
    summed: Float64Array = cell_probs @ np.eye(len(AGE_BANDS))[band_of_cell]
    return summed.reshape(len(summed), -1)


@on_one_thread
def fit_calibration(
    logits: FloatArray,
    labels: ArrayLike,
    *,
    method: CalibrationMethod = "bias",
    weights: ArrayLike | None = None,
    ages: ArrayLike | None = None,
) -> Calibration:
    """The most likely calibration map for these labels.

    The likelihood of a chain is the product of its links', so each link is fitted alone, on the true values
    of the links before it. A bias makes the mean probability of each value equal to its share of the labels,
    which is what the estimate of a shifted class mix needs (``prior``).

    Args:
        logits: (N, 18); out-of-fold, so that no model scored a photo it trained on.
        labels: (N,) class by the competition's own age bounds, whatever bounds were trained.
        weights: (N,) how often each photo counts, as in a bootstrap; whole numbers but for ``bias``.
        ages: (N,) years, negative where unknown; with enough of them ``bias`` tells masks apart, and finer ages than
            the bands.
    Raises:
        RunError: lengths differ, no photo, or logits that are not finite.

    Source: Alexandari, Kundaje, Shrikumar, Maximum likelihood with bias-corrected calibration is
        hard-to-beat at label shift adaptation, ICML 2020; temperature as in ``fit_temperature``.
    """
    true, _ = paired(labels, labels)
    same_length(labels=true, logits=np.asarray(logits))
    if method == "none":
        return Calibration("none")
    if weights is not None and method != "bias":
        drawn = np.repeat(np.arange(len(true)), np.asarray(weights, dtype=np.int64))
        return fit_calibration(np.asarray(logits)[drawn], true[drawn], method=method)
    if method == "temperature":
        return Calibration("temperature", temperature=fit_temperature(logits, true))
    if not len(true):
        raise RunError("there is no labelled photo to calibrate on; train a fold first")
    counts = np.ones(len(true)) if weights is None else np.asarray(weights, dtype=np.float64)
    cells = np.full(len(true), -1) if ages is None or method != "bias" else cells_of(true, ages)
    return _fit_chain(method, logits, true, counts, cells)


def _fit_chain(
    method: CalibrationMethod, logits: FloatArray, true: IntArray, counts: Float64Array, cells: IntArray
) -> Calibration:
    """All links; to age cells, and one a mask, where enough cells are known (-1 where not)."""
    mask, gender, age = decode(true)
    of_mask, of_gender, of_age = _chain(logits)
    rows = np.arange(len(true))

    def by_mask(fit: _Fit, log_probs: Float64Array, values: IntArray, chosen: IntArray) -> tuple[AnyLink, ...]:
        """One link a mask: fitted to all masks, and where ages are known then to each, held near the first."""
        whole = fit(log_probs[chosen], values[chosen], counts[chosen], None)
        if not fine:
            return (whole,) * len(MASKS)
        parts = [chosen[mask[chosen] == one] for one in range(len(MASKS))]
        return tuple(fit(log_probs[part], values[part], counts[part], whole) for part in parts)

    fit = _fit_scale if method == "axes" else _fit_scale_and_bias
    ages_of_truth = of_age[rows, mask, gender]  # (N, 3)
    of_gender_rows = [np.flatnonzero(gender == one) for one in range(len(GENDERS))]
    told = [some[(cells[some] >= 0) & (counts[some] > 0)] for some in of_gender_rows]
    fine = min(map(len, told)) >= FEWEST
    if fine:
        age_links = tuple(by_mask(fit_age_link, ages_of_truth, cells, some) for some in told)
    else:
        age_links = tuple(by_mask(fit, ages_of_truth, age, some) for some in of_gender_rows)
    return Calibration(
        method,
        mask=fit(of_mask, mask, counts, None),
        gender=by_mask(fit, of_gender[rows, mask], gender, rows),
        age=age_links,
    )


def _fit_scale(log_probs: Float64Array, values: IntArray, *_: object) -> Link:
    """Most likely link without a bias; every photo counts once."""
    scale = 1 / fit_temperature(log_probs, values) if len(values) else 1.0
    return Link(scale, (0.0,) * log_probs.shape[1])


def _fit_scale_and_bias(log_probs: Float64Array, values: IntArray, counts: Float64Array, near: Link | None) -> Link:
    """Most likely link, held near another, or near no change by a prior as strong as one photo.

    The prior keeps rare and never-wrong values finite.
    """
    num_values = log_probs.shape[1]
    centre = near or Link(1.0, (0.0,) * num_values)
    if counts.sum() <= 0:
        return centre
    scores = np.maximum(log_probs - log_probs.max(axis=1, keepdims=True), -1e4)
    shares = counts / counts.sum()
    observed = shares @ scores[np.arange(len(values)), values]
    frequency = np.bincount(values, weights=shares, minlength=num_values)
    start = np.array([centre.scale, *centre.bias])
    strength = (POOLED if near else 1) / counts.sum()

    def loss(theta: Float64Array) -> tuple[float, Float64Array]:
        log_fitted = _normalized(theta[0] * scores + theta[1:])
        fitted = np.exp(log_fitted)
        away = theta - start
        likelihood = shares @ log_fitted[np.arange(len(values)), values]
        gradient = np.concatenate([[observed - shares @ (fitted * scores).sum(axis=1)], frequency - shares @ fitted])
        return strength * (away @ away) / 2 - likelihood, strength * away - gradient

    bounds = [(1 / TEMPERATURES[1], 1 / TEMPERATURES[0])] + [(None, None)] * num_values
    found = minimize(  # type: ignore[no-untyped-call]
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12}
    )
    return Link(float(found.x[0]), tuple(map(float, found.x[1:])))


def _chain(logits: FloatArray) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Log-probabilities of mask (N, 3), gender given mask (N, 3, 2), age given both (N, 3, 2, 3)."""
    scores = np.asarray(logits, dtype=np.float64)
    probabilities(scores)  # refuses what is not (N, K) or not finite
    if scores.shape[1] != len(MASKS) * len(GENDERS) * len(AGE_BANDS):
        raise RunError(f"logits have {scores.shape[1]} columns; axis by axis needs the 18 classes")
    scores = np.maximum(scores - scores.max(axis=1, keepdims=True), -1e4) if scores.size else scores
    joint = scores.reshape(-1, len(MASKS), len(GENDERS), len(AGE_BANDS))
    gender, mask = _total(joint, -1), _total(joint, (-2, -1))
    return _normalized(mask), gender - mask[..., None], joint - gender[..., None]


def _total(log_probs: Float64Array, axis: int | tuple[int, ...]) -> Float64Array:
    """Log of the sum of exponentials over some axes."""
    top = log_probs.max(axis=axis, keepdims=True)
    summed: Float64Array = np.squeeze(top, axis) + np.log(np.exp(log_probs - top).sum(axis=axis))
    return summed


def _normalized(scores: Float64Array) -> Float64Array:
    """Log-softmax over the last axis."""
    return scores - _total(scores, -1)[..., None]
