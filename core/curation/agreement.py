"""What several reviewers say about the same card: their votes, where they differ, how far they agree."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.taxonomy import decode, encode

QUEUE = "reviewers"
"""The queue of disagreements: a decision in it settles one."""

AXES = ("mask", "gender", "age_band")
OPEN = -1
_REJECTED = 18
"""Overall category of a vote that the proposal is wrong, without another label."""


def cohens_kappa(first: ArrayLike, second: ArrayLike) -> float:
    """Agreement of two reviewers beyond what chance gives: 1 all, 0 chance; nan when chance alone agrees always.

    Args:
        first: (N,) categories that one gave, whole numbers.
        second: (N,) those of the other for the same cards.
    Source: Cohen, A coefficient of agreement for nominal scales, 1960, formula 1.

    >>> cohens_kappa([0, 0, 1, 1], [0, 1, 1, 1])
    0.5
    """
    a, b = np.asarray(first), np.asarray(second)
    if not len(a):
        return float("nan")
    values = np.union1d(a, b)
    observed = (a == b).mean()
    chance = sum((a == value).mean() * (b == value).mean() for value in values)
    return float("nan") if chance >= 1 else float((observed - chance) / (1 - chance))


def votes(photos: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """What each reviewer says of each card now; a skip says nothing, nor does a bulk accept that nobody looked at.

    A later decision of the same reviewer changes the axes it gives. A rejected proposal means: of an
    evaluation photo, no label; of train photos, that the label as it was is right.

    Args:
        photos: an index's photos.
        decisions: those that stand, oldest first.
    Returns:
        unit, target, who, mask, gender, age_band (-1 left open), rejected, why, created_at, queue; a row a
        card and reviewer, cards in the order of their first decision.
    """
    before = _labels_before(photos)
    evaluation = set(photos.photo_id[photos.split == "eval"])
    said: dict[tuple[str, str, str], dict[str, Any]] = {}
    about = decisions[decisions.kind.isin(["accept", "relabel", "reject"]) & (decisions.origin != "model")]
    for row in about.to_dict("records"):
        key = (row["unit"], row["target"], row["who"])
        vote = said.setdefault(key, dict.fromkeys(AXES, OPEN))
        vote |= {"rejected": row["kind"] == "reject", "why": row["why"]}
        vote |= {"created_at": row["created_at"], "queue": row["queue"]}
        if vote["rejected"]:
            vote |= before.get(key[:2], dict.fromkeys(AXES, OPEN))
            continue
        if row["target"] in evaluation and _is_given(row["proposal"]):
            vote |= dict(zip(AXES, map(int, decode(int(row["proposal"]))), strict=True))
        vote |= {axis: int(row[axis]) for axis in AXES if _is_given(row[axis])}
    columns = ["unit", "target", "who", *AXES, "rejected", "why", "created_at", "queue"]
    table = pd.DataFrame(
        [dict(zip(columns[:3], key, strict=True)) | vote for key, vote in said.items()], columns=columns
    )
    return table.astype(dict.fromkeys(AXES, int) | {"rejected": bool})


def disagreements(photos: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Cards about which reviewers differ, and that no decision of the queue ``QUEUE`` has settled since.

    Returns:
        unit, target, differing (the axes; none when one rejects what another labels), votes (a list of
        dicts, the oldest first: who, mask, gender, age_band, rejected, why, created_at).
    """
    rows = []
    for (unit, target), group in votes(photos, decisions).groupby(["unit", "target"], sort=False):
        differing = [axis for axis in AXES if group.loc[group[axis] >= 0, axis].nunique() > 1]
        torn = bool(group.rejected.any() and (~group.rejected & (group[list(AXES)] >= 0).any(axis=1)).any())
        without_label = (group.rejected & (group[list(AXES)] < 0).all(axis=1)).any()
        if not differing and not (torn and without_label):
            continue
        ordered = group.sort_values("created_at", kind="stable")
        if ordered.queue.iloc[-1] == QUEUE:
            continue
        said = ordered.drop(columns=["unit", "target", "queue"]).to_dict("records")
        rows.append({"unit": unit, "target": target, "differing": differing, "votes": said})
    return pd.DataFrame(rows, columns=["unit", "target", "differing", "votes"])


def agreement(photos: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """How far each two reviewers agree about the cards that both decided.

    Returns:
        first, second, and for each of mask, gender, age_band and label: ``<axis>_cards`` (both gave it),
        ``<axis>_same`` (share), ``<axis>_kappa``. label compares whole labels, and rejections as a label of
        their own.
    """
    table = votes(photos, decisions)
    whole = (table[list(AXES)] >= 0).all(axis=1).to_numpy()
    label = np.where(table.rejected, _REJECTED, OPEN)
    label[whole] = encode(*(table.loc[whole, axis] for axis in AXES))
    table = table.assign(label=label)
    by_reviewer = dict(list(table.groupby("who", sort=True)))
    rows = []
    for first, second in combinations(by_reviewer, 2):
        both = by_reviewer[first].merge(by_reviewer[second], on=["unit", "target"], suffixes=("", "_2"))
        if len(both):
            rows.append({"first": first, "second": second} | _compared(both))
    names = [f"{axis}_{part}" for axis in (*AXES, "label") for part in ("cards", "same", "kappa")]
    return pd.DataFrame(rows, columns=["first", "second", *names])


def second_opinions(photos: pd.DataFrame, decisions: pd.DataFrame, who: str) -> list[tuple[str, str]]:
    """(unit, target) of the cards that exactly one other reviewer decided and ``who`` did not, oldest first."""
    groups = votes(photos, decisions).groupby(["unit", "target"], sort=False).who
    return [key for key, names in groups if len(names) == 1 and who not in set(names)]  # type: ignore[misc]


def _compared(both: pd.DataFrame) -> dict[str, float]:
    result: dict[str, float] = {}
    for axis in (*AXES, "label"):
        here = both[(both[axis] >= 0) & (both[f"{axis}_2"] >= 0)]
        result[f"{axis}_cards"] = len(here)
        result[f"{axis}_same"] = float((here[axis] == here[f"{axis}_2"]).mean()) if len(here) else float("nan")
        result[f"{axis}_kappa"] = cohens_kappa(here[axis], here[f"{axis}_2"])
    return result


def _labels_before(photos: pd.DataFrame) -> dict[tuple[str, str], dict[str, int]]:
    """The original axis values of each train photo, and gender and age band of each person."""
    train = photos[photos.split == "train"]
    known: dict[tuple[str, str], dict[str, int]] = {}
    columns: Sequence[str] = ["photo_id", "person_id", *AXES]
    for photo_id, person_id, mask, gender, band in train[columns].to_numpy().tolist():
        known["photo", photo_id] = {"mask": mask, "gender": gender, "age_band": band}
        known["person", person_id] = {"mask": OPEN, "gender": gender, "age_band": band}
    return known


def _is_given(value: Any) -> bool:
    return value is not None and value == value
