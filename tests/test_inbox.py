"""Batches from a browser: saved whole and once, or refused with a reason."""

import pytest

from core.curation.inbox import receive
from core.storage.decisions import DecisionStore


@pytest.fixture
def store(workspace, index):
    return DecisionStore(workspace, index.dataset_id)


@pytest.fixture
def eval_id(index):
    return index.photos.photo_id[index.photos.split == "eval"].iloc[0]


@pytest.fixture
def train(index):
    return index.photos[index.photos.split == "train"].iloc[0]


def _item(target, nonce, **fields):
    return {"nonce": nonce, "unit": "photo", "target": target, "kind": "accept", "mask": None, "gender": None,
            "age_band": None, "age_years": None, "proposal": 4, "confidence": 0.9, "seconds": 1.5,
            "why": ""} | fields  # fmt: skip


def _batch(name, *items, **fields):
    return {"batch": name, "at": 1_700_000_000_000, "queue": "q", "run_id": "r", "items": list(items)} | fields


def test_a_batch_is_saved_with_everything_the_browser_said(store, index, eval_id):
    batch = _batch("batch-0001", _item(eval_id, "nonce-0001", why="clear"), who="ben")
    receipt = receive([batch], store=store, photos=index.photos, who="ada")
    row = store.all().iloc[0]
    assert receipt.acknowledged == ["batch-0001"]
    assert (row.who, row.queue, row.run_id, row.batch_id, row.nonce) == ("ben", "q", "r", "batch-0001", "nonce-0001")
    assert (row["mask"], row.gender, row.age_band, row.proposal) == (0, 1, 1, 4)
    assert (row.seconds, row.why, row.confidence) == (1.5, "clear", 0.9)
    assert row.created_at == "2023-11-14T22:13:20.000+00:00"


def test_an_outbox_that_comes_three_times_is_saved_once(store, index, eval_id):
    outbox = [_batch("batch-0001", _item(eval_id, "nonce-0001")), {"batch": "batch-0002", "undo": "batch-0001"},
              _batch("batch-0003", _item(eval_id, "nonce-0003", kind="reject"))]  # fmt: skip
    receipts = [receive(outbox, store=store, photos=index.photos, who="ada") for _ in range(3)]
    assert [receipt.acknowledged for receipt in receipts] == [["batch-0001", "batch-0002", "batch-0003"]] * 3
    assert store.all().kind.tolist() == ["accept", "undo", "reject"]
    assert store.effective().kind.tolist() == ["reject"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"target": "../../etc/passwd"}, "no photo"),
        ({"target": {"a": 1}}, "no photo"),
        ({"unit": "planet"}, "no planet"),
        ({"unit": "person"}, "no person"),
        ({"kind": "undo"}, "undoes"),
        ({"kind": ["accept"]}, "kind"),
        ({"proposal": 18}, "proposal"),
        ({"mask": 3}, "mask"),
        ({"mask": True}, "mask"),
        ({"confidence": 1.5}, "confidence"),
        ({"seconds": -1}, "seconds"),
        ({"nonce": "x"}, "nonce"),
        ({"why": "w" * 2001}, "why"),
        ({"proposal": None, "mask": 1}, "all three"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason_and_nothing_of_its_batch_is_saved(
    store, index, eval_id, fields, reason
):
    batch = _batch("batch-0001", _item(eval_id, "nonce-0001"), _item(eval_id, "nonce-0002") | fields)
    good = _batch("batch-0002", _item(eval_id, "nonce-0003"))
    receipt = receive([batch, good], store=store, photos=index.photos, who="ada")
    assert reason in receipt.refused["batch-0001"]
    assert receipt.acknowledged == ["batch-0002"]
    assert store.all().nonce.tolist() == ["nonce-0003"]


@pytest.mark.parametrize("outbox", [None, 7, "text", {"batch": "a"}, [None, 7, {}, {"batch": 3}]])
def test_an_outbox_that_is_none_is_passed_over(store, index, outbox):
    receipt = receive(outbox, store=store, photos=index.photos, who="ada")
    assert (receipt.acknowledged, receipt.refused) == ([], {})


@pytest.mark.parametrize("items", [None, "text", [], {"a": 1}, [None]])
def test_a_batch_without_a_list_of_decisions_is_refused(store, index, items):
    receipt = receive([{"batch": "batch-0001", "items": items}], store=store, photos=index.photos, who="ada")
    assert list(receipt.refused) == ["batch-0001"]
    assert store.all().empty


def test_an_undo_of_what_was_never_saved_is_refused(store, index):
    receipt = receive([{"batch": "batch-0009", "undo": "nothing"}], store=store, photos=index.photos, who="ada")
    assert "never saved" in receipt.refused["batch-0009"]


def test_a_damaged_store_refuses_nothing_and_says_so(store, index, eval_id):
    store.database.parent.mkdir(parents=True)
    store.database.write_bytes(b"this is no database" * 400)
    receipt = receive([_batch("batch-0001", _item(eval_id, "nonce-0001"))], store=store, photos=index.photos, who="a")
    assert (receipt.acknowledged, receipt.refused) == ([], {})
    assert "damaged" in receipt.problem


def test_a_train_photo_may_leave_axes_open(store, index, train):
    item = _item(train.photo_id, "nonce-0001", kind="relabel", proposal=None, gender=1)
    receipt = receive([_batch("batch-0001", item)], store=store, photos=index.photos, who="ada")
    assert receipt.acknowledged == ["batch-0001"]
    assert store.all()["mask"].isna().all()


def test_a_clock_that_is_ahead_gives_the_servers_time(store, index, eval_id):
    batch = _batch("batch-0001", _item(eval_id, "nonce-0001"), at=9e15)
    receive([batch], store=store, photos=index.photos, who="ada")
    assert store.all().created_at.iloc[0] < "2100"
