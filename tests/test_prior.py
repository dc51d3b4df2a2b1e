"""The mix of the evaluation set: against people of a known mix, brute force and linear algebra."""

import numpy as np
import pytest
from scipy.optimize import minimize

from core.errors import RunError
from core.evaluation.calibration_map import fit_calibration
from core.evaluation.metrics import macro_f1, probabilities
from core.evaluation.prior import (
    NUM_GROUPS,
    bbse_mix,
    corrected,
    em_mix,
    group_probabilities,
    groups_of,
    mix_of,
    mix_weights,
    total_variation,
)
from tests.synthetic import EVAL_MIX, TRAIN_MIX, draw_people


@pytest.fixture(scope="module")
def train():
    return draw_people(0, 2700)


@pytest.fixture(scope="module")
def evaluation():
    return draw_people(1, 900, EVAL_MIX)


@pytest.fixture(scope="module")
def calibration(train):
    return fit_calibration(train.logits, train.labels)


def test_em_finds_a_mix_that_nobody_told_it(train, evaluation, calibration):
    before, truth = mix_of(groups_of(train.labels)), mix_of(groups_of(evaluation.labels))
    found = em_mix(group_probabilities(calibration.probabilities(evaluation.logits)), before)
    assert total_variation(found, truth) < 0.3 * total_variation(before, truth)


def test_em_on_probabilities_that_were_not_calibrated_is_twice_as_wrong(train, evaluation, calibration):
    before, truth = mix_of(groups_of(train.labels)), mix_of(groups_of(evaluation.labels))
    good, bad = (
        total_variation(em_mix(group_probabilities(found), before), truth)
        for found in (calibration.probabilities(evaluation.logits), probabilities(evaluation.logits))
    )
    assert bad > 2 * good


def test_bbse_finds_the_mix_from_predictions_alone(train, evaluation):
    before, truth = mix_of(groups_of(train.labels)), mix_of(groups_of(evaluation.labels))
    guesses = [groups_of(people.logits.argmax(axis=1)) for people in (train, evaluation)]
    found = bbse_mix(groups_of(train.labels), *guesses)
    assert total_variation(found, truth) < 0.6 * total_variation(before, truth)
    assert total_variation(found, truth) < total_variation(mix_of(guesses[1]), truth)


def test_without_a_shift_both_find_about_the_train_mix(train, calibration):
    same = draw_people(2, 2700)
    before, truth = mix_of(groups_of(train.labels)), mix_of(groups_of(same.labels))
    assert total_variation(em_mix(group_probabilities(calibration.probabilities(same.logits)), before), truth) < 0.03
    guesses = [groups_of(people.logits.argmax(axis=1)) for people in (train, same)]
    assert total_variation(bbse_mix(groups_of(train.labels), *guesses), truth) < 0.03


def test_em_without_a_prior_is_the_maximum_of_the_likelihood_that_a_general_optimizer_finds():
    people = draw_people(3, 60, EVAL_MIX)
    probs = group_probabilities(people.true_probs)

    def loss(free):
        mix = np.exp(np.append(free, 0)) / np.exp(np.append(free, 0)).sum()
        return -np.log((probs / TRAIN_MIX) @ mix).mean()

    free = minimize(loss, np.zeros(NUM_GROUPS - 1), method="BFGS", options={"gtol": 1e-8}).x
    oracle = np.exp(np.append(free, 0)) / np.exp(np.append(free, 0)).sum()
    np.testing.assert_allclose(em_mix(probs, TRAIN_MIX, strength=0), oracle, atol=1e-4)


def test_a_stronger_prior_holds_em_nearer_to_the_train_mix(evaluation):
    probs = group_probabilities(evaluation.true_probs)
    distances = [total_variation(em_mix(probs, TRAIN_MIX, strength=s), TRAIN_MIX) for s in (0, 0.1, 1, 1e6)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-5


def test_weights_of_photos_are_photos_counted_more_than_once():
    people = draw_people(4, 40, EVAL_MIX)
    probs, groups = group_probabilities(people.true_probs), groups_of(people.labels)
    counts = np.arange(len(probs)) % 3
    rows = np.repeat(np.arange(len(probs)), counts)
    np.testing.assert_allclose(em_mix(probs, TRAIN_MIX, weights=counts), em_mix(probs[rows], TRAIN_MIX), atol=1e-5)
    guess = probs.argmax(axis=1)
    weighted = bbse_mix(groups, guess, guess[::-1], weights=counts, eval_weights=counts)
    repeated = bbse_mix(groups[rows], guess[rows], guess[::-1][rows])
    np.testing.assert_allclose(weighted, repeated, atol=1e-9)


def test_bbse_without_a_ridge_is_the_inverse_of_the_confusion_matrix_where_that_is_a_mix(train, evaluation):
    groups, guess = groups_of(train.labels), groups_of(train.true_probs.argmax(axis=1))
    seen = groups_of(evaluation.true_probs.argmax(axis=1))
    given = np.stack([mix_of(guess[groups == j]) for j in range(NUM_GROUPS)], axis=1)
    oracle = np.linalg.solve(given, mix_of(seen))
    assert oracle.min() > 0
    np.testing.assert_allclose(bbse_mix(groups, guess, seen, ridge=0), oracle, atol=1e-5)


def test_corrected_probabilities_are_those_of_a_network_trained_on_the_other_mix():
    people, other = draw_people(5, 100), draw_people(5, 100, like=EVAL_MIX)
    np.testing.assert_allclose(corrected(people.true_probs, TRAIN_MIX, EVAL_MIX), other.true_probs, atol=1e-12)
    np.testing.assert_allclose(corrected(people.true_probs, TRAIN_MIX, TRAIN_MIX), people.true_probs)


def test_correcting_by_the_estimated_mix_raises_macro_f1_of_shifted_people(train, evaluation, calibration):
    calibrated = calibration.probabilities(evaluation.logits)
    before = mix_of(groups_of(train.labels))
    after = corrected(calibrated, before, em_mix(group_probabilities(calibrated), before))
    raw, better = (macro_f1(evaluation.labels, found.argmax(axis=1)) for found in (calibrated, after))
    assert better > raw + 0.01


def test_a_group_without_train_people_stays_without_evaluation_people():
    before = np.array([0.5, 0.5, 0, 0, 0, 0])
    probs = group_probabilities(draw_people(6, 20).true_probs)
    assert em_mix(probs, before)[2:].sum() == 0
    assert bbse_mix([0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 2])[2:].sum() == 0
    assert group_probabilities(corrected(np.full((2, 18), 1 / 18), before, before))[:, 2:].sum() == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: em_mix(np.zeros((0, 6)), TRAIN_MIX), "at least one photo"),
        (lambda: em_mix(np.ones((3, 6)) / 6, [0.5, 0.5]), "give 6 shares"),
        (lambda: em_mix(np.ones((3, 6)) / 6, [np.nan] * 6), "give 6 shares"),
        (lambda: em_mix(np.ones((3, 6)) / 6, TRAIN_MIX, weights=[1, 1]), "group_probs has 3 rows but weights has 2"),
        (lambda: bbse_mix([0, 1], [0], [0]), "labels has 2 rows but predictions has 1"),
        (lambda: bbse_mix([0, 1], [0, 1], []), "no labelled photo"),
        (lambda: corrected(np.ones((3, 6)) / 6, TRAIN_MIX, TRAIN_MIX), r"give \(photos, 18\)"),
    ],
)
def test_input_that_cannot_be_is_refused(call, message):
    with pytest.raises(RunError, match=message):
        call()


def test_weights_give_people_another_mix(train):
    groups = groups_of(train.labels)
    weights = mix_weights(groups, EVAL_MIX)
    np.testing.assert_allclose(mix_of(groups, weights), EVAL_MIX, atol=1e-12)
    assert weights.mean() == pytest.approx(1)
    some = groups < 3  # of the groups that are not there nothing is left, the others keep their ratios
    np.testing.assert_allclose(
        mix_of(groups[some], mix_weights(groups[some], EVAL_MIX))[:3], EVAL_MIX[:3] / EVAL_MIX[:3].sum(), atol=1e-12
    )
    with pytest.raises(RunError, match="give 6 shares, none negative"):
        mix_weights(groups, [1.0, 0.0])
