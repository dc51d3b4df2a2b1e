"""The one table behind all queues: on a made-up run over people whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from core.curation.cards import cards
from core.curation.evidence import read_evidence
from core.curation.queues import Filters, queue_rows
from core.curation.review_table import review_table, with_decisions
from core.errors import RunError
from core.evaluation.best_classes import expected_macro_f1
from core.storage.decision_record import FIELDS, Decision, values_of
from core.storage.predictions import Predictions
from core.taxonomy import AGE_BANDS, PHOTO_KINDS, age_band, mask_of_kind

AGES = np.array([22, 41, 60])


def made_up(people=60, others=20, seed=0, wrong=()):
    """(photos, oof, evaluation, grouping, eval truth); ``wrong``: train people with another gender label."""
    rng = np.random.default_rng(seed)
    rows, logits, truth = [], [], []
    for number in range(people + others):
        train = number < people
        gender, age = rng.integers(2), int(AGES[rng.integers(3)])
        person = f"p{number:03d}"
        lean = rng.normal(size=(2, 3)) * 0.8
        lean[gender, age_band(age)] += 3
        for kind in PHOTO_KINDS:
            mask = mask_of_kind(kind)
            told = np.full((3, 2, 3), -6.0)
            told[mask] = lean + rng.normal(size=(2, 3)) * 0.7
            logits.append(told.ravel())
            given = 1 - gender if number in wrong else gender
            band = int(age_band(age))
            label = mask * 6 + given * 3 + band
            photo_id = f"{person}/{kind}.jpg" if train else f"{person}-{kind}.jpg"
            truth.append(mask * 6 + gender * 3 + band)
            rows.append(
                (photo_id, person if train else "", "train" if train else "eval", kind if train else "",
                 *((mask, given, band, age, label) if train else (-1,) * 5), True)
            )  # fmt: skip
    names = ["photo_id", "person_id", "split", "kind", "mask", "gender", "age_band", "age", "label", "readable"]
    photos = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[:4], object))
    scores, ids, cut = np.array(logits, dtype=np.float32), photos.photo_id.to_numpy(dtype=str), people * 7
    grouping = {name: name.split("-")[0] for name in ids[cut:]}
    return photos, Predictions(ids[:cut], scores[:cut]), Predictions(ids[cut:], scores[cut:]), grouping, truth[cut:]


def decided(*decisions):
    """A frame as ``DecisionStore.effective`` gives it."""
    frame = pd.DataFrame([values_of(one) for one in decisions], columns=list(FIELDS))
    return frame.assign(row=np.arange(1, len(frame) + 1))


class Groups:
    """A grouping in which everybody is sure of everything."""

    def __init__(self, groups):
        self.groups = groups

    def groups_of(self, photo_ids):
        return [self.groups.get(name, name) for name in photo_ids], [1.0 if name in self.groups else np.nan
                                                                     for name in photo_ids]  # fmt: skip


def read(made, unit, *decisions, grouping=None):
    """The table of a made-up run after these decisions."""
    photos, oof, evaluation, groups, _ = made
    frame = decided(*decisions)
    chosen = groups if grouping is None else grouping
    evidence = read_evidence(photos, frame, oof, [evaluation], folds={}, unit=unit, grouping=Groups(chosen))
    return review_table(evidence, photos, frame)


def test_people_are_folders_or_found_groups_and_photos_without_a_group_stay_single():
    made = made_up()
    table = read(made, "person")
    assert table.units.target.tolist() == [f"p{number:03d}" for number in range(80)]
    assert set(table.units["size"]) == {7}
    some = {name: group for name, group in made[3].items() if group == "p070"}
    torn = read(made, "person", grouping=some).units
    assert len(torn) == 60 + 1 + 19 * 7
    assert torn[torn.split == "eval"].groupby("unit")["size"].agg(["count", "max"]).to_numpy().tolist() == [
        [1, 7],
        [133, 1],
    ]
    by_photo = read(made, "photo").units
    assert len(by_photo) == 560
    assert set(by_photo.unit) == {"photo"}


def test_a_found_group_of_one_photo_is_decided_as_that_photo():
    made = made_up()
    photo_id = next(name for name, group in made[3].items() if group == "p070")
    units = read(made, "person", grouping=made[3] | {photo_id: "42"}).units
    alone = units[units["size"] == 1]
    assert alone[["target", "unit"]].to_numpy().tolist() == [[photo_id, "photo"]]
    answered = Decision(who="kim", kind="reject", target=alone.target.iloc[0], queue="age_boundary")
    after = read(made, "person", answered, grouping=made[3] | {photo_id: "42"}).units
    assert after.decision[after.target == photo_id].tolist() == ["reject"]


def test_every_photo_of_a_person_says_the_same_about_gender_and_age():
    table = read(made_up(), "person")
    cube = table.photo_probs.reshape(-1, 3, 6).sum(1)
    np.testing.assert_allclose(cube, table.cells[table.photos.group])
    np.testing.assert_allclose(table.photo_probs.sum(1), 1)


def test_an_answer_settles_the_person_moves_its_gain_to_zero_and_is_told_as_gained():
    made = made_up()
    before = read(made, "person")
    assert before.gained == {"eval": 0.0, "train": 0.0}
    best = before.units[before.units.split == "eval"].sort_values("gain").target.iloc[-1]
    photos = before.photos[before.photos.group == list(before.units.target).index(best)]
    truth = dict(zip(made[2].photo_ids, made[4], strict=True))
    answers = [
        Decision(who="kim", kind="accept", target=name, proposal=int(truth[name]), queue="pseudo_labels")
        for name in photos.photo_id
    ]
    after = read(made, "person", *answers)
    row = after.units.set_index("target").loc[best]
    assert (row.decision, row.gain, row.confidence) == ("accept", 0.0, 1.0)
    part = (after.photos.split == "eval").to_numpy()
    told, now = after.photo_probs[part], after.photos.label.to_numpy()[part]
    joined = before.photos.proposal.to_numpy()[part]
    np.testing.assert_array_equal(after.photos.predicted[part], joined)
    expected = expected_macro_f1(told, np.where(now >= 0, now, joined)) - expected_macro_f1(told, joined)
    assert after.gained["eval"] == pytest.approx(expected)
    some = read(made, "person", *answers[:3])
    assert some.units.set_index("target").decision[best] == ""


def test_a_skipped_person_keeps_its_gain_and_an_undecided_one_has_no_decision():
    made = made_up()
    table = read(made, "person", Decision(who="kim", kind="skip", unit="person", target="p004"))
    units = table.units.set_index("target")
    assert units.decision["p004"] == "skip"
    assert units.gain["p004"] > 0
    assert units.decision["p005"] == ""


def test_a_wrong_gender_label_comes_first_and_a_decision_settles_it():
    made = made_up(wrong=(7, 31))
    table = read(made, "person")
    train = table.units[table.units.split == "train"].sort_values("wrong", ascending=False)
    assert set(train.target.iloc[:2]) == {"p007", "p031"}
    assert train.axis.iloc[:2].tolist() == ["gender", "gender"]
    assert (table.units.wrong[table.units.split == "eval"] == 0).all()
    gender = int(made[0].set_index("photo_id").gender["p007/normal.jpg"])
    fix = Decision(who="kim", kind="relabel", unit="person", target="p007", gender=1 - gender, queue="label_issues")
    after = read(made, "person", fix).units.set_index("target")
    assert after.decision["p007"] == "relabel"
    assert after.wrong["p007"] < 0.01 < after.wrong["p031"]
    assert read(made, "person", fix).gained["train"] > 0


def test_the_later_of_two_decisions_about_a_photo_and_its_person_is_shown():
    made = made_up()
    person = Decision(who="kim", kind="reject", unit="person", target="p001")
    photo = Decision(who="kim", kind="relabel", target="p001/normal.jpg", mask=1)
    shown = read(made, "photo", person, photo).photos.set_index("photo_id").decision
    assert (shown["p001/normal.jpg"], shown["p001/mask1.jpg"]) == ("relabel", "reject")
    assert read(made, "photo", photo, person).photos.set_index("photo_id").decision["p001/normal.jpg"] == "reject"


def test_another_mix_of_evaluation_people_is_found_and_taken_in():
    made = made_up(people=200, others=100, seed=3)
    photos, oof, evaluation, grouping, truth = made
    old = [i for i, label in enumerate(truth) if label % 3 == len(AGE_BANDS) - 1]
    kept = np.concatenate([old, [i for i in range(0, 70) if i not in set(old)]])
    ids = evaluation.photo_ids[kept]
    fewer = photos[(photos.split == "train") | photos.photo_id.isin(ids)].reset_index(drop=True)
    table = read((fewer, oof, Predictions(ids, evaluation.logits[kept]), grouping, None), "person")
    true_share = np.mean([truth[i] % 3 == 2 for i in kept])
    assert true_share > 0.6
    assert table.evaluation_mix.reshape(2, 3)[:, 2].sum() == pytest.approx(true_share, abs=0.12)


def test_a_run_without_a_labelled_train_photo_is_refused():
    photos, oof, evaluation, *_ = made_up(people=10, others=2)
    photos = photos.assign(split="eval")
    with pytest.raises(RunError, match="choose another run"):
        read_evidence(photos, decided(), oof, [evaluation], folds={}, unit="photo")


@pytest.mark.parametrize("unit", ["person", "photo"])
def test_a_table_brought_up_to_date_has_the_same_undecided_cards_as_one_made_anew(unit):
    photos, oof, evaluation, groups, _ = made_up()
    evidence = read_evidence(photos, decided(), oof, [evaluation], folds={}, unit=unit, grouping=Groups(groups))
    before = review_table(evidence, photos, decided())
    train = before.units[before.units.split == "train"]
    open_card, label = train.target.iloc[3], before.photos.label[before.photos.group == train.index[3]].iloc[0]
    first, second = evaluation.photo_ids[:2].tolist()
    made = decided(
        Decision(who="kim", kind="relabel", unit=unit, target=open_card, gender=1 - int(label) // 3 % 2),
        Decision(who="kim", kind="reject", target=first),
        Decision(who="kim", kind="relabel", target=second, mask=0, gender=0, age_band=2),
        Decision(who="kim", kind="relabel", target=evaluation.photo_ids[-1], mask=0, gender=1, age_band=2),
    )
    quick, anew = with_decisions(before, evidence, photos, made), review_table(evidence, photos, made)
    assert quick.units.decision.tolist() == anew.units.decision.tolist()
    assert quick.photos.decision.tolist() == anew.photos.decision.tolist()
    assert quick.units.set_index("target").gain[open_card] == 0
    assert quick.gained == anew.gained
    assert 0 not in anew.gained.values()
    undone = with_decisions(anew, evidence, photos, decided())
    assert undone.gained == before.gained == {"eval": 0.0, "train": 0.0}
    assert (before.units.decision == "").all()  # the older table is as it was


@pytest.mark.parametrize("unit", ["photo", "person"])
def test_a_person_whose_photos_together_disagree_with_the_label_is_told_whatever_the_unit(unit):
    made = made_up(wrong=(4, 9))
    table = read(made, unit)
    photos, labels = table.photos, table.photos.label.to_numpy()
    people = photos.groupby("person_id").group.first()
    for person in ("p004", "p009"):
        unit_row = table.units.loc[people[person]]
        given = labels[photos.person_id == person][0] % 6
        assert unit_row.together // 3 != given // 3  # the other gender
        assert unit_row.together_share > 0.9
        (card,) = cards(table, table.units.loc[[people[person]]], queue="label_issues")
        assert any(why.startswith("all photos of the person together: ") for why in card["why"])
    found = queue_rows(table, "label_issues", Filters(issue="together"), order="wrong")
    assert {"p004", "p009"} <= set(photos.person_id[photos.group.isin(found.index)])
    assert (found.together >= 0).all()
    seen = table.units[(table.units.split == "train") & (table.units.together < 0)]
    assert len(found) + len(seen) == (table.units.split == "train").sum()
