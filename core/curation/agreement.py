"""What several reviewers say about the same card: their votes, where they differ, how far they agree."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.evaluation.uncertainty import wilson_interval
from core.taxonomy import AGE_BANDS, GENDERS, MASKS, IntArray, decode, encode

QUEUE = "disagreements"
"""A decision in this queue settles a disagreement."""

AXES = ("mask", "gender", "age_band")
OPEN = -1
_NAMES = dict(zip(AXES, (MASKS, GENDERS, AGE_BANDS), strict=True))
_CARD = ["unit", "target"]
_READ = [*_CARD, "who", "kind", "origin", *AXES, "proposal", "why", "created_at", "queue"]
_REJECTED = 18
"""Overall category of a vote that the proposal is wrong, without another label."""


_COMPARED = ("cards", "same", "kappa", "kappa_low", "kappa_high")


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
    return _beyond(_chance(a, b), float((a == b).mean()) if len(a) else float("nan"))


def kappa_interval(first: ArrayLike, second: ArrayLike) -> tuple[float, float]:
    """95 % interval of ``cohens_kappa``: Wilson's of the share of equal answers, with the chance as it was observed.

    Args: as there; (nan, nan) where it is.
    Source: Cohen 1960, who takes the chance as given too; his normal approximation has no width where all agree.

    >>> low, high = kappa_interval([0, 1] * 20, [0, 1] * 20)
    >>> round(low, 2), round(high, 2)
    (0.82, 1.0)
    """
    a, b = np.asarray(first), np.asarray(second)
    chance = _chance(a, b)
    low, high = wilson_interval(int((a == b).sum()), len(a))
    return _beyond(chance, low), _beyond(chance, high)


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
    about = _counting(decisions)
    key = [*_CARD, "who"]
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

    Who decides about a whole person says it of each of its photos. Where another decided about one of these photos
    alone and differs, that photo is the card, not the person: the others are in no doubt. A later decision of the
    queue about the photo settles it, or one about the person that gives an axis on which they differ.

    Returns:
        unit, target, differing (the axes; none when one rejects what another labels), votes (a list of
        dicts, the oldest first: who, mask, gender, age_band, rejected, why, created_at).
    """
    about = _on_single_photos(photos, _counting(decisions))
    table = votes(photos, about)
    table = table[table.duplicated(_CARD, keep=False)].sort_values("created_at", kind="stable")
    given = table[list(AXES)].where(table[list(AXES)] >= 0)
    card = [table.unit, table.target]
    low, high = (getattr(given.groupby(card, sort=False), end)() for end in ("min", "max"))
    itself = about[~about.of_person]
    apart = (high > low) & _axes_given(photos, itself).groupby([itself.unit, itself.target]).any().reindex(low.index)
    labelled = given.notna().any(axis=1)
    one_without = (table.rejected & ~labelled).groupby(card, sort=False).any()
    one_with = (~table.rejected & labelled).groupby(card, sort=False).any()
    is_open = apart.any(axis=1) | (one_without & one_with)
    is_open &= ~_settled(photos, about, apart)
    cards: dict[Any, dict[str, Any]] = {
        key: dict(zip(_CARD, key, strict=True))
        | {"differing": [axis for axis, differs in zip(AXES, row, strict=True) if differs], "votes": []}
        for key, row in zip(apart.index[is_open], apart[is_open].to_numpy().tolist(), strict=True)
    }
    shown = table[pd.MultiIndex.from_frame(table[_CARD]).isin(apart.index[is_open])]
    for vote in shown.drop(columns="queue").to_dict("records"):
        cards[vote.pop("unit"), vote.pop("target")]["votes"].append(vote)
    return pd.DataFrame(list(cards.values()), columns=[*_CARD, "differing", "votes"])


def kappa_words(row: Mapping[Any, Any], axis: str) -> str:
    """The kappa of an axis in a row of ``agreement``, such as ``0.82 (0.71 to 0.89)``; a dash where there is none."""
    kappa, low, high = (row[f"{axis}_{part}"] for part in ("kappa", "kappa_low", "kappa_high"))
    return "–" if np.isnan(kappa) else f"{kappa:.2f} ({low:.2f} to {high:.2f})"


def vote_words(vote: dict[str, Any]) -> str:
    """One of the votes of a disagreement in words, such as ``Ann: worn, female, 30-59 (grey hair)``."""
    values = ", ".join(names[vote[axis]] for axis, names in _NAMES.items() if vote[axis] >= 0)
    said = f"the proposal is wrong; {values or 'no label'}" if vote["rejected"] else values
    return f"{vote['who']}: {said}" + (f" ({vote['why']})" if vote["why"] else "")


def agreement(photos: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """How far each two reviewers agree about the cards that both decided.

    Returns:
        first, second, and for each of mask, gender, age_band and label: ``<axis>_cards`` (both gave it),
        ``<axis>_same`` (share), ``<axis>_kappa`` and its 95 % interval, ``<axis>_kappa_low`` and ``_high``. label
        compares whole labels, and rejections as a label of their own.
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
    names = [f"{axis}_{part}" for axis in (*AXES, "label") for part in _COMPARED]
    return pd.DataFrame(rows, columns=["first", "second", *names])


def second_opinions(photos: pd.DataFrame, decisions: pd.DataFrame, who: str) -> list[tuple[str, str]]:
    """(unit, target) of the cards that exactly one other reviewer decided and ``who`` did not, oldest first."""
    table = votes(photos, decisions)
    once = table[~table.duplicated(["unit", "target"], keep=False) & (table.who != who)]
    return list(zip(once.unit.tolist(), once.target.tolist(), strict=True))


def _chance(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Share of equal answers if both answered as often so, but blindly; nan without an answer."""
    if not len(a):
        return float("nan")
    return float(sum((a == value).mean() * (b == value).mean() for value in np.union1d(a, b)))


def _beyond(chance: float, observed: float) -> float:
    return float("nan") if chance >= 1 else (observed - chance) / (1 - chance)


def _compared(both: pd.DataFrame) -> dict[str, float]:
    result: dict[str, float] = {}
    for axis in (*AXES, "label"):
        here = both[(both[axis] >= 0) & (both[f"{axis}_2"] >= 0)]
        result[f"{axis}_cards"] = len(here)
        result[f"{axis}_same"] = float((here[axis] == here[f"{axis}_2"]).mean()) if len(here) else float("nan")
        answers = here[axis], here[f"{axis}_2"]
        result[f"{axis}_kappa"] = cohens_kappa(*answers)
        result[f"{axis}_kappa_low"], result[f"{axis}_kappa_high"] = kappa_interval(*answers)
    return result


def _counting(decisions: pd.DataFrame) -> pd.DataFrame:
    counts = decisions.kind.isin(["accept", "relabel", "reject"]) & (decisions.origin != "model")
    return decisions.loc[counts, _READ]


def _on_single_photos(photos: pd.DataFrame, about: pd.DataFrame) -> pd.DataFrame:
    """The decisions, and those about people once more for each photo of theirs that was decided alone: ``of_person``.

    Rejecting a proposal about a person says that the photo's gender and age are right, and nothing of its mask.
    """
    about = about.reset_index(drop=True).assign(of_person=False)
    alone = photos[(photos.split == "train") & photos.photo_id.isin(about.target[about.unit == "photo"])]
    people = about[(about.unit == "person") & about.target.isin(alone.person_id)]
    if people.empty:
        return about
    original = alone.set_index("person_id")[["photo_id", "gender", "age_band"]].add_prefix("its_")
    copies = people.join(original, on="target").assign(unit="photo", of_person=True)
    copies["target"] = copies.pop("its_photo_id")
    rejects = copies.kind == "reject"
    for axis in ("gender", "age_band"):
        copies[axis] = copies[axis].where(~rejects, copies.pop(f"its_{axis}"))
    copies["kind"] = copies.kind.where(~rejects, "relabel")
    return pd.concat([about, copies]).sort_index(kind="stable").reset_index(drop=True)


def _settled(photos: pd.DataFrame, about: pd.DataFrame, apart: pd.DataFrame) -> pd.Series:
    """Whether the newest decision on each card of ``apart`` is one of the queue ``QUEUE``.

    One about the person counts for its photo where it gives an axis that is apart.
    """
    card = pd.MultiIndex.from_frame(about[_CARD])
    differs = apart.reindex(card, fill_value=False).to_numpy(dtype=bool)
    says = _axes_given(photos, about).to_numpy() & differs
    newest = about[~about.of_person.to_numpy(dtype=bool) | says.any(axis=1)].drop_duplicates(_CARD, keep="last")
    settled: pd.Series = newest.set_index(_CARD).queue.eq(QUEUE).reindex(apart.index)
    return settled


def _axes_given(photos: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Which axes each decision gives; a rejection of a photo or person those of its original label."""
    rejects = (decisions.kind == "reject").to_numpy()
    original = _labels_before(photos, decisions, rejects)
    given = _given(photos, decisions)
    return pd.DataFrame({axis: np.where(rejects, original[axis], given[axis]) >= 0 for axis in AXES}, decisions.index)


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
