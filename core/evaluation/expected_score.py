"""What a prediction will score where nobody knows the truth: many possible truths are drawn, and each is scored.

A truth is drawn from calibrated, shift-corrected probabilities. People are the units: when a person is older
than the network thinks, all seven photos are wrong together, so a draw shares its luck within a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.errors import RunError
from core.evaluation.metrics import Float64Array, f1_from_counts, paired, same_length
from core.evaluation.prior import NUM_GROUPS, group_probabilities, groups_of
from core.taxonomy import NUM_CLASSES, PHOTO_KINDS, FloatArray, IntArray, decode

DISCREPANCY = 0.03
"""Standard deviation of what the draws do not know of: people who look otherwise within gender and age. Measured on
train people, by race, which nothing here is told: between races drawn anew and a race never seen (docs/log.md)."""

_PHOTOS_OF_A_PERSON = len(PHOTO_KINDS)


@dataclass(frozen=True)
class DrawnTruth:
    """Possible truths of the same photos; ``draw_truth`` makes it, any number of predictions can be scored on it.

    Attributes:
        labels: (D, N) class of each photo in each draw.
        public: (D, N) whether the photo's person is in the public half.
    """

    labels: NDArray[np.int8]
    public: NDArray[np.bool_]

    @cached_property
    def _supports(self) -> tuple[Float64Array, Float64Array]:
        """(D, 18) photos of each class: all, and those of the public half."""
        everywhere = np.ones_like(self.public)
        return _count(self.labels, everywhere), _count(self.labels, self.public)

    def scores(self, predictions: ArrayLike) -> Float64Array:
        """Macro F1 of a prediction in each draw, (D,)."""
        return self._score(predictions)[0]

    def half_scores(self, predictions: ArrayLike) -> tuple[Float64Array, Float64Array]:
        """Macro F1 of a prediction on the public and on the private half of each draw, (D,) each."""
        return self._score(predictions)[1:]

    def _score(self, predictions: ArrayLike) -> tuple[Float64Array, Float64Array, Float64Array]:
        guess, _ = paired(predictions, predictions)
        same_length(predictions=guess, drawn_photos=self.labels[0])
        wide = np.broadcast_to(guess.astype(np.int8), self.labels.shape)
        right = self.labels == wide
        (support, public_support), found = self._supports, []
        hits, public_hits = _count(wide, right), _count(wide, right & self.public)
        predicted, public_predicted = np.bincount(guess, minlength=NUM_CLASSES), _count(wide, self.public)
        for counts in (
            (hits, support, predicted),
            (public_hits, public_support, public_predicted),
            (hits - public_hits, support - public_support, predicted - public_predicted),
        ):
            found.append(f1_from_counts(*counts).mean(axis=1))
        return found[0], found[1], found[2]


@dataclass(frozen=True)
class ExpectedScore:
    """Macro F1 to expect.

    Attributes:
        mean: over the draws.
        low, high: interval that the true score lies in, for the level that was asked for.
        spread: 95 % of differences between public and private half are smaller than this.
    """

    mean: float
    low: float
    high: float
    spread: float


def draw_truth(
    pred_probs: Sequence[FloatArray],
    people: ArrayLike | None = None,
    *,
    together: float = 1.0,
    draws: int = 200,
    seed: int = 0,
) -> DrawnTruth:
    """Possible truths of some photos.

    Every photo's class is drawn from its own probabilities, by one uniform number that walks through the
    classes in their order. A person's photos share that number with probability ``together`` each: so every
    photo keeps its probabilities, and the photos of a person are young or old, male or female, together.

    Args:
        pred_probs: one (N, 18) or several that could each be right, such as bootstrap draws of the
            calibration; the draws are dealt out over them.
        people: (N,) person of each photo; None where nobody knows, then ``assumed_people`` stands in.
        together: see ``shared_luck``.
        draws: how many truths.
    Raises:
        RunError: no probabilities, shapes that differ, or a share outside 0..1.
    """
    if not len(pred_probs) or not len(pred_probs[0]):
        raise RunError("there is no probability to draw from; give (photos, 18) of at least one photo")
    if not 0 <= together <= 1:
        raise RunError(f"together is {together}; give a share, 0..1")
    number = len(pred_probs[0])
    group_probabilities(pred_probs[0])  # refuses other shapes
    owners = assumed_people(pred_probs[0]) if people is None else np.asarray(people)
    same_length(pred_probs=np.asarray(pred_probs[0]), people=owners)
    codes, known = pd.factorize(owners)
    rng = np.random.default_rng(seed)
    labels = np.empty((draws, number), dtype=np.int8)
    public = np.empty((draws, number), dtype=bool)
    for place, probs in enumerate(pred_probs):
        same_length(first_pred_probs=codes, pred_probs=np.asarray(probs))
        below = np.cumsum(probs, axis=1)[:, :-1]  # (N, 17)
        for draw in range(place, draws, len(pred_probs)):
            luck = np.where(rng.random(number) < together, rng.random(len(known))[codes], rng.random(number))
            labels[draw] = (luck[:, None] > below).sum(axis=1)
            public[draw] = (rng.permutation(len(known)) < len(known) / 2)[codes]
    return DrawnTruth(labels, public)


def expected_score(
    truth: DrawnTruth, predictions: ArrayLike, *, level: float = 0.95, discrepancy: float = DISCREPANCY
) -> ExpectedScore:
    """Macro F1 that a prediction will have, over the drawn truths.

    Args:
        predictions: (N,) classes.
        level: share of truths inside the interval.
        discrepancy: standard deviation of what the draws do not know of, see ``held_out``; the interval is
            widened by it, but where every draw has the same score.
    """
    scores, halves = truth.scores(predictions), truth.half_scores(predictions)
    tail = (1 - level) / 2
    mean, deviation = float(scores.mean()), float(scores.std())
    wider = np.hypot(deviation, discrepancy) / deviation if deviation > 0 else 1.0
    low, high = mean + wider * (np.quantile(scores, [tail, 1 - tail]) - mean)
    spread = float(np.quantile(np.abs(halves[0] - halves[1]), 0.95))
    return ExpectedScore(mean, max(0.0, float(low)), min(1.0, float(high)), spread)


def shared_luck(labels: ArrayLike, pred_probs: FloatArray, people: ArrayLike) -> float:
    """How far the photos of a person are wrong together, as the share ``together`` of ``draw_truth``.

    A residual is the true group minus its probabilities. Summed over a person's n photos its square is D
    times what independent photos would give, the design effect; if two photos share their luck with
    probability t^2, D = 1 + (n - 1) t^2.

    Args:
        labels: (N,) true classes of train photos.
        pred_probs: (N, 18) calibrated, out-of-fold.
        people: (N,) person of each photo.

    Source: Kish, Survey Sampling, 1965, section 5.4, for the design effect of clusters.
    """
    residuals = np.eye(NUM_GROUPS)[groups_of(labels)] - group_probabilities(pred_probs)  # (N, 6)
    codes, known = pd.factorize(np.asarray(people))
    same_length(labels=residuals, people=codes)
    summed = np.zeros((len(known), NUM_GROUPS))
    np.add.at(summed, codes, residuals)
    per_person = len(codes) / max(len(known), 1)
    total = float((residuals**2).sum())
    if per_person <= 1 or total == 0:
        return 0.0
    effect = float((summed**2).sum()) / total
    return float(np.sqrt(np.clip((effect - 1) / (per_person - 1), 0, 1)))


def assumed_people(pred_probs: FloatArray) -> IntArray:
    """A stand-in for persons where nobody knows them: photos that look alike, in sevens, (N,).

    Within each predicted mask, photos are put in order of their predicted group and of how old they look;
    equal parts of the three orders make a person, so that each has about five worn, one incorrect and one
    normal photo, all much alike.
    """
    groups = group_probabilities(pred_probs)
    looks = groups @ (np.arange(NUM_GROUPS) % 3)
    order = np.lexsort((looks, groups.argmax(axis=1)))
    mask = decode(np.asarray(pred_probs).argmax(axis=1))[0]
    number = -(-len(groups) // _PHOTOS_OF_A_PERSON)
    person = np.zeros(len(groups), dtype=np.int64)
    for one in range(3):
        rows = order[mask[order] == one]
        person[rows] = np.arange(len(rows)) * number // max(len(rows), 1)
    return person


def _count(classes: NDArray[np.int8], chosen: NDArray[np.bool_]) -> Float64Array:
    """(D, 18) photos of each class among the chosen ones, row by row."""
    flat = classes + NUM_CLASSES * np.arange(len(classes))[:, None]
    counts = np.bincount(flat[chosen], minlength=NUM_CLASSES * len(classes))
    return counts.reshape(-1, NUM_CLASSES).astype(np.float64)
