"""Scores against scikit-learn and against counting by hand."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from core.errors import RunError
from core.evaluation.metrics import (
    accuracy,
    axis_accuracy,
    axis_confusion,
    class_table,
    confusion_matrix,
    f1_per_class,
    macro_f1,
    probabilities,
    weighted_macro_f1,
)
from core.taxonomy import AXES, CLASS_NAMES, decode_axis

CLASSES = range(18)


def _random(seed, n=400, classes=18):
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=n)
    predictions = np.where(rng.random(n) < 0.6, labels, rng.integers(classes, size=n))
    return labels, predictions


CASES = {
    **{f"random {seed}": _random(seed) for seed in range(5)},
    "three classes absent": _random(7, classes=15),
    "one photo right": ([4], [4]),
    "one photo wrong": ([4], [5]),
    "all one class": ([3] * 9, [3] * 9),
    "constant prediction": (list(CLASSES), [0] * 18),
    "predicted classes never true": ([0, 0, 1], [16, 17, 1]),
    "everything wrong": (list(CLASSES), [*range(1, 18), 0]),
}


@pytest.mark.parametrize("case", CASES)
def test_every_score_equals_scikit_learns_over_all_18_classes(case):
    labels, predictions = CASES[case]
    rules = {"labels": CLASSES, "zero_division": 0}
    confusion = confusion_matrix(labels, predictions)
    np.testing.assert_array_equal(confusion, oracle.confusion_matrix(labels, predictions, labels=CLASSES))
    assert macro_f1(labels, predictions) == pytest.approx(
        oracle.f1_score(labels, predictions, average="macro", **rules), abs=1e-12
    )
    assert accuracy(labels, predictions) == pytest.approx(oracle.accuracy_score(labels, predictions))
    precision, recall, f1, support = oracle.precision_recall_fscore_support(labels, predictions, **rules)
    table = class_table(confusion)
    np.testing.assert_allclose(table.precision, precision, atol=1e-12)
    np.testing.assert_allclose(table.recall, recall, atol=1e-12)
    np.testing.assert_allclose(table.f1, f1, atol=1e-12)
    np.testing.assert_array_equal(table.support, support)
    assert table.label.tolist() == list(CLASSES)
    assert table.name.tolist() == list(CLASS_NAMES)


@pytest.mark.parametrize("axis", AXES)
def test_axis_scores_are_those_of_the_labels_of_that_axis_alone(axis):
    labels, predictions = _random(11)
    true, guess = decode_axis(labels, axis), decode_axis(predictions, axis)
    expected = oracle.confusion_matrix(true, guess, labels=range(len(AXES[axis])))
    np.testing.assert_array_equal(axis_confusion(confusion_matrix(labels, predictions), axis), expected)
    assert axis_accuracy(labels, predictions)[axis] == pytest.approx(oracle.accuracy_score(true, guess))


def test_a_case_counted_by_hand():
    # class 0: 2 of 3 found, nothing else called 0; class 1: 1 of 1 found, one other called 1.
    labels, predictions = [0, 0, 0, 1], [0, 0, 1, 1]
    f1 = f1_per_class(confusion_matrix(labels, predictions))
    assert f1[:2].tolist() == pytest.approx([2 * 2 / (3 + 2), 2 * 1 / (1 + 2)])
    assert macro_f1(labels, predictions) == pytest.approx((0.8 + 2 / 3) / 18)
    assert accuracy(labels, predictions) == 0.75


def test_absent_classes_count_zero_and_not_nothing():
    everything_right = np.arange(15)
    assert macro_f1(everything_right, everything_right) == pytest.approx(15 / 18)


def test_rows_of_the_matrix_are_true_classes():
    assert confusion_matrix([2], [5])[2, 5] == 1


def test_probabilities_are_a_softmax_that_huge_logits_do_not_break():
    pred_probs = probabilities(np.array([[0.0, np.log(3.0)], [1e4, 1e4], [-1e4, 0.0]]))
    np.testing.assert_allclose(pred_probs, [[0.25, 0.75], [0.5, 0.5], [0, 1]], atol=1e-15)
    halved = probabilities(np.array([[0.0, 2 * np.log(3.0)]]), temperature=2)
    np.testing.assert_allclose(halved, [[0.25, 0.75]])
    assert probabilities(np.zeros((0, 18))).shape == (0, 18)


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ([0, 1], [0, 1, 2], "labels has 2 rows but predictions has 3; align both on photo_id first"),
        ([0, -1], [0, 1], r"labels holds -1 in row 1, outside 0\.\.17; leave such photos out"),
        ([0, 1], [0, 18], r"predictions holds 18 in row 1"),
        ([0.0, np.nan], [0, 1], "labels holds float64 values such as .*0.0.*; give whole numbers"),
        ([[0, 1]], [0, 1], r"labels has shape \(1, 2\)"),
        ([], [], "there is no photo to score"),
    ],
)
def test_bad_input_is_refused_with_its_value_and_the_next_step(labels, predictions, message):
    for score in (macro_f1, accuracy, axis_accuracy):
        with pytest.raises(RunError, match=message):
            score(labels, predictions)


def test_logits_that_are_not_finite_are_refused_by_row():
    with pytest.raises(RunError, match="row 1 are not finite"):
        probabilities(np.array([[0.0, 1.0], [np.nan, 1.0]]))


def test_a_weighted_score_is_that_of_photos_counted_as_often():
    rng = np.random.default_rng(5)
    labels, guess, often = rng.integers(18, size=400), rng.integers(18, size=400), rng.integers(4, size=400)
    counted = macro_f1(labels.repeat(often), guess.repeat(often))
    assert weighted_macro_f1(labels, guess, often) == pytest.approx(counted, abs=1e-12)
    assert weighted_macro_f1(labels, guess, np.ones(400)) == macro_f1(labels, guess)
    with pytest.raises(RunError, match="labels has 400 rows but weights has 3"):
        weighted_macro_f1(labels, guess, [1, 1, 1])
