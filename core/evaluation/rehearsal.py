"""A rehearsal of the leaderboard: held-out train people play the evaluation people, again and again.

Which of two predictions wins on 900 people is partly luck. Drawing the people anew shows how large a part,
with true labels and without a submission.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import RunError
from core.evaluation.metrics import Float64Array, f1_from_counts, paired, same_length
from core.evaluation.prior import groups_of, mix_of, mix_weights
from core.evaluation.uncertainty import count_by_person
from core.taxonomy import IntArray


@dataclass(frozen=True)
class Rehearsal:
    """Scores of C candidates in D draws.

    Attributes:
        names: the candidates.
        public, private: (D, C) macro F1 on either half.
        differing: (C, C) people, of those that a draw holds, of whom two candidates say different things; a mean.
    """

    names: tuple[str, ...]
    public: Float64Array
    private: Float64Array
    differing: Float64Array

    def ranks(self, half: str = "private") -> IntArray:
        """(D, C) rank of each candidate in each draw, 1 the best; of equal scores the first candidate's is better."""
        scores = self.private if half == "private" else self.public
        order = np.argsort(-scores, axis=1, kind="stable")
        ranks: IntArray = np.argsort(order, axis=1) + 1
        return ranks

    def table(self) -> pd.DataFrame:
        """One row a candidate, the best first.

        Returns:
            name, public and private (mean score), low and high (95 % of draws, private), best_rank and
            worst_rank (95 % of draws, private), first (share of draws in which it is
            first; of a tie each has its part).
        """
        ranks = self.ranks()
        low, high = np.quantile(self.private, [0.025, 0.975], axis=0)
        first = self.private == self.private.max(axis=1, keepdims=True)
        best, worst = np.quantile(ranks, [0.025, 0.975], axis=0, method="nearest")
        table = pd.DataFrame(
            {
                "name": pd.Series(self.names, dtype=object),
                "public": self.public.mean(axis=0),
                "private": self.private.mean(axis=0),
                "low": low,
                "high": high,
                "best_rank": best.astype(np.int64),
                "worst_rank": worst.astype(np.int64),
                "first": (first / first.sum(axis=1, keepdims=True)).mean(axis=0),
            }
        )
        return table.sort_values("private", ascending=False, ignore_index=True)

    def spread(self, level: float = 0.95) -> Float64Array:
        """(C,) difference between a candidate's public and private score that this share of draws stays below."""
        spread: Float64Array = np.quantile(np.abs(self.public - self.private), level, axis=0)
        return spread

    def cost_of_choosing(self) -> tuple[float, float]:
        """What taking the candidate with the highest public score costs on the private half.

        Returns:
            Macro F1 that it lies below the candidate with the highest private score, the mean over draws; and
            the share of draws in which it is another candidate.
        """
        rows = np.arange(len(self.public))
        lost = self.private.max(axis=1) - self.private[rows, self.public.argmax(axis=1)]
        return float(lost.mean()), float((lost > 0).mean())

    def wins(self, name: str, other: str) -> float:
        """Share of draws in which ``name`` scores above ``other`` on the private half; a tie counts half."""
        gap = self.private[:, self.names.index(name)] - self.private[:, self.names.index(other)]
        return float((gap > 0).mean() + (gap == 0).mean() / 2)

    def says(self, name: str, other: str) -> str:
        """``wins`` in words: "B beats A in 91 % of draws; 34 people decide it"."""
        deciding = self.differing[self.names.index(name), self.names.index(other)]
        return f"{name} beats {other} in {self.wins(name, other):.0%} of draws; {deciding:.0f} people decide it"


def rehearse(
    labels: ArrayLike,
    candidates: Mapping[str, ArrayLike],
    people: ArrayLike,
    *,
    mix: ArrayLike | None = None,
    size: int | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Rehearsal:
    """Draw evaluation sets from held-out train people, halve each, and score all candidates on the same people.

    Args:
        labels: (N,) true class of train photos that every candidate predicted out-of-fold.
        candidates: (N,) predicted classes by name.
        people: (N,) person of each photo.
        mix: (6,) shares of the groups to draw people with, such as the estimated ones; theirs when None.
        size: people in a draw, both halves together; as many as there are when None.
        draws: how many evaluation sets.
    Raises:
        RunError: no candidate, fewer than two people, lengths that differ, or a value that is no class.

    Source: paired bootstrap, Efron, Tibshirani 1993, chapter 8; in contests: Koehn, Statistical significance
        tests for machine translation evaluation, EMNLP 2004.
    """
    codes, known = pd.factorize(np.asarray(people))
    if not candidates or len(known) < 2:
        raise RunError(
            f"{len(candidates)} candidates and {len(known)} people; a rehearsal needs one and two at least"
        )
    guesses = [paired(labels, guess)[1] for guess in candidates.values()]
    true, _ = paired(labels, labels)
    same_length(labels=true, people=codes)
    support = count_by_person(codes, true, len(known))  # (G, 18)
    counts = np.stack([_hits_and_predicted(true, guess, codes, len(known)) for guess in guesses])  # (C, 2, G, 18)
    chance = _chances(true, codes, len(known), mix)
    rng = np.random.default_rng(seed)
    number = size or len(known)
    halves: list[list[Float64Array]] = [[], []]
    for _ in range(draws):
        drawn = rng.choice(len(known), size=number, p=chance)
        for half, owners in zip(halves, (drawn[: number // 2], drawn[number // 2 :]), strict=True):
            times = np.bincount(owners, minlength=len(known)).astype(np.float32)
            hits, predicted = np.moveaxis(times @ counts, 1, 0)  # (C, 18) each
            half.append(f1_from_counts(hits, times @ support, predicted).mean(axis=1))
    different = np.zeros((len(known), len(guesses), len(guesses)))
    for first, one in enumerate(guesses):
        for second, other in enumerate(guesses):
            different[:, first, second] = np.bincount(codes, weights=one != other, minlength=len(known)) > 0
    differing: Float64Array = number * np.tensordot(chance, different, axes=1)
    return Rehearsal(tuple(candidates), np.array(halves[0]), np.array(halves[1]), differing)


def _hits_and_predicted(true: IntArray, guess: IntArray, codes: IntArray, n_people: int) -> np.ndarray:
    right = true == guess
    return np.stack([count_by_person(codes[right], true[right], n_people), count_by_person(codes, guess, n_people)])


def _chances(true: IntArray, codes: IntArray, n_people: int, mix: ArrayLike | None) -> Float64Array:
    """How likely each person is drawn, so that the groups come out as in the mix."""
    groups = np.zeros(n_people, dtype=np.int64)
    groups[codes] = groups_of(true)
    chances: Float64Array = mix_weights(groups, mix_of(groups) if mix is None else mix) / n_people
    return chances
