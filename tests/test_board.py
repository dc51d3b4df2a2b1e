"""The order in which groups are looked at, and which other group may be the same person."""

import numpy as np
import pandas as pd
import pytest

from core.people.board import MOST, board, order_groups, partners_of

GROUP = ["a"] * 3 + ["b"] * 2 + ["c"] * 5 + ["d"] + ["e"]
SURE = [0.9, 0.8, 0.7] + [0.6, 0.95] + [0.99] * 5 + [np.nan] * 2


@pytest.fixture
def table():
    ids = [f"{row}.jpg" for row in range(len(GROUP))]
    return pd.DataFrame({"photo_id": ids, "group": GROUP, "confidence": SURE, "decided": ""})


@pytest.fixture
def vectors():
    found = np.random.default_rng(0).normal(size=(len(GROUP), 5))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def test_groups_come_by_their_least_sure_photo_and_changed_ones_first(table):
    assert order_groups(table, "least_sure") == ["b", "a", "c"]
    assert order_groups(table, "surest") == ["c", "a", "b"]
    table.loc[table.group == "c", "decided"] = "confirm"
    table.loc[[0], "decided"] = "group"
    assert order_groups(table, "least_sure") == ["a", "b"]
    assert order_groups(table, "confirmed") == ["c"]


def test_partners_are_the_most_alike_groups_with_room_by_brute_force(table, vectors):
    groups = list(dict.fromkeys(GROUP))
    code = np.array(GROUP)
    found = partners_of(table, groups, vectors, most=2)
    for group in groups:
        likeness = {}
        for other in groups:
            if other != group and GROUP.count(group) + GROUP.count(other) <= MOST:
                pairs = [float(x @ y) for x in vectors[code == group] for y in vectors[code == other]]
                likeness[other] = np.mean(pairs)
        best = sorted((name for name in likeness if likeness[name] > 0), key=lambda name: -likeness[name])[:2]
        assert [name for name, _ in found[group]] == best
        np.testing.assert_allclose([value for _, value in found[group]], [likeness[name] for name in best], rtol=1e-5)


def test_single_photos_come_by_their_likeness_to_a_group_with_room(table, vectors):
    near = {one: partners_of(table, [one], vectors, most=1)[one] for one in "de"}
    best = max("de", key=lambda one: near[one][0][1] if near[one] else -1)
    assert order_groups(table, "single", vectors=vectors)[0] == best
    assert order_groups(table, "single") == ["d", "e"]


def test_the_board_holds_each_listed_group_and_its_partners_with_all_their_photos(table, vectors):
    masks = {"0.jpg": 2, "1.jpg": 0, "2.jpg": 1}
    shown = board(table, ["a"], vectors=vectors, masks=masks, notes={"0.jpg": "a note"})
    (group,) = shown["groups"]
    assert [photo["photo_id"] for photo in group["photos"]] == ["1.jpg", "2.jpg", "0.jpg"]
    assert group["sure"] == 0.7
    assert {one["id"] for one in shown["others"]} == {one["id"] for one in group["partners"]}
    assert board(table, ["d"], vectors=None, masks={}, notes={})["groups"][0]["sure"] is None
