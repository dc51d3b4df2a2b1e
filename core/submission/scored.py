"""What the leaderboard said of some files tells what it will say of another: like files score alike.

A Gaussian process over files. Its mean is the expected score. Two files depart from it alike as far as they score
alike in the same drawn truths, and the more, the more rows agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from core.errors import SubmissionError
from core.evaluation.metrics import Float64Array, same_length
from core.taxonomy import IntArray

LEAST_SCORED = 5
"""Reported scores from which an estimate is given."""

_LENGTHS = (0.05, 0.2, 0.8, 3.2)
_DEPARTURES = (0.0, 0.01, 0.03, 0.1, 0.3)
_NOISES = (0.001, 0.003, 0.01)
_TRUST = (0.75, 0.9, 1.0, 1.1, 1.25, 1.5)
_DRAWN = (0.5, 1.0, 3.0, 10.0)


class _Setting(NamedTuple):
    """What the likelihood chooses: weight of the drawn covariance, spread and length of departures, noise, trust."""

    drawn: float
    departure: float
    length: float
    noise: float
    trust: float

    def covariance(self, shared: Float64Array, apart: Float64Array) -> Float64Array:
        """(F, F): what drawn truths have in common, departures that like files share, and a file's own noise."""
        alike = self.departure**2 * np.exp(-apart / self.length)
        found: Float64Array = self.drawn * shared + alike + self.noise**2 * np.eye(len(apart))
        return found


@dataclass(frozen=True)
class ScoredEstimates:
    """The scores of F files as the scored ones among them let expect.

    Attributes:
        mean: (F,) macro F1; of a scored file from the others.
        deviation: (F,) of the estimate, at least the leave-one-out error.
        loo_error: root mean square error of each scored file's estimate from the others.
        trust: how far the expected scores were followed.
    """

    mean: Float64Array
    deviation: Float64Array
    loo_error: float
    trust: float


def estimate_scores(
    files: Sequence[IntArray],
    reported: Sequence[float],
    *,
    expected: Sequence[float] | None = None,
    drawn: Float64Array | None = None,
) -> ScoredEstimates:
    """The score of each file from those whose scores were reported.

    Args:
        files: F times (E,) classes.
        reported: (F,) macro F1, NaN where nobody reported one.
        expected: (F,) expected scores, NaN where a file has none; any NaN, and likeness alone counts.
        drawn: (D, F) macro F1 of the files in the same D drawn truths of the public half
            (``DrawnTruth.half_scores``), where there is a belief: then their mean is expected.
    Raises:
        SubmissionError: fewer than ``LEAST_SCORED`` scores.

    Source: Rasmussen, Williams, Gaussian Processes for Machine Learning, 2006, sections 2.2, 2.7, 5.4.1 (likelihood)
        and 5.4.2 (leave-one-out without refitting).
    """
    scores = np.asarray(reported, dtype=np.float64)
    rows = np.flatnonzero(~np.isnan(scores))
    if len(rows) < LEAST_SCORED:
        raise SubmissionError(
            f"{len(rows)} files have a reported score; an estimate from them needs {LEAST_SCORED}: enter more"
        )
    for other in files:
        same_length(files=other, first_file=files[0])
    table = np.stack(files)
    apart = 1 - np.stack([(table == one).mean(axis=1) for one in table])  # (F, F) share of rows that differ
    means, shared = _expected(len(files), expected, drawn)
    square = np.ix_(rows, rows)

    def process(setting: _Setting) -> _Process:
        kernel = setting.covariance(shared[square], apart[square])
        return _Process(kernel, scores[rows] - setting.trust * means[rows])

    settings = product(
        _DRAWN if shared.any() else (0.0,), _DEPARTURES, _LENGTHS, _NOISES, _TRUST if means.any() else (0.0,)
    )
    best = min((_Setting(*setting) for setting in settings), key=lambda one: process(one).unlikelihood)
    found, whole = process(best), best.covariance(shared, apart)
    mean, deviation = found.predict(whole[rows], np.diag(whole))
    mean += best.trust * means
    mean[rows] = scores[rows] - found.left_out
    loo_error = float(np.sqrt((found.left_out**2).mean()))
    return ScoredEstimates(mean, np.maximum(deviation, loo_error), loo_error, best.trust)


def _expected(
    count: int, expected: Sequence[float] | None, drawn: Float64Array | None
) -> tuple[Float64Array, Float64Array]:
    """(F,) what is expected, zeros where that is not known of every file, and (F, F) how it is unsure together."""
    nothing = np.zeros((count, count))
    if drawn is not None:
        return drawn.mean(axis=0), np.cov(drawn.T)
    means = np.full(count, np.nan) if expected is None else np.asarray(expected, dtype=np.float64)
    return (means if np.isfinite(means).all() else np.zeros(count)), nothing


class _Process:
    """A Gaussian process with an unknown constant as its mean, given (S, S) covariance and (S,) values."""

    def __init__(self, covariance: Float64Array, values: Float64Array) -> None:
        self.inverse = np.linalg.inv(covariance)
        self.weight = float(self.inverse.sum())
        self.constant = float(self.inverse.sum(axis=0) @ values) / self.weight
        self.centred = values - self.constant
        self.log_size = float(np.linalg.slogdet(covariance)[1])

    @property
    def unlikelihood(self) -> float:
        """Twice the negative logarithm of the restricted likelihood, but for a constant."""
        return self.log_size + float(np.log(self.weight)) + float(self.centred @ self.inverse @ self.centred)

    @property
    def left_out(self) -> Float64Array:
        """(S,) value less its estimate from the others; the constant is learned from the others as well."""
        sums = self.inverse.sum(axis=0)
        found: Float64Array = (self.inverse @ self.centred) / (np.diag(self.inverse) - sums**2 / self.weight)
        return found

    def predict(self, across: Float64Array, own: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Mean and standard deviation of (F,) others, given (S, F) covariances with the known and (F,) variances."""
        told = self.inverse @ across
        mean: Float64Array = self.constant + self.centred @ told
        variance = own - (across * told).sum(axis=0) + (1 - told.sum(axis=0)) ** 2 / self.weight
        deviation: Float64Array = np.sqrt(np.maximum(variance, 0))
        return mean, deviation
