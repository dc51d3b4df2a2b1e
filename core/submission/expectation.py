"""What the evaluation photos probably are, by an ensemble's own account, and what a file would score on them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from core.evaluation.expected_score import DrawnTruth, ExpectedScore, draw_truth, expected_score, shared_luck
from core.evaluation.metrics import Float64Array
from core.evaluation.shift import Shift, bootstrap_shift, estimate_shift
from core.one_thread import on_one_thread
from core.people.inference import Persons, Prior, infer
from core.people.joint import Pooling, fit_pooling, joint_probs
from core.storage.groupings import Grouping, list_groupings, open_grouping
from core.submission.combine import Ballot, Combined
from core.submission.ensemble import LEAST
from core.taxonomy import FloatArray
from core.workspace import Workspace

_REFITS = 6
_MIXES: tuple[Prior, ...] = ("em", "bbse")
"""Nobody knows which estimate is nearer, so drawn truths are dealt out over both."""
_TRUTHS = 150
_FEWEST = 4
"""People from whom a calibration can be learned at all."""


@dataclass(frozen=True)
class Belief:
    """Calibrated probabilities of the evaluation photos, corrected by their estimated class mix.

    Attributes:
        shift: calibration, train mix and estimated mixes.
        logits: one (E, 18) a network: the ensemble of the members' first networks, of their second, ...
        refits: the shift as it would be with other train people.
        pooling: how the photos of one person are put together.
        together: how far the photos of a person share their luck, taken alone and pooled.
        people: (E,) person of each evaluation photo, None where nobody grouped them.
        persons: who is on the photos, where they are to be pooled; see ``joined``.
    """

    shift: Shift
    logits: tuple[FloatArray, ...] = field(repr=False)
    refits: tuple[Shift, ...] = field(repr=False)
    pooling: Pooling
    together: tuple[float, float]
    people: list[str] | None = field(repr=False)
    persons: Persons | None = field(default=None, repr=False)

    def joined(self, grouping: Grouping, photo_ids: Sequence[str]) -> "Belief":
        """The same when photos are pooled over the persons of a grouping.

        Args:
            photo_ids: (E,) the evaluation photos.
        """
        persons = Persons.of(grouping, photo_ids, self.pooling)
        return replace(self, people=[str(one) for one in persons.groups], persons=persons)

    @cached_property
    def pred_probs(self) -> Float64Array:
        """(E, 18) corrected by EM."""
        return self.corrected("em")

    def corrected(self, prior: Prior) -> Float64Array:
        """(E, 18) calibrated, and corrected by the mix of that name."""
        return infer(self.shift, self.logits, prior=prior, persons=self.persons)

    @property
    def steady_mix(self) -> Float64Array | None:
        """(6,) EM's mix, to compare a file with; None where the two estimates are too far apart to be trusted."""
        return self.shift.em_mix if self.shift.is_steady else None

    @cached_property
    def truth(self) -> DrawnTruth:
        """Possible truths of the evaluation photos."""
        posteriors = [
            infer(one, self.logits, prior=prior, persons=self.persons) for one in self.refits for prior in _MIXES
        ]
        together = self.together[self.persons is not None]
        return draw_truth(posteriors, self.people, together=together, draws=_TRUTHS)

    def expected(self, labels: ArrayLike) -> ExpectedScore:
        """Macro F1 to expect of (E,) classes."""
        return expected_score(self.truth, labels)

    def drawn_scores(self, labels: ArrayLike) -> Float64Array:
        """Macro F1 of (E,) classes on the public half of each drawn truth, (D,)."""
        return self.truth.half_scores(labels)[0]


def oof_probabilities(ballot: Ballot, combined: Combined) -> FloatArray:
    """(S, 18) of the shared rows; of a hard vote its members' mean, which tells more than shares of votes."""
    if combined.recipe.method != "hard":
        return combined.oof_probs
    return combined.apply([member.pred_probs[ballot.shared] for member in ballot.members])


@on_one_thread
def believe(ballot: Ballot, combined: Combined, *, people: list[str] | None = None) -> Belief | None:
    """What an ensemble holds for true of the evaluation photos; None where it has no out-of-fold people."""
    if len(set(ballot.person_ids)) < _FEWEST:
        return None
    oof_logits = as_logits(oof_probabilities(ballot, combined))
    logits = tuple(as_logits(combined.apply(some)) for some in ballot.networks())
    shift = estimate_shift(oof_logits, ballot.labels, logits, ages=ballot.ages)
    refits = bootstrap_shift(
        oof_logits, ballot.labels, ballot.person_ids, logits, ages=ballot.ages, draws=_REFITS
    )  # fmt: skip
    single = shift.calibration.probabilities(oof_logits)
    pooling = fit_pooling(single, ballot.labels, ballot.person_ids)
    pooled = joint_probs(single, ballot.person_ids, pooling)
    together = tuple(shared_luck(ballot.labels, probs, ballot.person_ids) for probs in (single, pooled))
    return Belief(shift, logits, tuple(refits), pooling, (together[0], together[1]), people)


@on_one_thread
def evaluation_mix(ballot: Ballot) -> Float64Array | None:
    """(6,) shares of the groups among the evaluation people by the best member alone: the mean of both estimates.

    None where nobody is predicted out-of-fold, or where the two are so far apart that neither is trusted.
    """
    best = ballot.best
    if best is None:
        return None
    alone = Ballot(ballot.rows, (best,))
    if len(set(alone.person_ids)) < _FEWEST:
        return None
    oof_logits = as_logits(best.pred_probs[alone.shared])
    shift = estimate_shift(oof_logits, alone.labels, [as_logits(one[0]) for one in alone.networks()], ages=alone.ages)
    return shift.mean_mix if shift.is_steady else None


def evaluation_people(workspace: Workspace, dataset_id: str, evaluation_ids: list[str]) -> list[str] | None:
    """Person of each evaluation photo by the newest grouping, None where there is none."""
    names = list_groupings(workspace, dataset_id=dataset_id)
    return open_grouping(workspace, names[0], dataset_id=dataset_id).groups_of(evaluation_ids)[0] if names else None


def as_logits(pred_probs: FloatArray) -> FloatArray:
    """Logarithms that stand for logits, finite where a probability is 0."""
    logs: FloatArray = np.log(np.maximum(pred_probs, LEAST), dtype=np.float64)
    return logs
