"""Truths of the evaluation set as train people let expect them, and whether that is honest.

Train people can stand in for the evaluation set too; their truth is known, and tells.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import RunError
from core.evaluation.calibration_map import CalibrationMethod
from core.evaluation.expected_score import DISCREPANCY, DrawnTruth, draw_truth, expected_score, shared_luck
from core.evaluation.metrics import Float64Array, macro_f1, paired, same_length
from core.evaluation.prior import NUM_GROUPS, groups_of
from core.evaluation.shift import bootstrap_shift
from core.taxonomy import FloatArray, IntArray

_BOOTSTRAPS = 6
_REDRAWN_BOUNDS = (23, 26, 30, 35, 40, 45, 50, 55, 58, 60)
_REDRAWN_SPREAD = 1.2
"""Standard deviation of the logarithm of how often an age is taken: a distance (total variation) between the mixes
of about 0.18 on the real faces."""


@dataclass(frozen=True)
class HeldOutCheck:
    """Expected and true macro F1 of random halves of the train people, (R,) each.

    Attributes:
        truth: the score that each half had.
        mean, low, high: what was expected.
        deviation: of the draws.
        low_of_draws, high_of_draws: the interval without what widens it for people who are otherwise.
    """

    truth: Float64Array
    mean: Float64Array
    low: Float64Array
    high: Float64Array
    deviation: Float64Array
    low_of_draws: Float64Array
    high_of_draws: Float64Array

    @property
    def without_discrepancy(self) -> "HeldOutCheck":
        """The same with the intervals of the draws alone."""
        return replace(self, low=self.low_of_draws, high=self.high_of_draws)

    @property
    def coverage(self) -> float:
        """Share of halves whose true score lies in its interval."""
        return float(((self.low <= self.truth) & (self.truth <= self.high)).mean())

    @property
    def discrepancy(self) -> float:
        """Standard deviation of the errors beyond what the draws expect; 0 where they expect enough."""
        beyond = ((self.truth - self.mean) ** 2).mean() - (self.deviation**2).mean()
        return float(np.sqrt(max(0.0, beyond)))


def draw_evaluation_truth(
    oof_logits: FloatArray,
    labels: ArrayLike,
    people: ArrayLike,
    eval_logits: Sequence[FloatArray],
    *,
    eval_people: ArrayLike | None = None,
    ages: ArrayLike | None = None,
    method: CalibrationMethod = "bias",
    bootstraps: int = _BOOTSTRAPS,
    draws: int = 200,
    seed: int = 0,
) -> DrawnTruth:
    """Possible truths of the evaluation photos, with what is unsure about calibration and mix in them.

    The draws are dealt out over other train people and, as nobody knows which estimate of the mix is nearer,
    over EM's and BBSE's by turns.

    Args:
        oof_logits: (N, 18) of train photos.
        labels: (N,) true classes.
        people: (N,) person of each train photo.
        eval_logits: one (M, 18) a network, as in ``estimate_shift``.
        eval_people: (M,) person of each evaluation photo, where known.
        ages: (N,) years of train photos, negative where unknown.
        bootstraps: calibrations and mixes that the draws are dealt out over.
        draws: how many truths.
    Raises:
        RunError: as ``estimate_shift``.
    """
    inputs = (oof_logits, labels, people, eval_logits)
    shifts = list(bootstrap_shift(*inputs, method=method, ages=ages, draws=bootstraps, seed=seed))
    together = shared_luck(labels, shifts[0].calibration.probabilities(oof_logits), people)
    posteriors = [one.corrected(eval_logits, mix=mix) for one in shifts for mix in (one.em_mix, one.bbse_mix)]
    return draw_truth(posteriors, eval_people, together=together, draws=draws, seed=seed)


def check_expected_scores(
    oof_logits: FloatArray,
    labels: ArrayLike,
    people: ArrayLike,
    *,
    ages: ArrayLike | None = None,
    halves: int = 200,
    mix: ArrayLike | None = None,
    other_ages: bool = False,
    level: float = 0.95,
    discrepancy: float = DISCREPANCY,
    seed: int = 0,
) -> HeldOutCheck:
    """Expected score of random halves of the train people, as if nobody knew their labels.

    One half of the people calibrates and gives the train mix; the other half's mix is estimated, its truths are
    drawn and its most probable classes scored, as is done for the evaluation set.

    Args:
        oof_logits: (N, 18) of train photos.
        labels: (N,) true classes.
        people: (N,) person of each photo.
        ages: (N,) years, negative where unknown.
        halves: how many random halves.
        mix: (6,) mix of groups that the other half is thinned to; as it comes when None.
        other_ages: thin the other half to a third, each time to another mix of genders and years.
        level, discrepancy: as in ``expected_score``.
    Raises:
        RunError: lengths differ, or fewer than four people.
    """
    logits = np.asarray(oof_logits)
    true, guess = paired(labels, logits.argmax(axis=1))
    codes, known = pd.factorize(np.asarray(people))
    same_length(labels=true, people=codes)
    if len(known) < 4:
        raise RunError(f"there are {len(known)} people; a check on halves needs four or more")
    group_of_person = np.zeros(len(known), dtype=np.int64)
    group_of_person[codes] = groups_of(true)
    years = np.full(len(true), -1.0) if ages is None else np.asarray(ages, dtype=np.float64)
    years_of_person = np.zeros(len(known))
    years_of_person[codes] = years
    rng = np.random.default_rng(seed)
    rows: list[tuple[float, ...]] = []
    for half in range(halves):
        chosen = rng.permutation(len(known))
        ours, theirs = chosen[: len(known) // 2], chosen[len(known) // 2 :]
        if mix is not None:
            theirs = _thinned(theirs, group_of_person, np.asarray(mix, dtype=np.float64))
        if other_ages:
            theirs = _redrawn(theirs, years_of_person, group_of_person, rng)
        fit, score = np.isin(codes, ours), np.isin(codes, theirs)
        drawn = draw_evaluation_truth(
            logits[fit], true[fit], codes[fit], [logits[score]], bootstraps=_BOOTSTRAPS, seed=seed + half,
            ages=None if ages is None else years[fit],
        )  # fmt: skip
        rows.append(_row(drawn, true[score], guess[score], level, discrepancy))
    return HeldOutCheck(*np.array(rows).T)


def _row(
    drawn: DrawnTruth, labels: IntArray, predictions: IntArray, level: float, discrepancy: float
) -> tuple[float, ...]:
    """One half's numbers, in the order of ``HeldOutCheck``."""
    told, alone = (expected_score(drawn, predictions, level=level, discrepancy=one) for one in (discrepancy, 0.0))
    deviation = float(drawn.scores(predictions).std())
    return macro_f1(labels, predictions), told.mean, told.low, told.high, deviation, alone.low, alone.high


def _redrawn(people: IntArray, years: Float64Array, groups: IntArray, rng: np.random.Generator) -> IntArray:
    """A third of these people, drawn so that each gender has some ages often and others seldom; nobody twice.

    Source: Efraimidis, Spirakis, Weighted random sampling with a reservoir, Information Processing Letters 2006.
    """
    place = np.searchsorted(_REDRAWN_BOUNDS, years[people], side="right") * 2 + groups[people] // 3
    weights = np.exp(rng.normal(0, _REDRAWN_SPREAD, size=2 * len(_REDRAWN_BOUNDS) + 2))[place]
    order = np.argsort(-(rng.random(len(people)) ** (1 / weights)))
    return people[order[: len(people) // 3]]


def _thinned(people: IntArray, groups: IntArray, mix: Float64Array) -> IntArray:
    """The largest part of these people that has the mix; nobody twice."""
    counts = np.bincount(groups[people], minlength=NUM_GROUPS)
    wanted = mix > 0
    size = (counts[wanted] / mix[wanted]).min()
    kept = [people[groups[people] == one][: round(size * mix[one])] for one in range(NUM_GROUPS)]
    return np.concatenate(kept)
