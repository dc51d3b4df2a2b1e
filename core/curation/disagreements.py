"""Photos that runs, folds or reviewers see differently, and what one run mends and another breaks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from core.curation.review_table import ReviewTable
from core.errors import RunError
from core.evaluation.metrics import Float64Array, paired, probabilities
from core.storage.predictions import Predictions
from core.taxonomy import IntArray


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

    Args:
        torn: from ``agreement.disagreements``.
    """
    photos = table.photos
    concerned = photos.photo_id.isin(torn.target) | photos.person_id.isin(torn.target)
    is_open = np.zeros(len(table.units), dtype=bool)
    is_open[photos.group.to_numpy()[concerned]] = True
    decision = table.units.decision.where(~is_open, "")
    return replace(table, units=table.units.assign(disagreement=is_open.astype(np.float64), decision=decision))
