"""Learned ensembles against brute force, scikit-learn, and members whose worth is known."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from core.evaluation.metrics import macro_f1
from core.submission.ensemble import logit_vote, soft_vote
from core.submission.fitting import fit_weights, greedy_weights, mixture_weights
from core.submission.stacking import fit_stacking


def _members(seed=0, count=700, strengths=(2.5, 2.0, 0.0)):
    """Probabilities that know the label the better the greater the strength; the last knows nothing."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(18, size=count)
    members = []
    for strength in strengths:
        scores = strength * np.eye(18)[labels] + rng.normal(size=(count, 18))
        odds = np.exp(scores - scores.max(1, keepdims=True))
        members.append((odds / odds.sum(1, keepdims=True)).astype(np.float32))
    return members, labels


def test_fitted_weights_beat_equal_ones_and_every_member_and_leave_noise_out():
    members, labels = _members()
    weights = fit_weights(members, labels)
    score = macro_f1(labels, soft_vote(members, weights).argmax(1))
    assert score >= macro_f1(labels, soft_vote(members).argmax(1))
    assert score >= max(macro_f1(labels, member.argmax(1)) for member in members)
    assert weights.sum() == pytest.approx(1)
    assert weights.min() >= 0
    assert weights[2] < 0.1


def test_no_weights_on_a_fine_grid_are_much_better_than_the_fitted_ones():
    members, labels = _members(1, count=300)
    fitted = macro_f1(labels, soft_vote(members, fit_weights(members, labels)).argmax(1))
    grid = [(a, b, 20 - a - b) for a, b in itertools.product(range(21), repeat=2) if a + b <= 20]
    best = max(macro_f1(labels, soft_vote(members, weights).argmax(1)) for weights in grid)
    assert fitted > best - 0.01


def test_mixture_weights_make_the_labels_most_likely():
    members, labels = _members(2)
    weights = mixture_weights(members, labels, steps=2000)

    def likelihood(shares):
        return np.log(sum(s * m[np.arange(len(labels)), labels] for s, m in zip(shares, members, strict=True))).mean()

    for member in range(3):
        for change in (0.01, -0.01):
            moved = np.maximum(weights + change * (np.arange(3) == member), 0)
            assert likelihood(moved / moved.sum()) <= likelihood(weights) + 1e-6


def _greedy_by_brute_force(members, labels, steps, patience):
    taken, scores = [], []
    while len(taken) < steps and len(taken) - (1 + int(np.argmax(scores)) if scores else 0) < patience:
        tried = [macro_f1(labels, sum(members[i] for i in [*taken, new]).argmax(1)) for new in range(len(members))]
        taken.append(int(np.argmax(tried)))
        scores.append(max(tried))
    return np.bincount(taken[: 1 + int(np.argmax(scores))], minlength=len(members))


@pytest.mark.parametrize("seed", range(4))
def test_greedy_selection_takes_the_members_that_trying_all_takes(seed):
    members, labels = _members(seed, count=200, strengths=(2.2, 2.0, 1.5, 0.5))
    counts = _greedy_by_brute_force(members, labels, 40, 6)
    np.testing.assert_allclose(greedy_weights(members, labels), counts / counts.sum())


def test_a_member_given_twice_changes_nothing_that_greedy_selection_says():
    members, labels = _members(3)
    weights = greedy_weights([*members, members[0]], labels)
    once = greedy_weights(members, labels)
    np.testing.assert_allclose(weights[:3] + weights[3] * np.array([1, 0, 0]), once)


def test_without_a_pull_stacking_is_the_regression_of_scikit_learn():
    members, labels = _members(4, count=1500, strengths=(1.2, 0.8))
    features = np.concatenate([np.log(m) - np.log(m).mean(1, keepdims=True) for m in members], axis=1)
    oracle = LogisticRegression(C=1e6, max_iter=3000, tol=1e-6).fit(features, labels).predict_proba(features)
    found = fit_stacking(members, labels, penalty=0, steps=3000).apply(members)
    assert np.abs(found - oracle).max() < 0.01
    assert np.abs(found - oracle).mean() < 1e-3


def test_with_a_strong_pull_stacking_is_the_equal_vote_of_logits():
    members, labels = _members(5)
    np.testing.assert_allclose(
        fit_stacking(members, labels, penalty=1e6).apply(members), logit_vote(members), atol=1e-3
    )


def test_stacking_learns_what_no_vote_can_that_a_member_numbers_two_classes_the_wrong_way_round():
    members, labels = _members(6, count=1500, strengths=(3.0, 3.0))
    swapped = np.arange(18)
    swapped[[4, 5]] = [5, 4]
    members = [member[:, swapped] for member in members]
    stacked = fit_stacking(members, labels, penalty=1e-3).apply(members).argmax(1)
    rows = np.isin(labels, [4, 5])
    assert (stacked[rows] == labels[rows]).mean() > 0.8
    assert (soft_vote(members).argmax(1)[rows] == labels[rows]).mean() < 0.2
