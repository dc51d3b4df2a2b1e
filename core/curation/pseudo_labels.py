"""Evaluation photos with the class a run proposes, and what accepting many of them at once would cost."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.curation.labels import effective_labels
from core.curation.review_table import ReviewTable
from core.curation.thresholds import above_thresholds
from core.errors import DecisionError
from core.evaluation.calibration import fit_temperature
from core.evaluation.metrics import probabilities
from core.storage.decision_record import Decision, new_id
from core.storage.predictions import Predictions

QUEUE = "pseudo_labels"

EXPECTED_WRONG_ASSUMES = (
    "The sum of 1 - confidence. Confidence is calibrated on train people whom the model did not see, and corrected "
    "to the estimated mix of gender and age among the evaluation people. That assumes that people of one gender and "
    "age look alike in both sets. Thresholds by class are counted on train people."
)
"""What the expected number of wrong ones rests on; a screen shows it beside the number."""


def run_temperature(oof: Predictions, photos: pd.DataFrame, decisions: pd.DataFrame) -> float:
    """The temperature that calibrates a run on its out-of-fold logits, against the labels as decided.

    Args:
        oof: a run's out-of-fold logits.
        photos: an index's photos; a photo that has left the data set is passed over.
        decisions: as in ``labels.effective_labels``.
    Raises:
        RunError: no predicted photo has a label.
    """
    labels = pd.Series(effective_labels(photos, decisions).label.to_numpy(), index=photos.photo_id)
    true = labels.reindex(oof.photo_ids, fill_value=-1).to_numpy()
    return fit_temperature(oof.logits[true >= 0], true[true >= 0])


def proposals(
    predictions: Predictions, photos: pd.DataFrame, decisions: pd.DataFrame, *, temperature: float
) -> pd.DataFrame:
    """One row a readable evaluation photo, in info.csv's order.

    Args:
        predictions: a run's evaluation logits: log of the folds' mean probability.
        photos: an index's photos.
        decisions: as in ``labels.effective_labels``; those about other runs' proposals count too.
        temperature: of the same run, see ``run_temperature``. It is fitted on single folds; the mean of
            folds is a little less sure of itself, so confidence errs on the low side.
    Returns:
        photo_id, proposal (class), confidence (calibrated probability of the proposal), margin (to the
        second class), decision (``""``, ``accept``, ``reject``, ``relabel``, ``skip``), decided_label
        (-1 without one).
    Raises:
        RunError: a photo was not predicted.
        DecisionError: as ``labels.effective_labels``.
    """
    labelled = effective_labels(photos, decisions)
    shown = labelled[(labelled.split == "eval") & labelled.readable.astype(bool)]
    rows = predictions.rows_of(shown.photo_id)
    pred_probs = probabilities(predictions.logits[rows], temperature=temperature)  # (N, 18)
    second, first = np.sort(pred_probs, axis=1)[:, -2:].T
    by_photo = decisions[decisions.unit == "photo"].drop_duplicates("target", keep="last")
    kinds = pd.Series(by_photo.kind.to_numpy(dtype=object), index=by_photo.target.to_numpy(dtype=object))
    decision = kinds.reindex(shown.photo_id.to_numpy(dtype=object), fill_value="").to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "photo_id": pd.Series(shown.photo_id.to_numpy(dtype=object), dtype=object),
            "proposal": pred_probs.argmax(axis=1),
            "confidence": first,
            "margin": first - second,
            "decision": pd.Series(decision, dtype=object),
            "decided_label": shown.label.to_numpy(),
        }
    )


def expected_wrong(confidence: ArrayLike) -> float:
    """How many of these proposals are wrong, if confidence is right (``EXPECTED_WRONG_ASSUMES``).

    >>> round(expected_wrong([0.9, 0.6]), 6)
    0.5
    """
    return float((1 - np.asarray(confidence, dtype=np.float64)).sum())


def undecided_above(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The rows of ``proposals`` that a bulk accept covers: no decision yet, confidence at least this.

    Raises:
        DecisionError: the threshold is not within 0..1.
    """
    if not 0 <= threshold <= 1:
        raise DecisionError(f"threshold {threshold} is outside 0..1; give a probability such as 0.95")
    return table[(table.decision == "") & (table.confidence >= threshold)]


def accept_above(table: pd.DataFrame, threshold: float, *, run_id: str, who: str, why: str = "") -> list[Decision]:
    """One ``accept`` for each undecided proposal at or above the threshold, in one batch to undo at once.

    Nobody looks at them one by one, so their origin is the model.

    Args:
        table: from ``proposals``.
        threshold: least confidence, 0..1.
    Raises:
        DecisionError: the threshold is not within 0..1.
    """
    return accept_chosen(undecided_above(table, threshold), run_id=run_id, who=who, why=why)


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
