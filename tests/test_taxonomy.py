"""The class table: every class, every age, every bound."""

import itertools

import numpy as np
import pytest

from core.errors import DatasetError
from core.taxonomy import (
    AXES,
    CLASS_NAMES,
    NUM_CLASSES,
    PHOTO_KINDS,
    age_band,
    decode,
    decode_axis,
    encode,
    marginal,
    mask_of_kind,
)

PUBLISHED_TABLE = {
    (0, 0, 0): 0, (0, 0, 1): 1, (0, 0, 2): 2, (0, 1, 0): 3, (0, 1, 1): 4, (0, 1, 2): 5,
    (1, 0, 0): 6, (1, 0, 1): 7, (1, 0, 2): 8, (1, 1, 0): 9, (1, 1, 1): 10, (1, 1, 2): 11,
    (2, 0, 0): 12, (2, 0, 1): 13, (2, 0, 2): 14, (2, 1, 0): 15, (2, 1, 1): 16, (2, 1, 2): 17,
}  # fmt: skip


def test_every_triple_has_the_label_of_the_published_table():
    for (mask, gender, age), label in PUBLISHED_TABLE.items():
        assert encode(mask, gender, age) == label


def test_decoding_gives_back_what_was_encoded():
    mask, gender, age = decode(np.arange(NUM_CLASSES))
    assert encode(mask, gender, age).tolist() == list(range(NUM_CLASSES))
    triples = zip(mask.tolist(), gender.tolist(), age.tolist(), strict=True)
    assert list(triples) == list(itertools.product(range(3), range(2), range(3)))
    assert decode_axis([10, 17], "gender").tolist() == [1, 1]


@pytest.mark.parametrize("young", range(27, 34))
@pytest.mark.parametrize("old", range(56, 63))
def test_every_age_falls_into_one_band_and_the_bounds_are_the_first_ages_of_theirs(young, old):
    for age in range(101):
        expected = 0 if age < young else 1 if age < old else 2
        assert age_band(age, young=young, old=old) == expected


def test_indices_outside_their_axis_are_refused_and_named():
    with pytest.raises(DatasetError, match=r"gender index 2 is outside 0\.\.1"):
        encode(0, 2, 0)
    with pytest.raises(DatasetError, match=r"label 18 is outside 0\.\.17"):
        decode([3, 18])
    with pytest.raises(DatasetError, match=r"label -1 is outside"):
        decode(-1)


def test_seven_photo_kinds_are_five_worn_one_incorrect_one_normal():
    masks = [mask_of_kind(kind) for kind in PHOTO_KINDS]
    assert masks == [0, 0, 0, 0, 0, 1, 2]
    assert mask_of_kind("._mask1") is None
    assert mask_of_kind("mask6") is None


def test_class_names_are_all_different():
    assert len(set(CLASS_NAMES)) == NUM_CLASSES


def test_axis_probabilities_are_sums_over_the_classes_of_that_axis():
    pred_probs = np.random.default_rng(0).dirichlet(np.ones(NUM_CLASSES), size=5)
    for axis, values in AXES.items():
        by_hand = np.stack(
            [
                pred_probs[:, decode_axis(np.arange(NUM_CLASSES), axis) == value].sum(1)
                for value in range(len(values))
            ],
            axis=1,
        )
        np.testing.assert_allclose(marginal(pred_probs, axis), by_hand, rtol=1e-12)
