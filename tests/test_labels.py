"""Decisions laid over labels, and the table a run trains on."""

import io

import numpy as np
import pandas as pd
import pytest

from core.config import DataConfig
from core.curation.labels import COLUMNS, effective_labels, training_table
from core.dataset.splits import assign_folds
from core.errors import ConfigError, DatasetError, DecisionError
from core.taxonomy import PHOTO_KINDS, age_band, decode, encode, mask_of_kind

AXES = ("mask", "gender", "age_band")
PEOPLE = [("ann", 1, 25), ("bob", 0, 29), ("cat", 1, 58), ("dan", 0, 60), ("eve", 1, 45), ("fay", 1, 57)]


def _photos(people=PEOPLE, evaluation=4):
    rows = [
        (f"{name}/{kind}.jpg", name, "train", mask_of_kind(kind), gender, int(age_band(age)), age)
        for name, gender, age in people
        for kind in PHOTO_KINDS
    ]
    rows += [(f"{i:040x}.jpg", "", "eval", -1, -1, -1, -1) for i in range(evaluation)]
    names = ["photo_id", "person_id", "split", "mask", "gender", "age_band", "age"]
    photos = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[:3], object))
    train = photos.split == "train"
    photos["label"] = -1
    photos.loc[train, "label"] = encode(photos["mask"][train], photos.gender[train], photos.age_band[train])
    photos["path"] = (photos.split + "/images/" + photos.photo_id).astype(object)
    photos["readable"] = True
    return photos


def _decisions(*rows):
    open_ = dict.fromkeys(["mask", "gender", "age_band", "age_years", "proposal"])
    base = {"kind": "relabel", "unit": "photo", **open_}
    return pd.DataFrame([base | row for row in rows], columns=["kind", "unit", "target", *open_])


def _of_person(table, person_id):
    return table[table.person_id == person_id]


def _of(table, photo_id):
    return table.set_index("photo_id").loc[photo_id]


def _by_hand(photos, decisions):
    """The meaning of decisions, one after the other and photo by photo."""
    labels = {}
    for photo in photos.itertuples():
        axes = {"mask": photo.mask, "gender": photo.gender, "age_band": photo.age_band, "age": photo.age}
        for said in decisions.to_dict("records"):
            if said["target"] != (photo.person_id if said["unit"] == "person" else photo.photo_id):
                continue
            given = {name: int(said[name]) for name in AXES if not pd.isna(said[name])}
            if not pd.isna(said["age_years"]):
                given |= {"age": int(said["age_years"]), "age_band": int(age_band(said["age_years"]))}
            gives = said["kind"] in ("accept", "relabel")
            if photo.split == "eval":
                proposed = dict(
                    zip(("mask", "gender", "age_band"), map(int, decode(int(said["proposal"]))), strict=True)
                )
                given.pop("age", None)
                axes |= (proposed | given) if gives else dict.fromkeys(AXES, -1)
            elif gives:
                axes |= given
        if photo.split == "train" and axes["age"] >= 0 and int(age_band(axes["age"])) != axes["age_band"]:
            axes["age"] = -1
        whole = axes["mask"] >= 0
        labels[photo.photo_id] = (
            int(encode(axes["mask"], axes["gender"], axes["age_band"])) if whole else -1,
            axes["age"],
        )
    return labels


@pytest.mark.parametrize("seed", range(15))
def test_many_random_decisions_give_what_they_give_one_after_the_other(seed):
    rng, photos = np.random.default_rng(seed), _photos()
    people, rows = [name for name, _, _ in PEOPLE], []
    for _ in range(60):
        unit = str(rng.choice(["photo", "person"]))
        target = str(rng.choice(people if unit == "person" else photos.photo_id.to_numpy(dtype=str)))
        years = int(rng.integers(18, 70))
        axes = {"mask": int(rng.integers(3)), "gender": int(rng.integers(2)), "age_band": int(rng.integers(3))}
        axes = {name: value for name, value in axes.items() if rng.random() < 0.4}
        if rng.random() < 0.3:
            axes |= {"age_years": years, "age_band": int(age_band(years))}
        kind = str(rng.choice(["accept", "relabel", "reject", "skip"]))
        rows.append({"kind": kind, "unit": unit, "target": target, "proposal": int(rng.integers(18))} | axes)
    decisions = _decisions(*rows)
    table = effective_labels(photos, decisions)
    found = dict(zip(table.photo_id, zip(table.label, table.age, strict=True), strict=True))
    assert found == _by_hand(photos, decisions)


def test_without_decisions_every_label_is_the_original_one():
    photos = _photos()
    table = effective_labels(photos, _decisions())
    pd.testing.assert_frame_equal(table[photos.columns], photos)
    assert set(table.source[table.split == "train"]) == {"original"}
    assert set(table.source[table.split == "eval"]) == {""}


def test_a_photos_relabel_changes_that_photo_and_only_the_axes_it_gives():
    photos = _photos()
    table = effective_labels(photos, _decisions({"target": "ann/normal.jpg", "mask": 1}))
    row = _of(table, "ann/normal.jpg")
    assert (row["mask"], row.gender, row.age_band, row.age, row.label) == (1, 1, 0, 25, 9)
    assert row.source == "decision"
    others = table.photo_id != "ann/normal.jpg"
    assert (table.label[others] == photos.label[others]).all()
    assert photos.label[photos.photo_id == "ann/normal.jpg"].tolist() == [15]  # the input is untouched


def test_a_persons_relabel_changes_all_seven_photos():
    table = effective_labels(_photos(), _decisions({"unit": "person", "target": "bob", "gender": 1}))
    bob = table[table.person_id == "bob"]
    assert bob.label.tolist() == [3, 3, 3, 3, 3, 9, 15]
    assert set(bob.source) == {"decision"}
    assert (table.source == "decision").sum() == 7


def test_the_last_decision_that_gives_an_axis_wins_and_others_keep_theirs():
    table = effective_labels(
        _photos(),
        _decisions(
            {"target": "bob/mask1.jpg", "gender": 1, "mask": 1},
            {"unit": "person", "target": "bob", "gender": 0, "age_years": 33},
        ),
    )
    row = _of(table, "bob/mask1.jpg")
    assert (row["mask"], row.gender, row.age_band, row.age) == (1, 0, 1, 33)


def test_years_set_the_band_and_a_band_that_the_years_contradict_makes_them_unknown():
    table = effective_labels(
        _photos(),
        _decisions(
            {"unit": "person", "target": "ann", "age_years": 61},
            {"unit": "person", "target": "cat", "age_band": 2},
            {"unit": "person", "target": "dan", "age_band": 2},
        ),
    )
    found = {row.person_id: (row.age_band, row.age) for row in table.itertuples()}
    assert found["ann"] == (2, 61)
    assert found["cat"] == (2, -1)
    assert found["dan"] == (2, 60)


def test_a_band_that_is_taken_back_by_another_decision_leaves_the_years_as_they_were():
    wrong, right = ({"unit": "person", "target": "ann", "age_band": band} for band in (2, 0))
    assert set(_of_person(effective_labels(_photos(), _decisions(wrong)), "ann").age) == {-1}
    ann = _of_person(effective_labels(_photos(), _decisions(wrong, right)), "ann")
    assert set(zip(ann.age_band, ann.age, strict=True)) == {(0, 25)}


def test_evaluation_photos_get_a_label_by_accept_or_relabel_and_lose_it_by_reject():
    a, b, c, d = _photos().photo_id[-4:]
    table = effective_labels(
        _photos(),
        _decisions(
            {"kind": "accept", "target": a, "proposal": 17},
            {"kind": "relabel", "target": b, "proposal": 17, "gender": 0},
            {"kind": "relabel", "target": b, "proposal": 17, "age_band": 1},
            {"kind": "accept", "target": c, "proposal": 4},
            {"kind": "reject", "target": c, "proposal": 4},
            {"kind": "relabel", "target": d, "mask": 0, "gender": 1, "age_years": 70},
        ),
    )
    assert table.label[-4:].tolist() == [17, 16, -1, 5]
    assert table.source[-4:].tolist() == ["pseudo_label", "pseudo_label", "", "pseudo_label"]
    assert (table.age[-4:] == -1).all()


def test_accepting_a_train_proposal_takes_the_axes_that_the_decision_carries():
    row = {"kind": "accept", "target": "eve/mask1.jpg", "proposal": 8, "mask": 1, "gender": 0, "age_band": 2}
    table = effective_labels(_photos(), _decisions(row, {"kind": "reject", "target": "eve/mask2.jpg"}))
    assert _of(table, "eve/mask1.jpg").label == 8
    assert _of(table, "eve/mask2.jpg").source == "original"


def test_decisions_on_photos_that_left_the_data_set_change_nothing():
    decisions = _decisions({"target": "zoe/mask1.jpg", "mask": 1}, {"unit": "person", "target": "", "gender": 1})
    assert (effective_labels(_photos(), decisions).label == _photos().label).all()


def test_a_decision_without_a_whole_label_or_with_an_impossible_value_is_refused():
    photo = _photos().photo_id.iloc[-1]
    with pytest.raises(DecisionError, match="leaves mask, age_band open and names no proposal"):
        effective_labels(_photos(), _decisions({"target": photo, "gender": 1}))
    with pytest.raises(DecisionError, match=r"proposal = 40 is outside 0\.\.17"):
        effective_labels(_photos(), _decisions({"kind": "accept", "target": photo, "proposal": 40}))
    with pytest.raises(DecisionError, match=r"mask = 1\.5 is outside"):
        effective_labels(_photos(), _decisions({"target": "ann/mask1.jpg", "mask": 1.5}))


def test_none_nan_and_na_all_leave_an_axis_open():
    for missing in (None, np.nan, pd.NA):
        row = {"target": "ann/normal.jpg", "mask": 0, "gender": missing, "age_band": missing}
        assert _of(effective_labels(_photos(), _decisions(row)), "ann/normal.jpg").label == 3


def test_the_training_table_scores_by_30_and_60_and_trains_by_the_configured_bounds():
    config = DataConfig(folds=2, age_young=28, age_old=58)
    table = training_table(_photos(), _decisions(), config, seed=0)
    assert list(table.columns) == list(COLUMNS)
    first = table.drop_duplicates("person_id").set_index("person_id")
    assert first.label.to_dict() == {"ann": 3, "bob": 0, "cat": 4, "dan": 2, "eve": 4, "fay": 4}
    assert first.target.to_dict() == {"ann": 3, "bob": 1, "cat": 5, "dan": 2, "eve": 4, "fay": 4}
    assert set(table.source) == {"original"}


def test_folds_are_those_of_the_people_whatever_was_decided():
    config = DataConfig(folds=3)
    people = pd.DataFrame(
        [(name, gender, int(age_band(age))) for name, gender, age in PEOPLE],
        columns=["person_id", "gender", "age_band"],
    )
    expected = assign_folds(people, folds=3, seed=5)
    decided = _decisions({"unit": "person", "target": "ann", "gender": 0, "age_band": 2})
    for decisions in (_decisions(), decided):
        table = training_table(_photos(), decisions, config, seed=5)
        assert (table.fold == table.person_id.map(expected)).all()
        assert (table.groupby("person_id").fold.nunique() == 1).all()


def test_a_decided_age_band_wins_over_the_shifted_boundary():
    decisions = _decisions({"unit": "person", "target": "cat", "age_band": 0})
    table = training_table(_photos(), decisions, DataConfig(folds=2, age_old=58), seed=0)
    cat = table[table.person_id == "cat"]
    assert (cat.target == cat.label).all()
    assert set(cat.age) == {-1}


def test_ages_left_out_are_not_trained_but_keep_fold_and_label():
    config = DataConfig(folds=2, leave_out_from=57, leave_out_to=58)
    table = training_table(_photos(), _decisions(), config, seed=0)
    out = table.person_id.isin(["cat", "fay"])
    assert (table.target[out] == -1).all()
    assert (table.target[~out] >= 0).all()
    assert (table.fold >= 0).all()
    assert (table.label >= 0).all()
    everything = DataConfig(folds=2, leave_out_from=0, leave_out_to=99)
    with pytest.raises(ConfigError, match="leaving out ages 0 to 99 leaves no photo to train on"):
        training_table(_photos(), _decisions(), everything, seed=0)


def test_accepted_pseudo_labels_are_trained_in_every_fold_only_when_the_config_says_so():
    photo = _photos().photo_id.iloc[-1]
    decisions = _decisions({"kind": "accept", "target": photo, "proposal": 11})
    without = training_table(_photos(), decisions, DataConfig(folds=2), seed=0)
    assert photo not in set(without.photo_id)
    table = training_table(_photos(), decisions, DataConfig(folds=2, pseudo_labels="accepted"), seed=0)
    row = _of(table, photo)
    assert (row.fold, row.label, row.target, row.age, row.source) == (-1, 11, 11, -1, "pseudo_label")
    assert row.person_id == ""
    assert len(table) == len(without) + 1


def test_unreadable_photos_are_left_out_and_a_set_without_readable_ones_is_refused():
    photos = _photos()
    photos.loc[photos.photo_id == "ann/mask1.jpg", "readable"] = False
    table = training_table(photos, _decisions(), DataConfig(folds=2), seed=0)
    assert len(table) == 7 * len(PEOPLE) - 1
    with pytest.raises(DatasetError, match="no readable train photo"):
        training_table(photos.assign(readable=False), _decisions(), DataConfig(folds=2), seed=0)


def test_the_table_survives_the_way_through_a_csv_file():
    decisions = _decisions({"kind": "accept", "target": _photos().photo_id.iloc[-1], "proposal": 11})
    table = training_table(_photos(), decisions, DataConfig(folds=2, pseudo_labels="accepted"), seed=0)
    text = dict.fromkeys(["photo_id", "person_id", "path", "source"], object)
    again = pd.read_csv(io.StringIO(table.to_csv(index=False)), dtype=text, keep_default_na=False)
    pd.testing.assert_frame_equal(again, table)
