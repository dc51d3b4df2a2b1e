"""Several reviewers: what each says, where they differ, and how far they agree."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from core.curation.agreement import QUEUE, agreement, cohens_kappa, disagreements, second_opinions, votes
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
