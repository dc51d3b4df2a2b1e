"""Another age boundary, told without training: against counting by hand and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from core.curation.age_boundary import Boundary, preview_boundary, relabel_moved
from core.errors import ConfigError, RunError
from core.taxonomy import age_band, encode


def _photos(seed=0, people=200):
    rng = np.random.default_rng(seed)
    ages = rng.integers(18, 61, size=people)
    genders = rng.integers(2, size=people)
    mask = np.tile([0, 0, 1, 2], people)
    age, gender = np.repeat(ages, 4), np.repeat(genders, 4)
    names = np.repeat([f"p{number}" for number in range(people)], 4)
    photos = pd.DataFrame(
        {"person_id": names, "age": age, "label": encode(mask, gender, age_band(age)), "mask": mask, "gender": gender}
    )
    return photos, rng.integers(18, size=len(photos))


@pytest.mark.parametrize(("young", "old"), [(30, 60), (29, 57), (27, 56), (33, 62)])
def test_moves_counts_and_scores_are_those_of_labels_made_with_the_new_bounds(young, old):
    photos, predictions = _photos()
    preview = preview_boundary(photos, predictions, Boundary(young, old))
    target = encode(photos["mask"], photos.gender, age_band(photos.age, young=young, old=old))
    assert preview.classes.photos_after.tolist() == np.bincount(target, minlength=18).tolist()
    assert preview.classes.photos_before.tolist() == np.bincount(photos.label, minlength=18).tolist()
    changed = photos[target != photos.label]
    assert set(preview.moved.person_id) == set(changed.person_id)
    assert preview.moved.photos.sum() == len(changed)
    scores = f1_score(target, predictions, labels=range(18), average=None, zero_division=0)
    np.testing.assert_allclose(preview.classes.f1_after, scores)
    assert preview.macro_f1_after == pytest.approx(scores.mean())


def test_a_band_that_is_left_out_is_neither_counted_nor_scored():
    photos, predictions = _photos()
    preview = preview_boundary(photos, predictions, Boundary(leave_out=(56, 59)))
    out = photos.age.between(56, 59)
    assert preview.left_out_photos == out.sum()
    assert preview.left_out_people == photos.person_id[out].nunique()
    assert preview.classes.photos_after.sum() == (~out).sum()
    kept = photos[~out]
    expected = f1_score(kept.label, predictions[~out], labels=range(18), average="macro", zero_division=0)
    assert preview.macro_f1_after == pytest.approx(expected)


def test_people_whose_years_are_unknown_stay_where_they_are():
    photos, predictions = _photos()
    photos.loc[:3, "age"] = -1
    assert photos.person_id[0] not in set(preview_boundary(photos, predictions, Boundary(27, 56)).moved.person_id)


def test_moved_people_become_one_batch_that_gives_each_the_new_band():
    photos, predictions = _photos()
    boundary = Boundary(30, 58)
    preview = preview_boundary(photos, predictions, boundary)
    decisions = relabel_moved(preview, boundary, who="kim", run_id="first")
    assert {one.target for one in decisions} == set(photos.person_id[photos.age.between(58, 59)])
    assert {(one.kind, one.unit, one.age_band, one.mask) for one in decisions} == {("relabel", "person", 2, None)}
    assert len({one.batch_id for one in decisions}) == 1


def test_settings_are_those_that_a_training_takes():
    assert Boundary(29, 57).settings() == {"data.age_young": 29, "data.age_old": 57}
    assert Boundary(leave_out=(57, 59)).settings()["data.leave_out_to"] == 59


def test_bands_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match="above young"):
        Boundary(60, 30)
    with pytest.raises(ConfigError, match="swap them"):
        Boundary(leave_out=(59, 57))
    photos, predictions = _photos()
    with pytest.raises(RunError, match="narrower"):
        preview_boundary(photos, predictions, Boundary(leave_out=(0, 99)))
