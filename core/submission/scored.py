"""What the leaderboard said of some files tells what it will say of another: like files score alike.

A Gaussian process over files. Its mean is the expected score where a file has one; two files' departures from
it are the more alike, the more rows agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import SubmissionError
from core.evaluation.metrics import Float64Array, same_length
from core.taxonomy import IntArray

LEAST_SCORED = 5
"""Reported scores from which an estimate is given."""

_LENGTHS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_NOISES = (0.002, 0.01, 0.05, 0.2)
_TRUST = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


@dataclass(frozen=True)
class ScoredEstimate:
    """A file's score as the scored files let expect.

    Attributes:
        mean: macro F1.
        deviation: of the estimate, at least the leave-one-out error.
        loo_error: root mean square error of each scored file's estimate from the others.
        loo: (S,) those estimates.
        trust: how far the expected scores were followed, 0..1.5, as leave-one-out found best.
    """

    mean: float
    deviation: float
    loo_error: float
    loo: Float64Array
    trust: float


def estimate_from_scored(
    scored: Sequence[IntArray],
    scores: Sequence[float],
    classes: IntArray,
    *,
    expected: Sequence[float] | None = None,
    own_expected: float | None = None,
) -> ScoredEstimate:
    """The score of a file from files whose scores were reported.

    Length of likeness, noise and trust in the expected scores are those with the least leave-one-out error.

    Args:
        scored: S times (E,) classes.
        scores: (S,) reported macro F1.
        classes: (E,) of the file in question.
        expected: (S,) expected scores of the scored files, and ``own_expected`` that of the file; NaN or None
            where there is none, then likeness alone counts.
    Raises:
        SubmissionError: fewer than ``LEAST_SCORED`` scores.

    Source: Rasmussen, Williams, Gaussian Processes for Machine Learning, 2006, sections 2.2 and 5.4.2
        (leave-one-out without refitting).
    """
    if len(scored) < LEAST_SCORED or len(scored) != len(scores):
        raise SubmissionError(
            f"{len(scores)} files have a reported score; an estimate from them needs {LEAST_SCORED}: enter more"
        )
    for other in scored:
        same_length(scored=other, classes=classes)
    files = np.stack([*scored, classes])
    apart = 1 - np.stack([(files == one).mean(axis=1) for one in files])  # (S + 1, S + 1) share of rows that differ
    reported = np.asarray(scores, dtype=np.float64)
    means = np.array(
        [*(expected if expected is not None else [np.nan] * len(scores)), own_expected], dtype=np.float64
    )
    choices = _TRUST if np.isfinite(means).all() else (0.0,)
    error, length, noise, trust = min(
        (
            _rms(_leave_one_out(apart[:-1, :-1], reported - trust * _known(means)[:-1], length, noise)[0]),
            length,
            noise,
            trust,
        )
        for length in _LENGTHS
        for noise in _NOISES
        for trust in choices
    )
    prior = trust * _known(means)
    residuals, mean, spread = _leave_one_out(apart[:-1, :-1], reported - prior[:-1], length, noise)
    kernel = np.exp(-apart[-1, :-1] / length)
    inverse = np.linalg.inv(np.exp(-apart[:-1, :-1] / length) + noise * np.eye(len(reported)))
    own = prior[-1] + mean + kernel @ inverse @ (reported - prior[:-1] - mean)
    deviation = spread * float(np.sqrt(max(1 + noise - kernel @ inverse @ kernel, 0)))
    return ScoredEstimate(float(own), max(deviation, error), error, reported - residuals, trust)


def _leave_one_out(
    apart: Float64Array, values: Float64Array, length: float, noise: float
) -> tuple[Float64Array, float, float]:
    """(S,) value less its estimate from the others; the process's mean and standard deviation."""
    count = len(values)
    inverse = np.linalg.inv(np.exp(-apart / length) + noise * np.eye(count))
    ones = np.ones(count)
    mean = float(ones @ inverse @ values / (ones @ inverse @ ones))
    centred = inverse @ (values - mean)
    # The mean is one of the things learned from the others, so each is left out of it too.
    projected: Float64Array = inverse - np.outer(inverse @ ones, ones @ inverse) / (ones @ inverse @ ones)
    residuals: Float64Array = (projected @ values) / np.diag(projected)
    spread = max(float((values - mean) @ centred), 0.0) ** 0.5 / max(count - 1, 1) ** 0.5
    return residuals, mean, spread


def _known(means: Float64Array) -> Float64Array:
    return np.nan_to_num(means, nan=0.0)


def _rms(values: Float64Array) -> float:
    return float(np.sqrt((values**2).mean()))
