"""What the corrections of a review change in a run's own classes of the evaluation photos."""

from dataclasses import dataclass

import numpy as np

from core.curation.evidence import Evidence
from core.evaluation.best_classes import expected_macro_f1
from core.people.changes import Changes, class_changes


@dataclass(frozen=True)
class ReviewEffect:
    """From the run's votes to what is proposed before any answer; both are judged by the corrected probabilities.

    A proposal is the most probable class, so more of them are right; macro F1 asks for something else, and may fall.

    Attributes:
        right_before, right_after: expected share of photos whose class is right.
        before, after: expected macro F1.
    """

    changes: Changes
    right_before: float
    right_after: float
    before: float
    after: float

    @property
    def words(self) -> str:
        """What is expected of the run's votes and of the proposals."""
        return (
            f"expected right {self.right_before:.1%} before, {self.right_after:.1%} after; expected macro F1 "
            f"{self.before:.3f} before, {self.after:.3f} after"
        )


def review_effect(evidence: Evidence) -> ReviewEffect | None:
    """The effect; None where there is no evaluation photo."""
    part = ~evidence.is_train
    if not part.any():
        return None
    probs = evidence.posterior(np.full(len(evidence.targets), -1))[1][part]
    votes, proposed = evidence.votes[part], evidence.predictions[part]
    people = evidence.groups[part].tolist() if evidence.unit == "person" else None
    changes = class_changes(votes, proposed, people=people)
    rows = np.arange(len(probs))
    right_before, right_after = (float(probs[rows, classes].mean()) for classes in (votes, proposed))
    before, after = (expected_macro_f1(probs, classes) for classes in (votes, proposed))
    return ReviewEffect(changes, right_before, right_after, before, after)
