"""What one run says about every photo, as arrays in one order: the part of a review that no decision changes.

Train photos are scored out of fold, evaluation photos by all folds. A group is whose answer settles a photo:
the person's folder, the found group of an evaluation photo, or the photo alone. What the photos of a person say
together, and which masks the quota leaves, is ``core.people``'s, as for a submission.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.curation.labels import effective_labels
from core.curation.posteriors import NUM_CELLS, evaluation_mix, joint, shifted
from core.errors import RunError
from core.evaluation.calibration_map import fit_calibration
from core.evaluation.metrics import Float64Array, probabilities
from core.evaluation.prior import bbse_mix, group_probabilities, groups_of, mix_of
from core.evaluation.shift import pooled
from core.people.inference import Prior, trusted
from core.people.joint import fit_pooling, pool_groups, pool_people, quota_masks
from core.storage.groupings import Grouping
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
        votes: (N,) most probable class as the run says it.
        predictions: (N,) of evaluation photos what is submitted under the same corrections, before any answer; of
            train photos the votes.
        mask_probs: (N, 3) calibrated; masks of evaluation photos that the quota of a group changes are blended.
        photo_cells: (N, 6) calibrated gender and age band of single photos.
        cells: (U, 6) calibrated, from all photos of the group; for the mix of the train people.
        person_cells: (N, 6) what all photos of the photo's person say together, whatever the unit.
        confidence: (N,) probability that a photo stands in its own group.
        mix: (6,) share of each cell among the train groups.
        target_mix: (6,) share that evaluation groups are corrected to; None to estimate it by EM, answers held fixed.
    """

    photos: pd.DataFrame
    targets: NDArray[np.object_]
    unit: str
    votes: IntArray
    predictions: IntArray
    mask_probs: Float64Array
    photo_cells: Float64Array
    cells: Float64Array
    person_cells: Float64Array
    confidence: Float64Array
    mix: Float64Array
    target_mix: Float64Array | None

    @property
    def groups(self) -> IntArray:
        """(N,) group of each photo."""
        return self.photos.group.to_numpy()

    @property
    def is_train(self) -> NDArray[np.bool_]:
        """(N,)"""
        return (self.photos.split == "train").to_numpy()

    def posterior(self, known: IntArray) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Cells (U, 6), photos (N, 18) and the evaluation mix (6,), with the answers so far taken in.

        Args:
            known: (U,) cell of each evaluation group that was answered, -1 for the others.
        """
        other = ~self.is_train[np.unique(self.groups, return_index=True)[1]]
        cells, own, mix = self.cells.copy(), self.photo_cells.copy(), self.mix
        if other.any():
            mix = evaluation_mix(cells[other], mix, known[other]) if self.target_mix is None else self.target_mix
            cells[other] = shifted(cells[other], self.mix, mix)
            own[~self.is_train] = shifted(own[~self.is_train], self.mix, mix)
        cells[known >= 0] = np.eye(NUM_CELLS)[known[known >= 0]]
        sure = self.confidence[:, None]
        by_photo = sure * cells[self.groups] + (1 - sure) * own
        return cells, joint(self.mask_probs, by_photo, np.arange(len(by_photo))), mix


def read_evidence(
    photos: pd.DataFrame,
    decisions: pd.DataFrame,
    oof: Predictions,
    evaluations: Sequence[Predictions],
    *,
    folds: Mapping[str, int],
    unit: str,
    grouping: Grouping | None = None,
    prior: Prior = "em",
) -> Evidence:
    """What a run says, calibrated on its out-of-fold logits against the labels as decided.

    Args:
        photos: an index's photos; those that are unreadable or were not predicted are left out.
        decisions: as in ``labels.effective_labels``; they change what calibration compares with.
        oof: out-of-fold logits.
        evaluations: logits of the same evaluation photos, one of each network.
        folds: fold of each train photo.
        unit: ``photo``: every photo for itself; ``person``: train photos by folder, evaluation photos by
            ``grouping``.
        grouping: of evaluation photos; those without a group stay single. By ``photo`` a group's photos still
            tell of each other.
        prior: the mix that evaluation photos are corrected to.
    Raises:
        RunError: no train photo of the data set was predicted out of fold.
    """
    table, labels, rows = _shown(photos, decisions, oof, evaluations[0], folds)
    train = (table.split == "train").to_numpy()
    given = train & (labels >= 0)
    if not given.any():
        raise RunError("no train photo of this data set was predicted out of fold; choose another run")
    oof_logits, others = oof.logits[rows[train]], [one.logits[rows[~train]] for one in evaluations]
    calibration = fit_calibration(oof_logits[given[train]], labels[given])
    of_others = [calibration.probabilities(one) for one in others]
    told = pooled(of_others) if len(others[0]) else of_others[0]
    together = np.concatenate([calibration.probabilities(oof_logits), told])  # (N, 18)
    masks = np.asarray(marginal(together, "mask"), dtype=np.float64)
    persons, sure = _persons(table, grouping)
    owner = pd.factorize(np.where(train, "train ", "eval ") + persons)[0]  # a group may be called as a folder is
    masks[~train], assigned = quota_masks(told, owner[~train], confidence=sure[~train])
    quota = np.concatenate([masks[train].argmax(axis=1), assigned])
    pooling, photo_cells = fit_pooling(together[given], labels[given], owner[given]), group_probabilities(together)
    person_cells = pool_people(together, owner, quota, pooling, confidence=sure)
    if unit == "person":
        groups, cells = owner, pool_groups(together, owner, quota, pooling, confidence=sure)
        targets, sure = persons[np.unique(owner, return_index=True)[1]], np.nan_to_num(sure, nan=1.0)
    else:
        groups, cells = np.arange(len(table)), np.where(train[:, None], photo_cells, person_cells)
        targets, sure = table.photo_id.to_numpy(dtype=object), np.ones(len(table))
    table["group"] = groups
    once = np.unique(groups[given], return_index=True)[1]
    mix = mix_of(groups_of(labels[given][once]))
    target = mix if prior == "none" else None if prior == "em" else _bbse(oof_logits, labels, given, others)
    votes = np.concatenate([oof_logits, _mean(others)]).argmax(axis=1)
    found = Evidence(table, targets, unit, votes, votes, masks, photo_cells, cells, person_cells, sure, mix, target)
    if prior == "none" and grouping is None:
        return found
    corrected = found.posterior(np.full(len(targets), -1))[1].argmax(axis=1)
    return replace(found, predictions=np.where(train, votes, corrected))


def _mean(logits: Sequence[FloatArray]) -> Float64Array:
    """(M, 18) mean probability of networks."""
    mean: Float64Array = np.mean([probabilities(one) for one in logits], axis=0)
    return mean


def _shown(
    photos: pd.DataFrame, decisions: pd.DataFrame, oof: Predictions, evaluation: Predictions, folds: Mapping[str, int]
) -> tuple[pd.DataFrame, IntArray, IntArray]:
    """The photos that were predicted, their labels as decided, and the row of each in its split's predictions."""
    told = np.concatenate([oof.photo_ids, evaluation.photo_ids])
    place = pd.Index(told).get_indexer(pd.Index(photos.photo_id))
    shown = np.flatnonzero(photos.readable.to_numpy(dtype=bool) & (place >= 0))
    table = photos.iloc[shown][["photo_id", "person_id", "split", "kind", "age", "label"]].reset_index(drop=True)
    train = (table.split == "train").to_numpy()
    table["fold"] = pd.Series(np.where(train, [folds.get(name, -1) for name in table.photo_id], -1), dtype=np.int64)
    labels = effective_labels(photos, decisions).label.to_numpy(dtype=np.int64)[shown]
    return table, labels, place[shown] - np.where(train, 0, len(oof.photo_ids))


def _persons(table: pd.DataFrame, grouping: Grouping | None) -> tuple[NDArray[np.object_], Float64Array]:
    """Name of each photo's person (N,), and how sure that is (N,): folders are certain, nan for single photos."""
    train = (table.split == "train").to_numpy()
    persons = np.where(train, table.person_id, table.photo_id).astype(object)
    sure = np.where(train, 1.0, np.nan)
    if grouping is not None:
        persons[~train], confidence = grouping.groups_of(table.photo_id[~train].tolist())
        sure[~train] = trusted(persons[~train].astype(str), confidence)
    return persons, sure


def _bbse(
    oof_logits: FloatArray, labels: IntArray, given: NDArray[np.bool_], others: Sequence[FloatArray]
) -> Float64Array:
    """The evaluation mix by black-box shift estimation, (6,): the mean over networks."""
    train = given[: len(oof_logits)]
    true, guess = groups_of(labels[: len(oof_logits)][train]), groups_of(oof_logits.argmax(axis=1)[train])
    mixes = [bbse_mix(true, guess, groups_of(one.argmax(axis=1))) for one in others]
    mean: Float64Array = np.mean(mixes, axis=0)
    return mean


def run_evidence(
    run: Run, photos: pd.DataFrame, decisions: pd.DataFrame, *, unit: str, grouping: Grouping | None = None,
    prior: Prior = "em",
) -> Evidence:  # fmt: skip
    """``read_evidence`` of a finished run."""
    trained = run.train_photos()
    return read_evidence(
        photos,
        decisions,
        run.oof(),
        run.evaluations(),
        folds=dict(zip(trained.photo_id, trained.fold, strict=True)),
        unit=unit,
        grouping=grouping,
        prior=prior,
    )
