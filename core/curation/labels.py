"""The labels to train on: the original ones, with the decisions of people laid over them.

Nothing is written over the data set; the same photos, decisions and settings give the same table.
"""

from typing import Any

import numpy as np
import pandas as pd

from core.config import DataConfig
from core.curation.limits import Limit, restrict
from core.dataset.splits import assign_folds, check_no_leak
from core.errors import ConfigError, DatasetError, DecisionError
from core.taxonomy import AGE_BANDS, GENDERS, MASKS, NUM_CLASSES, IntArray, age_band, decode, encode

COLUMNS = ("photo_id", "person_id", "path", "fold", "label", "target", "age", "source")
"""Columns of a run's photos.csv, see ``training_table``."""

ORIGIN_WORDS = {
    "original": "as the data set has it",
    "model": "accepted in bulk, seen by nobody",
    "accepted": "accepted by a person",
    "changed": "changed by a person",
}
"""What the column ``origin`` of ``effective_labels`` says, weakest first."""

_SIZES = {"mask": len(MASKS), "gender": len(GENDERS), "age_band": len(AGE_BANDS)}
_OPEN = -1


def effective_labels(photos: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """The photos with the labels that decisions give them.

    Train photos: each ``relabel`` or ``accept`` of the photo or its person changes the axes it gives; the
    last one that gives an axis wins. Evaluation photos: the last decision stands; ``accept`` and
    ``relabel`` give the proposal with the axes that the decision changes, any other takes it away again.

    Args:
        photos: an index's photos.
        decisions: decisions that stand, oldest first (``DecisionStore.effective()``): kind, unit, target,
            mask, gender, age_band, age_years, proposal; None or NaN where left open.
    Returns:
        The same rows with mask, gender, age_band, label and age as decided (age -1 where a decided band
        says that the years are wrong), ``source``: ``original``, ``decision`` or ``pseudo_label``, and
        ``origin``: one of ``ORIGIN_WORDS``, of several decisions the one furthest from the model; both
        empty for evaluation photos without a label.
    Raises:
        DecisionError: a decision holds a value outside its axis, or accepts without a whole label.
    """
    axes = {name: photos[name].to_numpy(dtype=np.int64, copy=True) for name in (*_SIZES, "age")}
    train = (photos.split == "train").to_numpy()
    rank = np.where(train, 0, _OPEN)  # place in ORIGIN_WORDS
    if len(decisions):
        given = _given(decisions)
        row, of = _pairs(photos, decisions)
        on_train = train[row]
        _relabel_train(axes, rank, row[on_train], of[on_train], given)
        _label_evaluation(axes, rank, row[~on_train], of[~on_train], given)
    known = np.all([axes[name] >= 0 for name in _SIZES], axis=0)
    label = np.full(len(photos), -1, dtype=np.int64)
    label[known] = encode(*(axes[name][known] for name in _SIZES))
    origin = np.array([*ORIGIN_WORDS, ""], dtype=object)[rank]
    source = np.where(train, np.where(rank > 0, "decision", "original"), np.where(rank > 0, "pseudo_label", ""))
    changed: dict[str, Any] = {**axes, "label": label}
    for name, values in (("source", source), ("origin", origin)):
        changed[name] = pd.Series(values.astype(object), index=photos.index, dtype=object)
    return photos.assign(**changed)


def training_table(photos: pd.DataFrame, decisions: pd.DataFrame, config: DataConfig, seed: int) -> pd.DataFrame:
    """What a run trains on and is scored with: the content of its photos.csv.

    Folds follow from the people and their original labels, so that runs before and after a relabelling
    can be compared photo by photo.

    Args:
        photos: an index's photos; unreadable ones are left out.
        decisions: as in ``effective_labels``.
        config: age boundaries, the ages to leave out, folds, which decisions count.
        seed: of the folds.
    Returns:
        photo_id, person_id, path, fold (-1: trained on in every fold, validated in none), label (bounds 30
        and 60: what scores compare with), target (what is trained, by the boundaries of ``config``; -1: not
        trained on), age (years, -1 unknown), source.
    Raises:
        DatasetError: no readable train photo, too few people, or a person in two folds.
        ConfigError: the ages to leave out leave nothing to train on.
        DecisionError: as ``effective_labels``.
    """
    people = photos[photos.split == "train"].drop_duplicates("person_id")
    evaluation: Limit = "all" if config.pseudo_labels == "accepted" else config.pseudo_labels
    counting = restrict(photos, decisions, train=config.train_decisions, evaluation=evaluation)
    table = effective_labels(photos, counting)
    table = table[table.readable.astype(bool) & (table.label >= 0)]
    train = table[table.split == "train"]
    if train.empty:
        raise DatasetError("the data set has no readable train photo with a label; see what check reports")
    folds = assign_folds(people[["person_id", "gender", "age_band"]], folds=config.folds, seed=seed)
    age = train.age.to_numpy()
    target = train.label.to_numpy(copy=True)
    mask, gender, _ = decode(target)
    shifted = encode(mask, gender, age_band(age, young=config.age_young, old=config.age_old))
    target = np.where(age >= 0, shifted, target)
    if config.leave_out_from is not None and config.leave_out_to is not None:
        target[(age >= config.leave_out_from) & (age <= config.leave_out_to)] = -1
    if (target < 0).all():
        raise ConfigError(
            f"leaving out ages {config.leave_out_from} to {config.leave_out_to} leaves no photo to train on; "
            "set data.leave_out_from and data.leave_out_to closer"
        )
    train = train.assign(fold=train.person_id.map(folds).astype(np.int64), target=target)
    check_no_leak(train.person_id, train.fold)
    parts = [train]
    if config.pseudo_labels != "none":
        accepted = table[table.split == "eval"]
        parts.append(accepted.assign(fold=-1, target=accepted.label))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _given(decisions: pd.DataFrame) -> pd.DataFrame:
    """What each decision says, in whole numbers with -1 where left open: the axes, years, proposal, rank.

    Years give the age band too. ``gives``: a kind that gives labels.
    """
    given = pd.DataFrame({"target": decisions.target.to_numpy(), "kind": decisions.kind.to_numpy()})
    sizes = _SIZES | {"age_years": 150, "proposal": NUM_CLASSES}
    for name, size in sizes.items():
        values = pd.to_numeric(decisions[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = ~np.isnan(values) & ~np.isin(values, range(size))
        if wrong.any():
            place = int(wrong.argmax())
            raise DecisionError(
                f"decision on {given.target[place]}: {name} = {values[place]:g} is outside 0..{size - 1}; undo it"
            )
        given[name] = np.where(np.isnan(values), _OPEN, values).astype(np.int64)
    years = given.age_years.to_numpy()
    given["age_band"] = np.where(years >= 0, age_band(years), given.age_band)
    given["gives"] = given.kind.isin(["accept", "relabel"])
    default = np.where(given.kind == "accept", "accepted", "changed")
    origin = decisions.origin.to_numpy(dtype=object) if "origin" in decisions else default
    names = list(ORIGIN_WORDS)
    given["rank"] = [names.index(name) if name in names else names.index("changed") for name in origin.tolist()]
    return given


def _pairs(photos: pd.DataFrame, decisions: pd.DataFrame) -> tuple[IntArray, IntArray]:
    """(row of a photo, place of a decision) for each photo that a decision is about, oldest decision first."""
    is_person = (decisions.unit == "person").to_numpy()
    row = pd.Index(photos.photo_id).get_indexer(decisions.target)
    of = np.flatnonzero(~is_person & (row >= 0))  # others: a photo that has left the data set
    rows, places = [row[of]], [of]
    people = photos.groupby("person_id").indices if is_person.any() else {}
    for place in np.flatnonzero(is_person).tolist():
        target = decisions.target.iat[place]
        found = people.get(target, np.empty(0, dtype=np.int64)) if target else np.empty(0, dtype=np.int64)
        rows.append(found)
        places.append(np.full(len(found), place))
    row, of = np.concatenate(rows), np.concatenate(places)
    order = np.argsort(of, kind="stable")
    return row[order], of[order]


def _relabel_train(
    axes: dict[str, IntArray], rank: IntArray, row: IntArray, of: IntArray, given: pd.DataFrame
) -> None:
    """Write the axes that decisions give; later ones overwrite. Years that in the end do not fit are unknown."""
    values = {name: given[name].to_numpy()[of] for name in (*_SIZES, "age_years")}
    counts = given.gives.to_numpy()[of] & np.any([values[name] >= 0 for name in _SIZES], axis=0)
    for name in _SIZES:
        here = counts & (values[name] >= 0)
        axes[name][row[here]] = values[name][here]
    np.maximum.at(rank, row[counts], given["rank"].to_numpy()[of[counts]])
    has_years = counts & (values["age_years"] >= 0)
    axes["age"][row[has_years]] = values["age_years"][has_years]
    banded = row[counts & (values["age_band"] >= 0)]
    axes["age"][banded[axes["age_band"][banded] != age_band(axes["age"][banded])]] = -1


def _label_evaluation(
    axes: dict[str, IntArray], rank: IntArray, row: IntArray, of: IntArray, given: pd.DataFrame
) -> None:
    """Write the whole label of each photo's last decision, or take its label away."""
    last = np.full(len(rank), -1)
    last[row] = of
    rows = np.flatnonzero(last >= 0)
    said = given.iloc[last[rows]]
    gives = said.gives.to_numpy()
    proposal = said.proposal.to_numpy()
    proposed = dict(zip(_SIZES, decode(np.maximum(proposal, 0)), strict=True))
    for name in _SIZES:
        value = np.where(said[name] >= 0, said[name], np.where(proposal >= 0, proposed[name], _OPEN))
        axes[name][rows] = np.where(gives, value, _OPEN)
    whole = np.all([axes[name][rows] >= 0 for name in _SIZES], axis=0)
    if (gives & ~whole).any():
        place = int((gives & ~whole).argmax())
        missing = ", ".join(name for name in _SIZES if axes[name][rows[place]] < 0)
        raise DecisionError(
            f"{said.kind.iat[place]} of {said.target.iat[place]} leaves {missing} open and names no proposal; "
            "undo it, then decide again"
        )
    rank[rows] = np.where(gives, said["rank"].to_numpy(), _OPEN)
