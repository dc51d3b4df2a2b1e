"""What the corrections of a review change in a run's own classes of the evaluation photos."""

from dataclasses import dataclass

import numpy as np

from core.curation.evidence import Evidence
from core.evaluation.best_classes import expected_macro_f1
from core.people.changes import Changes, class_changes


@dataclass(frozen=True)
class ReviewEffect:
    """From the run's votes to what is proposed before any answer.

    Attributes:
        before, after: expected macro F1 of both, by the corrected probabilities.
    """

    changes: Changes
    before: float
    after: float


def review_effect(evidence: Evidence) -> ReviewEffect | None:
    """The effect; None where there is no evaluation photo."""
    part = ~evidence.is_train
    if not part.any():
        return None
    probs = evidence.posterior(np.full(len(evidence.targets), -1))[1][part]
    votes, proposed = evidence.votes[part], evidence.predictions[part]
    people = evidence.groups[part].tolist() if evidence.unit == "person" else None
    changes = class_changes(votes, proposed, people=people)
    return ReviewEffect(changes, expected_macro_f1(probs, votes), expected_macro_f1(probs, proposed))
