"""Queues: filters and orders over the one review table, with counts.

A queue is what is undecided under its filters, best first; it is no list that is kept anywhere.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.curation.review_table import ReviewTable
from core.errors import DecisionError
from core.taxonomy import AGE_BANDS, AXES, GENDERS, NUM_CLASSES, OLD, YOUNG

NAMES = ("pseudo_labels", "age_boundary", "label_issues", "disagreements")
ORDERS = ("gain", "wrong", "margin", "entropy", "confidence", "self_confidence", "normalized_margin", "mistakenness",
          "disagreement", "random")  # fmt: skip
"""The first of these is what each queue is ordered by unless told otherwise, but for label issues (``wrong``)."""

STATES = ("undecided", "accept", "relabel", "reject", "skip", "all")
ISSUES = ("likely", "contradictions", "together", "confident", "all")

_HIGH_FIRST = ("gain", "wrong", "entropy", "mistakenness", "disagreement")


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a queue is limited to; the defaults limit nothing but to what is undecided.

    Attributes:
        state: one of ``STATES``; undecided leaves out what was put off (``skip``).
        split: ``train``, ``eval`` or "".
        axis: the axis most in doubt, "" for any.
        label: a class that a photo has or is proposed, -1 for any.
        fold: of train people, -1 for any.
        least, most: confidence.
        text: parts of ids and photo kinds, all of which must occur.
        issue: label issues: ``likely`` (more probably wrong than ``likely_wrong``), one of the other ``ISSUES``.
        near_years, near_share: age boundary: years from 30 or 60, and the least probability of the second age band.
        picked: targets to keep, None for all.
    """

    state: str = "undecided"
    split: str = ""
    axis: str = ""
    label: int = -1
    fold: int = -1
    least: float = 0.0
    most: float = 1.0
    text: str = ""
    issue: str = "likely"
    likely_wrong: float = 0.05
    near_years: int = 2
    near_share: float = 0.4
    picked: frozenset[str] | None = None

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("state", self.state, STATES),
            ("split", self.split, ("", "train", "eval")),
            ("axis", self.axis, ("", *AXES)),
            ("label", self.label, range(-1, NUM_CLASSES)),
            ("issue", self.issue, ISSUES),
        ):
            if value not in allowed:
                raise DecisionError(
                    f"{name} {value!r} is not one of {', '.join(str(one) or 'any' for one in allowed)}"
                )


def queue_rows(
    table: ReviewTable, name: str, filters: Filters, *, order: str = "gain", seed: int = 0
) -> pd.DataFrame:
    """The units of a queue under its filters, the best to ask about first.

    Args:
        name: one of ``NAMES``.
        order: one of ``ORDERS``; ``random`` follows ``seed``, and stays as it is while others are decided.
    Raises:
        DecisionError: an unknown queue or order.
    """
    if order not in ORDERS:
        raise DecisionError(f"order {order!r} does not exist; use one of {', '.join(ORDERS)}")
    units = table.units
    chosen = members(table, name, filters) & _limits(units, filters) & _state(units, filters.state)
    if order == "random":
        key = np.random.default_rng(seed).permutation(len(units))[chosen].astype(np.float64)
    elif order not in units:
        raise DecisionError(f"order {order!r} does not belong to the queue {name}")
    else:
        values = units[order].to_numpy(dtype=np.float64)[chosen]
        key = np.where(np.isnan(values), np.inf, -values if order in _HIGH_FIRST else values)
    rows = units[chosen]
    return rows.iloc[np.argsort(key, kind="stable")]


def counts(table: ReviewTable, name: str, filters: Filters) -> dict[str, int]:
    """How many units of the queue, under these filters, are in each state; ``all`` is their sum."""
    chosen = members(table, name, filters) & _limits(table.units, filters)
    found = table.units.decision[chosen].value_counts()
    told = {state: int(found.get("" if state == "undecided" else state, 0)) for state in STATES[:-1]}
    return told | {"all": int(chosen.sum())}


def queue_counts(table: ReviewTable, filters: Filters | None = None) -> dict[str, int]:
    """How many undecided units each queue holds."""
    limits = replace(filters or Filters(), state="undecided")
    return {name: counts(table, name, limits)["undecided"] for name in NAMES}


def members(table: ReviewTable, name: str, filters: Filters) -> NDArray[np.bool_]:
    """Which units belong to a queue at all, (U,).

    Raises:
        DecisionError: no such queue.
    """
    units = table.units
    train = (units.split == "train").to_numpy()
    if name == "pseudo_labels":
        return ~train
    if name == "age_boundary":
        return near_boundary(table, filters)
    if name == "label_issues":
        return train & _issues(units, filters)
    if name == "disagreements":
        shown: NDArray[np.bool_] = (
            units.disagreement.to_numpy() > 0 if "disagreement" in units else np.zeros(len(units), bool)
        )
        return shown
    raise DecisionError(f"queue {name!r} does not exist; there are {', '.join(NAMES)}")


def near_boundary(table: ReviewTable, filters: Filters) -> NDArray[np.bool_]:
    """People labelled near 30 or 60, or whose second age band is as likely as ``near_share``, (U,)."""
    age = table.units.age.to_numpy()
    bands = table.cells.reshape(-1, len(GENDERS), len(AGE_BANDS)).sum(axis=1)
    second = np.sort(bands, axis=1)[:, -2]
    years = np.minimum(np.abs(age - YOUNG + 0.5), np.abs(age - OLD + 0.5)) < filters.near_years
    near: NDArray[np.bool_] = ((age >= 0) & years) | (second >= filters.near_share)
    return near


def _issues(units: pd.DataFrame, filters: Filters) -> NDArray[np.bool_]:
    if filters.issue == "likely":
        chosen = (units.wrong >= filters.likely_wrong) | (units.decision != "")
    elif filters.issue == "contradictions":
        chosen = units.contradiction != ""
    elif filters.issue == "together":
        chosen = units.together >= 0
    elif filters.issue == "confident":
        chosen = units.confident
    else:
        chosen = units.split == "train"
    found: NDArray[np.bool_] = chosen.to_numpy(dtype=bool)
    return found


def _limits(units: pd.DataFrame, filters: Filters) -> NDArray[np.bool_]:
    chosen = (units.confidence >= filters.least) & (units.confidence <= filters.most)
    if filters.split:
        chosen &= units.split == filters.split
    if filters.axis:
        chosen &= units.axis == filters.axis
    if filters.label >= 0:
        chosen &= (units.classes.to_numpy() >> filters.label) & 1 == 1
    if filters.fold >= 0:
        chosen &= units.fold == filters.fold
    for part in filters.text.lower().split():
        chosen &= units.text.str.lower().str.contains(part, regex=False)
    if filters.picked is not None:
        chosen &= units.target.isin(filters.picked)
    limited: NDArray[np.bool_] = chosen.to_numpy(dtype=bool)
    return limited


def _state(units: pd.DataFrame, state: str) -> NDArray[np.bool_]:
    if state == "all":
        return np.ones(len(units), dtype=bool)
    found: NDArray[np.bool_] = (units.decision == ("" if state == "undecided" else state)).to_numpy(dtype=bool)
    return found
