"""Proposals, their confidence, and the bulk accept, on a handful of photos computed by hand."""

import numpy as np
import pandas as pd
import pytest

from core.curation.pseudo_labels import (
    accept_above,
    expected_wrong,
    proposals,
    run_temperature,
    undecided_above,
)
from core.errors import DecisionError, RunError
from core.evaluation.calibration import fit_temperature
from core.storage.predictions import Predictions
from core.taxonomy import decode

EVALUATION = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
BLANK = dict.fromkeys(["mask", "gender", "age_band", "age_years", "proposal"])


def _photos(train=40):
    labels = np.arange(train) % 18
    photo_ids = [f"p{i}/mask1.jpg" for i in range(train)] + EVALUATION
    return pd.DataFrame(
        {
            "photo_id": pd.Series(photo_ids, dtype=object),
            "person_id": pd.Series([f"p{i}" for i in range(train)] + [""] * 4, dtype=object),
            "split": pd.Series(["train"] * train + ["eval"] * 4, dtype=object),
            "mask": [*(labels // 6), -1, -1, -1, -1],
            "gender": [*(labels // 3 % 2), -1, -1, -1, -1],
            "age_band": [*(labels % 3), -1, -1, -1, -1],
            "age": [*np.array([20, 40, 60])[labels % 3], -1, -1, -1, -1],
            "label": [*labels, -1, -1, -1, -1],
            "readable": True,
        }
    )


def _decisions(*rows):
    columns = ["kind", "unit", "target", *BLANK]
    return pd.DataFrame([BLANK | {"unit": "photo"} | row for row in rows], columns=columns)


def _predictions():
    """Proposals 3, 5, 17, 0 with probabilities 0.9, 0.8, 0.5, 0.95; the second class has 0.05 (c: 0.5)."""
    pred_probs = np.full((4, 18), 1e-12)
    for row, (first, second, p, q) in enumerate(
        [(3, 4, 0.9, 0.1), (5, 4, 0.8, 0.2), (17, 16, 0.55, 0.45), (0, 1, 0.95, 0.05)]
    ):
        pred_probs[row, [first, second]] = p, q
    order = [2, 0, 3, 1]  # not info.csv's order: rows are found by id
    return Predictions(np.array(EVALUATION)[order], np.log(pred_probs)[order].astype(np.float32))


def test_each_evaluation_photo_gets_its_proposal_confidence_and_margin_in_info_csvs_order():
    table = proposals(_predictions(), _photos(), _decisions(), temperature=1.0)
    assert table.photo_id.tolist() == EVALUATION
    assert table.proposal.tolist() == [3, 5, 17, 0]
    np.testing.assert_allclose(table.confidence, [0.9, 0.8, 0.55, 0.95], atol=1e-6)
    np.testing.assert_allclose(table.margin, [0.8, 0.6, 0.1, 0.9], atol=1e-6)
    assert table.decision.tolist() == [""] * 4
    assert table.decided_label.tolist() == [-1] * 4


def test_a_temperature_of_two_takes_the_square_root_of_the_odds():
    table = proposals(_predictions(), _photos(), _decisions(), temperature=2.0)
    np.testing.assert_allclose(table.confidence[0], 3 / (3 + 1 + 16e-6 * np.sqrt(10)), rtol=1e-4)
    assert table.proposal.tolist() == [3, 5, 17, 0]


def test_decisions_are_shown_and_unreadable_photos_left_out():
    decisions = _decisions(
        {"kind": "accept", "target": "a.jpg", "proposal": 3},
        {"kind": "relabel", "target": "b.jpg", "proposal": 5, "gender": 0},
        {"kind": "accept", "target": "c.jpg", "proposal": 17},
        {"kind": "reject", "target": "c.jpg", "proposal": 17},
    )
    photos = _photos()
    table = proposals(_predictions(), photos, decisions, temperature=1.0)
    assert table.decision.tolist() == ["accept", "relabel", "reject", ""]
    assert table.decided_label.tolist() == [3, 2, -1, -1]
    photos.loc[photos.photo_id == "b.jpg", "readable"] = False
    shown = proposals(_predictions(), photos, decisions, temperature=1.0)
    assert shown.photo_id.tolist() == ["a.jpg", "c.jpg", "d.jpg"]


def test_a_photo_without_prediction_is_refused_by_name():
    predictions = _predictions()
    three = Predictions(predictions.photo_ids[:3], predictions.logits[:3])
    with pytest.raises(RunError, match=r"b\.jpg"):
        proposals(three, _photos(), _decisions(), temperature=1.0)


def test_a_bulk_accept_covers_undecided_photos_only_and_is_one_batch():
    decisions = _decisions({"kind": "skip", "target": "d.jpg"}, {"kind": "reject", "target": "b.jpg"})
    table = proposals(_predictions(), _photos(), decisions, temperature=1.0)
    made = accept_above(table, 0.5, run_id="first", who="kim")
    assert [(row.target, row.proposal, row.kind) for row in made] == [
        ("a.jpg", 3, "accept"),
        ("c.jpg", 17, "accept"),
    ]
    assert len({row.batch_id for row in made}) == 1
    assert len({row.nonce for row in made}) == 2
    assert {(row.run_id, row.who, row.queue) for row in made} == {("first", "kim", "pseudo_labels")}
    assert {row.origin for row in made} == {"model"}
    assert made[0].confidence == pytest.approx(0.9)


def test_the_threshold_itself_counts_and_the_expected_number_of_wrong_ones_is_the_sum_of_doubt():
    table = proposals(_predictions(), _photos(), _decisions(), temperature=1.0)
    chosen = undecided_above(table, float(table.confidence[1]))
    assert chosen.photo_id.tolist() == ["a.jpg", "b.jpg", "d.jpg"]
    assert expected_wrong(chosen.confidence) == pytest.approx(0.1 + 0.2 + 0.05, abs=1e-6)
    assert expected_wrong([]) == 0
    assert accept_above(table, 1.0, run_id="first", who="kim") == []


@pytest.mark.parametrize("threshold", [-0.1, 1.01, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(threshold):
    table = proposals(_predictions(), _photos(), _decisions(), temperature=1.0)
    with pytest.raises(DecisionError, match=r"threshold .* is outside 0\.\.1"):
        accept_above(table, threshold, run_id="first", who="kim")


def test_the_temperature_is_fitted_on_the_labels_as_decided():
    photos = _photos(train=200)
    rng = np.random.default_rng(0)
    train = photos[photos.split == "train"]
    guess = np.where(rng.random(200) < 0.8, train.label, rng.integers(18, size=200))
    logits = (6 * np.eye(18)[guess] + rng.normal(size=(200, 18))).astype(np.float32)
    gone = Predictions(np.array([*train.photo_id, "gone/mask1.jpg"]), np.vstack([logits, logits[:1]]))
    before = run_temperature(gone, photos, _decisions())
    assert before == pytest.approx(fit_temperature(logits, train.label.to_numpy()))
    wrong = np.flatnonzero(guess != train.label)
    axes = zip(train.photo_id.iloc[wrong], *decode(guess[wrong]), strict=True)
    fixes = [
        {"kind": "relabel", "target": photo_id, "mask": mask, "gender": gender, "age_band": age}
        for photo_id, mask, gender, age in axes
    ]
    assert run_temperature(gone, photos, _decisions(*fixes)) < before / 2


def test_expected_wrong_is_about_right_when_probabilities_are():
    rng = np.random.default_rng(1)
    pred_probs = rng.dirichlet(np.full(18, 0.15), size=4000)
    labels = np.array([rng.choice(18, p=row) for row in pred_probs])
    confidence = pred_probs.max(axis=1)
    sure = confidence > 0.8
    wrong = int((pred_probs.argmax(axis=1) != labels)[sure].sum())
    assert expected_wrong(confidence[sure]) == pytest.approx(wrong, abs=4 * np.sqrt(wrong))
