"""Label quality scores against cleanlab, against a loop, and by hand."""

import math
import time

import numpy as np
import pytest

from core.curation.label_quality import mistakenness, normalized_margin, self_confidence
from core.errors import RunError


def _random(seed, n=300, sharpness=0.3):
    rng = np.random.default_rng(seed)
    return rng.integers(18, size=n), rng.dirichlet(np.full(18, sharpness), size=n)


def test_scores_of_two_photos_computed_by_hand():
    pred_probs = np.array([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0]])
    assert self_confidence([1, 0], pred_probs).tolist() == [0.2, 0.5]
    assert normalized_margin([1, 0], pred_probs).tolist() == pytest.approx([0.25, 0.5])
    # exp(-entropy) of (0.5, 0.5) is 1/2; the most probable class is the label.
    assert mistakenness([1, 0], pred_probs)[1] == pytest.approx((1 - 0.5) / 2)


def test_a_sure_model_makes_a_label_certainly_right_or_certainly_wrong():
    pred_probs = np.eye(18)
    right, wrong = np.arange(18), (np.arange(18) + 1) % 18
    assert (mistakenness(right, pred_probs) == 0).all()
    assert (mistakenness(wrong, pred_probs) == 1).all()
    assert (normalized_margin(right, pred_probs) == 1).all()
    assert (normalized_margin(wrong, pred_probs) == 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_scores_equal_a_loop_over_photos(seed):
    labels, pred_probs = _random(seed, n=50)
    for row, (label, p) in enumerate(zip(labels, pred_probs, strict=True)):
        entropy = -sum(x * math.log(x) for x in p if x > 0)
        sign = -1 if p.argmax() == label else 1
        assert self_confidence(labels, pred_probs)[row] == p[label]
        margin = (p[label] - max(np.delete(p, label)) + 1) / 2
        assert normalized_margin(labels, pred_probs)[row] == pytest.approx(margin)
        assert mistakenness(labels, pred_probs)[row] == pytest.approx((sign * math.exp(-entropy) + 1) / 2)


@pytest.mark.parametrize("sharpness", [0.05, 0.3, 3.0])
def test_scores_equal_cleanlabs(sharpness):
    rank = pytest.importorskip("cleanlab.rank")
    labels, pred_probs = _random(9, n=500, sharpness=sharpness)
    for score in (self_confidence, normalized_margin):
        expected = rank.get_label_quality_scores(labels, pred_probs, method=score.__name__)
        np.testing.assert_allclose(score(labels, pred_probs), expected, atol=1e-6)


def test_all_scores_of_the_whole_train_set_take_less_than_a_fifth_of_a_second():
    labels, pred_probs = _random(1, n=18_900)
    times = []
    for _ in range(3):
        start = time.process_time()
        for score in (self_confidence, normalized_margin, mistakenness):
            score(labels, pred_probs)
        times.append(time.process_time() - start)
    assert min(times) < 0.2


def test_labels_that_do_not_fit_are_refused():
    for score in (self_confidence, normalized_margin, mistakenness):
        with pytest.raises(RunError, match="labels has 1 rows but pred_probs has 2; align both on photo_id first"):
            score([0], np.full((2, 3), 1 / 3))
        with pytest.raises(RunError, match="labels holds 3 in row 1"):
            score([0, 3], np.full((2, 3), 1 / 3))
