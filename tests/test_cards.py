"""Cards keep the contract of the review component, and say what was decided already and why they are shown."""

import json

import numpy as np
import pytest

from core.curation.cards import cards
from core.curation.queues import Filters, queue_rows
from core.storage.decision_record import Decision
from core.storage.predictions import Predictions
from core.taxonomy import class_name
from tests.test_review_table import made_up, read

FIELDS = {"target", "unit", "title", "photos", "current", "proposal", "label", "probs", "photo_probs", "confidence",
          "gain", "why", "neighbours", "choices"}  # fmt: skip


def _cards(table, queue, **filters):
    return cards(table, queue_rows(table, queue, Filters(**filters)), queue=queue)


@pytest.fixture(scope="module")
def made():
    return made_up(wrong=(7,))


@pytest.mark.parametrize("unit", ["photo", "person"])
@pytest.mark.parametrize("queue", ["pseudo_labels", "label_issues", "age_boundary"])
def test_a_card_is_plain_json_with_every_field(made, unit, queue):
    made_cards = _cards(read(made, unit), queue, issue="all", near_share=0.01)
    assert made_cards
    again = json.loads(json.dumps(made_cards, allow_nan=False))
    assert again == made_cards
    for card in made_cards:
        assert set(card) == FIELDS
        assert [len(card["probs"][axis]) for axis in ("mask", "gender", "age")] == [3, 2, 3]
        assert len(card["photo_probs"]) == len(card["photos"])
        assert card["why"]


def test_an_evaluation_group_proposes_gender_and_age_for_all_and_each_photo_its_own_mask(made):
    table = read(made, "person")
    card = next(card for card in _cards(table, "pseudo_labels") if card["target"] == "p061")
    assert card["unit"] == "person"
    assert card["current"] is None
    assert card["proposal"]["mask"] is None
    assert sorted(photo["mask"] for photo in card["photos"]) == [0, 0, 0, 0, 0, 1, 2]
    assert card["photos"][0]["mask"] == 2  # the bare face first
    proposed = table.photos[table.photos.photo_id.isin([photo["photo_id"] for photo in card["photos"]])].proposal
    assert set(proposed % 6) == {card["proposal"]["gender"] * 3 + card["proposal"]["age_band"]}


def test_an_evaluation_photo_proposes_its_whole_class(made):
    for card in _cards(read(made, "photo"), "pseudo_labels")[:10]:
        axes = card["proposal"]
        assert card["label"] == axes["mask"] * 6 + axes["gender"] * 3 + axes["age_band"]
        assert class_name(card["label"])
        assert len(card["photos"]) == 1


def test_a_wrong_gender_is_proposed_alone_and_said_in_words(made):
    card = _cards(read(made, "person"), "label_issues")[0]
    assert card["target"] == "p007"
    assert card["proposal"] == {"mask": None, "gender": 1 - card["current"]["gender"], "age_band": None}
    assert card["label"] is None
    assert len(card["photos"]) == 7
    assert "seen as" in card["why"][0]


def _swapped(made):
    """The same run, but that p012's two photos are seen the other way round."""
    photos, oof, evaluation, grouping, truth = made
    logits = oof.logits.copy()
    rows = {name: place for place, name in enumerate(oof.photo_ids.tolist())}
    pair = [rows["p012/incorrect_mask.jpg"], rows["p012/normal.jpg"]]
    logits[pair] = logits[pair[::-1]]
    return photos, Predictions(oof.photo_ids, logits), evaluation, grouping, truth


def test_a_swap_of_two_masks_is_one_key_with_both_decisions_and_what_the_card_proposes(made):
    table = read(_swapped(made), "person")
    card = next(card for card in _cards(table, "label_issues") if card["target"] == "p012")
    (choice,) = card["choices"]
    assert choice["key"] == "s"
    assert choice["words"].startswith("swap")
    told = {item["target"]: item["mask"] for item in choice["items"]}
    assert told == {"p012/incorrect_mask.jpg": 2, "p012/normal.jpg": 1}
    assert all(item["kind"] == "accept" and item["unit"] == "photo" for item in choice["items"])
    assert set(card["proposal"].values()) == {None}
    assert choice["proposed"]
    assert card["confidence"] == min(item["confidence"] for item in choice["items"])


def test_accepting_swaps_on_the_cards_of_the_two_photos_alone_and_never_where_the_question_is_an_age(made):
    table = read(_swapped(made), "photo")
    told = {card["target"]: card["choices"] for card in _cards(table, "label_issues", issue="all")}
    of_person = {target: choices[0]["proposed"] for target, choices in told.items() if target.startswith("p012/")}
    assert {target for target, proposed in of_person.items() if proposed} == {
        "p012/incorrect_mask.jpg", "p012/normal.jpg",
    }  # fmt: skip
    assert len(of_person) == 7
    ages = _cards(read(_swapped(made), "person"), "age_boundary", near_years=60, near_share=0.0)
    assert [card["choices"][0]["proposed"] for card in ages if card["target"] == "p012"] == [False]


def test_a_train_photo_brings_its_persons_other_photos(made):
    card = _cards(read(made, "photo"), "label_issues", issue="all")[0]
    person = card["target"].split("/")[0]
    assert len(card["photos"]) == 7
    assert card["photos"][0]["photo_id"] == card["target"]
    assert all(photo["photo_id"].startswith(person) for photo in card["photos"])
    assert np.isfinite(card["gain"])


def test_a_group_with_decided_photos_says_that_they_count_for_the_others(made):
    table = read(made, "person")
    group = next(card for card in _cards(table, "pseudo_labels") if card["target"] == "p061")
    assert "decided" not in group["why"][0]
    first, second = (photo["photo_id"] for photo in group["photos"][:2])
    said = [Decision(who="ann", kind="accept", target=one, proposal=2) for one in (first, second)]
    again = next(card for card in _cards(read(made, "person", *said), "pseudo_labels") if card["target"] == "p061")
    assert again["why"][0] == "2 of its 7 photos are decided and stay so, which counts for the others"
    assert sorted(photo["decided"] for photo in again["photos"]) == [False] * 5 + [True] * 2
