"""Leases: two people are not given the same card."""

import multiprocessing
import random

import pytest

from core.errors import DecisionError
from core.storage.leases import Leases
from core.workspace import Workspace

CARDS = [f"card{number}" for number in range(10)]


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_two_people_are_given_different_cards_in_the_order_of_the_queue(workspace):
    leases = Leases(workspace, "d")
    assert leases.take("q", "ann", CARDS, count=3) == CARDS[:3]
    assert leases.take("q", "bob", CARDS, count=3) == CARDS[3:6]
    assert leases.take("q", "ann", CARDS, count=5) == [*CARDS[:3], *CARDS[6:8]]
    assert leases.held("q") == dict.fromkeys([*CARDS[:3], *CARDS[6:8]], "ann") | dict.fromkeys(CARDS[3:6], "bob")


def test_a_lease_ends_by_itself_and_taking_again_renews_it(workspace):
    clock = Clock()
    leases = Leases(workspace, "d", clock=clock)
    leases.take("q", "ann", CARDS, count=2, seconds=100)
    clock.now += 99
    assert leases.take("q", "bob", CARDS, count=1) == ["card2"]
    leases.take("q", "ann", CARDS[:1], count=1, seconds=100)
    clock.now += 1
    assert leases.held("q") == {"card0": "ann", "card2": "bob"}
    assert leases.take("q", "bob", CARDS, count=2) == ["card1", "card2"]
    clock.now += 99
    assert leases.take("q", "cat", CARDS, count=1) == ["card0"]


def test_only_the_holder_can_release_a_card(workspace):
    leases = Leases(workspace, "d")
    leases.take("q", "ann", CARDS, count=3)
    assert leases.release("q", "bob", CARDS) == 0
    assert leases.release("q", "ann", ["card1", "card7"]) == 1
    assert leases.take("q", "bob", CARDS, count=1) == ["card1"]


def test_queues_and_data_sets_do_not_stand_in_each_others_way(workspace):
    Leases(workspace, "d").take("q", "ann", CARDS, count=10)
    assert Leases(workspace, "d").take("other", "bob", CARDS, count=1) == ["card0"]
    assert Leases(workspace, "e").take("q", "bob", CARDS, count=1) == ["card0"]


def test_too_few_cards_and_none_at_all_are_no_error(workspace):
    leases = Leases(workspace, "d")
    assert leases.held("q") == {}
    assert leases.take("q", "ann", [], count=3) == []
    assert leases.take("q", "ann", ["x", "x"], count=3) == ["x"]
    assert leases.take("q", "bob", ["x"], count=3) == []
    assert leases.take("q", "bob", CARDS, count=0) == []


def test_a_lease_without_a_name_or_time_is_refused_and_a_broken_file_names_the_way_out(workspace):
    leases = Leases(workspace, "d")
    with pytest.raises(DecisionError, match="give a name"):
        leases.take("q", " ", CARDS, count=1)
    with pytest.raises(DecisionError, match="above 0"):
        leases.take("q", "ann", CARDS, count=1, seconds=float("nan"))
    leases.take("q", "ann", CARDS, count=1)
    leases.path.write_bytes(b"not a database" * 500)
    with pytest.raises(DecisionError, match="delete it: it holds no decision"):
        leases.held("q")


def _take_and_give_back(root, who, seed):
    leases, rng = Leases(Workspace(root), "d"), random.Random(seed)
    for _ in range(40):
        cards = leases.take("q", who, CARDS, count=rng.randint(1, 3))
        holders = leases.held("q")
        assert [holders[card] for card in cards] == [who] * len(cards)
        leases.release("q", who, cards)


def test_four_processes_never_hold_the_same_card_at_once(workspace):
    context = multiprocessing.get_context("spawn")
    people = [context.Process(target=_take_and_give_back, args=(workspace.root, f"p{n}", n)) for n in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert [person.exitcode for person in people] == [0] * 4
