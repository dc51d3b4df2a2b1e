"""The decision store: append-only, undo by another row, one writer after the other, fast to read."""

import multiprocessing
import random
import sqlite3
from contextlib import closing

import pandas as pd
import pytest

from core.errors import DecisionError
from core.storage import decision_frame
from core.storage.decision_frame import undone_by
from core.storage.decision_record import FIELDS, Decision, from_line, new_id, to_line, values_of
from core.storage.decisions import DecisionStore
from core.workspace import Workspace


def accept(target, **fields):
    return Decision(who="ann", kind="accept", target=target, **{"proposal": 4, **fields})


@pytest.fixture
def store(workspace):
    return DecisionStore(workspace, "d")


def test_a_decision_keeps_every_field_it_was_given(store):
    given = Decision(
        who="Änn 안나", kind="relabel", unit="person", target="000123-1_female_Asian_58", gender=0, age_years=61,
        queue="age_boundary", run_id="first", proposal=5, confidence=0.75, seconds=1.5, why="grey, \"old\"\n=x",
    )  # fmt: skip
    assert store.append([given]) == 1
    kept = store.all().iloc[0]
    assert (kept["age_band"], kept["age_years"], kept["mask"] != kept["mask"]) == (2, 61, True)
    for name in FIELDS:
        value = getattr(given, name)
        assert kept[name] == value or (value is None and pd.isna(kept[name])), name
    assert from_line(to_line(1, values_of(given))) == (1, given)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"who": ""}, "who = '' is empty"),
        ({"kind": "maybe"}, "kind = 'maybe' is not one of"),
        ({"unit": "face"}, "unit = 'face'"),
        ({"mask": 3}, "mask = 3 is not a whole number from 0 to 2"),
        ({"gender": True}, "gender = True"),
        ({"age_years": 130}, "age_years = 130"),
        ({"age_years": 61, "age_band": 1}, "age_band = 1 is not the band of 61 years"),
        ({"confidence": 1.5}, "confidence = 1.5"),
        ({"seconds": float("nan")}, "seconds = nan"),
        ({"created_at": "yesterday"}, "created_at = 'yesterday'"),
        ({"created_at": "2026-01-01T00:00:00+09:00"}, "ISO time in UTC"),
        ({"undoes": "x"}, "belongs to kind undo"),
        ({"origin": "rumour"}, "origin = 'rumour'"),
        ({"target": "\ud800"}, "is not Unicode"),
        ({"why": "x" * 2001}, "over 2000"),
        ({"proposal": None}, "names no mask, gender or age"),
        ({"kind": "reject", "mask": 1}, "mask = 1 does not belong to kind reject"),
        ({"kind": "reject", "origin": "model"}, "does not belong to kind reject"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_name(fields, words):
    with pytest.raises(DecisionError, match=words.replace("(", r"\(")):
        Decision(**{"who": "ann", "kind": "accept", "target": "t", "proposal": 1} | fields)


def test_the_origin_says_who_made_the_label():
    assert accept("a").origin == "accepted"
    assert accept("a", origin="model").origin == "model"
    assert accept("a", mask=0, gender=1, age_band=1).origin == "accepted"  # proposal 4: worn, female, 30-59
    assert accept("a", mask=1).origin == "changed"
    assert Decision(who="ann", kind="relabel", target="a", mask=0).origin == "changed"
    assert Decision(who="ann", kind="reject", target="a", proposal=4).origin == ""


def test_the_same_nonce_or_id_twice_is_one_decision(store):
    one = accept("a")
    assert store.append([one, one]) == 1
    assert store.append([one, accept("b", nonce=one.nonce), accept("c", decision_id=one.decision_id)]) == 0
    assert store.all().target.tolist() == ["a"]


def test_undo_takes_a_batch_back_and_undoing_the_undo_brings_it_back(store):
    store.append([accept("a", batch_id="b1"), accept("b", batch_id="b1", queue="q"), accept("c")])
    assert store.undo_batch("b1", who="bob") == 2
    assert store.effective().target.tolist() == ["c"]
    assert store.undo_batch("b1", who="bob") == 0
    undo = store.all().batch_id.iloc[-1]
    assert store.undo_batch(undo, who="ann") == 2
    assert store.effective().target.tolist() == ["a", "b", "c"]
    assert len(store.all()) == 7
    assert store.effective(at_revision=5).target.tolist() == ["c"]
    with pytest.raises(DecisionError, match="batch 'ghost' does not exist"):
        store.undo_batch("ghost", who="ann")


def test_the_last_batch_is_the_newest_of_the_queue_that_stands(store):
    store.append([accept("a", batch_id="b1", queue="q")])
    store.append([Decision(who="bob", kind="skip", target="b", batch_id="b2", queue="q")])
    store.append([accept("c", batch_id="b3", queue="other")])
    assert store.last_batch("q") == "b2"
    assert store.last_batch("q", "ann") == "b1"
    store.undo_batch("b2", who="bob")
    assert store.last_batch("q") == "b1"
    assert store.last_batch("nothing") is None


def test_what_was_decided_later_wins_whichever_arrived_first(store):
    late, early = "2026-03-02T10:00:00+00:00", "2026-03-01T10:00:00+00:00"
    store.append([accept("a", created_at=late, proposal=1), accept("a", created_at=early, proposal=2)])
    assert store.effective().proposal.tolist() == [2, 1]
    assert store.effective(at_revision=1).proposal.tolist() == [1]


def test_data_sets_share_a_file_and_nothing_else(workspace):
    here, there = DecisionStore(workspace, "d"), DecisionStore(workspace, "e")
    here.append([accept("a")])
    there.append([accept("b")])
    assert here.all().target.tolist() == ["a"]
    assert (here.revision(), there.revision()) == (1, 2)
    assert DecisionStore(workspace, "f").effective().empty


def test_nothing_is_ever_changed_or_deleted(store):
    store.append([accept("a")])
    with closing(sqlite3.connect(store.database)) as connection:
        for command in ("UPDATE decisions SET who = 'eve'", "DELETE FROM decisions"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(command)


def test_a_frame_that_was_handed_out_can_be_changed_without_harm(store):
    store.append([accept("a")])
    taken = store.effective()
    taken.loc[0, "target"] = "z"
    whole = store.all()
    whole.loc[0, "target"] = "z"
    assert store.effective().target.tolist() == ["a"]
    assert store.all().target.tolist() == ["a"]


def _write(root, who, count):
    store = DecisionStore(Workspace(root), "d")
    for number in range(count):
        store.append([Decision(who=who, kind="accept", target=f"{who}-{number}", proposal=3)])


def test_writers_in_several_processes_lose_and_double_nothing(workspace, store):
    context = multiprocessing.get_context("spawn")
    people = [context.Process(target=_write, args=(workspace.root, f"p{n}", 15)) for n in range(3)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    rows = store.all()
    assert sorted(rows.target) == sorted(f"p{n}-{k}" for n in range(3) for k in range(15))
    assert rows.row.tolist() == list(range(1, 46))
    lines = [from_line(line) for line in store.mirror.read_text(encoding="utf-8").splitlines()]
    assert [(row, decision.decision_id) for row, decision in lines] == list(
        zip(rows.row, rows.decision_id, strict=True)
    )


def test_a_second_look_reads_the_new_rows_alone_and_the_revision_none(store, monkeypatch):
    store.append([accept(f"t{number}") for number in range(300)])
    assert len(store.effective()) == 300
    store.append([accept("one more")])
    read, original = [], decision_frame._as_frame
    monkeypatch.setattr(decision_frame, "_as_frame", lambda rows: read.append(len(rows)) or original(rows))
    assert store.revision() == 301
    assert read == []
    assert len(store.effective()) == 301
    assert len(store.history("t7")) == 1
    assert read == [1]


def test_undos_of_undos_are_settled_in_whatever_order_they_arrived():
    chain = {f"u{n}": f"u{n - 1}" if n else "d" for n in range(5)}  # u0 takes back d, u1 takes back u0, ...
    for seed in range(20):
        items = list(chain.items())
        random.Random(seed).shuffle(items)
        assert undone_by(dict(items)) == {"d", "u1", "u3"}
    assert undone_by({"a": "d", "b": "d", "c": "a"}) == {"a", "d"}
    assert undone_by({"a": "b", "b": "a"}) == set()


def _model_undone(rows):
    """The plain meaning, by recursion: a row is undone when an undo of it is not."""

    def is_undone(decision_id):
        return any(row.undoes == decision_id and not is_undone(row.decision_id) for row in rows)

    return {row.decision_id for row in rows if is_undone(row.decision_id)}


@pytest.mark.parametrize("seed", range(6))
def test_random_appends_undos_and_redos_follow_a_plain_model(workspace, seed):
    rng = random.Random(seed)
    rows: list[Decision] = []
    for _ in range(25):
        store = DecisionStore(workspace, "d")
        batches = sorted({row.batch_id for row in rows})
        if batches and rng.random() < 0.5:
            batch = rng.choice(batches)
            undone = _model_undone(rows)
            expected = [row for row in rows if row.batch_id == batch and row.decision_id not in undone]
            assert store.undo_batch(batch, who="bob") == len(expected)
            new = store.all().tail(len(expected))
            assert set(new.undoes) == {row.decision_id for row in expected}
            rows += [
                Decision(who="bob", kind="undo", target=row.target, batch_id=row.batch_id, undoes=row.undoes,
                         decision_id=row.decision_id, nonce=row.nonce)
                for row in new.itertuples()
            ]  # fmt: skip
        else:
            batch = new_id()
            new = [accept(f"t{rng.randrange(6)}", batch_id=batch) for _ in range(rng.randint(1, 3))]
            assert store.append([*new, *rng.sample(rows, min(2, len(rows)))]) == len(new)
            rows += new
        cut = rng.randint(0, len(rows))
        for revision in (None, cut):
            prefix = rows if revision is None else rows[:revision]
            undone = _model_undone(prefix)
            standing = {row.decision_id for row in prefix if row.kind != "undo" and row.decision_id not in undone}
            assert set(store.effective(revision).decision_id) == standing
        assert store.revision() == len(rows)
        assert store.all().decision_id.tolist() == [row.decision_id for row in rows]
