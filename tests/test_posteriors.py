"""Pooling, calibration with biases, and the evaluation mix: on people whose truth is known."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from core.curation.posteriors import (
    NORMAL_COUNTS,
    estimate_mix,
    fit_calibration,
    joint,
    pooled_scores,
    shifted,
    split_axes,
)
from core.errors import RunError

TRAIN = np.array([0.20, 0.15, 0.03, 0.28, 0.30, 0.04])
OTHER = np.array([0.26, 0.16, 0.19, 0.16, 0.18, 0.05])
MEANS = np.random.default_rng(8).normal(size=(6, 4))


def _people(mix, n, seed):
    """Cells and the exact posterior under the train mix, of people with four normal features."""
    rng = np.random.default_rng(seed)
    cells = rng.choice(6, p=mix, size=n)
    seen = MEANS[cells] + rng.normal(size=(n, 4))
    likelihood = -((seen[:, None] - MEANS) ** 2).sum(2) / 2
    return cells, softmax(likelihood + np.log(TRAIN), axis=1)


def test_masks_and_cells_come_apart_and_together_again():
    rng = np.random.default_rng(0)
    masks, cells = rng.dirichlet(np.ones(3), size=20), rng.dirichlet(np.ones(6), size=20)
    told = joint(masks, cells, np.arange(20))
    np.testing.assert_allclose(told.sum(1), 1)
    assert told[3, 2 * 6 + 1 * 3 + 2] == pytest.approx(masks[3, 2] * cells[3, 5])
    again, log_cells = split_axes(np.log(told))
    np.testing.assert_allclose(again, masks)
    np.testing.assert_allclose(np.exp(log_cells), cells)


def test_a_person_is_the_mean_of_log_probabilities_with_the_bare_face_counting_three_times():
    log_cells = np.log(np.random.default_rng(1).dirichlet(np.ones(6), size=5))
    owner, masks = np.array([1, 0, 1, 1, 0]), np.array([0, 0, 1, 2, 0])
    pooled = pooled_scores(log_cells, masks, owner)
    np.testing.assert_allclose(pooled[0], (log_cells[1] + log_cells[4]) / 2)
    weighted = log_cells[0] + log_cells[2] + NORMAL_COUNTS * log_cells[3]
    np.testing.assert_allclose(pooled[1], weighted / (2 + NORMAL_COUNTS))


def test_calibration_undoes_a_temperature_and_a_moved_age_boundary():
    cells, exact = _people(TRAIN, 20_000, seed=2)
    moved = np.array([0, -0.7, 0.7, 0, -0.7, 0.7])
    fitted = fit_calibration(2.5 * (np.log(exact) + moved), cells)
    assert fitted.temperature == pytest.approx(2.5, rel=0.06)
    told = fitted.apply(2.5 * (np.log(exact) + moved))
    np.testing.assert_allclose(told.mean(0), np.bincount(cells, minlength=6) / len(cells), atol=0.004)
    assert np.abs(told - exact).mean() < 0.01
    np.testing.assert_allclose(fitted.mix, np.bincount(cells, minlength=6) / len(cells))


def test_calibration_is_at_least_as_likely_as_an_unrestricted_fit_of_its_two_parts():
    cells, exact = _people(TRAIN, 4000, seed=3)
    scores = 0.4 * np.log(exact)
    fitted = fit_calibration(scores, cells)
    rows = np.arange(len(cells))
    ours = -np.log(fitted.apply(scores)[rows, cells]).mean()
    free = LogisticRegression(C=1e6, max_iter=2000).fit(scores, cells)  # 36 weights where we have 7
    assert ours < -np.log(free.predict_proba(scores)[rows, cells]).mean() + 0.01


def test_the_evaluation_mix_is_found_and_makes_the_probabilities_right_again():
    cells, exact = _people(OTHER, 6000, seed=4)
    mix = estimate_mix(exact, TRAIN)
    assert np.abs(mix - OTHER).sum() / 2 < 0.03
    assert np.abs(TRAIN - OTHER).sum() / 2 > 0.18
    rows = np.arange(len(cells))
    after = shifted(exact, TRAIN, mix)
    np.testing.assert_allclose(after.sum(1), 1)
    assert -np.log(after[rows, cells]).mean() < -np.log(exact[rows, cells]).mean() - 0.02


def test_answers_bring_the_estimate_nearer_and_all_answers_are_the_count():
    cells, exact = _people(OTHER, 300, seed=5)
    blurred = np.sqrt(exact) / np.sqrt(exact).sum(1, keepdims=True)  # not well calibrated
    truth = np.bincount(cells, minlength=6) / len(cells)

    def distance(known):
        return np.abs(estimate_mix(blurred, TRAIN, known) - truth).sum()

    doubtful = np.argsort(blurred.max(1))
    some = np.full(300, -1)
    some[doubtful[:150]] = cells[doubtful[:150]]
    assert distance(some) < distance(np.full(300, -1))
    assert distance(cells) < 0.02


def test_nobody_with_a_label_is_refused():
    with pytest.raises(RunError, match="train a fold first"):
        fit_calibration(np.zeros((0, 6)), np.zeros(0, dtype=int))
