"""Evaluation photos with the class a run proposes, and what accepting many of them at once would cost."""

import numpy as np
import pandas as pd

from core.curation.review_table import ReviewTable
from core.curation.thresholds import above_thresholds
from core.errors import DecisionError
from core.storage.decision_record import Decision, new_id

QUEUE = "pseudo_labels"

EXPECTED_WRONG_ASSUMES = (
    "The sum of 1 - confidence. Confidence is calibrated on train people whom the model did not see, and corrected "
    "to the estimated mix of gender and age among the evaluation people, whatever mix the proposals are made for. "
    "That assumes that people of one gender and age look alike in both sets. Thresholds by class are counted on "
    "train people."
)
"""What the expected number of wrong ones rests on; a screen shows it beside the number."""


def expected_wrong(chosen: pd.DataFrame, corrected: ReviewTable) -> float:
    """How many of these proposals are wrong, if probabilities are right (``EXPECTED_WRONG_ASSUMES``).

    Args:
        chosen: rows of ``bulk_choice``.
        corrected: a table of the same photos under the estimated evaluation mix; the one that was chosen from where
            that has it. Under the train people's mix the number would come out too low.
    """
    right = corrected.photo_probs[chosen.index.to_numpy(), chosen.proposal.to_numpy()]
    return float((1 - right).sum())


def bulk_choice(table: ReviewTable, least: float, thresholds: pd.DataFrame | None = None) -> pd.DataFrame:
    """Undecided evaluation photos that are sure enough: photo_id, proposal, confidence.

    Args:
        least: confidence that each must have, 0..1.
        thresholds: from ``thresholds.class_thresholds``: each must also reach that of its class.
    Raises:
        DecisionError: ``least`` is not within 0..1.
    """
    if not 0 <= least <= 1:
        raise DecisionError(f"threshold {least} is outside 0..1; give a probability such as 0.95")
    proposal = table.photos.proposal.to_numpy()
    confidence = table.photo_probs[np.arange(len(proposal)), proposal]
    is_open = (table.photos.split == "eval") & (table.photos.decision == "")
    chosen = is_open.to_numpy() & (confidence >= least)
    if thresholds is not None:
        chosen &= above_thresholds(proposal, confidence, thresholds)
    found: pd.DataFrame = table.photos[["photo_id", "proposal"]].assign(confidence=confidence)[chosen]
    return found


def accept_chosen(chosen: pd.DataFrame, *, run_id: str, who: str, why: str = "") -> list[Decision]:
    """One ``accept`` a row of ``bulk_choice``, in one batch to undo at once."""
    batch_id = new_id()
    rows = zip(chosen.photo_id.tolist(), chosen.proposal.tolist(), chosen.confidence.tolist(), strict=True)
    return [
        Decision(
            kind="accept", target=photo_id, proposal=proposal, confidence=min(confidence, 1.0),
            queue=QUEUE, run_id=run_id, who=who, why=why, batch_id=batch_id, origin="model",
        )
        for photo_id, proposal, confidence in rows
    ]  # fmt: skip
