"""Intervals: against a bootstrap written as a loop, scipy, and what is known in advance."""

import time

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from core.errors import RunError
from core.evaluation.metrics import macro_f1
from core.evaluation.uncertainty import macro_f1_draws, macro_f1_interval, wilson_interval


def _people(seed, people, photos=7, right=0.7):
    """Labels and predictions in which a person's photos are right or wrong together."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.integers(18, size=people), photos)
    wrong = np.repeat(rng.random(people) > right, photos)
    predictions = np.where(wrong, (labels + 1) % 18, labels)
    return labels, predictions, np.repeat([f"person{i}" for i in range(people)], photos)


def test_the_interval_equals_a_bootstrap_written_as_a_loop_over_people():
    labels, predictions, groups = _people(0, people=60)
    rng = np.random.default_rng(1)
    rows = [np.flatnonzero(groups == person) for person in dict.fromkeys(groups)]
    scores = []
    for _ in range(1500):
        drawn = np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
        rules = {"labels": range(18), "average": "macro", "zero_division": 0}
        scores.append(f1_score(labels[drawn], predictions[drawn], **rules))
    expected = np.quantile(scores, [0.025, 0.975])
    found = macro_f1_interval(labels, predictions, groups, draws=4000, seed=5)
    np.testing.assert_allclose(found, expected, atol=0.012)


def test_people_as_units_give_a_wider_interval_than_photos():
    labels, predictions, groups = _people(2, people=300)
    by_person = macro_f1_interval(labels, predictions, groups)
    by_photo = macro_f1_interval(labels, predictions, np.arange(len(labels)))
    assert by_person[1] - by_person[0] > 2 * (by_photo[1] - by_photo[0])
    assert by_person[0] < macro_f1(labels, predictions) < by_person[1]


def test_the_interval_follows_from_its_seed_and_not_from_the_order_of_photos():
    labels, predictions, groups = _people(3, people=40)
    first = macro_f1_interval(labels, predictions, groups, seed=1)
    assert macro_f1_interval(labels, predictions, groups, seed=1) == first
    assert macro_f1_interval(labels, predictions, groups, seed=2) != first


def test_blocks_of_draws_change_nothing_but_memory(monkeypatch):
    labels, predictions, groups = _people(4, people=50)
    whole = macro_f1_interval(labels, predictions, groups, draws=100)
    monkeypatch.setattr("core.evaluation.uncertainty._BLOCK", 50 * 7)
    assert macro_f1_interval(labels, predictions, groups, draws=100) == whole


def test_perfect_predictions_of_18_people_of_a_class_each_lose_only_the_classes_not_drawn():
    labels = np.repeat(np.arange(18), 3)
    low, high = macro_f1_interval(labels, labels, labels, draws=2000)
    assert high < 0.9  # never are all 18 people drawn
    assert low > 0.3
    low, high = macro_f1_interval(np.tile(labels, 50), np.tile(labels, 50), np.arange(18 * 3 * 50))
    assert (low, high) == (1.0, 1.0)


def test_one_person_tells_nothing_about_others():
    assert macro_f1_interval([3, 3], [3, 3], ["a", "a"]) == (0.0, 1.0)


def test_lengths_that_differ_are_named():
    with pytest.raises(RunError, match="labels has 2 rows but groups has 3; align both on photo_id first"):
        macro_f1_interval([0, 1], [0, 1], ["a", "b", "c"])


def test_the_whole_train_set_takes_less_than_half_a_second():
    labels, predictions, groups = _people(5, people=2700)
    best = min(_seconds(lambda: macro_f1_interval(labels, predictions, groups)) for _ in range(3))
    assert best < 0.5


def _seconds(call):
    start = time.process_time()
    call()
    return time.process_time() - start


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (10, 10), (3, 7), (291, 300), (1, 1)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_wilson_interval_equals_scipys(successes, n, level):
    expected = binomtest(successes, n).proportion_ci(level, method="wilson")
    found = wilson_interval(successes, n, level=level)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_interval_of_nothing_is_everything():
    assert wilson_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(RunError, match="5 successes of 3 cannot be"):
        wilson_interval(5, 3)


def test_weights_of_people_are_their_photos_counted_as_often():
    rng = np.random.default_rng(7)
    people = np.repeat(np.arange(40), 7)
    labels, guess = rng.integers(18, size=280), rng.integers(18, size=280)
    often = rng.integers(1, 4, size=40)[people]
    counted = macro_f1_draws(labels.repeat(often), [guess.repeat(often)], people.repeat(often), draws=20)
    np.testing.assert_allclose(macro_f1_draws(labels, [guess], people, weights=often, draws=20), counted, rtol=1e-6)
