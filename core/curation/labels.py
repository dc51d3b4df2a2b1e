"""The labels to train on: the original ones, with the decisions of people laid over them.

Nothing is written over the data set; the same photos, decisions and settings give the same table.
"""

from typing import Any

import numpy as np
import pandas as pd

from core.config import DataConfig
from core.dataset.splits import assign_folds, check_no_leak
from core.errors import ConfigError, DatasetError, DecisionError
from core.taxonomy import AGE_BANDS, GENDERS, MASKS, NUM_CLASSES, age_band, decode, encode

COLUMNS = ("photo_id", "person_id", "path", "fold", "label", "target", "age", "source")
"""Columns of a run's photos.csv, see ``training_table``."""

_SIZES = {"mask": len(MASKS), "gender": len(GENDERS), "age_band": len(AGE_BANDS)}


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
        says that the years are wrong), and ``source``: ``original``, ``decision`` or ``pseudo_label``;
        empty for evaluation photos without a label.
    Raises:
        DecisionError: a decision holds a value outside its axis, or accepts without a whole label.
    """
    axes = {name: photos[name].to_numpy(dtype=np.int64, copy=True) for name in (*_SIZES, "age")}
    train = (photos.split == "train").to_numpy()
    source = np.where(train, "original", "").astype(object)
    row_of_photo = dict(zip(photos.photo_id, range(len(photos)), strict=True))
    rows_of_person = photos.groupby("person_id").indices if (decisions.unit == "person").any() else {}
    for decision in _records(decisions):
        if decision["unit"] == "person":
            rows = list(rows_of_person.get(decision["target"], ())) if decision["target"] else []
        else:
            rows = [row_of_photo[decision["target"]]] if decision["target"] in row_of_photo else []
        if not rows:
            continue  # a photo that has left the data set
        if not train[rows[0]]:
            accepted = _accepted_axes(decision)
            for name in _SIZES:
                axes[name][rows] = accepted[name] if accepted else -1
            source[rows] = "pseudo_label" if accepted else ""
        elif decision["kind"] in ("accept", "relabel") and (given := _given_axes(decision)):
            _relabel(axes, rows, given)
            source[rows] = "decision"
    known = np.all([axes[name] >= 0 for name in _SIZES], axis=0)
    label = np.full(len(photos), -1, dtype=np.int64)
    label[known] = encode(*(axes[name][known] for name in _SIZES))
    changed: dict[str, Any] = {**axes, "label": label}
    return photos.assign(**changed, source=pd.Series(source, index=photos.index, dtype=object))


def training_table(photos: pd.DataFrame, decisions: pd.DataFrame, config: DataConfig, seed: int) -> pd.DataFrame:
    """What a run trains on and is scored with: the content of its photos.csv.

    Folds follow from the people and their original labels, so that runs before and after a relabelling
    can be compared photo by photo.

    Args:
        photos: an index's photos; unreadable ones are left out.
        decisions: as in ``effective_labels``.
        config: age boundaries, the ages to leave out, folds, pseudo labels.
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
    table = effective_labels(photos, decisions)
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
    if config.pseudo_labels == "accepted":
        accepted = table[table.split == "eval"]
        parts.append(accepted.assign(fold=-1, target=accepted.label))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _records(decisions: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in decisions.to_dict("records")]


def _relabel(axes: dict[str, np.ndarray], rows: list[int], given: dict[str, int]) -> None:
    """Write the given axes; years that no longer fit the band become unknown."""
    for name, value in given.items():
        axes[name][rows] = value
    age = axes["age"][rows]
    axes["age"][rows] = np.where((age >= 0) & (age_band(age) == axes["age_band"][rows]), age, -1)


def _accepted_axes(decision: dict[str, Any]) -> dict[str, int] | None:
    """The whole label that a decision gives an evaluation photo, None when it gives none."""
    if decision["kind"] not in ("accept", "relabel"):
        return None
    proposal = _whole(decision, "proposal", range(NUM_CLASSES))
    label = {} if proposal is None else dict(zip(_SIZES, map(int, decode(proposal)), strict=True))
    given = _given_axes(decision)
    label |= {name: given[name] for name in _SIZES if name in given}
    if len(label) < len(_SIZES):
        missing = ", ".join(name for name in _SIZES if name not in label)
        raise DecisionError(
            f"{decision['kind']} of {decision['target']} leaves {missing} open and names no proposal; "
            "undo it, then decide again"
        )
    return label


def _given_axes(decision: dict[str, Any]) -> dict[str, int]:
    """Axis values that a decision does not leave open; years also give the age band."""
    given = {}
    for name, size in _SIZES.items():
        if (value := _whole(decision, name, range(size))) is not None:
            given[name] = value
    if (years := _whole(decision, "age_years", range(150))) is not None:
        given |= {"age": years, "age_band": int(age_band(years))}
    return given


def _whole(decision: dict[str, Any], name: str, allowed: range) -> int | None:
    value = decision.get(name)
    if value is None or value is pd.NA or value != value:
        return None
    if value not in allowed:
        raise DecisionError(
            f"decision on {decision['target']}: {name} = {value!r} is outside 0..{allowed[-1]}; undo it"
        )
    return int(value)
