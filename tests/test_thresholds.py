"""Thresholds per class: against a search over every threshold, and the evidence that they need."""

import numpy as np
import pytest
from scipy.stats import binomtest

from core.curation.thresholds import NOT_ENOUGH, UNREACHED, above_thresholds, class_thresholds
from core.errors import RunError


def _data(seed, n=3000):
    rng = np.random.default_rng(seed)
    pred_probs = rng.dirichlet(np.full(18, 0.08), size=n)
    labels = np.array([rng.choice(18, p=row) for row in pred_probs])
    return labels, pred_probs


def _by_search(labels, pred_probs, label, precision):
    """Every confidence of the class as threshold; scipy's Wilson interval."""
    mine = pred_probs.argmax(1) == label
    confidence, right = pred_probs.max(1)[mine], labels[mine] == label
    good = []
    for threshold in np.unique(confidence):
        chosen = confidence >= threshold
        if chosen.sum() >= 30:
            interval = binomtest(int(right[chosen].sum()), int(chosen.sum())).proportion_ci(0.95, method="wilson")
            if interval.low >= precision:
                good.append(threshold)
    return min(good) if good else None


@pytest.mark.parametrize("precision", [0.7, 0.85, 0.95])
def test_the_threshold_is_the_lowest_whose_wilson_lower_end_reaches_the_wanted_precision(precision):
    labels, pred_probs = _data(0)
    table = class_thresholds(labels, pred_probs, precision=precision)
    for label in range(18):
        expected = _by_search(labels, pred_probs, label, precision)
        if expected is None:
            assert np.isnan(table.threshold[label])
            assert table.why[label] in (NOT_ENOUGH, UNREACHED)
        else:
            assert table.threshold[label] == pytest.approx(expected, abs=0)
            assert table.low[label] >= precision
            assert table.why[label] == ""


def test_equal_confidences_are_taken_together_or_not_at_all():
    pred_probs = np.zeros((80, 18))
    pred_probs[:, 4] = np.repeat([0.9, 0.6], 40)
    pred_probs[:, 5] = 1 - pred_probs[:, 4]
    labels = np.repeat([4, 5], 40)  # the sure ones right, the others wrong
    labels[40:45] = 4
    table = class_thresholds(labels, pred_probs, precision=0.8)
    assert table.threshold[4] == 0.9
    assert (table.n[4], table.right[4]) == (40, 40)


def test_below_thirty_proposals_there_is_not_enough_evidence_however_right_they_are():
    pred_probs = np.eye(18)[np.full(29, 7)]
    table = class_thresholds(np.full(29, 7), pred_probs, precision=0.5)
    assert table.why[7] == NOT_ENOUGH
    assert (table.n[7], table.right[7]) == (29, 29)
    assert class_thresholds(np.full(30, 7), np.eye(18)[np.full(30, 7)], precision=0.5).threshold[7] == 1.0


def test_proposals_of_a_class_without_a_threshold_are_never_above_it():
    table = class_thresholds(np.full(40, 7), np.eye(18)[np.full(40, 7)], precision=0.5)
    assert above_thresholds([7, 7, 3], [1.0, 0.99, 1.0], table).tolist() == [True, False, False]


@pytest.mark.parametrize("precision", [0, 1, 1.5])
def test_a_precision_that_cannot_be_wanted_is_refused(precision):
    with pytest.raises(RunError, match="is not between 0 and 1"):
        class_thresholds([0], np.eye(18)[:1], precision=precision)
