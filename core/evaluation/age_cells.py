"""Ages finer than the three bands, as far as a network's band probabilities tell them.

People of 57 and people of 32 are one class, but they do not look one age: when the evaluation people are other
ages within a band, a band looks another way there, and what holds for cells of fewer years still holds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize  # type: ignore[attr-defined]
from scipy.special import log_softmax

from core.errors import RunError
from core.evaluation.metrics import Float64Array, same_length
from core.taxonomy import AGE_BANDS, IntArray, age_band, decode

CELL_BOUNDS = (25, 30, 45, 58, 60)
"""First year of each cell but the youngest. The bounds of the bands are among them; see docs/log.md."""

NUM_CELLS = len(CELL_BOUNDS) + 1
BAND_OF_CELL: IntArray = age_band(np.array([0, *CELL_BOUNDS]))
"""(A,) age band of each cell."""

FEWEST = 700
"""Photos of known age that a gender needs (100 people); with fewer, bands are all that is told apart."""

POOLED = 20.0
"""Photos that speak for a link being what it is for all masks: few photos of a mask change it little."""

_FARTHEST = 12.0


@dataclass(frozen=True)
class AgeLink:
    """Probabilities of the age cells, from what a network says of the bands; ``fit_age_link`` makes it.

    Attributes:
        weights: (3, A): of log(young / middle), of log(old / middle), and a constant.
    """

    weights: tuple[tuple[float, ...], ...]

    def __call__(self, log_probs: Float64Array) -> Float64Array:
        """Log-probabilities of cells, (..., A), from those of bands, (..., 3)."""
        found: Float64Array = log_softmax(_evidence(log_probs) @ np.asarray(self.weights), axis=-1)
        return found


def cells_of(labels: ArrayLike, ages: ArrayLike) -> IntArray:
    """(N,) age cell of each photo; -1 where the years are unknown or lie outside the label's band.

    Args:
        labels: (N,) class.
        ages: (N,) years, negative or NaN where nobody knows them.
    Raises:
        RunError: lengths differ.
    """
    years, bands = np.asarray(ages, dtype=np.float64), decode(np.asarray(labels))[2]
    same_length(labels=bands, ages=years)
    cells = np.searchsorted(CELL_BOUNDS, years, side="right")
    known = (years >= 0) & (BAND_OF_CELL[np.where(years >= 0, cells, 0)] == bands)
    return np.where(known, cells, -1)


def fit_age_link(
    log_probs: Float64Array, cells: IntArray, counts: Float64Array, near: AgeLink | None = None
) -> AgeLink:
    """The most likely link: a multinomial logistic regression, under a prior as strong as one photo.

    Args:
        log_probs: (N, 3) of the bands, as the network says.
        cells: (N,) true cell.
        counts: (N,) how often each photo counts.
        near: the link to stay near where photos are few, in the place of 0; the prior then is of 20 photos.
    Raises:
        RunError: there is no photo.

    Source: McCullagh, Nelder, Generalized Linear Models, 1989, section 5.2.4.
    """
    if counts.sum() <= 0:
        if near is None:
            raise RunError("there is no photo of known age to fit age cells to; leave the ages out")
        return near
    evidence, rows = _evidence(log_probs), np.arange(len(cells))
    shares, strength = counts / counts.sum(), (POOLED if near else 1) / float(counts.sum())
    wanted = evidence.T @ (np.eye(NUM_CELLS)[cells] * shares[:, None])  # (3, A)
    start = np.asarray(near.weights).ravel() if near else np.zeros(wanted.size)

    def loss(flat: Float64Array) -> tuple[float, Float64Array]:
        weights = flat.reshape(wanted.shape)
        fitted = log_softmax(evidence @ weights, axis=1)
        likelihood = float(shares @ fitted[rows, cells])
        slope = wanted - evidence.T @ (np.exp(fitted) * shares[:, None])
        away = flat - start
        return strength * float(away @ away) / 2 - likelihood, strength * away - slope.ravel()

    found = minimize(  # type: ignore[no-untyped-call]
        loss, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-10, "maxiter": 300}
    )
    return AgeLink(tuple(tuple(map(float, row)) for row in found.x.reshape(wanted.shape)))


def _evidence(log_probs: Float64Array) -> Float64Array:
    """(..., 3): both log-ratios to the middle band, halved to be of the size of 1, and a one."""
    ratios = np.clip(log_probs[..., [0, len(AGE_BANDS) - 1]] - log_probs[..., 1:2], -_FARTHEST, _FARTHEST) / 2
    found: Float64Array = np.concatenate([ratios, np.ones_like(ratios[..., :1])], axis=-1)
    return found
