"""Calibration axis by axis, against people whose true probabilities are known, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from core.errors import RunError
from core.evaluation.calibration import expected_calibration_error, fit_temperature, reliability_table
from core.evaluation.calibration_map import Calibration, fit_calibration
from core.evaluation.metrics import probabilities
from core.taxonomy import AXES, decode, marginal
from tests.synthetic import draw_people


def _loss(pred_probs, labels):
    return -np.log(pred_probs[np.arange(len(labels)), labels]).mean()


def test_temperature_and_lean_of_a_known_network_are_taken_back():
    train, fresh = draw_people(0, 3000), draw_people(1, 500)
    calibration = fit_calibration(train.logits, train.labels)
    found = calibration.probabilities(fresh.logits)
    assert np.abs(found - fresh.true_probs).max() < 0.06
    assert np.abs(found - fresh.true_probs).mean() < 0.002
    assert calibration.gender[0].scale == pytest.approx(1 / 2.0, rel=0.05)
    assert [links[0].scale for links in calibration.age] == pytest.approx([0.5, 0.5], rel=0.1)


def test_each_finer_map_is_more_likely_on_people_it_was_not_fitted_on():
    train, fresh = draw_people(0, 2000, lean=1.5), draw_people(1, 2000, lean=1.5)
    losses = [
        _loss(fit_calibration(train.logits, train.labels, method=method).probabilities(fresh.logits), fresh.labels)
        for method in ("none", "temperature", "axes", "bias")
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == pytest.approx(_loss(fresh.true_probs, fresh.labels), abs=0.005)


def test_with_a_bias_the_mean_probability_of_each_value_is_its_share_of_the_labels():
    train = draw_people(2, 2000, lean=2.0)
    found = fit_calibration(train.logits, train.labels).probabilities(train.logits)
    for axis, values in zip(AXES, decode(train.labels), strict=True):
        shares = np.bincount(values, minlength=len(AXES[axis])) / len(values)
        np.testing.assert_allclose(marginal(found, axis).mean(axis=0), shares, atol=2e-3)


def test_the_link_of_gender_is_scikit_learns_logistic_regression():
    train = draw_people(3, 800)
    only_gender = np.tile(np.log(marginal(train.true_probs, "gender")).repeat(3, axis=1), 3)
    link = fit_calibration(only_gender, train.labels).gender[0]
    odds = np.log(marginal(train.true_probs, "gender")) @ [[-1], [1]]
    oracle = LogisticRegression(C=1e9, tol=1e-10).fit(odds, decode(train.labels)[1])
    assert link.scale == pytest.approx(oracle.coef_[0, 0], rel=0.01)
    assert link.bias[1] - link.bias[0] == pytest.approx(oracle.intercept_[0], abs=0.01)


def test_the_map_without_a_change_is_softmax_and_a_temperature_is_the_fitted_one():
    people = draw_people(4, 50)
    np.testing.assert_allclose(Calibration("bias").probabilities(people.logits), probabilities(people.logits))
    found = fit_calibration(people.logits, people.labels, method="temperature").probabilities(people.logits)
    temperature = fit_temperature(people.logits, people.labels)
    np.testing.assert_allclose(found, probabilities(people.logits, temperature=temperature))


@pytest.mark.parametrize("method", ["temperature", "axes", "bias"])
def test_weights_are_people_counted_more_than_once(method):
    people = draw_people(5, 60)
    counts = np.arange(60).repeat(7) % 3
    rows = np.repeat(np.arange(len(people.labels)), counts)
    weighted = fit_calibration(people.logits, people.labels, method=method, weights=counts)
    repeated = fit_calibration(people.logits[rows], people.labels[rows], method=method)
    np.testing.assert_allclose(
        weighted.probabilities(people.logits), repeated.probabilities(people.logits), atol=1e-3
    )


def test_groups_that_are_missing_and_answers_that_are_never_wrong_keep_probabilities_finite():
    labels = np.array([0, 1, 6, 12, 0, 1, 6, 12])  # young and middle men only
    found = fit_calibration(50.0 * np.eye(18)[labels], labels).probabilities(50.0 * np.eye(18)[labels])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found.argmax(axis=1) == labels).all()


def test_impossible_classes_of_a_vote_can_be_calibrated():
    logits = np.full((18, 18), -np.inf)
    np.fill_diagonal(logits, 0.0)
    assert np.isfinite(fit_calibration(logits, np.arange(18)).probabilities(logits)).all()


@pytest.mark.parametrize("method", ["temperature", "axes", "bias"])
@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((2, 18)), [0, 1, 2], "labels has 3 rows but logits has 2"),
        (np.zeros((0, 18)), np.zeros(0, dtype=int), "no labelled photo"),
        (np.full((2, 18), np.nan), [0, 1], "row 0 are not finite"),
    ],
)
def test_bad_input_is_refused(method, logits, labels, message):
    with pytest.raises(RunError, match=message):
        fit_calibration(logits, labels, method=method)


def test_the_reliability_table_counts_every_photo_once_and_its_mean_gap_is_the_calibration_error():
    people = draw_people(6, 300)
    pred_probs = probabilities(people.logits)
    table = reliability_table(people.labels, pred_probs, n_bins=10)
    assert table.photos.sum() == len(people.labels)
    assert ((table.low < table.confidence) & (table.confidence <= table.high)).all()
    gap = ((table.accuracy - table.confidence).abs() * table.photos).sum() / table.photos.sum()
    assert gap == pytest.approx(expected_calibration_error(people.labels, pred_probs, n_bins=10))
