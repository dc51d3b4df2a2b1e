"""Disagreements of runs, folds and reviewers; what one run mends and another breaks."""

import numpy as np
import pytest
from scipy.stats import entropy

from core.curation.agreement import QUEUE, disagreements
from core.curation.cards import cards
from core.curation.disagreements import (
    by_unit,
    dispute_lines,
    disputes_of,
    fixed_and_broken,
    reviewers_apart,
    together,
    vote_entropy,
    voters_apart,
    votes_of,
)
from core.curation.evidence import read_evidence
from core.curation.queues import Filters, queue_rows
from core.curation.review_table import review_table
from core.errors import RunError
from core.storage.decision_record import Decision
from core.storage.predictions import Predictions
from tests.test_review_table import decided, made_up, read


def test_vote_entropy_is_scipys_entropy_of_the_votes():
    rng = np.random.default_rng(0)
    votes = list(rng.integers(0, 4, size=(5, 50)))
    expected = [entropy(np.bincount([vote[i] for vote in votes], minlength=4)) for i in range(50)]
    np.testing.assert_allclose(vote_entropy(votes), expected, atol=1e-12)


def test_a_voter_without_a_vote_does_not_count():
    votes = [np.array([3, 3, -1]), np.array([3, 4, -1]), np.array([-1, 4, -1])]
    np.testing.assert_allclose(vote_entropy(votes), [0, entropy([1, 2]), 0], atol=1e-12)


def test_one_voter_alone_is_refused():
    with pytest.raises(RunError, match="at least two runs"):
        vote_entropy([np.array([1])])


def test_votes_follow_the_photo_ids_whatever_the_order_of_the_files():
    logits = np.eye(18, dtype=np.float32)[[4, 9]]
    first, second = Predictions(np.array(["a", "b"]), logits), Predictions(np.array(["c", "a"]), logits)
    told = votes_of(
        {"one": first, "two": second, "both": together([first, Predictions(np.array(["c"]), logits[:1])])},
        ["b", "a", "c"],
    )
    assert told["one"].tolist() == [9, 4, -1]
    assert told["two"].tolist() == [-1, 9, 4]
    assert told["both"].tolist() == [9, 4, 4]


def test_fixed_and_broken_are_counted_only_where_all_three_are_known():
    labels = np.array([1, 1, 1, 1, -1, 2])
    before = np.array([1, 0, 1, 0, 1, -1])
    after = np.array([0, 1, 1, 0, 0, 2])
    fixed, broken = fixed_and_broken(labels, before, after)
    assert (fixed.tolist(), broken.tolist()) == ([1], [0])


def test_a_person_is_as_torn_as_its_most_disputed_photo_and_only_the_torn_are_in_the_queue():
    table = read(made_up(people=10, others=4), "person")
    first = table.photos.proposal.to_numpy()
    second = first.copy()
    rows = np.flatnonzero(table.photos.group == 3)
    second[rows[2]] = (second[rows[2]] + 1) % 18
    apart = voters_apart(table, {"one": first, "two": second})
    assert queue_rows(apart, QUEUE, Filters(), order="disagreement").target.tolist() == ["p003"]
    assert apart.units.disagreement[3] == pytest.approx(np.log(2))
    assert queue_rows(table, QUEUE, Filters()).empty


def test_what_reviewers_dispute_is_open_again_until_it_is_decided_in_this_queue():
    made = made_up(people=10, others=4)
    said = [
        Decision(who="kim", kind="relabel", unit="person", target="p001", gender=1),
        Decision(who="lee", kind="relabel", unit="person", target="p001", gender=0),
        Decision(who="kim", kind="reject", unit="person", target="p002"),
    ]
    apart = reviewers_apart(read(made, "person", *said), disagreements(made[0], decided(*said)))
    assert queue_rows(apart, QUEUE, Filters()).target.tolist() == ["p001"]
    said.append(Decision(who="ann", kind="relabel", unit="person", target="p001", gender=1, queue=QUEUE))
    settled = reviewers_apart(read(made, "person", *said), disagreements(made[0], decided(*said)))
    assert queue_rows(settled, QUEUE, Filters()).empty


def test_by_photo_only_photos_that_are_disputed_themselves_are_asked_about_and_an_answer_takes_them_away():
    made = made_up(people=10, others=4)
    said = [
        Decision(who="kim", kind="relabel", unit="person", target="p001", gender=1),
        Decision(who="lee", kind="relabel", unit="person", target="p001", gender=0),
        Decision(who="kim", kind="relabel", unit="person", target="p002", gender=1),
        Decision(who="lee", kind="relabel", target="p002/mask1.jpg", gender=0),
    ]

    def asked(unit):
        apart = reviewers_apart(read(made, unit, *said), disagreements(made[0], decided(*said)))
        return sorted(queue_rows(apart, QUEUE, Filters()).target)

    assert asked("photo") == ["p002/mask1.jpg"]
    assert asked("person") == ["p001", "p002"]
    said.append(Decision(who="ann", kind="relabel", target="p002/mask1.jpg", gender=1, queue=QUEUE))
    assert asked("photo") == []
    assert asked("person") == ["p001"]
    said.append(Decision(who="ann", kind="relabel", unit="person", target="p001", gender=1, queue=QUEUE))
    assert asked("person") == []


def test_what_is_disputed_is_worth_what_it_was_worth_before_anybody_answered():
    made = made_up(people=10, others=4)
    photo = made[2].photo_ids[3]
    said = [Decision(who=who, kind="accept", target=photo, proposal=label) for who, label in (("kim", 2), ("lee", 5))]
    said += [
        Decision(who=who, kind="accept", unit="person", target="p001", gender=g)
        for who, g in (("kim", 1), ("lee", 0))
    ]
    photos, now = made[0], decided(*said)
    evidence = read_evidence(photos, now, made[1], [made[2]], folds={}, unit="photo")
    torn = disagreements(photos, now)
    assert set(torn.target) == {photo, "p001"}
    open_again = review_table(evidence, photos, now, disputed=torn.target.tolist()).units.set_index("target")
    before = review_table(evidence, photos, decided()).units.set_index("target")
    answered = review_table(evidence, photos, now).units.set_index("target")
    assert (open_again.decision == "").all()
    assert answered.decision[photo] == "accept"
    assert answered.gain[photo] == 0 < before.gain[photo]
    assert open_again.gain[photo] == pytest.approx(before.gain[photo])
    mine = open_again[open_again.index.str.startswith("p001/")]
    assert (mine.gain > 0).any()
    assert (answered.gain[mine.index] == 0).all()


def test_equal_disputes_are_one_line_that_names_their_photos():
    def dispute(name, *genders):
        given = {"mask": -1, "age_band": -1, "rejected": False, "why": ""}
        votes = [{"who": f"fold {place}", "gender": gender} | given for place, gender in enumerate(genders)]
        return {"name": name, "votes": votes}

    group = [dispute("photo 1", 0, 1), dispute("photo 3", 1, 0), dispute("photo 4", 0, 1)]
    assert dispute_lines(group) == [
        "photo 1, photo 4 · fold 0: male; fold 1: female", "photo 3 · fold 0: female; fold 1: male",
    ]  # fmt: skip
    assert dispute_lines([dispute("", 0, 1)]) == ["fold 0: male; fold 1: female"]


def test_a_dispute_names_its_photo_as_the_card_shows_it():
    table = read(made_up(people=10, others=4), "person")
    first = table.photos.proposal.to_numpy()
    second = first.copy()
    disputed = [np.flatnonzero(table.photos.group == group)[5] for group in (3, 12)]  # a folder, a found group
    second[disputed] = (second[disputed] + 3) % 6 + second[disputed] // 6 * 6
    told = {"fold 0": first, "fold 1": second}
    disputes = by_unit(table, disputes_of(table, told))
    for group, photo in zip((3, 12), disputed, strict=True):
        (card,) = cards(table, table.units.loc[[group]], queue=QUEUE)
        assert card["unit"] == "person"
        place = [one["photo_id"] for one in card["photos"]].index(table.photos.photo_id[photo])
        (dispute,) = disputes[card["target"]]
        assert dispute["name"] == (card["photos"][place]["note"] if group == 3 else f"photo {place + 1}")
        assert dispute_lines([dispute])[0].startswith(f"{dispute['name']} · fold 0: ")
    alone = read(made_up(people=10, others=4), "photo")
    named = by_unit(alone, disputes_of(alone, told)).values()
    assert [dispute["name"] for those in named for dispute in those] == ["", ""]
