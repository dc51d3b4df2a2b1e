"""An ensemble: members voted on as a recipe says, scored on people that no part of it has seen."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from core.dataset.splits import assign_folds
from core.errors import SubmissionError
from core.evaluation.metrics import Float64Array, macro_f1
from core.evaluation.prior import groups_of, mix_weights
from core.submission.ensemble import Probs, axis_vote, hard_vote, logit_vote, soft_vote, vote_shares
from core.submission.fitting import fit_weights, greedy_weights
from core.submission.members import Member, Rows
from core.submission.recipe import FITTED, Recipe
from core.submission.stacking import fit_stacking
from core.taxonomy import AXES, FloatArray, IntArray, decode

Apply = Callable[[Sequence[FloatArray]], Probs]


@dataclass(frozen=True)
class Ballot:
    """Members with the photos they vote on."""

    rows: Rows
    members: tuple[Member, ...]

    @cached_property
    def shared(self) -> slice | IntArray:
        """Rows of the people of whom every member predicts all photos out-of-fold; a slice where it can be."""
        labelled = self.rows.labels >= 0
        predicted = [member.predicted for member in self.members]
        seen = labelled & np.logical_and.reduce(predicted)
        lost = set(self.rows.person_ids[labelled & np.logical_or.reduce(predicted) & ~seen])
        if lost:
            seen &= ~pd.Index(self.rows.person_ids).isin(list(lost))
        rows = np.flatnonzero(seen)
        whole = len(rows) and rows[-1] - rows[0] + 1 == len(rows)
        return slice(int(rows[0]), int(rows[-1]) + 1) if whole else rows

    @cached_property
    def labels(self) -> IntArray:
        """(S,) of the shared rows."""
        return self.rows.labels[self.shared]

    @cached_property
    def ages(self) -> IntArray:
        """(S,) years of the shared rows, -1 where unknown."""
        return self.rows.ages[self.shared]

    @cached_property
    def person_ids(self) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        """(S,) of the shared rows."""
        return np.asarray(self.rows.person_ids[self.shared])

    def networks(self) -> list[list[Probs]]:
        """The members' F-th networks' evaluation probabilities, F = 0, 1, ...; a member with fewer goes round."""
        count = max(len(member.networks) for member in self.members)
        means = [member.pred_probs[self.rows.evaluation] for member in self.members]
        return [[member.networks[fold % len(member.networks)] if len(member.networks) else mean
                 for member, mean in zip(self.members, means, strict=True)]
                for fold in range(max(count, 1))]  # fmt: skip

    @cached_property
    def member_scores(self) -> Float64Array:
        """(M,) macro F1 of each member alone on the shared rows; NaN when there are none."""
        if not len(self.labels):
            return np.full(len(self.members), np.nan)
        return np.array([macro_f1(self.labels, member.classes[self.shared]) for member in self.members])

    def weights(self, mix: Float64Array | None) -> Float64Array:
        """(S,) how much each shared row counts when its people shall have this mix of groups; 1 each when None."""
        return np.ones(len(self.labels)) if mix is None else mix_weights(groups_of(self.labels), mix)

    @property
    def best(self) -> Member | None:
        """The member with the highest of those scores; None when there are none."""
        return self.members[int(self.member_scores.argmax())] if len(self.labels) else None

    def folds(self, count: int, seed: int) -> IntArray:
        """(S,) fold of each shared row, by person."""
        _, gender, band = decode(self.labels)
        people = pd.DataFrame({"person_id": self.person_ids, "gender": gender, "age_band": band})
        folds = assign_folds(people.drop_duplicates("person_id"), folds=count, seed=seed)
        return folds.reindex(self.person_ids).to_numpy(dtype=np.int64)

    def without_score(self) -> list[str]:
        """Names of members that predict no train photo out-of-fold."""
        return [member.name for member in self.members if not member.predicted[: self.rows.first_evaluation].any()]


@dataclass(frozen=True)
class Combined:
    """What an ensemble says.

    Attributes:
        oof_probs, oof_labels: (S, 18) and (S,) on the ballot's shared rows; by a rule that was fitted on other
            people, where the method is fitted.
        pred_probs, labels: (E, 18) and (E,) on the evaluation photos.
        apply: the rule, from one (N, 18) a member to (N, 18); of a hard vote the soft one.
        weights: (M,), or (3, M) for mask, gender, age: what each member counts; sums to 1.
        seconds: that the combining took.
    """

    recipe: Recipe
    oof_probs: Probs = field(repr=False)
    oof_labels: IntArray = field(repr=False)
    pred_probs: Probs = field(repr=False)
    labels: IntArray = field(repr=False)
    apply: Apply = field(repr=False)
    weights: Float64Array
    seconds: float


def combine(ballot: Ballot, recipe: Recipe) -> Combined:
    """The ensemble of a recipe.

    A fitted method is fitted on all shared people for the evaluation photos, and anew on the other folds
    for each fold of people that it is scored on (nested cross validation by person).

    Raises:
        SubmissionError: a fitted method, and no people that all members predict out-of-fold.
    """
    started = time.perf_counter()
    shared, evaluation = (
        [member.pred_probs[rows] for member in ballot.members] for rows in (ballot.shared, ballot.rows.evaluation)
    )
    if recipe.method == "hard":
        return _hard(ballot, recipe, shared, evaluation, started)
    if recipe.method in FITTED:
        _need_people(ballot, recipe)
        apply, weights = _fit(recipe, shared, ballot.labels)
        oof_probs = np.empty(shared[0].shape, dtype=np.float32)
        folds = ballot.folds(recipe.folds, recipe.seed)
        for fold in range(recipe.folds):
            others, own = folds != fold, folds == fold
            nested, _ = _fit(recipe, [member[others] for member in shared], ballot.labels[others])
            oof_probs[own] = nested([member[own] for member in shared])
    else:
        apply, weights = _fixed(recipe)
        oof_probs = apply(shared)
    pred_probs = apply(evaluation)
    seconds = time.perf_counter() - started
    found = (oof_probs, oof_probs.argmax(1), pred_probs, pred_probs.argmax(1))
    return Combined(recipe, *found, apply, weights, seconds)


def _fixed(recipe: Recipe) -> tuple[Apply, Float64Array]:
    """A rule that learns nothing."""
    count = len(recipe.members)
    if recipe.method == "axes":
        weights = np.array([[float(name in recipe.axes.get(axis, recipe.members)) for name in recipe.members]
                            for axis in AXES])  # fmt: skip
        return lambda members: axis_vote(members, weights), weights / weights.sum(axis=1, keepdims=True)
    given = np.array(recipe.weights or [1.0] * count)
    vote = logit_vote if recipe.method == "logits" else soft_vote
    return lambda members: vote(members, given), given / given.sum()


def _fit(recipe: Recipe, members: Sequence[FloatArray], labels: IntArray) -> tuple[Apply, Float64Array]:
    """A rule fitted to these photos."""
    if recipe.method == "stacked":
        stacking = fit_stacking(members, labels)
        return stacking.apply, stacking.shares
    fit = greedy_weights if recipe.method == "greedy" else fit_weights
    weights = fit(members, labels)
    return lambda others: soft_vote(others, weights), weights


def _hard(ballot: Ballot, recipe: Recipe, shared: list[Probs], evaluation: list[Probs], started: float) -> Combined:
    """The vote of classes; its probabilities are the shares of votes."""
    weights = np.array(recipe.weights or [1.0] * len(recipe.members))
    scores = ballot.member_scores
    best = 0 if np.isnan(scores).all() else int(np.nanargmax(scores))

    def vote(rows: slice | IntArray, members: list[Probs]) -> tuple[Probs, IntArray]:
        classes = [member.classes[rows] for member in ballot.members]
        return vote_shares(classes, weights), hard_vote(classes, members, weights, ties=recipe.ties, best=best)

    parts = (*vote(ballot.shared, shared), *vote(ballot.rows.evaluation, evaluation))
    soft, shares = _fixed(recipe)
    return Combined(recipe, *parts, soft, shares, time.perf_counter() - started)


def _need_people(ballot: Ballot, recipe: Recipe) -> None:
    people = len(set(ballot.person_ids))
    if people >= recipe.folds:
        return
    lacking = ", ".join(ballot.without_score())
    why = f"{lacking} predicts no train photo" if lacking else "train the runs on the same people"
    raise SubmissionError(
        f"method {recipe.method} learns from people that all members predicted out-of-fold, there are {people} "
        f"and {recipe.folds} are needed: {why}; choose soft, logits or hard, or other members"
    )
