"""Expected gain of asking about a person: against scoring again with every answer, and what it prefers."""

import time

import numpy as np
import pytest

from core.curation.expected_gain import expected_gain, expected_gain_by_person
from core.evaluation.best_classes import expected_macro_f1
from core.evaluation.metrics import macro_f1


def _people(seed, people=12, photos=4):
    rng = np.random.default_rng(seed)
    cells = rng.dirichlet(np.full(6, 0.5), size=people)
    owner = rng.permutation(np.repeat(np.arange(people), photos))
    masks = rng.dirichlet(np.full(3, 0.2), size=len(owner))
    predictions = rng.integers(18, size=len(owner))
    return masks, cells, owner, predictions


def _class_probs(masks, cells, owner):
    return np.array([np.outer(masks[i], cells[owner[i]]).ravel() for i in range(len(owner))])


def _brute_force(masks, cells, owner, predictions):
    """For each person and each answer: write it down, expected macro F1 after minus before."""
    gains = np.zeros(len(cells))
    for person, chances in enumerate(cells):
        for answer, chance in enumerate(chances):
            known = cells.copy()
            known[person] = np.eye(6)[answer]
            told = _class_probs(masks, known, owner)
            answered = predictions.copy()
            for i in np.flatnonzero(owner == person):
                answered[i] = predictions[i] // 6 * 6 + answer
            gains[person] += chance * (expected_macro_f1(told, answered) - expected_macro_f1(told, predictions))
    return gains


@pytest.mark.parametrize("seed", range(4))
def test_the_gain_of_a_person_equals_scoring_again_with_every_possible_answer(seed):
    masks, cells, owner, predictions = _people(seed)
    np.testing.assert_allclose(
        expected_gain_by_person(masks, cells, owner, predictions),
        _brute_force(masks, cells, owner, predictions),
        atol=1e-12,
    )


def test_people_of_one_photo_whose_mask_is_known_gain_what_photos_gain():
    rng = np.random.default_rng(1)
    cells = rng.dirichlet(np.full(6, 0.5), size=60)
    masks = np.eye(3)[rng.integers(3, size=60)]
    told = _class_probs(masks, cells, np.arange(60))
    predictions = told.argmax(1)
    by_person = expected_gain_by_person(masks, cells, np.arange(60), predictions)
    np.testing.assert_allclose(by_person, expected_gain(told, predictions), atol=1e-12)


def test_expected_macro_f1_of_certain_photos_is_macro_f1():
    rng = np.random.default_rng(2)
    labels, predictions = rng.integers(18, size=(2, 300))
    assert expected_macro_f1(np.eye(18)[labels], predictions) == pytest.approx(macro_f1(labels, predictions))


def test_at_the_same_doubt_a_person_whose_photos_contradict_each_other_comes_first():
    sure = np.repeat(np.eye(6)[:2], 20, axis=0)
    cells = np.vstack([sure, np.repeat([[0.6, 0.4, 0, 0, 0, 0]], 2, axis=0)])
    owner = np.repeat(np.arange(42), 7)
    masks = np.tile(np.eye(3)[[0, 0, 0, 0, 0, 1, 2]], (42, 1))
    predictions = masks.argmax(1) * 6 + cells[owner].argmax(1)
    predictions[owner == 41] += np.array([0, 1, 0, 1, 0, 1, 1])
    gain = expected_gain_by_person(masks, cells, owner, predictions)
    assert gain[41] > gain[40] > gain[:40].max()


def test_three_thousand_people_take_a_fraction_of_a_second():
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(3000), 7)
    masks, cells = rng.dirichlet(np.ones(3), size=21_000), rng.dirichlet(np.ones(6), size=3000)
    start = time.process_time()
    expected_gain_by_person(masks, cells, owner, rng.integers(18, size=21_000))
    assert time.process_time() - start < 0.4
