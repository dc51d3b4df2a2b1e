"""Temperature against a grid search, calibration error against a loop over bins."""

import numpy as np
import pytest

from core.errors import RunError
from core.evaluation.calibration import TEMPERATURES, expected_calibration_error, fit_temperature
from core.evaluation.metrics import probabilities


def _sampled(seed, n, temperature):
    """Logits whose labels are drawn from softmax(logits / temperature)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, size=(n, 18))
    drawn = [rng.choice(18, p=row) for row in probabilities(logits, temperature=temperature)]
    return logits, np.array(drawn)


def _loss(logits, labels, temperature):
    pred_probs = probabilities(logits, temperature=temperature)
    return -np.log(pred_probs[np.arange(len(labels)), labels]).mean()


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    logits, labels = _sampled(0, 4000, temperature)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_no_temperature_of_a_fine_grid_is_more_likely_than_the_fitted_one(seed):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, rng.uniform(0.5, 8), size=(200, 18))
    labels = np.where(rng.random(200) < 0.7, logits.argmax(1), rng.integers(18, size=200))
    fitted = fit_temperature(logits, labels)
    grid = np.geomspace(*TEMPERATURES, 400)
    assert _loss(logits, labels, fitted) <= min(_loss(logits, labels, t) for t in grid) + 1e-9


def test_a_shift_of_a_photos_logits_changes_nothing_and_a_factor_is_the_temperature():
    logits, labels = _sampled(1, 500, 1.0)
    fitted = fit_temperature(logits, labels)
    moved = logits * 3 + np.arange(500)[:, None]
    assert fit_temperature(moved, labels) == pytest.approx(3 * fitted, rel=1e-6)


def test_logits_that_are_always_right_or_tell_nothing_get_the_limits():
    sure = np.eye(18)
    assert fit_temperature(sure, np.arange(18)) == pytest.approx(TEMPERATURES[0], rel=1e-3)
    assert fit_temperature(sure, (np.arange(18) + 1) % 18) == pytest.approx(TEMPERATURES[1], rel=1e-3)
    assert np.isfinite(fit_temperature(np.zeros((4, 18)), [0, 1, 2, 3]))


def test_logits_of_a_vote_with_impossible_classes_can_be_fitted():
    logits = np.array([[0.0, -np.inf], [1.0, 0.0], [0.0, 1.0]])
    assert np.isfinite(fit_temperature(logits, [0, 0, 0]))


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((2, 18)), [0, 1, 2], "labels has 3 rows but logits has 2"),
        (np.zeros((0, 18)), [], "no labelled photo"),
        (np.full((2, 18), np.nan), [0, 1], "row 0 are not finite"),
        (np.zeros((2, 18)), [0, 18], "labels holds 18"),
    ],
)
def test_bad_input_is_refused(logits, labels, message):
    with pytest.raises(RunError, match=message):
        fit_temperature(logits, labels)


def test_calibration_error_of_four_photos_counted_by_hand():
    # Two photos at 0.9, one of them right; two at 0.6, both right: (|1 - 1.8| + |2 - 1.2|) / 4.
    pred_probs = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.6, 0.4]])
    assert expected_calibration_error([0, 1, 1, 0], pred_probs) == pytest.approx(0.4)


def test_calibration_error_equals_a_loop_over_bins():
    rng = np.random.default_rng(3)
    pred_probs = rng.dirichlet(np.full(18, 0.2), size=500)
    pred_probs[0] = np.eye(18)[0]
    labels = np.where(rng.random(500) < 0.5, pred_probs.argmax(1), rng.integers(18, size=500))
    confidence, right = pred_probs.max(1), pred_probs.argmax(1) == labels
    expected = 0.0
    for low in np.arange(10) / 10:
        inside = (confidence > low) & (confidence <= low + 0.1)
        if inside.any():
            expected += inside.sum() / 500 * abs(confidence[inside].mean() - right[inside].mean())
    assert expected_calibration_error(labels, pred_probs, n_bins=10) == pytest.approx(expected)


def test_the_fitted_temperature_lowers_the_calibration_error():
    logits, labels = _sampled(2, 3000, 2.5)
    before = expected_calibration_error(labels, probabilities(logits))
    fitted = fit_temperature(logits, labels)
    assert expected_calibration_error(labels, probabilities(logits, temperature=fitted)) < before / 4
