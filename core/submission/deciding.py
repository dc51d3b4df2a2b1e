"""From votes to the classes that are submitted: corrected, joined over persons, decided; and what that changes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.errors import SubmissionError
from core.evaluation.best_classes import best_classes
from core.evaluation.expected_score import ExpectedScore
from core.evaluation.rehearsal import Rehearsal, rehearse
from core.people.inference import mix_of_prior, origin_of
from core.storage.groupings import Grouping, open_grouping
from core.submission.assemble import open_ballot
from core.submission.combine import Ballot, Combined, combine
from core.submission.difference import Difference, difference
from core.submission.expectation import Belief, believe, evaluation_people, oof_probabilities
from core.submission.held_out import corrected_classes
from core.submission.members import Rows
from core.submission.recipe import Recipe
from core.taxonomy import PHOTO_KINDS, IntArray
from core.workspace import Workspace

_REHEARSED = 8
"""Members that rehearse beside their ensemble, the best ones."""


@dataclass(frozen=True)
class Voted:
    """Members, their votes, and what these let believe of the evaluation photos, one by one."""

    ballot: Ballot = field(repr=False)
    combined: Combined = field(repr=False)
    belief: Belief | None = field(repr=False)


@dataclass(frozen=True)
class Effect:
    """What corrections and rule change in the votes.

    Attributes:
        changes: from the votes as they are to what is submitted.
        before, after: macro F1 to expect of both, on the same drawn truths.
    """

    changes: Difference = field(repr=False)
    before: ExpectedScore
    after: ExpectedScore


@dataclass(frozen=True)
class Decided:
    """What is submitted.

    Attributes:
        labels: (E,) classes.
        belief: what the photos probably are, with all that the recipe's corrections use.
        effect: None where the votes are submitted as they are.
        inference: corrections, mixes and groups that were used, for the manifest; None as for effect.
    """

    labels: IntArray = field(repr=False)
    belief: Belief | None = field(repr=False)
    effect: Effect | None
    inference: dict[str, Any] | None = field(repr=False)


def vote(workspace: Workspace, rows: Rows, recipe: Recipe) -> Voted:
    """Open a recipe's members and let them vote; raises as ``assemble.open_ballot`` and ``combine``."""
    ballot = open_ballot(workspace, rows, recipe)
    return voted(workspace, ballot, combine(ballot, recipe))


def voted(workspace: Workspace, ballot: Ballot, combined: Combined) -> Voted:
    """Votes with what they let believe; people by the newest grouping share their luck."""
    people = evaluation_people(workspace, ballot.rows.dataset_id, ballot.rows.evaluation_ids)
    return Voted(ballot, combined, believe(ballot, combined, people=people))


def rehearse_votes(votes: Voted) -> Rehearsal:
    """The leaderboard with an ensemble and its best members, on train people drawn to the mean of both mixes.

    The ensemble and the best member play twice: as voted, and corrected to the mix.

    Raises:
        SubmissionError: no people that all members predicted out-of-fold.
    """
    ballot, combined, belief = votes.ballot, votes.combined, votes.belief
    if belief is None:
        raise SubmissionError(
            "no people that all members predicted out-of-fold, so nobody can play the evaluation people; choose "
            "runs of the same people"
        )
    mix, best = belief.shift.mean_mix, np.argsort(-ballot.member_scores)[:_REHEARSED]
    members = [ballot.members[place] for place in best]
    played = {member.name: (member.classes[ballot.shared], member.pred_probs[ballot.shared]) for member in members}
    twice = [members[0].name]
    if len(members) > 1:
        played = {"this ensemble": (combined.oof_labels, oof_probabilities(ballot, combined))} | played
        twice = ["this ensemble", *twice]
    candidates = {name: classes for name, (classes, _) in played.items()}
    candidates |= {f"{name}, corrected": corrected_classes(ballot, played[name][1], mix) for name in twice}
    size = len(ballot.rows.evaluation_ids) // len(PHOTO_KINDS)
    return rehearse(ballot.labels, candidates, ballot.person_ids, mix=mix, size=size, draws=400)


def decide(workspace: Workspace, votes: Voted, recipe: Recipe, *, as_found: bool = False) -> Decided:
    """Classes after the corrections and by the rule that a recipe asks for, and what they change.

    Args:
        as_found: take the grouping without what people corrected by hand.
    Raises:
        SubmissionError: a correction, and no people that all members predicted out-of-fold.
        DecisionError: there is no grouping of that name.
    """
    as_voted, belief, rows = votes.combined.labels, votes.belief, votes.ballot.rows
    if recipe.is_plain:
        return Decided(as_voted, belief, None, None)
    if belief is None:
        raise SubmissionError(
            f"prior {recipe.prior}, grouping {recipe.grouping or 'none'}, decide {recipe.rule} need people that "
            "all members predicted out-of-fold; choose other members, or leave the corrections out"
        )
    grouping = None
    if recipe.grouping:
        grouping = open_grouping(workspace, recipe.grouping, dataset_id=rows.dataset_id, as_found=as_found)
        belief = belief.joined(grouping, rows.evaluation_ids)
    pred_probs = belief.corrected(recipe.prior)
    labels: IntArray = best_classes(pred_probs) if recipe.rule == "macro_f1" else pred_probs.argmax(axis=1)
    changes = difference(as_voted, labels, people=belief.people, belief=belief)
    effect = Effect(changes, belief.expected(as_voted), belief.expected(labels))
    return Decided(labels, belief, effect, _told(recipe, belief, grouping, rows))


def _told(recipe: Recipe, belief: Belief, grouping: Grouping | None, rows: Rows) -> dict[str, Any]:
    mix = mix_of_prior(belief.shift, recipe.prior)
    pooling = belief.pooling
    return {
        "prior": recipe.prior,
        "train_mix": np.round(belief.shift.train_mix, 5).tolist(),
        "mix": np.round(mix, 5).tolist(),
        "grouping": None if grouping is None else origin_of(grouping, rows.evaluation_ids),
        "pooling": None
        if grouping is None
        else {"weights": np.round(pooling.weights, 4).tolist(), "independence": round(pooling.independence, 4)},
    }
