"""What one run says about every photo, as arrays in one order: the part of a review that no decision changes.

Train photos are scored out of fold, evaluation photos by all folds. A group is whose answer settles a photo:
the person's folder, the found group of an evaluation photo, or the photo alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.curation.labels import effective_labels
from core.curation.posteriors import NUM_CELLS, calibrated_cells, pooled_scores
from core.errors import RunError
from core.evaluation.calibration_map import fit_calibration
from core.evaluation.metrics import Float64Array
from core.evaluation.prior import group_probabilities, mix_of
from core.storage.predictions import Predictions
from core.storage.runs import Run
from core.taxonomy import FloatArray, IntArray, marginal


@dataclass(frozen=True)
class Evidence:
    """A run's word on N photos of U groups; train photos come first.

    Attributes:
        photos: (N rows) photo_id, person_id, split, kind, fold (-1: none), age (original years), label (the
            original one), group (0..U-1).
        targets: (U,) names of the groups: person_id, the found group's name, or photo_id.
        unit: ``photo`` or ``person``.
        predictions: (N,) most probable class, as a submission of the run has it.
        mask_probs: (N, 3) calibrated.
        photo_cells: (N, 6) calibrated gender and age band of single photos.
        cells: (U, 6) calibrated, from all photos of the group; for the mix of the train people.
        mix: (6,) share of each cell among the train groups.
    """

    photos: pd.DataFrame
    targets: NDArray[np.object_]
    unit: str
    predictions: IntArray
    mask_probs: Float64Array
    photo_cells: Float64Array
    cells: Float64Array
    mix: Float64Array

    @property
    def groups(self) -> IntArray:
        """(N,) group of each photo."""
        return self.photos.group.to_numpy()

    @property
    def is_train(self) -> NDArray[np.bool_]:
        """(N,)"""
        return (self.photos.split == "train").to_numpy()


def read_evidence(
    photos: pd.DataFrame,
    decisions: pd.DataFrame,
    oof: Predictions,
    evaluation: Predictions,
    *,
    folds: Mapping[str, int],
    unit: str,
    grouping: Mapping[str, str] | None = None,
) -> Evidence:
    """What a run says, calibrated on its out-of-fold logits against the labels as decided.

    Args:
        photos: an index's photos; those that are unreadable or were not predicted are left out.
        decisions: as in ``labels.effective_labels``; they change what calibration compares with.
        oof, evaluation: the run's logits.
        folds: fold of each train photo.
        unit: ``photo``: every photo for itself; ``person``: train photos by folder, evaluation photos by
            ``grouping``.
        grouping: group of evaluation photos, by photo_id; those without one stay single.
    Raises:
        RunError: no train photo of the data set was predicted out of fold.
    """
    told = Predictions(
        np.concatenate([oof.photo_ids, evaluation.photo_ids]), np.concatenate([oof.logits, evaluation.logits])
    )
    now = effective_labels(photos, decisions)
    place = pd.Index(told.photo_ids).get_indexer(pd.Index(photos.photo_id))
    shown = np.flatnonzero(photos.readable.to_numpy(dtype=bool) & (place >= 0))
    table = photos.iloc[shown][["photo_id", "person_id", "split", "kind", "age", "label"]].reset_index(drop=True)
    train = (table.split == "train").to_numpy()
    logits = told.logits[place[shown]]
    labels = now.label.to_numpy()[shown]
    if not (train & (labels >= 0)).any():
        raise RunError("no train photo of this data set was predicted out of fold; choose another run")
    table["fold"] = pd.Series(np.where(train, [folds.get(name, -1) for name in table.photo_id], -1), dtype=np.int64)
    names = _group_names(table, unit, grouping or {})
    table["group"], targets = pd.factorize(names)

    told_photos = fit_calibration(logits[train], labels[train]).probabilities(logits)  # (N, 18)
    cells, mix = _group_cells(table, logits, labels, group_probabilities(told_photos), unit)
    masks = np.asarray(marginal(told_photos, "mask"), dtype=np.float64)
    photo_cells = group_probabilities(told_photos)
    return Evidence(table, targets, unit, logits.argmax(axis=1), masks, photo_cells, cells, mix)


def _group_names(table: pd.DataFrame, unit: str, grouping: Mapping[str, str]) -> NDArray[np.object_]:
    if unit == "photo":
        return table.photo_id.to_numpy(dtype=object)
    found = [grouping.get(name, name) for name in table.photo_id]
    return np.where(table.split == "train", table.person_id, found).astype(object)


def _group_cells(
    table: pd.DataFrame, logits: FloatArray, labels: IntArray, photo_cells: Float64Array, unit: str
) -> tuple[Float64Array, Float64Array]:
    """Calibrated cells of the groups, and the train groups' mix; groups of one photo as the photo alone."""
    groups = table.group.to_numpy()
    _, first, size = np.unique(groups, return_index=True, return_counts=True)
    train = np.flatnonzero((table.split == "train").to_numpy()[first])
    known = labels[first[train]] % NUM_CELLS
    if unit == "photo":
        return photo_cells, mix_of(known)
    together = calibrated_cells(pooled_scores(logits, groups), train, known)
    return np.where((size == 1)[:, None], photo_cells[first], together), mix_of(known)


def run_evidence(
    run: Run, photos: pd.DataFrame, decisions: pd.DataFrame, *, unit: str, grouping: Mapping[str, str] | None = None
) -> Evidence:
    """``read_evidence`` of a finished run."""
    trained = run.train_photos()
    return read_evidence(
        photos,
        decisions,
        run.oof(),
        run.evaluation(),
        folds=dict(zip(trained.photo_id, trained.fold, strict=True)),
        unit=unit,
        grouping=grouping,
    )
