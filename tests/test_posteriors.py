"""Pooling, calibration with biases, and the evaluation mix: on people whose truth is known."""

import numpy as np
import pytest
from scipy.special import softmax

from core.curation.posteriors import evaluation_mix, joint, shifted

TRAIN = np.array([0.20, 0.15, 0.03, 0.28, 0.30, 0.04])
OTHER = np.array([0.26, 0.16, 0.19, 0.16, 0.18, 0.05])
MEANS = np.random.default_rng(8).normal(size=(6, 4)) + np.array(
    [[-2, 0, 0, 0]] * 3 + [[2, 0, 0, 0]] * 3
)  # gender is clear


def _people(mix, n, seed):
    """Cells and the exact posterior under the train mix, of people with four normal features."""
    rng = np.random.default_rng(seed)
    cells = rng.choice(6, p=mix, size=n)
    seen = MEANS[cells] + rng.normal(size=(n, 4))
    likelihood = -((seen[:, None] - MEANS) ** 2).sum(2) / 2
    return cells, softmax(likelihood + np.log(TRAIN), axis=1)


def test_a_photos_classes_are_its_masks_times_its_persons_cells():
    rng = np.random.default_rng(0)
    masks, cells = rng.dirichlet(np.ones(3), size=20), rng.dirichlet(np.ones(6), size=5)
    told = joint(masks, cells, np.arange(20) % 5)
    np.testing.assert_allclose(told.sum(1), 1)
    assert told[8, 2 * 6 + 1 * 3 + 2] == pytest.approx(masks[8, 2] * cells[3, 5])


def test_the_evaluation_mix_is_found_and_makes_the_probabilities_right_again():
    cells, exact = _people(OTHER, 6000, seed=4)
    mix = evaluation_mix(exact, TRAIN, np.full(6000, -1))
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
        return np.abs(evaluation_mix(blurred, TRAIN, known) - truth).sum()

    doubtful = np.argsort(blurred.max(1))
    some = np.full(300, -1)
    some[doubtful[:150]] = cells[doubtful[:150]]
    assert distance(some) < distance(np.full(300, -1))
    assert distance(cells) < 0.03
