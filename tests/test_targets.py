"""Targets: certain classes, and age bands that share a person near a soft boundary."""

import numpy as np
import pytest

from core.config import DataConfig
from core.taxonomy import age_band
from core.training.targets import training_targets

AGES = np.arange(18, 61)
CLASSES = 9 + age_band(AGES, young=30, old=58)


def test_hard_boundaries_give_certain_targets():
    targets = training_targets(CLASSES, AGES, DataConfig())
    np.testing.assert_array_equal(targets, np.eye(18)[CLASSES])


def test_a_soft_boundary_shares_people_between_the_bands_and_keeps_the_other_axes():
    targets = training_targets(CLASSES, AGES, DataConfig(age_soft=2.0))
    np.testing.assert_allclose(targets.sum(1), 1, rtol=1e-6)
    assert targets[:, :9].max() == targets[:, 12:].max() == 0
    for age, row in zip(AGES, targets, strict=True):
        assert row[11] == pytest.approx(1 / (1 + np.exp(-(age + 0.5 - 58) / 2)), abs=1e-6)
        assert row[9] == pytest.approx(1 / (1 + np.exp((age + 0.5 - 30) / 2)), abs=1e-6)
    np.testing.assert_array_equal(targets.argmax(1), CLASSES)  # the hard class stays the likeliest


def test_a_narrow_soft_boundary_is_the_hard_one():
    targets = training_targets(CLASSES, AGES, DataConfig(age_soft=0.01))
    np.testing.assert_allclose(targets, np.eye(18)[CLASSES], atol=1e-6)


def test_an_unknown_age_and_a_band_that_somebody_decided_stay_certain():
    targets = training_targets([11, 9], [-1, 59], DataConfig(age_soft=3))
    np.testing.assert_array_equal(targets, np.eye(18)[[11, 9]])
