"""Votes computed by hand and by a loop."""

import numpy as np
import pytest

from core.errors import SubmissionError
from core.submission.ensemble import axis_vote, hard_vote, logit_vote, soft_vote, vote_shares
from core.taxonomy import decode, encode, marginal

A = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1]])
B = np.array([[0.2, 0.7, 0.1], [0.1, 0.8, 0.1]])
C = np.array([[0.45, 0.4, 0.15], [0.1, 0.1, 0.8]])


def _hard(members, weights=None, **options):
    return hard_vote([member.argmax(1) for member in members], members, weights, **options)


def _random(seed, count=60, members=4):
    rng = np.random.default_rng(seed)
    return [rng.dirichlet(np.full(18, 0.3), size=count).astype(np.float32) for _ in range(members)]


def test_a_soft_vote_is_the_mean_of_probabilities_and_a_logit_vote_the_mean_of_logits():
    np.testing.assert_allclose(soft_vote([A, B])[0], [0.4, 0.5, 0.1], rtol=1e-6)
    expected = np.sqrt(A * B)
    np.testing.assert_allclose(logit_vote([A, B]), expected / expected.sum(1, keepdims=True), rtol=1e-5)
    for vote in (soft_vote, logit_vote):
        np.testing.assert_allclose(vote([A, B, C]).sum(axis=1), 1, rtol=1e-6)


def test_weights_count_as_if_a_member_stood_there_that_often():
    for vote in (soft_vote, logit_vote):
        np.testing.assert_allclose(vote([A, B], [3, 1]), vote([A, A, A, B]), rtol=1e-5)
        np.testing.assert_allclose(vote([A, B], [1, 0]), A, rtol=1e-5)
    np.testing.assert_array_equal(_hard([A, B, C], [3, 1, 1]), _hard([A, A, A, B, C]))


def test_a_hard_vote_takes_the_class_most_members_choose():
    # Row 0: classes 0, 1, 0, although class 1 has the highest mean probability.
    assert soft_vote([A, B, C])[0].argmax() == 1
    assert _hard_by_columns([A, B, C])[0] == 0


def _hard_by_columns(members, **options):
    """The three columns stand for classes 0, 1, 2 of 18."""
    wide = [np.pad(member, ((0, 0), (0, 15))) for member in members]
    return _hard(wide, **options)


def test_tied_classes_are_decided_by_mean_probability():
    # Row 1: classes 0, 1, 2 with one vote each; mean probabilities 0.233, 0.433, 0.333.
    assert _hard_by_columns([A, B, C])[1] == 1
    # Class 1 has the highest mean, but no vote: it does not win the tie of 0 and 2.
    first, second = np.array([[0.51, 0.4899, 0.0001]]), np.array([[0.0001, 0.4899, 0.51]])
    assert soft_vote([first, second]).argmax() == 1
    assert _hard_by_columns([first, second])[0] in (0, 2)


def test_tied_classes_are_decided_by_the_best_member_when_so_wanted():
    for best, expected in ((0, 0), (1, 1), (2, 2)):
        assert _hard_by_columns([A, B, C], ties="best_member", best=best)[1] == expected


def test_tied_classes_are_decided_axis_by_axis_when_so_wanted():
    # Three classes, one vote each: two of three say worn, two female, two 30-59: a class nobody chose.
    chosen = [encode(0, 1, 0), encode(0, 0, 1), encode(1, 1, 1)]
    members = [np.full((1, 18), 0.1 / 17, dtype=np.float32) for _ in chosen]
    for member, label in zip(members, chosen, strict=True):
        member[0, label] = 0.9
    assert _hard(members, ties="axis")[0] == encode(0, 1, 1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ties", ["mean_probability", "best_member", "axis"])
def test_a_hard_vote_equals_a_count_photo_by_photo(seed, ties):
    members = _random(seed)
    mean = np.mean(members, axis=0)
    for row, found in enumerate(_hard(members, ties=ties, best=2)):
        choices = [int(member[row].argmax()) for member in members]
        counts = {label: choices.count(label) for label in choices}
        tied = [label for label, count in counts.items() if count == max(counts.values())]
        if len(tied) == 1 or ties != "axis":
            judge = members[2][row] if ties == "best_member" else mean[row]
            assert found == max(tied, key=lambda label: judge[label])
        else:
            for axis, value in zip(("mask", "gender", "age"), decode(found), strict=True):
                votes = [int(decode(label)[("mask", "gender", "age").index(axis)]) for label in choices]
                most = max(votes.count(vote) for vote in votes)
                means = marginal(mean[row : row + 1], axis)[0]
                assert value == max((v for v in votes if votes.count(v) == most), key=lambda v: means[v])


def test_shares_of_votes_are_counted():
    members = _random(5, count=9)
    shares = vote_shares([member.argmax(1) for member in members])
    for row in range(9):
        counts = np.bincount([member[row].argmax() for member in members], minlength=18)
        np.testing.assert_allclose(shares[row], counts / 4)


def test_each_axis_can_come_from_another_member():
    mask, gender, age = _random(7, members=3)
    found = axis_vote([mask, gender, age], np.eye(3))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    for axis, member in (("mask", mask), ("gender", gender), ("age", age)):
        np.testing.assert_allclose(marginal(found, axis), marginal(member, axis), rtol=1e-4, atol=1e-6)
    joint = marginal(mask, "mask")[3, 1] * marginal(gender, "gender")[3, 0] * marginal(age, "age")[3, 2]
    assert found[3, encode(1, 0, 2)] == pytest.approx(joint, rel=1e-4)


def test_one_member_decides_alone():
    member = _random(1, members=1)
    for found in (_hard(member), soft_vote(member).argmax(1), logit_vote(member).argmax(1)):
        np.testing.assert_array_equal(found, member[0].argmax(1))


def test_members_are_left_as_they_were():
    members = _random(2)
    for member in members:
        member.flags.writeable = False
    copies = [member.copy() for member in members]
    soft_vote(members), logit_vote(members), _hard(members), axis_vote(members, np.ones((3, 4)))
    np.testing.assert_array_equal(members, copies)


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
    for vote in (soft_vote, logit_vote):
        with pytest.raises(SubmissionError, match=message):
            vote(members, weights)
