"""One table of everything that can be reviewed: a row a photo or a row a person, train and evaluation alike.

All queues are filters over it (``core.curation.queues``). It is made anew after each decision, from the
evidence of a run, which is not.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.curation.evidence import Evidence
from core.curation.expected_gain import expected_gain, expected_gain_by_person
from core.curation.gained import gained_so_far, labels_now, submitted
from core.curation.label_doubt import train_doubt
from core.curation.label_quality import mistakenness, normalized_margin, self_confidence
from core.curation.posteriors import NUM_CELLS, joint
from core.evaluation.metrics import Float64Array
from core.taxonomy import AGE_BANDS, AXES, GENDERS, MASKS, NUM_CLASSES, IntArray

KINDS = ("", "accept", "relabel", "reject", "skip")
"""What was decided about a unit; empty: nothing yet."""

STILL_OPEN = ("", "skip")
"""Kinds that settle nothing."""


@dataclass(frozen=True)
class ReviewTable:
    """What there is to decide, as far as the decisions so far go.

    Attributes:
        units: one row a group of the evidence: target, unit, split, size (photos), fold, age (original years),
            proposal (cell, ``gender * 3 + age band``), confidence, margin, entropy (of the cells, or of the
            classes where the unit is a photo), self_confidence, normalized_margin, mistakenness (of the label as
            it stands; the least of its photos, NaN without one), wrong (probability that a label is wrong, 0 for
            evaluation photos), contradiction and confident
            (``label_issues``), together and together_share (``label_doubt.Doubt``), axis (the one most in doubt),
            gain (expected rise of macro F1), classes (bits of all classes its photos have or are proposed), decision
            (``KINDS``), text (what a search looks at).
        photos: one row a photo: that of the evidence, label (as it stands, -1 without one), predicted
            (class, as submitted without the answers), proposal (with all that is known), decision,
            wrong (as in units, of the photo).
        photo_probs: (N, 18) of the photos; one answer about a group counts for all its photos.
        cells: (U, 6) of the groups, the answers so far and the estimated evaluation mix taken in.
        evaluation_mix: (6,) estimated share of gender and age bands among the evaluation people.
        gained: ``eval``: how much the answers raised the expected macro F1 of the run's evaluation predictions;
            ``train``: how much the changed labels raised its out-of-fold macro F1.
    """

    unit: str
    units: pd.DataFrame
    photos: pd.DataFrame
    photo_probs: Float64Array
    photo_cells: Float64Array
    mask_probs: Float64Array
    cells: Float64Array
    evaluation_mix: Float64Array
    gained: dict[str, float]


def review_table(
    evidence: Evidence, photos: pd.DataFrame, decisions: pd.DataFrame, *, disputed: Collection[str] = ()
) -> ReviewTable:
    """The table after these decisions.

    Args:
        photos: the index's photos that the evidence was made from.
        decisions: those that stand, as in ``labels.effective_labels``, with queue and row.
        disputed: photos and people that are to be decided again: what was said of them counts as no answer.
    Raises:
        DecisionError: as ``labels.effective_labels``.
    """
    groups, train = evidence.groups, evidence.is_train
    _, first, size = np.unique(groups, return_index=True, return_counts=True)
    photo_kinds = decision_kinds(evidence.photos, decisions, disputed=disputed)
    labels, answered = labels_now(evidence, photos, decisions, photo_kinds)
    cells, photo_probs, mix = _evaluation_posterior(evidence, answered, first)
    doubt = train_doubt(evidence, cells, labels)

    gain = np.zeros(len(first))
    for part, current, probs, masks, unit_cells in (
        (train, labels, doubt.photo_probs, doubt.masks, doubt.cells),
        (~train, submitted(evidence, answered), photo_probs, evidence.mask_probs, cells),
    ):
        if part.any():
            gain += _gain(evidence.unit, part, groups, current, probs, masks, unit_cells, is_train=part is train)

    proposal = photo_probs.argmax(axis=1)
    shown = evidence.photos.assign(
        label=labels,
        predicted=evidence.predictions,
        proposal=proposal,
        decision=pd.Series(photo_kinds, dtype=object),
        wrong=doubt.photo_wrong,
    )
    units = _units(evidence, shown, photo_probs, cells, first, size)
    for name in ("wrong", "contradiction", "confident", "together", "together_share"):
        units[name] = getattr(doubt, name)
    units["axis"] = np.where(train[first], doubt.axis, _least_sure(photo_probs, cells, groups, len(first)))
    units["gain"] = np.where(units.decision.isin(STILL_OPEN), gain, 0.0)
    return ReviewTable(
        evidence.unit, units, shown, photo_probs, evidence.photo_cells, evidence.mask_probs, cells, mix,
        gained_so_far(evidence, labels, answered, photo_probs),
    )  # fmt: skip


def with_decisions(
    table: ReviewTable,
    evidence: Evidence,
    photos: pd.DataFrame,
    decisions: pd.DataFrame,
    *,
    disputed: Collection[str] = (),
) -> ReviewTable:
    """The same table with what is decided and gained now; all else that it says of units and photos stays as it was.

    A seventh of the time of ``review_table``: for the next card while somebody decides several a second.

    Args:
        evidence: that the table was made from.
        photos, decisions, disputed: as in ``review_table``.
    """
    kinds = decision_kinds(evidence.photos, decisions, disputed=disputed)
    first = np.unique(evidence.groups, return_index=True)[1]
    decision = pd.Series(_unit_decision(kinds, evidence.groups, first), dtype=object, index=table.units.index)
    is_open = decision.isin(STILL_OPEN)
    units = table.units.assign(decision=decision, gain=table.units.gain.where(is_open, 0.0))
    shown = table.photos.assign(decision=pd.Series(kinds, dtype=object, index=table.photos.index))
    labels, answered = labels_now(evidence, photos, decisions, kinds)
    photo_probs = _evaluation_posterior(evidence, answered, first)[1]
    return replace(table, units=units, photos=shown, gained=gained_so_far(evidence, labels, answered, photo_probs))


def _evaluation_posterior(
    evidence: Evidence, answered: IntArray, first: NDArray[np.intp]
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """``Evidence.posterior`` with the answers so far, (N,) class or -1, which are certain of their own photos too."""
    known = np.full(len(first), -1)
    told = answered >= 0
    known[evidence.groups[told]] = answered[told] % NUM_CELLS
    cells, photo_probs, mix = evidence.posterior(known)
    photo_probs[told] = np.eye(NUM_CLASSES)[answered[told]]
    return cells, photo_probs, mix


def _gain(
    unit: str,
    part: NDArray[np.bool_],
    groups: IntArray,
    current: IntArray,
    photo_probs: Float64Array,
    masks: Float64Array,
    cells: Float64Array,
    *,
    is_train: bool,
) -> Float64Array:
    """Expected gain of the groups of one split, (U,), 0 for the others."""
    gain = np.zeros(len(cells))
    if unit == "photo":
        gain[groups[part]] = expected_gain(photo_probs[part], current[part])
        return gain
    members, owner = np.unique(groups[part], return_inverse=True)
    gain[members] = expected_gain_by_person(masks[part], cells[members], owner, current[part])
    if is_train:  # a person's card offers to mend its masks as well
        cell_known = np.eye(NUM_CELLS)[current[part] % NUM_CELLS]
        np.add.at(
            gain, groups[part], expected_gain(joint(masks[part], cell_known, np.arange(len(owner))), current[part])
        )
    return gain


def decision_kinds(
    photos: pd.DataFrame, decisions: pd.DataFrame, *, disputed: Collection[str] = ()
) -> NDArray[np.object_]:
    """The kind of the last decision about each photo or its person, (N,); one of ``KINDS``.

    Args:
        photos: photo_id and person_id.
        decisions: those that stand, oldest first, with row.
        disputed: photos and people that count as undecided.
    """
    kinds, rows = [], []
    for unit, ids in (("photo", photos.photo_id), ("person", photos.person_id)):
        last = decisions[decisions.unit == unit].reset_index(drop=True)
        last = last.assign(place=np.arange(len(last)) if "row" not in last else last.row)
        last = last.drop_duplicates("target", keep="last").set_index("target")
        found = last.index.get_indexer(pd.Index(ids))
        kind, place = last.kind.to_numpy(dtype=object), last.place.to_numpy()
        kinds.append(np.where(found >= 0, kind[found] if len(last) else "", ""))
        rows.append(np.where(found >= 0, place[found] if len(last) else -1, -1))
    chosen: NDArray[np.object_] = np.where(rows[1] > rows[0], kinds[1], kinds[0]).astype(object)
    if len(disputed):
        again = list(disputed)
        chosen[(photos.photo_id.isin(again) | photos.person_id.isin(again)).to_numpy()] = ""
    return chosen


def _units(
    evidence: Evidence,
    shown: pd.DataFrame,
    photo_probs: Float64Array,
    cells: Float64Array,
    first: NDArray[np.intp],
    size: NDArray[np.intp],
) -> pd.DataFrame:
    groups, n_groups = evidence.groups, len(first)
    base = photo_probs[first] if evidence.unit == "photo" else cells
    second, best = np.sort(base, axis=1)[:, -2:].T
    labels, proposal = shown.label.to_numpy(), shown.proposal.to_numpy()
    classes = np.zeros(n_groups, dtype=np.int64)
    np.bitwise_or.at(classes, groups, 1 << proposal)
    np.bitwise_or.at(classes, groups, np.where(labels >= 0, 1 << np.maximum(labels, 0), 0))
    head = shown.iloc[first]
    alone = (head.split != "train").to_numpy() & (size == 1)  # decided as the photo it is
    units = pd.DataFrame(
        {
            "target": pd.Series(np.where(alone, head.photo_id, evidence.targets), dtype=object),
            "unit": np.where(alone, "photo", evidence.unit),
            "split": head.split.to_numpy(dtype=object),
            "size": size,
            "fold": head.fold.to_numpy(),
            "age": head.age.to_numpy(),
            "proposal": cells.argmax(axis=1),
            "confidence": best,
            "margin": best - second,
            "entropy": -(base * np.log(np.maximum(base, 1e-300))).sum(axis=1),
            "classes": classes,
            "decision": pd.Series(_unit_decision(shown.decision.to_numpy(dtype=object), groups, first), dtype=object),
        }
    )
    for score in (self_confidence, normalized_margin, mistakenness):
        units[score.__name__] = _worst(score, labels, photo_probs, groups, n_groups)
    names = shown.photo_id + " " + shown.kind + " " + shown.person_id
    units["text"] = names.iloc[first].to_numpy(dtype=object)
    return units


def _worst(
    score: object, labels: IntArray, photo_probs: Float64Array, groups: IntArray, n_groups: int
) -> Float64Array:
    """The score of each group's most doubtful photo; NaN where none has a label."""
    given = labels >= 0
    found = np.full(n_groups, np.nan)
    if given.any():
        values = score(labels[given], photo_probs[given])  # type: ignore[operator]
        pick = np.fmax if score is mistakenness else np.fmin
        pick.at(found, groups[given], values)
    return found


def _unit_decision(kinds: NDArray[np.object_], groups: IntArray, first: NDArray[np.intp]) -> NDArray[np.object_]:
    """A group is decided when all its photos are; then as the first of them."""
    open_photos = np.bincount(groups, weights=kinds == "", minlength=len(first))
    decided: NDArray[np.object_] = np.where(open_photos > 0, "", kinds[first]).astype(object)
    return decided


def _least_sure(
    photo_probs: Float64Array, cells: Float64Array, groups: IntArray, n_groups: int
) -> NDArray[np.object_]:
    """The axis on which each group's most probable value is least probable, (U,)."""
    masks = photo_probs.reshape(-1, len(MASKS), NUM_CELLS).sum(axis=2).max(axis=1)
    sure = np.ones((n_groups, len(AXES)))
    np.minimum.at(sure[:, 0], groups, masks)
    cube = cells.reshape(-1, len(GENDERS), len(AGE_BANDS))
    sure[:, 1], sure[:, 2] = cube.sum(axis=2).max(axis=1), cube.sum(axis=1).max(axis=1)
    axis: NDArray[np.object_] = np.array(list(AXES), dtype=object)[sure.argmin(axis=1)]
    return axis
