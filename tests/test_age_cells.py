"""Age cells: against scikit-learn's regression, and on people whose ages within a band changed."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from core.errors import RunError
from core.evaluation.age_cells import BAND_OF_CELL, CELL_BOUNDS, NUM_CELLS, AgeLink, cells_of, fit_age_link
from core.evaluation.calibration_map import fit_calibration, to_classes
from core.evaluation.prior import groups_of, mix_of, total_variation
from core.evaluation.shift import estimate_shift
from core.taxonomy import age_band, encode


def draw_ages(seed, number, middle):
    """People of seven photos; logits see age through a noisy eye, with 58 as "60 and over".

    Args:
        middle: share of the 30 to 59 year old who are 30 to 44.
    """
    rng = np.random.default_rng(seed)
    younger = rng.random(number) < middle
    ages = np.where(younger, rng.integers(30, 45, number), rng.integers(45, 60, number))
    ages = np.choose(
        rng.choice(3, number, p=[0.4, 0.4, 0.2]), [rng.integers(18, 30, number), ages, np.full(number, 60)]
    )
    gender = rng.integers(2, size=number)
    seen = ages + rng.normal(0, 5, number)
    ages, gender, seen = (np.repeat(one, 7) for one in (ages, gender, seen))
    seen = seen + rng.normal(0, 3, len(seen))
    mask = np.tile([0, 0, 0, 0, 0, 1, 2], number)
    age_odds = -np.abs(seen[:, None] - np.array([24, 44, 62])) / 4
    gender_odds = 3 * np.eye(2)[gender] + rng.normal(0, 1.5, (len(seen), 2))
    logits = 6 * np.eye(3)[mask][:, :, None, None] + gender_odds[:, None, :, None] + age_odds[:, None, None, :]
    people = np.repeat(np.arange(number), 7)
    return logits.reshape(len(seen), 18), encode(mask, gender, age_band(ages)), ages, people


def test_cells_lie_inside_bands_and_strange_years_have_none():
    ages = np.array([18, 24, 25, 30, 44, 45, 57, 58, 60, -1, 60])
    labels = encode(0, 0, np.array([0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 1]))
    assert cells_of(labels, ages).tolist() == [0, 0, 1, 2, 2, 3, 3, 4, 5, -1, -1]
    np.testing.assert_array_equal(BAND_OF_CELL, age_band(np.array([18, *CELL_BOUNDS])))
    with pytest.raises(RunError, match="ages has 1"):
        cells_of([0, 1], [20])


def test_the_link_is_scikit_learns_regression():
    rng = np.random.default_rng(0)
    log_probs = np.log(rng.dirichlet(np.ones(3), 4000))
    cells = np.clip((log_probs[:, 2] - log_probs[:, 0] + 3 + rng.logistic(size=4000)).astype(int), 0, NUM_CELLS - 1)
    link = fit_age_link(log_probs, cells, np.ones(4000))
    ratios = (log_probs[:, [0, 2]] - log_probs[:, 1:2]).clip(-12, 12) / 2
    oracle = LogisticRegression(C=4000.0, tol=1e-8, max_iter=2000).fit(ratios, cells)
    np.testing.assert_allclose(np.exp(link(log_probs)), oracle.predict_proba(ratios), atol=0.01)
    np.testing.assert_allclose(np.exp(link(log_probs)).sum(axis=1), 1)


def test_few_photos_of_a_mask_stay_near_the_link_of_all():
    whole = AgeLink(((0.5,) * NUM_CELLS,) * 3)
    log_probs = np.log(np.full((2, 3), 1 / 3))
    np.testing.assert_allclose(fit_age_link(log_probs, np.array([0, 0]), np.zeros(2), whole).weights, whole.weights)
    near = np.asarray(fit_age_link(log_probs, np.array([0, 0]), np.ones(2), whole).weights)
    assert 0 < np.abs(near - 0.5).max() < 0.2
    with pytest.raises(RunError, match="no photo of known age"):
        fit_age_link(log_probs, np.array([0, 0]), np.zeros(2))


def test_with_ages_masks_and_cells_are_told_apart_and_classes_are_their_sums():
    logits, labels, ages, _ = draw_ages(0, 400, 0.5)
    fitted = fit_calibration(logits, labels, ages=ages)
    assert all(isinstance(link, AgeLink) for links in fitted.age for link in links)
    cells = fitted.cell_probabilities(logits)
    np.testing.assert_allclose(cells.sum(axis=(1, 2, 3)), 1)
    np.testing.assert_allclose(to_classes(cells, fitted.band_of_cell), fitted.probabilities(logits))
    for mask in range(3):  # the mean probability of a gender is its share, for each mask
        some = labels // 6 == mask
        of_women = fitted.probabilities(logits[some]).reshape(-1, 3, 2, 3)[:, :, 1].sum(axis=(1, 2))
        assert of_women.mean() == pytest.approx((labels[some] % 6 >= 3).mean(), abs=0.01)
    few = fit_calibration(logits[:700], labels[:700], ages=ages[:700])
    assert not isinstance(few.age[0][0], AgeLink)


def test_other_ages_within_a_band_are_no_other_mix_of_bands():
    logits, labels, ages, _ = draw_ages(1, 1500, 0.85)
    seen, truth, _, _ = draw_ages(2, 1500, 0.15)
    blind, told = (estimate_shift(logits, labels, [seen], ages=one) for one in (None, ages))
    true_mix = mix_of(groups_of(truth))
    assert total_variation(told.em_mix, true_mix) < 0.6 * total_variation(blind.em_mix, true_mix)
    np.testing.assert_allclose(told.em_cells.sum(), 1)
    held = told.corrected([seen], mix=told.em_mix)
    np.testing.assert_allclose(held, told.corrected([seen]), atol=1e-9)
