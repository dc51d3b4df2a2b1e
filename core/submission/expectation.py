"""What the evaluation photos probably are, by an ensemble's own account, and what a file would score on them."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from core.evaluation.expected_score import DrawnTruth, ExpectedScore, draw_truth, expected_score, shared_luck
from core.evaluation.metrics import Float64Array
from core.evaluation.prior import corrected
from core.evaluation.shift import Shift, bootstrap_shift, estimate_shift
from core.storage.groupings import list_groupings, open_grouping
from core.submission.combine import Ballot, Combined
from core.submission.ensemble import LEAST
from core.submission.recipe import Prior
from core.taxonomy import FloatArray
from core.workspace import Workspace

_REFITS = 6
_TRUTHS = 150


@dataclass(frozen=True)
class Belief:
    """Calibrated probabilities of the evaluation photos, corrected by their estimated class mix.

    Attributes:
        shift: calibration, train mix and estimated mixes.
        logits: (E, 18) the ensemble's own.
        refits: (E, 18) each: corrected probabilities as they would be with other train people.
        together: how far the photos of a person share their luck.
        people: (E,) person of each evaluation photo, None where nobody grouped them.
    """

    shift: Shift
    logits: FloatArray = field(repr=False)
    refits: tuple[Float64Array, ...] = field(repr=False)
    together: float
    people: list[str] | None = field(repr=False)

    @cached_property
    def pred_probs(self) -> Float64Array:
        """(E, 18) corrected by EM."""
        return self.corrected("em")

    def corrected(self, prior: Prior) -> Float64Array:
        """(E, 18) calibrated, and corrected by the mix of that name."""
        calibrated = self.shift.calibrated([self.logits])
        mix = {"none": self.shift.train_mix, "em": self.shift.em_mix, "bbse": self.shift.bbse_mix}[prior]
        return corrected(calibrated, self.shift.train_mix, mix)

    @cached_property
    def truth(self) -> DrawnTruth:
        """Possible truths of the evaluation photos."""
        return draw_truth(self.refits, self.people, together=self.together, draws=_TRUTHS)

    def expected(self, labels: ArrayLike) -> ExpectedScore:
        """Macro F1 to expect of (E,) classes."""
        return expected_score(self.truth, labels)


@threadpool_limits.wrap(limits=1, user_api="blas")  # type: ignore[no-untyped-call,untyped-decorator]
def believe(ballot: Ballot, combined: Combined, *, people: list[str] | None = None) -> Belief | None:
    """What an ensemble holds for true of the evaluation photos; None where it has no out-of-fold people."""
    if len(set(ballot.person_ids)) < 4:
        return None
    oof_logits, logits = _logs(combined.oof_probs), _logs(combined.pred_probs)
    shift = estimate_shift(oof_logits, ballot.labels, [logits])
    refits = bootstrap_shift(oof_logits, ballot.labels, ballot.person_ids, [logits], draws=_REFITS)
    together = shared_luck(ballot.labels, shift.calibration.probabilities(oof_logits), ballot.person_ids)
    return Belief(shift, logits, tuple(one.corrected([logits]) for one in refits), together, people)


def evaluation_people(workspace: Workspace, dataset_id: str, evaluation_ids: list[str]) -> list[str] | None:
    """Person of each evaluation photo by the newest grouping, None where there is none."""
    names = list_groupings(workspace, dataset_id=dataset_id)
    return open_grouping(workspace, names[0], dataset_id=dataset_id).groups_of(evaluation_ids)[0] if names else None


def _logs(pred_probs: FloatArray) -> FloatArray:
    logs: FloatArray = np.log(np.maximum(pred_probs, LEAST), dtype=np.float64)
    return logs
