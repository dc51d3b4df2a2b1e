"""Several reviewers: what each says, where they differ, and how far they agree."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from core.curation.agreement import (
    QUEUE,
    agreement,
    cohens_kappa,
    disagreements,
    kappa_interval,
    kappa_words,
    second_opinions,
    votes,
)
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.taxonomy import decode
from tests.test_labels import _photos

PHOTOS = _photos()
EVAL = PHOTOS.photo_id[PHOTOS.split == "eval"].tolist()


@pytest.fixture
def desk(workspace):
    store = DecisionStore(workspace, "d")

    def decide(who, kind, target, **fields):
        decision = Decision(who=who, kind=kind, target=target, **fields)
        store.append([decision])
        return decision

    return SimpleNamespace(store=store, decide=decide)


@pytest.mark.parametrize("seed", range(20))
def test_kappa_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, rng.integers(2, 19), 50)
    second = np.where(rng.random(50) < 0.6, first, rng.integers(0, 19, 50))
    assert cohens_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))


def test_kappa_without_cards_or_without_choice_is_not_a_number():
    assert np.isnan(cohens_kappa([], []))
    assert np.isnan(cohens_kappa([1, 1], [1, 1]))
    assert cohens_kappa([0, 1], [1, 0]) == -1.0
    assert np.isnan([*kappa_interval([], []), *kappa_interval([1, 1], [1, 1])]).all()


@pytest.mark.parametrize(("cards", "noise"), [(20, 0.1), (60, 0.3), (200, 0.05), (200, 0.5)])
def test_the_interval_of_kappa_holds_the_true_one_in_95_of_100_draws(cards, noise):
    truth, rng = 1 - noise, np.random.default_rng(cards)  # three values, a share of answers drawn blindly
    inside = 0
    for _ in range(400):
        first = rng.integers(0, 3, cards)
        second = np.where(rng.random(cards) < noise, rng.integers(0, 3, cards), first)
        low, high = kappa_interval(first, second)
        inside += low <= truth <= high
    assert 0.92 <= inside / 400 <= 0.99


def test_a_vote_is_what_a_reviewer_says_now(desk):
    desk.decide("ann", "accept", EVAL[0], proposal=4)
    desk.decide("ann", "relabel", EVAL[0], mask=1, proposal=4)
    desk.decide("bob", "skip", EVAL[0])
    desk.decide("cat", "accept", EVAL[0], proposal=4, origin="model")  # in bulk: cat saw nothing
    desk.decide("bob", "relabel", "ann", unit="person", gender=0)
    table = votes(PHOTOS, desk.store.effective())
    assert table[["target", "who", "mask", "gender", "age_band"]].to_numpy().tolist() == [
        [EVAL[0], "ann", 1, 1, 1],
        ["ann", "bob", -1, 0, -1],
    ]


def test_different_votes_are_a_card_with_both_until_a_decision_in_that_queue_settles_it(desk):
    desk.decide("ann", "accept", EVAL[0], proposal=4, why="sure")
    desk.decide("bob", "accept", EVAL[0], proposal=5)
    desk.decide("bob", "accept", EVAL[1], proposal=5)
    found = disagreements(PHOTOS, desk.store.effective())
    assert found[["unit", "target", "differing"]].to_numpy().tolist() == [["photo", EVAL[0], ["age_band"]]]
    assert [(vote["who"], vote["age_band"], vote["why"]) for vote in found.votes[0]] == [
        ("ann", 1, "sure"),
        ("bob", 2, ""),
    ]
    settled = desk.decide("cat", "accept", EVAL[0], proposal=5, queue=QUEUE)
    assert disagreements(PHOTOS, desk.store.effective()).empty
    desk.store.undo_batch(settled.batch_id, who="cat")
    assert len(disagreements(PHOTOS, desk.store.effective())) == 1


def test_a_rejection_differs_from_a_label_but_not_from_a_rejection(desk):
    desk.decide("ann", "reject", EVAL[0], proposal=4)
    desk.decide("bob", "reject", EVAL[0], proposal=4)
    assert disagreements(PHOTOS, desk.store.effective()).empty
    desk.decide("cat", "accept", EVAL[0], proposal=4)
    assert disagreements(PHOTOS, desk.store.effective()).target.tolist() == [EVAL[0]]


def test_rejecting_a_change_of_a_train_label_is_a_vote_for_the_label_as_it_was(desk):
    desk.decide("ann", "reject", "bob", unit="person")  # bob is male, under 30
    desk.decide("bob", "relabel", "bob", unit="person", gender=0)
    assert disagreements(PHOTOS, desk.store.effective()).empty
    desk.decide("cat", "relabel", "bob", unit="person", gender=1)
    found = disagreements(PHOTOS, desk.store.effective())
    assert found.differing.tolist() == [["gender"]]


def test_the_table_of_agreement_is_that_of_scikit_learn_on_the_common_cards(desk):
    rng = random.Random(1)
    said = {"ann": [], "bob": []}
    photos = _photos(evaluation=40)
    cards = photos.photo_id[photos.split == "eval"].tolist()
    for card in cards:
        first = rng.randrange(18)
        for who, label in (("ann", first), ("bob", first if rng.random() < 0.7 else rng.randrange(18))):
            said[who].append(label)
            desk.decide(who, "accept", card, proposal=label)
    desk.decide("ann", "accept", "bob/mask1.jpg", proposal=1)  # seen by ann alone
    row = agreement(photos, desk.store.effective()).iloc[0]
    assert (row["first"], row["second"], row["label_cards"]) == ("ann", "bob", 40)
    assert row["label_kappa"] == pytest.approx(cohen_kappa_score(said["ann"], said["bob"]))
    for place, axis in enumerate(("mask", "gender", "age_band")):
        a, b = decode(said["ann"])[place], decode(said["bob"])[place]
        assert row[f"{axis}_kappa"] == pytest.approx(cohen_kappa_score(a, b))
        assert row[f"{axis}_same"] == pytest.approx((a == b).mean())
        assert (row[f"{axis}_kappa_low"], row[f"{axis}_kappa_high"]) == kappa_interval(a, b)
        assert kappa_words(row, axis).startswith(f"{row[f'{axis}_kappa']:.2f} (")


def test_second_opinions_are_cards_that_one_other_has_decided(desk):
    desk.decide("ann", "accept", EVAL[0], proposal=4)
    desk.decide("ann", "accept", EVAL[1], proposal=4)
    desk.decide("bob", "accept", EVAL[1], proposal=4)
    decided = desk.store.effective()
    assert second_opinions(PHOTOS, decided, "bob") == [("photo", EVAL[0])]
    assert second_opinions(PHOTOS, decided, "ann") == []
    assert second_opinions(PHOTOS, decided, "cat") == [("photo", EVAL[0])]


def test_nobody_has_said_anything_yet(desk):
    decided = desk.store.effective()
    assert votes(PHOTOS, decided).empty
    assert disagreements(PHOTOS, decided).empty
    assert agreement(PHOTOS, decided).empty


ONE, OTHER = "ann/mask1.jpg", "ann/mask2.jpg"  # ann is female, under 30


def _torn(desk):
    table = disagreements(PHOTOS, desk.store.effective())
    return table[["unit", "target", "differing"]].to_numpy().tolist()


def test_a_decision_about_a_person_differs_from_anothers_about_one_of_its_photos(desk):
    desk.decide("ann", "relabel", "ann", unit="person", gender=0, age_years=40, why="beard")
    desk.decide("bob", "relabel", ONE, gender=1, mask=0)
    desk.decide("bob", "relabel", OTHER, gender=0, mask=1)
    desk.decide("cat", "skip", OTHER)
    assert _torn(desk) == [["photo", ONE, ["gender"]]]
    said = disagreements(PHOTOS, desk.store.effective()).votes[0]
    assert [(vote["who"], vote["mask"], vote["gender"], vote["age_band"], vote["why"]) for vote in said] == [
        ("ann", -1, 0, 1, "beard"),
        ("bob", 0, 1, -1, ""),
    ]


def test_one_reviewer_does_not_disagree_with_herself(desk):
    desk.decide("ann", "relabel", "ann", unit="person", gender=0)
    desk.decide("ann", "relabel", ONE, gender=1)
    assert _torn(desk) == []
    desk.decide("bob", "relabel", "ann", unit="person", gender=1)
    assert _torn(desk) == [["person", "ann", ["gender"]]]  # of that photo ann says the same as bob


def test_rejecting_a_proposal_about_a_person_is_a_vote_for_gender_and_age_of_its_photos_not_for_their_masks(desk):
    desk.decide("ann", "reject", "ann", unit="person")
    desk.decide("bob", "relabel", ONE, mask=2)
    assert _torn(desk) == []
    desk.decide("bob", "relabel", ONE, age_band=2)
    assert _torn(desk) == [["photo", ONE, ["age_band"]]]


def test_two_who_differ_about_a_person_are_one_card_whatever_a_third_says_of_a_mask(desk):
    desk.decide("ann", "relabel", "ann", unit="person", gender=0)
    desk.decide("bob", "relabel", "ann", unit="person", gender=1)
    desk.decide("cat", "relabel", ONE, mask=1)
    assert _torn(desk) == [["person", "ann", ["gender"]]]


@pytest.mark.parametrize(
    ("unit", "target", "axis", "is_settled"),
    [("photo", ONE, "gender", True), ("person", "ann", "gender", True), ("person", "ann", "age_band", False)],
)
def test_the_photo_is_settled_by_a_decision_about_it_or_by_one_about_the_person_and_that_axis(
    desk, unit, target, axis, is_settled
):
    desk.decide("ann", "relabel", "ann", unit="person", gender=0)
    desk.decide("bob", "relabel", ONE, gender=1)
    desk.decide("cat", "relabel", target, unit=unit, queue=QUEUE, **{axis: 1})
    assert _torn(desk) == ([] if is_settled else [["photo", ONE, ["gender"]]])


def test_a_settled_mask_stays_settled_when_something_else_is_decided_about_the_person(desk):
    desk.decide("ann", "relabel", ONE, mask=0)
    desk.decide("bob", "relabel", ONE, mask=1)
    desk.decide("cat", "relabel", ONE, mask=1, queue=QUEUE)
    desk.decide("dan", "relabel", "ann", unit="person", age_band=1)
    assert _torn(desk) == []


def _torn_one_by_one(rows):
    """Axes apart of each photo that was decided alone: what each reviewer says of it, decision after decision."""
    apart = {}
    train = PHOTOS[PHOTOS.split == "train"]
    for photo in train.itertuples():
        said, itself = {}, set()
        for row in rows:
            if row.target not in (photo.photo_id, photo.person_id):
                continue
            votes = said.setdefault(row.who, {})
            alone = row.unit == "photo"
            if row.kind == "reject":
                if alone:
                    votes.clear()
                given = {"gender": photo.gender, "age_band": photo.age_band} | ({"mask": photo.mask} if alone else {})
            else:
                given = {axis: getattr(row, axis) for axis in ("mask", "gender", "age_band")}
                given = {axis: value for axis, value in given.items() if value is not None}
            votes |= given
            itself |= set(given) if alone else set()
        found = [
            axis
            for axis in ("mask", "gender", "age_band")
            if axis in itself and len({votes[axis] for votes in said.values() if axis in votes}) > 1
        ]
        if found:
            apart[photo.photo_id] = found
    return apart


@pytest.mark.parametrize("seed", range(15))
def test_photos_that_are_disputed_are_those_found_decision_by_decision(desk, seed):
    rng = random.Random(seed)
    rows = []
    for _ in range(rng.randrange(2, 30)):
        alone = rng.random() < 0.6
        person = rng.choice(["ann", "bob", "cat"])
        kind = rng.choice(["relabel", "relabel", "reject"])
        axes = rng.sample(["mask", "gender", "age_band"] if alone else ["gender", "age_band"], rng.randrange(1, 3))
        given = {axis: rng.randrange(2) for axis in axes} if kind == "relabel" else {}
        target, unit = (f"{person}/mask{rng.randrange(1, 3)}.jpg", "photo") if alone else (person, "person")
        rows.append(desk.decide(rng.choice(["kim", "lee", "sue"]), kind, target, unit=unit, **given))
    table = disagreements(PHOTOS, desk.store.effective())
    photos = table[table.unit == "photo"]
    assert dict(zip(photos.target, photos.differing, strict=True)) == _torn_one_by_one(rows)


def test_kappa_counts_a_decision_about_a_person_once_and_never_against_one_about_a_photo(desk):
    people = PHOTOS.person_id[PHOTOS.split == "train"].unique().tolist()
    first, second = [0, 1, 0, 1, 1, 0], [0, 1, 1, 1, 0, 0]
    for person, a, b in zip(people, first, second, strict=True):
        desk.decide("ann", "relabel", person, unit="person", gender=a)
        desk.decide("bob", "relabel", person, unit="person", gender=b)
        desk.decide("bob", "relabel", f"{person}/mask1.jpg", gender=1 - a)
    row = agreement(PHOTOS, desk.store.effective()).iloc[0]
    assert row.gender_cards == 6
    assert row.gender_kappa == pytest.approx(cohen_kappa_score(first, second))
