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
from core.evaluation.best_classes import best_classes
from core.evaluation.metrics import Float64Array, probabilities
from core.evaluation.prior import corrected, group_probabilities
from core.evaluation.shift import Shift, estimate_shift
from core.people.inference import Prior, infer, mix_of_prior, trusted
from core.people.joint import fit_pooling, pool_groups, pool_people, quota_masks
from core.storage.groupings import Grouping
from core.storage.predictions import Predictions
from core.storage.runs import Run
from core.taxonomy import FloatArray, IntArray, marginal

_EM: tuple[Prior, ...] = ("em", "both")
"""Mixes that answers move, as they move what EM says."""


@dataclass(frozen=True)
class Evidence:
    """A run's word on N photos of U groups; train photos come first.

    Attributes:
        photos: (N rows) photo_id, person_id, split, kind, fold (-1: none), age (original years), label (the
            original one), group (0..U-1).
        targets: (U,) names of the groups: person_id, the found group's name, or photo_id.
        unit: ``photo`` or ``person``.
        votes: (N,) most probable class as the run says it.
        predictions: (N,) of evaluation photos what is submitted under the same corrections, before any answer,
            decided for macro F1; of train photos, and without corrections, the votes.
        mask_probs: (N, 3) calibrated; masks of evaluation photos that the quota of a group changes are blended.
        photo_cells: (N, 6) calibrated gender and age band of single photos.
        cells: (U, 6) calibrated, from all photos of the group; for the mix of the train people.
        person_cells: (N, 6) what all photos of the photo's person say together, whatever the unit.
        confidence: (N,) probability that a photo stands in its own group.
        mix: (6,) share of each cell among the train photos.
        target_mix: (6,) share that evaluation groups are corrected to before any answer.
        unanswered_mix: (6,) what EM over the groups says before any answer; None where answers do not move a mix.
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
    target_mix: Float64Array
    unanswered_mix: Float64Array | None

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

        Answers move the mix as EM over the groups does, answers held fixed; what this says otherwise than the
        target before any answer fades as they come.

        Args:
            known: (U,) cell of each evaluation group that was answered, -1 for the others.
        """
        other = ~self.is_train[np.unique(self.groups, return_index=True)[1]]
        cells, own, mix = self.cells.copy(), self.photo_cells.copy(), self.target_mix
        if other.any():
            if self.unanswered_mix is not None and (known >= 0).any():
                unknown = (known[other] < 0).mean()
                mix = evaluation_mix(cells[other], self.mix, known[other]) + unknown * (mix - self.unanswered_mix)
                mix = np.maximum(mix, 1e-4) / np.maximum(mix, 1e-4).sum()
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
    shift: Shift | None = None,
) -> Evidence:
    """What a run says, calibrated on its out-of-fold logits against the labels as decided.

    Args:
        photos: an index's photos; those that are unreadable or were not predicted are left out.
        decisions: as in ``labels.effective_labels``; they change what calibration compares with.
        oof, evaluations: logits out of fold, and of the evaluation photos by each network.
        folds: fold of each train photo.
        unit: ``photo``: every photo for itself; ``person``: train photos by folder, evaluation photos by
            ``grouping``.
        grouping: of evaluation photos; others stay single. By ``photo`` a group's photos still tell of each other.
        prior: the mix that evaluation photos are corrected to.
        shift: the run's, where it is at hand: it is most of the work.
    Raises:
        RunError: no train photo of the data set was predicted out of fold.
    """
    table, labels, ages, rows = _shown(photos, decisions, oof, evaluations[0], folds)
    train = (table.split == "train").to_numpy()
    given = train & (labels >= 0)
    if not given.any():
        raise RunError("no train photo of this data set was predicted out of fold; choose another run")
    oof_logits, others = oof.logits[rows[train]], [one.logits[rows[~train]] for one in evaluations]
    shift = shift or estimate_shift(oof_logits[given[train]], labels[given], others, ages=ages[given])
    told = _told(shift, others, prior)
    together = np.concatenate([shift.calibration.probabilities(oof_logits), told])  # (N, 18)
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
    first = np.unique(groups, return_index=True)[1]
    votes = np.concatenate([oof_logits, _mean(others)]).argmax(axis=1)
    nobody = np.full(len(targets), -1)
    moved = evaluation_mix(cells[~train[first]], shift.train_mix, nobody[~train[first]]) if prior in _EM else None
    found = Evidence(table, targets, unit, votes, votes, masks, photo_cells, cells, person_cells, sure,
                     shift.train_mix, mix_of_prior(shift, prior), moved)  # fmt: skip
    if prior == "none" and grouping is None:
        return found
    submitted = best_classes(found.posterior(nobody)[1][~train])
    return replace(found, predictions=np.concatenate([votes[train], submitted]))


def _told(shift: Shift, others: Sequence[FloatArray], prior: Prior) -> Float64Array:
    """(M, 18) as for people like the train people, such that correcting by ``posterior`` gives ``infer`` again.

    Networks are corrected one by one and then taken together; the other way round their sharpened mean misleads EM.
    """
    return corrected(infer(shift, others, prior=prior), mix_of_prior(shift, prior), shift.train_mix)


def _mean(logits: Sequence[FloatArray]) -> Float64Array:
    """(M, 18) mean probability of networks."""
    mean: Float64Array = np.mean([probabilities(one) for one in logits], axis=0)
    return mean


def _shown(
    photos: pd.DataFrame, decisions: pd.DataFrame, oof: Predictions, evaluation: Predictions, folds: Mapping[str, int]
) -> tuple[pd.DataFrame, IntArray, IntArray, IntArray]:
    """The photos that were predicted, their labels and ages as decided, and each one's row among its split's."""
    told = np.concatenate([oof.photo_ids, evaluation.photo_ids])
    place = pd.Index(told).get_indexer(pd.Index(photos.photo_id))
    shown = np.flatnonzero(photos.readable.to_numpy(dtype=bool) & (place >= 0))
    table = photos.iloc[shown][["photo_id", "person_id", "split", "kind", "age", "label"]].reset_index(drop=True)
    train = (table.split == "train").to_numpy()
    table["fold"] = pd.Series(np.where(train, [folds.get(name, -1) for name in table.photo_id], -1), dtype=np.int64)
    now = effective_labels(photos, decisions).iloc[shown]
    labels, ages = now.label.to_numpy(dtype=np.int64), now.age.to_numpy(dtype=np.int64)
    return table, labels, ages, place[shown] - np.where(train, 0, len(oof.photo_ids))


def _persons(table: pd.DataFrame, grouping: Grouping | None) -> tuple[NDArray[np.object_], Float64Array]:
    """Name of each photo's person (N,), and how sure that is (N,): folders are certain, nan for single photos."""
    train = (table.split == "train").to_numpy()
    persons = np.where(train, table.person_id, table.photo_id).astype(object)
    sure = np.where(train, 1.0, np.nan)
    if grouping is not None:
        persons[~train], confidence = grouping.groups_of(table.photo_id[~train].tolist())
        sure[~train] = trusted(persons[~train].astype(str), confidence)
    return persons, sure


def run_evidence(
    run: Run, photos: pd.DataFrame, decisions: pd.DataFrame, *, unit: str, grouping: Grouping | None = None,
    prior: Prior = "em", shift: Shift | None = None,
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
        shift=shift,
    )
