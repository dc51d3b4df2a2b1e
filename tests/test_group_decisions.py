"""Groups that people corrected: decisions over a grouping, which label logic never sees."""

import json

import numpy as np
import pandas as pd
import pytest

from core.curation.agreement import votes
from core.curation.inbox import receive
from core.curation.labels import effective_labels
from core.curation.origins import origins
from core.errors import DecisionError
from core.storage.decision_files import read_decisions, write_decisions
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.group_decisions import by_group, corrected, group_counts, grouping_key
from core.storage.groupings import open_grouping, save_grouping
from core.workspace import Workspace

GROUPS = {"a.jpg": "1", "b.jpg": "1", "c.jpg": "1", "d.jpg": "2", "e.jpg": "2", "f.jpg": "3"}


def _found():
    confidence = [0.9, 0.8, 0.6, 0.7, 0.7, np.nan]
    return pd.DataFrame({"photo_id": list(GROUPS), "group": list(GROUPS.values()), "confidence": confidence})


def _place(photo_id, group, kind="group", **fields):
    before = GROUPS.get(photo_id, "")
    words = {"grouping": grouping_key(_found()), "group_id": group, "group_before": before}
    return Decision(who="ann", kind=kind, target=photo_id, queue="groups", **words | fields)


def _open(workspace, **options):
    return open_grouping(workspace, "found", dataset_id="d", **options)


@pytest.fixture
def store(workspace):
    save_grouping(workspace, "found", _found(), dataset_id="d", origin="a test", about={})
    return DecisionStore(workspace, "d")


def test_moved_split_and_confirmed_photos_lie_over_the_groups_as_found(workspace, store):
    file = _open(workspace).path.read_bytes()
    store.append([_place("c.jpg", "2"), _place("a.jpg", "new")])
    store.append([_place(f"{one}.jpg", "2", "confirm") for one in "cde"])
    table = _open(workspace).table.set_index("photo_id")
    assert table.group.to_dict() == GROUPS | {"c.jpg": "2", "a.jpg": "new"}
    assert table.loc[["c.jpg", "d.jpg", "e.jpg"], "confidence"].tolist() == [1.0] * 3
    assert table.confidence[["a.jpg", "b.jpg", "f.jpg"]].isna().all()  # each stands alone now
    rows = by_group(_open(workspace).table)
    assert rows.confirmed[rows.confirmed].index.tolist() == ["2"]
    assert group_counts(_open(workspace).table) == {"groups": 4, "single": 3, "confirmed": 1, "in_work": 1}
    assert _open(workspace).path.read_bytes() == file
    as_found = _open(workspace, as_found=True).table.drop(columns="decided")
    pd.testing.assert_frame_equal(as_found, _found(), check_dtype=False)


def test_a_photo_that_joins_a_confirmed_group_opens_it_again(workspace, store):
    store.append([_place("d.jpg", "2", "confirm"), _place("e.jpg", "2", "confirm")])
    assert by_group(_open(workspace).table).confirmed["2"]
    store.append([_place("f.jpg", "2")])
    assert by_group(_open(workspace).table).loc["2", ["confirmed", "in_work"]].tolist() == [False, True]


def test_undo_and_undo_of_undo_are_rows_and_change_the_version(workspace, store):
    found = _open(workspace).identity
    store.append([_place("a.jpg", "2", batch_id="b1"), _place("b.jpg", "2", batch_id="b1")])
    moved = _open(workspace)
    store.undo_batch("b1", who="bob")
    assert _open(workspace).identity == found
    assert _open(workspace).table.group.tolist() == list(GROUPS.values())
    store.undo_batch(store.all().batch_id.iloc[-1], who="bob")
    assert _open(workspace).identity == moved.identity != found
    assert store.all().kind.tolist() == ["group"] * 2 + ["undo"] * 4


def test_the_order_of_placements_of_one_photo_is_that_of_their_time():
    first, second = (
        {"target": "a.jpg", "kind": "group", "group_id": group, "decision_id": group} for group in ("2", "9")
    )
    assert corrected(_found(), pd.DataFrame([first, second])).group[0] == "9"
    assert corrected(_found(), pd.DataFrame([second, first])).group[0] == "2"


def test_a_photo_that_the_grouping_does_not_name_can_be_placed(workspace, store):
    store.append([_place("z.jpg", "3")])
    assert _open(workspace).groups_of(["z.jpg", "f.jpg"]) == (["3", "3"], [1.0, 1.0])


def test_decisions_about_another_grouping_of_the_same_name_change_nothing(workspace, store):
    other = save_grouping(workspace, "other", _found().assign(group="1"), dataset_id="d", origin="a test", about={})
    store.append([_place("a.jpg", "2", grouping=other.key)])
    assert _open(workspace).version == ""
    assert open_grouping(workspace, "other", dataset_id="d").table.group[0] == "2"


def test_labels_origins_votes_and_standing_decisions_ignore_them(workspace, index):
    store = DecisionStore(workspace, index.dataset_id)
    photos = index.photos
    target = photos.photo_id[photos.split == "eval"].iloc[0]
    before = [effective_labels(photos, store.effective()), origins(photos, store.effective())]
    store.append([_place(target, "1"), _place(target, "1", "confirm")])
    assert store.effective().empty
    assert votes(photos, store.effective()).empty
    after = [effective_labels(photos, store.effective()), origins(photos, store.effective())]
    for one, other in zip(before, after, strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert store.history(target).kind.tolist() == ["group", "confirm"]


def test_mirror_restore_and_files_carry_them(workspace, store, tmp_path):
    store.append([_place("a.jpg", "=1+1"), _place("b.jpg", "2", "confirm", why="the same bag")])
    wanted = _open(workspace).table
    lines = [json.loads(line) for line in store.mirror.read_text().splitlines()]
    assert [line["group_id"] for line in lines] == ["=1+1", "2"]
    store.database.unlink()
    store.restore_from_mirror()
    pd.testing.assert_frame_equal(_open(workspace).table, wanted)
    for ending in ("csv", "jsonl"):
        elsewhere = Workspace(tmp_path / ending)
        save_grouping(elsewhere, "under-another-name", _found(), dataset_id="d", origin="a test", about={})
        write_decisions(tmp_path / f"out.{ending}", store.all())
        merged = DecisionStore(elsewhere, "d").merge(read_decisions(tmp_path / f"out.{ending}", "d"))
        assert len(merged.new) == 2
        there = open_grouping(elsewhere, "under-another-name", dataset_id="d").table
        pd.testing.assert_frame_equal(there, wanted)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"grouping": ""}, "grouping = '' does not go with kind group"),
        ({"group_id": ""}, "group_id = '' does not go with kind group"),
        ({"kind": "reject"}, "grouping = .* does not go with kind reject"),
        ({"unit": "person"}, "unit = 'person' is not photo"),
        ({"mask": 1}, "mask = 1 does not belong to kind group"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(fields, problem):
    with pytest.raises(DecisionError, match=problem):
        _place("a.jpg", "1", **fields)


def test_a_browser_may_group_evaluation_photos_alone(workspace, index):
    store, photos = DecisionStore(workspace, index.dataset_id), index.photos
    item = {"kind": "group", "unit": "photo", "grouping": "k", "group_id": "1", "group_before": None}

    def send(number, split):
        target = photos.photo_id[photos.split == split].iloc[0]
        batch = {"batch": f"batch-{number:04d}", "items": [item | {"target": target, "nonce": f"nonce-{number:04d}"}]}
        return receive([batch], store=store, photos=photos, who="ann")

    assert send(1, "eval").acknowledged == ["batch-0001"]
    assert "is no evaluation photo" in send(2, "train").refused["batch-0002"]
    assert store.all().kind.tolist() == ["group"]
