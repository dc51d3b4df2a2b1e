"""What several reviewers say about the same card: their votes, where they differ, how far they agree."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.taxonomy import AGE_BANDS, GENDERS, MASKS, IntArray, decode, encode

QUEUE = "disagreements"
"""A decision in this queue settles a disagreement."""

AXES = ("mask", "gender", "age_band")
OPEN = -1
_NAMES = dict(zip(AXES, (MASKS, GENDERS, AGE_BANDS), strict=True))
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
    about = decisions[decisions.kind.isin(["accept", "relabel", "reject"]) & (decisions.origin != "model")]
    key = ["unit", "target", "who"]
    group = about.groupby(key, sort=False).ngroup().to_numpy()
    table = about[~about.duplicated(key)][key].reset_index(drop=True)
    last = about[~about.duplicated(key, keep="last")].set_index(key)[["kind", "why", "created_at", "queue"]]
    table = table.join(last, on=key)
    rejects = (about.kind == "reject").to_numpy()
    place = np.arange(len(about))
    rejected_at = np.full(len(table), -1)
    rejected_at[group[rejects]] = place[rejects]
    before = _labels_before(photos, table, rejected_at >= 0)
    for axis, values in _given(photos, about).items():
        said = np.asarray(before[axis])
        counts = (values >= 0) & (place > rejected_at[group])
        said[group[counts]] = values[counts]  # oldest first: a later one takes its place
        table[axis] = said
    table["rejected"] = (table.kind == "reject").astype(bool)
    return table[[*key, *AXES, "rejected", "why", "created_at", "queue"]]


def disagreements(photos: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Cards about which reviewers differ, and that no decision of the queue ``QUEUE`` has settled since.

    Returns:
        unit, target, differing (the axes; none when one rejects what another labels), votes (a list of
        dicts, the oldest first: who, mask, gender, age_band, rejected, why, created_at).
    """
    card = ["unit", "target"]
    table = votes(photos, decisions)
    table = table[table.duplicated(card, keep=False)].sort_values("created_at", kind="stable")
    place = table.groupby(card, sort=False).ngroup()
    given = table[list(AXES)].where(table[list(AXES)] >= 0)
    apart = given.groupby(place).max() > given.groupby(place).min()
    labelled = given.notna().any(axis=1)
    one_without = (table.rejected & ~labelled).groupby(place).any()
    one_with = (~table.rejected & labelled).groupby(place).any()
    settled = table.queue.groupby(place).last() == QUEUE
    is_open = (apart.any(axis=1) | (one_without & one_with)) & ~settled
    cards: dict[int, dict[str, Any]] = {
        number: {"differing": [axis for axis, differs in zip(AXES, row, strict=True) if differs], "votes": []}
        for number, row in zip(apart.index[is_open], apart[is_open].to_numpy().tolist(), strict=True)
    }
    for number, vote in zip(place.tolist(), table.drop(columns="queue").to_dict("records"), strict=True):
        if number in cards:
            cards[number] |= {name: vote.pop(name) for name in card}
            cards[number]["votes"].append(vote)
    return pd.DataFrame(list(cards.values()), columns=[*card, "differing", "votes"])


def vote_words(vote: dict[str, Any]) -> str:
    """One of the votes of a disagreement in words, such as ``Ann: worn, female, 30-59 (grey hair)``."""
    values = ", ".join(names[vote[axis]] for axis, names in _NAMES.items() if vote[axis] >= 0)
    said = f"the proposal is wrong; {values or 'no label'}" if vote["rejected"] else values
    return f"{vote['who']}: {said}" + (f" ({vote['why']})" if vote["why"] else "")


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
    table = votes(photos, decisions)
    once = table[~table.duplicated(["unit", "target"], keep=False) & (table.who != who)]
    return list(zip(once.unit.tolist(), once.target.tolist(), strict=True))


def _compared(both: pd.DataFrame) -> dict[str, float]:
    result: dict[str, float] = {}
    for axis in (*AXES, "label"):
        here = both[(both[axis] >= 0) & (both[f"{axis}_2"] >= 0)]
        result[f"{axis}_cards"] = len(here)
        result[f"{axis}_same"] = float((here[axis] == here[f"{axis}_2"]).mean()) if len(here) else float("nan")
        result[f"{axis}_kappa"] = cohens_kappa(here[axis], here[f"{axis}_2"])
    return result


def _given(photos: pd.DataFrame, decisions: pd.DataFrame) -> dict[str, IntArray]:
    """The axis values that each decision gives, -1 where open; of evaluation photos those of the proposal too."""
    on_evaluation = decisions.target.isin(photos.photo_id[photos.split == "eval"]).to_numpy()
    proposal = pd.to_numeric(decisions.proposal).fillna(OPEN).to_numpy(dtype=np.int64)
    proposed = dict(zip(AXES, decode(np.maximum(proposal, 0)), strict=True))
    given: dict[str, IntArray] = {}
    for axis in AXES:
        values = pd.to_numeric(decisions[axis]).fillna(OPEN).to_numpy(dtype=np.int64)
        fill = (values < 0) & on_evaluation & (proposal >= 0)
        given[axis] = np.where(fill, proposed[axis], values)
    return given


def _labels_before(photos: pd.DataFrame, cards: pd.DataFrame, wanted: NDArray[np.bool_]) -> dict[str, IntArray]:
    """The original axis values of the wanted cards' train photos or people (no mask of a person), else -1."""
    train = photos[photos.split == "train"]
    known = {
        "photo": train.set_index("photo_id")[list(AXES)],
        "person": train.drop_duplicates("person_id").set_index("person_id")[list(AXES)].assign(mask=OPEN),
    }
    found = {axis: np.full(len(cards), OPEN, dtype=np.int64) for axis in AXES}
    for unit, labels in known.items():
        here = np.flatnonzero(wanted & (cards.unit == unit).to_numpy())
        rows = labels.reindex(cards.target.iloc[here]).fillna(OPEN)
        for axis in AXES:
            found[axis][here] = rows[axis].to_numpy(dtype=np.int64)
    return found
