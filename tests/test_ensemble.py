"""Votes computed by hand and by a loop."""

import numpy as np
import pytest

from core.errors import SubmissionError
from core.submission.ensemble import hard_vote, soft_vote


def _logits(*rows):
    return np.log(np.array(rows))


A = _logits([0.6, 0.3, 0.1], [0.5, 0.4, 0.1])
B = _logits([0.2, 0.7, 0.1], [0.1, 0.8, 0.1])
C = _logits([0.45, 0.4, 0.15], [0.1, 0.1, 0.8])


def test_a_soft_vote_is_the_mean_of_probabilities_not_of_logits():
    np.testing.assert_allclose(soft_vote([A, B])[0], [0.4, 0.5, 0.1])
    np.testing.assert_allclose(soft_vote([A, B, C]).sum(axis=1), 1)


def test_a_constant_added_to_a_members_logits_changes_nothing():
    np.testing.assert_allclose(soft_vote([A + 50, B - 7]), soft_vote([A, B]), atol=1e-12)


def test_weights_count_as_if_a_member_stood_there_that_often():
    np.testing.assert_allclose(soft_vote([A, B], [3, 1]), soft_vote([A, A, A, B]))
    np.testing.assert_array_equal(hard_vote([A, B, C], [3, 1, 1]), hard_vote([A, A, A, B, C]))
    np.testing.assert_allclose(soft_vote([A, B], [1, 0]), soft_vote([A]))


def test_a_hard_vote_takes_the_class_most_members_choose():
    # Row 0: classes 0, 1, 0, although class 1 has the highest mean probability.
    assert soft_vote([A, B, C])[0].argmax() == 1
    assert hard_vote([A, B, C])[0] == 0


def test_tied_classes_are_decided_by_mean_probability():
    # Row 1: classes 0, 1, 2 with one vote each; mean probabilities 0.233, 0.433, 0.333.
    assert hard_vote([A, B, C])[1] == 1
    # Class 1 has the highest mean, but no vote: it does not win the tie of 0 and 2.
    first, second = _logits([0.51, 0.49, 0.0001]), _logits([0.0001, 0.49, 0.51])
    assert soft_vote([first, second]).argmax() == 1
    assert hard_vote([first, second])[0] in (0, 2)


@pytest.mark.parametrize("seed", range(3))
def test_a_hard_vote_equals_a_count_photo_by_photo(seed):
    rng = np.random.default_rng(seed)
    members = [rng.normal(size=(60, 18)) for _ in range(4)]
    mean = soft_vote(members)
    for row, found in enumerate(hard_vote(members)):
        votes = np.bincount([member[row].argmax() for member in members], minlength=18)
        tied = np.flatnonzero(votes == votes.max())
        assert found == max(tied, key=lambda label: mean[row, label])


def test_one_member_decides_alone():
    np.testing.assert_array_equal(hard_vote([A]), A.argmax(1))
    np.testing.assert_array_equal(soft_vote([A]).argmax(1), A.argmax(1))


@pytest.mark.parametrize(
    ("members", "weights", "message"),
    [
        ([], None, "no member to combine"),
        ([A, B[:1]], None, r"member 0 has shape \(2, 3\) but member 1 has \(1, 3\)"),
        ([A, B], [1], r"weights \[1\.0\] do not fit 2 members"),
        ([A, B], [1, -1], "none negative"),
        ([A, B], [0, 0], "not all 0"),
        ([A, B], [1, np.nan], "do not fit"),
    ],
)
def test_bad_members_and_weights_are_refused(members, weights, message):
    for vote in (soft_vote, hard_vote):
        with pytest.raises(SubmissionError, match=message):
            vote(members, weights)
