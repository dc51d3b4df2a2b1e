"""Expected gain in macro F1: against the definition as loops, against drawn truths, and by hand."""

import time

import numpy as np
import pytest

from core.curation.expected_gain import expected_gain
from core.errors import RunError
from core.evaluation.metrics import macro_f1


def _random(seed, n, classes, sharpness=0.4):
    return np.random.default_rng(seed).dirichlet(np.full(classes, sharpness), size=n)


def _expected_macro_f1(pred_probs, predictions):
    """Mean over classes of 2 T / (S + M) with expected T and S; 0 / 0 is 0."""
    total = 0.0
    for c in range(pred_probs.shape[1]):
        hits = sum(p[c] for p, predicted in zip(pred_probs, predictions, strict=True) if predicted == c)
        size = sum(p[c] for p in pred_probs) + sum(predicted == c for predicted in predictions)
        total += 2 * hits / size if size else 0.0
    return total / pred_probs.shape[1]


def _brute_force(pred_probs, predictions):
    """For each photo and each class it could turn out to be: write the answer down, score again."""
    gains = np.zeros(len(pred_probs))
    for i, p in enumerate(pred_probs):
        for k, probability in enumerate(p):
            known, answered = pred_probs.copy(), predictions.copy()
            known[i] = np.eye(len(p))[k]
            answered[i] = k
            rise = _expected_macro_f1(known, answered) - _expected_macro_f1(known, predictions)
            gains[i] += probability * rise
    return gains


@pytest.mark.parametrize("seed", range(4))
def test_the_gain_equals_scoring_again_with_every_possible_answer_written_down(seed):
    pred_probs = _random(seed, n=25, classes=6)
    np.testing.assert_allclose(expected_gain(pred_probs), _brute_force(pred_probs, pred_probs.argmax(1)), atol=1e-12)
    other = np.random.default_rng(seed).integers(6, size=25)
    np.testing.assert_allclose(expected_gain(pred_probs, other), _brute_force(pred_probs, other), atol=1e-12)


def test_the_gain_is_what_drawn_truths_give_on_average():
    pred_probs = _random(7, n=400, classes=18)
    predictions = pred_probs.argmax(1)
    rng = np.random.default_rng(8)
    asked = np.argsort(expected_gain(pred_probs))[[-1, -2, -20, -100, -200]]
    rises = np.zeros((3000, len(asked)))
    thresholds = pred_probs.cumsum(axis=1)
    for draw in rises:
        labels = (rng.random((400, 1)) > thresholds).sum(axis=1).clip(max=17)
        before = macro_f1(labels, predictions)
        for place, i in enumerate(asked):
            answered = predictions.copy()
            answered[i] = labels[i]
            draw[place] = macro_f1(labels, answered) - before
    error = rises.std(axis=0) / np.sqrt(len(rises))
    found = expected_gain(pred_probs)[asked]
    assert (np.abs(found - rises.mean(axis=0)) < 4 * error + 0.05 * found).all()


def test_one_doubtful_photo_among_sure_ones_computed_by_hand():
    # Class 0: 3 sure photos and one of 0.6; class 1: one sure photo. If the doubtful one is 1 (0.4):
    # F1 of 0 rises from 2*3/(3+4) to 1, F1 of 1 from 2*1/(2+1) to 1.
    pred_probs = np.array([[1, 0], [1, 0], [1, 0], [0.6, 0.4], [0, 1]], dtype=float)
    gain = expected_gain(pred_probs)
    assert gain[3] == pytest.approx(0.4 * ((1 - 6 / 7) + (1 - 2 / 3)) / 2)
    assert (gain[[0, 1, 2, 4]] == 0).all()


def test_the_same_doubt_is_worth_more_between_rare_classes():
    sure = np.repeat(np.eye(4), [200, 200, 10, 10], axis=0)
    doubtful = np.array([[0.6, 0.4, 0, 0], [0, 0, 0.6, 0.4]])
    frequent, rare = expected_gain(np.vstack([sure, doubtful]))[-2:]
    assert rare > 5 * frequent > 0


def test_a_gain_is_never_negative_and_a_wrong_prediction_gains_most():
    pred_probs = _random(3, n=300, classes=18)
    assert (expected_gain(pred_probs) >= 0).all()
    predictions = pred_probs.argmax(1)
    sure = np.eye(18)[np.arange(300) % 18]
    predictions = sure.argmax(1)
    predictions[5] = (predictions[5] + 1) % 18
    gain = expected_gain(sure, predictions)
    assert gain.argmax() == 5
    assert np.count_nonzero(gain) == 1


def test_the_last_photo_predicted_as_a_class_does_not_divide_by_nothing():
    gain = expected_gain(np.array([[0.5, 0.5], [0.0, 1.0]]), [0, 1])
    assert np.isfinite(gain).all()


def test_all_evaluation_photos_take_a_fraction_of_a_second():
    pred_probs = _random(0, n=12_600, classes=18)
    start = time.process_time()
    expected_gain(pred_probs)
    assert time.process_time() - start < 0.3


def test_predictions_that_do_not_fit_are_refused():
    with pytest.raises(RunError, match="predictions has 1 rows but pred_probs has 2"):
        expected_gain(np.full((2, 3), 1 / 3), [0])
