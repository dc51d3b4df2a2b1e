"""Decisions for macro F1: against all possible decisions of few photos, and against truths drawn at random."""

from itertools import product

import numpy as np
import pytest

from core.evaluation.best_classes import best_classes, expected_macro_f1
from core.evaluation.expected_score import draw_truth
from core.evaluation.metrics import macro_f1
from core.evaluation.prior import corrected
from tests.synthetic import EVAL_MIX, TRAIN_MIX, draw_people


@pytest.mark.parametrize("seed", range(10))
def test_decisions_are_near_the_best_of_all_and_never_below_the_most_probable_classes(seed):
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet([0.6, 0.4, 0.2], size=7)
    found = expected_macro_f1(probs, best_classes(probs))
    best = max(expected_macro_f1(probs, np.array(one)) for one in product(range(3), repeat=7))
    assert found >= 0.9 * best
    assert found >= expected_macro_f1(probs, probs.argmax(axis=1))


def test_the_expected_number_is_near_the_mean_score_of_truths_drawn_from_the_probabilities():
    people = draw_people(0, 300)
    guess = best_classes(people.true_probs)
    drawn = draw_truth([people.true_probs], people.people, together=0.0, draws=100).scores(guess)
    assert expected_macro_f1(people.true_probs, guess) == pytest.approx(drawn.mean(), abs=0.01)


def test_on_true_probabilities_the_decisions_score_above_the_most_probable_classes():
    gains = []
    for seed in range(6):
        people = draw_people(seed, 400, EVAL_MIX, apart=0.9)
        probs = corrected(people.true_probs, TRAIN_MIX, EVAL_MIX)
        scores = [macro_f1(people.labels, guess) for guess in (probs.argmax(axis=1), best_classes(probs))]
        gains.append(scores[1] - scores[0])
    assert np.mean(gains) > 0.005


def test_answers_without_doubt_stay_as_they_are():
    labels = np.arange(36) % 18
    np.testing.assert_array_equal(best_classes(np.eye(18)[labels]), labels)


def local_search(pred_probs):
    """One photo after another takes the class that raises expected macro F1 most, until none does."""
    chosen, changed = pred_probs.argmax(1), True
    while changed:
        changed = False
        for photo in range(len(chosen)):
            tried = [np.where(np.arange(len(chosen)) == photo, k, chosen) for k in range(pred_probs.shape[1])]
            scores = [expected_macro_f1(pred_probs, each) for each in tried]
            if max(scores) > scores[chosen[photo]] + 1e-12:
                chosen, changed = tried[int(np.argmax(scores))], True
    return chosen


@pytest.mark.parametrize("seed", range(4))
def test_the_rounds_end_as_high_as_a_search_photo_by_photo(seed):
    pred_probs = np.random.default_rng(seed).dirichlet([1.2, 0.6, 0.2], size=150)
    found = expected_macro_f1(pred_probs, best_classes(pred_probs))
    assert found >= expected_macro_f1(pred_probs, pred_probs.argmax(1)) - 1e-12
    assert found >= 0.995 * expected_macro_f1(pred_probs, local_search(pred_probs))


def test_weights_are_photos_counted_as_often():
    rng = np.random.default_rng(3)
    probs, often = rng.dirichlet(np.full(18, 0.3), size=300), rng.integers(1, 4, size=300)
    counted = best_classes(probs.repeat(often, axis=0))
    np.testing.assert_array_equal(best_classes(probs, weights=often).repeat(often), counted)
    assert (best_classes(probs) != best_classes(probs, weights=often)).any()
