"""Label issues: confident learning against cleanlab, contradictions and odds by hand."""

import numpy as np
import pandas as pd
import pytest
from cleanlab.count import compute_confident_joint

from core.curation.label_issues import (
    ENOUGH,
    changed_labels,
    confident_issues,
    confident_joint,
    contradictions,
    hit_rate,
    probability_wrong,
)
from core.errors import RunError
from core.storage.decision_record import Decision
from tests.test_review_table import decided, made_up


def _noisy(seed, n=4000, classes=6, noise=0.1, sure=0.0):
    rng = np.random.default_rng(seed)
    true = rng.integers(classes, size=n)
    pred_probs = rng.dirichlet(np.full(classes, 0.3), size=n) + np.eye(classes)[true] * (
        sure + 1.5 * rng.random((n, 1))
    )
    pred_probs /= pred_probs.sum(1, keepdims=True)
    labels = np.where(rng.random(n) < noise, rng.integers(classes, size=n), true)
    return labels, pred_probs, true


@pytest.mark.parametrize("seed", range(3))
def test_the_confident_joint_equals_cleanlabs_before_its_calibration(seed):
    labels, pred_probs, _ = _noisy(seed)
    theirs, off_diagonal = compute_confident_joint(
        labels, pred_probs, calibrate=False, return_indices_of_off_diagonals=True
    )
    ours = confident_joint(labels, pred_probs)
    np.testing.assert_array_equal(ours - np.diag(np.diag(ours)), theirs - np.diag(np.diag(theirs)))
    np.testing.assert_array_equal(np.flatnonzero(confident_issues(labels, pred_probs)), np.sort(off_diagonal))


def test_confident_learning_finds_most_planted_errors():
    labels, pred_probs, true = _noisy(5, sure=3.0)
    found = confident_issues(labels, pred_probs)
    assert (labels != true)[found].mean() > 0.8
    assert found[labels != true].mean() > 0.5


def test_the_probability_of_a_wrong_label_is_bayes_rule_with_rare_errors():
    # p(label) 0.5: as likely wrong as labels are in general; 0.01: odds 99 times that.
    wrong = probability_wrong([0, 0, 0], np.array([[0.5, 0.5], [0.01, 0.99], [1.0, 0.0]]), noise=0.01)
    odds = 99 * 0.01 / 0.99
    np.testing.assert_allclose(wrong, [0.01, odds / (1 + odds), 0.0])


def test_a_label_outside_the_axis_is_refused():
    with pytest.raises(RunError, match="outside"):
        probability_wrong([2], np.array([[0.5, 0.5]]), noise=0.01)


def _person(name, masks, seen, genders):
    return pd.DataFrame(
        {
            "person_id": name,
            "photo_id": [f"{name}/{i}" for i in range(len(masks))],
            "mask": masks,
            "mask_seen": seen,
            "gender_seen": genders,
        }
    )


def test_swapped_masks_odd_masks_and_torn_genders_are_told_apart():
    usual = [0, 0, 0, 0, 0, 1, 2]
    photos = pd.concat(
        [
            _person("fine", usual, usual, [1] * 7),
            _person("swap", usual, [0, 0, 0, 0, 0, 2, 1], [1] * 7),
            _person("worn", usual, [0, 0, 0, 0, 0, 0, 2], [0] * 7),
            _person("torn", usual, usual, [1, 1, 1, 0, 1, 1, 0]),
        ]
    ).sample(frac=1, random_state=3)
    found = contradictions(photos).set_index("person_id")
    assert found.kind.to_dict() == {"swap": "swapped", "worn": "masks", "torn": "gender"}
    assert found.photo_ids["swap"] == ["swap/5", "swap/6"]
    assert found.photo_ids["worn"] == ["worn/5"]
    assert sorted(found.photo_ids["torn"]) == ["torn/3", "torn/6"]


def test_the_hint_comes_only_after_enough_looks_without_a_find():
    assert hit_rate([]) == (None, "")
    assert hit_rate([True, False]) == (0.5, "")
    assert hit_rate([False] * (ENOUGH - 1))[1] == ""
    rate, hint = hit_rate([True] * 10 + [False] * ENOUGH)
    assert rate == pytest.approx(10 / 60)
    assert "no longer pays" in hint
    assert hit_rate([False] * ENOUGH + [True] * 10)[1] == ""


def test_a_look_is_a_hit_when_a_label_changed_and_a_swap_is_one_look():
    photos = made_up(people=10, others=2)[0]
    gender = int(photos.set_index("photo_id").gender["p001/normal.jpg"])
    looks = decided(
        Decision(who="kim", kind="relabel", unit="person", target="p001", gender=1 - gender),
        Decision(who="kim", kind="accept", unit="person", target="p001", gender=gender),
        Decision(who="kim", kind="reject", unit="person", target="p002"),
        Decision(who="kim", kind="relabel", target="p003/normal.jpg", mask=1, batch_id="swap-of-two"),
        Decision(who="kim", kind="relabel", target="p003/incorrect_mask.jpg", mask=2, batch_id="swap-of-two"),
        Decision(who="kim", kind="skip", target="p004/normal.jpg"),
    )
    assert changed_labels(looks, photos).tolist() == [True, False, False, True]
    assert changed_labels(decided(), photos).tolist() == []
