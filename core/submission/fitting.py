"""Weights that are learned: fitted to out-of-fold macro F1, or chosen greedily with replacement.

What is fitted on some people is shown by its score on others: see ``combine``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluation.metrics import Float64Array, f1_from_counts
from core.submission.ensemble import LEAST
from core.taxonomy import NUM_CLASSES, FloatArray, IntArray

_SWEEPS = 3
_STEPS = 40
_PATIENCE = 6


def fit_weights(pred_probs: Sequence[FloatArray], labels: IntArray) -> Float64Array:
    """Weights of the soft vote with the best macro F1 on these photos, (M,), summing to 1.

    Starts from the better of equal weights and the most likely mixture; then one weight at a time is
    raised or lowered as long as the score rises, with ever smaller steps.

    Args:
        pred_probs: one (N, 18) a member, out-of-fold.
        labels: (N,) true class.
    """
    count = len(pred_probs)
    scored = _Scored.of(pred_probs, labels)
    starts = [np.full(count, 1 / count), mixture_weights(pred_probs, labels)]
    scores = [scored.macro_f1(scored.sum_of(start)) for start in starts]
    weights, best = starts[int(np.argmax(scores))].copy(), max(scores)
    total = scored.sum_of(weights)
    for sweep in range(_SWEEPS):
        step, before = 1 / count / 2**sweep, best
        for member in range(count):
            for change in (step, -step, -weights[member]):
                moved = max(change, -weights[member])
                if not moved or weights.sum() + moved < 1e-9:
                    continue
                tried = total + np.float32(moved) * scored.pred_probs[member]
                if (score := scored.macro_f1(tried)) > best + 1e-12:
                    weights[member] += moved
                    total, best = tried, score
        if best == before and sweep:
            break
    shares: Float64Array = weights / weights.sum()
    return shares


def mixture_weights(pred_probs: Sequence[FloatArray], labels: IntArray, *, steps: int = 100) -> Float64Array:
    """Weights under which the weighted mean probability makes the labels most likely, (M,).

    A concave problem; each step of EM raises the likelihood.

    Source: Smyth, Wolpert, Linearly combining density estimators via stacking, Machine Learning 1999.
    """
    rows = np.arange(len(labels))
    likely = np.stack([np.maximum(member[rows, labels], LEAST) for member in pred_probs]).astype(np.float64)  # (M, N)
    weights: Float64Array = np.full(len(likely), 1 / len(likely))
    for _ in range(steps):
        weights = weights * (likely / (weights @ likely)).mean(axis=1)
    shares: Float64Array = weights / weights.sum()
    return shares


def greedy_weights(pred_probs: Sequence[FloatArray], labels: IntArray) -> Float64Array:
    """How often each member is taken when always the one is added that raises macro F1 most, (M,) / steps.

    A member may be taken again, which is what gives it weight; of the path the best place is returned.
    Args as in ``fit_weights``.

    Source: Caruana et al., Ensemble selection from libraries of models, ICML 2004.
    """
    scored = _Scored.of(pred_probs, labels)
    total = np.zeros_like(scored.pred_probs[0])
    taken: list[int] = []
    best, best_length = -1.0, 0
    while len(taken) < _STEPS and len(taken) - best_length < _PATIENCE:
        scores = [scored.macro_f1(total + member) for member in scored.pred_probs]
        taken.append(int(np.argmax(scores)))
        total += scored.pred_probs[taken[-1]]
        if max(scores) > best + 1e-12:
            best, best_length = max(scores), len(taken)
    counts = np.bincount(taken[:best_length], minlength=len(pred_probs))
    shares: Float64Array = counts / counts.sum()
    return shares


@dataclass(frozen=True)
class _Scored:
    """Macro F1 of many weighted means of the same members, fast.

    A photo on which all members choose one class keeps it under any weights, so it is counted once;
    only the others are voted on again.

    Attributes:
        pred_probs: (M, U, 18) of the photos that members disagree on.
        labels: (U,).
        hits, support, predicted: (18,) counts; hits and predicted of the agreed photos alone.
    """

    pred_probs: FloatArray
    labels: IntArray
    hits: IntArray
    support: IntArray
    predicted: IntArray

    @classmethod
    def of(cls, pred_probs: Sequence[FloatArray], labels: IntArray) -> "_Scored":
        first = pred_probs[0].argmax(axis=1)
        agreed = np.ones(len(labels), dtype=bool)
        for member in pred_probs[1:]:
            agreed &= member.argmax(axis=1) == first
        open_rows = np.flatnonzero(~agreed)
        return cls(
            np.stack([np.asarray(member[open_rows], dtype=np.float32) for member in pred_probs]),
            labels[open_rows],
            np.bincount(labels[agreed & (first == labels)], minlength=NUM_CLASSES),
            np.bincount(labels, minlength=NUM_CLASSES),
            np.bincount(first[agreed], minlength=NUM_CLASSES),
        )

    def sum_of(self, weights: Float64Array) -> FloatArray:
        return np.tensordot(weights.astype(np.float32), self.pred_probs, axes=1)

    def macro_f1(self, total: FloatArray) -> float:
        chosen = total.argmax(axis=1)
        hits = self.hits + np.bincount(self.labels[chosen == self.labels], minlength=NUM_CLASSES)
        predicted = self.predicted + np.bincount(chosen, minlength=NUM_CLASSES)
        return float(f1_from_counts(hits, self.support, predicted).mean())
