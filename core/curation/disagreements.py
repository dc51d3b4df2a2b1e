"""Photos that runs, folds or reviewers see differently, and what one run mends and another breaks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from core.curation.agreement import AXES, vote_words
from core.curation.cards import first_to_look_at
from core.curation.review_table import ReviewTable
from core.errors import RunError
from core.evaluation.metrics import Float64Array, paired, probabilities
from core.storage.predictions import Predictions, read_predictions
from core.storage.runs import Run
from core.taxonomy import IntArray, decode


def vote_entropy(votes: Sequence[IntArray]) -> Float64Array:
    """How far voters are apart, (N,): the entropy of their votes in nats, 0 where they agree.

    Args:
        votes: one (N,) array of classes a voter, -1 where the voter has none.
    Raises:
        RunError: fewer than two voters, or lengths differ.

    Source: Dagan, Engelson, Committee-based sampling for training probabilistic classifiers, ICML 1995.
    """
    if len(votes) < 2:
        raise RunError(f"{len(votes)} voters cannot disagree; choose at least two runs, or a run of several folds")
    table = np.stack([np.asarray(vote, dtype=np.int64) for vote in votes], axis=1)  # (N, V)
    counts = np.stack([(table == label).sum(axis=1) for label in range(max(int(table.max()), 0) + 1)], axis=1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    entropy: Float64Array = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=1)
    return entropy + 0.0


def votes_of(predictions: Mapping[str, Predictions], photo_ids: Sequence[str]) -> dict[str, IntArray]:
    """The most probable class of each photo by each voter, -1 where it was not predicted."""
    wanted = pd.Index(photo_ids)
    told = {}
    for name, one in predictions.items():
        place = pd.Index(one.photo_ids).get_indexer(wanted)
        told[name] = np.where(place >= 0, one.logits.argmax(axis=1)[place], -1)
    return told


def run_votes(run: Run, other: Run | None, photo_ids: Sequence[str]) -> dict[str, IntArray]:
    """The votes of two runs, or of the folds of one where there is no other; folds say nothing of train photos.

    Raises:
        RunError: predictions are missing or damaged.
    """
    if other is None:
        folds = run.manifest["folds_to_run"]
        told = {f"fold {fold}": read_predictions(run.fold_path(fold) / "evaluation") for fold in folds}
    else:
        told = {one.run_id: together([one.oof(), one.evaluation()]) for one in (run, other)}
    return votes_of(told, photo_ids)


def together(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of several sets of photos as one: out of fold and evaluation, say."""
    return Predictions(
        np.concatenate([part.photo_ids for part in parts]),
        np.concatenate([np.log(np.maximum(probabilities(part.logits), 1e-30)) for part in parts]).astype(np.float32),
    )


def fixed_and_broken(labels: IntArray, before: IntArray, after: IntArray) -> tuple[IntArray, IntArray]:
    """Rows that the second run has right and the first has wrong, and the other way round.

    Args:
        labels, before, after: (N,) classes; rows with a -1 in any are passed over.
    """
    known = np.flatnonzero((labels >= 0) & (before >= 0) & (after >= 0))
    true, first = paired(labels[known], before[known])
    _, second = paired(labels[known], after[known])
    fixed, broken = known[(first != true) & (second == true)], known[(first == true) & (second != true)]
    return fixed.astype(np.int64), broken.astype(np.int64)


def train_labels(table: ReviewTable) -> IntArray:
    """The label of each train photo as it stands, (N,); -1 for evaluation photos, whose labels a run proposed."""
    return np.where(table.photos.split == "train", table.photos.label, -1).astype(np.int64)


def voters_apart(table: ReviewTable, told: Mapping[str, IntArray]) -> ReviewTable:
    """The table with a column ``disagreement``: the greatest vote entropy among a unit's photos.

    Args:
        told: (N,) class of each photo of the table by each voter.
    """
    apart = np.zeros(len(table.units))
    np.maximum.at(apart, table.photos.group.to_numpy(), vote_entropy(list(told.values())))
    return replace(table, units=table.units.assign(disagreement=apart))


def reviewers_apart(table: ReviewTable, torn: pd.DataFrame) -> ReviewTable:
    """The table with ``disagreement`` where reviewers are apart; those units are to be decided again.

    By photo, disputes about a whole person are left to a table by person: no answer about one photo settles them.

    Args:
        torn: from ``agreement.disagreements``.
    """
    photos = table.photos
    concerned = photos.photo_id.isin(torn.target[torn.unit == "photo"])
    if table.unit == "person":
        concerned |= photos.person_id.isin(torn.target[torn.unit == "person"])
    is_open = np.zeros(len(table.units), dtype=bool)
    is_open[photos.group.to_numpy()[concerned]] = True
    decision = table.units.decision.where(~is_open, "")
    return replace(table, units=table.units.assign(disagreement=is_open.astype(np.float64), decision=decision))


def disputes_of(
    table: ReviewTable, told: Mapping[str, IntArray], targets: Collection[str] | None = None
) -> pd.DataFrame:
    """The photos about which voters differ, in the form of ``agreement.disagreements``.

    Args:
        told: as in ``voters_apart``.
        targets: of the units to look at, None for all.
    """
    names, votes = list(told), np.stack(list(told.values()), axis=1)  # (N, V)
    known = np.where(votes < 0, votes.max(axis=1, keepdims=True), votes)
    rows = np.flatnonzero(known.min(axis=1) != known.max(axis=1))
    if targets is not None:
        rows = rows[table.units.target.isin(list(targets)).to_numpy()[table.photos.group.to_numpy()[rows]]]
    values = np.stack(decode(np.maximum(votes[rows], 0)), axis=2).tolist()  # (M, V, 3)
    disputes = []
    for photo_id, labels, axes in zip(table.photos.photo_id.iloc[rows], votes[rows].tolist(), values, strict=True):
        said = [
            {"who": name, **dict(zip(AXES, given, strict=True)), "rejected": False, "why": ""}
            for name, label, given in zip(names, labels, axes, strict=True)
            if label >= 0
        ]
        disputes.append(("photo", photo_id, [axis for axis in AXES if len({vote[axis] for vote in said}) > 1], said))
    return pd.DataFrame(disputes, columns=["unit", "target", "differing", "votes"])


def by_unit(table: ReviewTable, disputes: pd.DataFrame) -> dict[str, list[dict[Any, Any]]]:
    """The disputes about each unit's photos or person, by the unit's target, in the order of the table's photos.

    Each has a ``name`` more: which of the card's photos it is about, empty where the card is about one photo or the
    dispute about the whole person.
    """
    photos = table.photos
    about = {(row["unit"], row["target"]): row for row in disputes.to_dict("records")}
    here = np.flatnonzero(photos.photo_id.isin(disputes.target) | photos.person_id.isin(disputes.target))
    names = _names_on_cards(table, np.unique(photos.group.to_numpy()[here]))
    targets = table.units.target.to_numpy()[photos.group.to_numpy()[here]].tolist()
    found: dict[str, dict[Any, dict[Any, Any]]] = {}
    for target, place, photo in zip(targets, here.tolist(), photos.iloc[here].itertuples(), strict=True):
        for key, name in ((("person", photo.person_id), ""), (("photo", photo.photo_id), names.get(place, ""))):
            if key in about:
                found.setdefault(target, {})[key] = about[key] | {"name": name}
    return {target: list(those.values()) for target, those in found.items()}


def _names_on_cards(table: ReviewTable, groups: IntArray) -> dict[int, str]:
    """Row -> name of each photo on the cards of these persons: its kind, or its place in the row of a found group."""
    group_of, kinds = table.photos.group.to_numpy(), table.photos.kind.to_numpy()
    names: dict[int, str] = {}
    for row in table.units.loc[groups[(table.units.unit == "person").to_numpy()[groups]]].itertuples():
        shown = first_to_look_at(table, row, np.flatnonzero(group_of == row.Index))
        names |= {int(photo): kinds[photo] or f"photo {place}" for place, photo in enumerate(shown, 1)}
    return names


def dispute_lines(disputes: Sequence[dict[Any, Any]]) -> list[str]:
    """Disputes of ``by_unit`` in words, equal ones in one line: ``mask1, mask2 · ann: male; lee: female``."""
    names: dict[str, list[str]] = {}
    for dispute in disputes:
        names.setdefault("; ".join(map(vote_words, dispute["votes"])), []).append(dispute["name"])
    return [" · ".join(filter(None, (", ".join(filter(None, those)), line))) for line, those in names.items()]
