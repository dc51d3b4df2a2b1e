"""Decisions as files: out, in again, merged without doubles; bad files change nothing."""

import csv
import random
from dataclasses import replace

import pytest

from core.errors import DecisionError
from core.storage.decision_files import read_decisions, to_decisions, write_decisions
from core.storage.decision_record import FIELDS, Decision
from core.storage.decisions import DecisionStore
from core.workspace import Workspace
from tests.test_decisions import accept

TRICKY = ['=cmd|"/c calc"!A1', "+1", "-1", "@SUM(A1)", "\tx", "'quoted", 'two\nlines, "three"', "안나", ""]


@pytest.fixture
def two(tmp_path):
    return [DecisionStore(Workspace(tmp_path / name), "d") for name in ("here", "there")]


@pytest.fixture
def filled(two):
    store = two[0]
    store.append([accept(f"t{place}", why=why, confidence=0.1 * place) for place, why in enumerate(TRICKY)])
    store.append([Decision(who="bob", kind="relabel", unit="person", target="p", age_years=61, batch_id="b")])
    store.undo_batch("b", who="bob")
    return store


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_file_brings_every_decision_to_another_workspace_once(filled, two, tmp_path, ending):
    path = tmp_path / f"out.{ending}"
    assert write_decisions(path, filled.all()) == len(TRICKY) + 2
    decisions = read_decisions(path, "d")
    assert decisions == to_decisions(filled.all())
    merge = two[1].merge(decisions)
    assert (len(merge.new), merge.known, merge.conflicts) == (len(TRICKY) + 2, 0, [])
    again = two[1].merge(read_decisions(path, "d"))
    assert (len(again.new), again.known, again.conflicts) == (0, len(TRICKY) + 2, [])
    assert two[1].all()[list(FIELDS)].equals(filled.all()[list(FIELDS)])
    assert two[1].effective().target.tolist() == filled.effective().target.tolist()


def test_no_cell_of_the_csv_is_a_formula(filled, tmp_path):
    write_decisions(tmp_path / "out.csv", filled.all())
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(FIELDS)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]


def test_the_stores_own_mirror_can_be_imported(filled, two):
    merge = two[1].merge(read_decisions(filled.mirror, "d"))
    assert len(merge.new) == len(TRICKY) + 2


def test_the_same_id_with_another_content_is_a_conflict_and_ours_stays(two, tmp_path):
    one = accept("a")
    two[0].append([one])
    other = replace(one, who="eve")
    third = accept("b", nonce=one.nonce, created_at=one.created_at)
    merge = two[0].merge([other, accept("new"), third])
    assert merge.conflicts[0] == (one.decision_id, {"who": ("ann", "eve")})
    assert merge.conflicts[1][0] == third.decision_id
    assert merge.conflicts[1][1]["target"] == ("a", "b")
    assert len(merge.conflicts) == 2
    assert two[0].all().who.tolist() == ["ann", "ann"]
    assert two[0].all().target.tolist() == ["a", "new"]


@pytest.mark.parametrize(
    ("ending", "spoil", "words"),
    [
        ("csv", lambda text: text.replace("accept", "agree", 1), "line 2: .*kind = 'agree' is not one of"),
        ("csv", lambda text: text.replace(",0.25,", ",lots,"), "line 3: confidence = 'lots' is not a number"),
        ("csv", lambda text: text.replace(",0.25,", ",inf,"), "line 3: .*confidence = inf"),
        ("csv", lambda text: text.replace(",0.25,", ",0.25,7,"), "line 3: 2[0-9] cells, but the header has 2"),
        ("csv", lambda text: text.replace("proposal", "guess", 1), "has no field proposal"),
        ("csv", lambda text: text.replace(",d,ann", ",e,ann", 1), "line 2: dataset_id = 'e', but this data set is d"),
        ("csv", lambda text: text + '"torn', "line .* is not csv"),
        ("jsonl", lambda text: text + "{torn", "line 3 is no JSON object: '{torn'"),
        ("jsonl", lambda text: text + "[1]\n", "line 3 is no JSON object"),
        ("jsonl", lambda text: text.replace('"proposal": 4', '"proposal": 40', 1), "line 1: .*proposal = 40"),
        ("jsonl", lambda text: text.replace('"who"', '"whom"', 1), "line 1 has no field who"),
        ("jsonl", lambda text: text.replace('"who"', '"x": 1, "who"', 1), "line 1 has an unknown field 'x'"),
    ],
)
def test_a_bad_file_names_line_and_value_and_changes_nothing(two, tmp_path, ending, spoil, words):
    two[0].append([accept("a", confidence=0.5), accept("b", confidence=0.25)])
    path = tmp_path / f"out.{ending}"
    write_decisions(path, two[0].all())
    path.write_bytes(spoil(path.read_bytes().decode()).encode())
    with pytest.raises(DecisionError, match=words):
        two[1].merge(read_decisions(path, "d"))
    assert two[1].all().empty


def test_a_file_that_is_no_such_file_is_refused_in_words(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "b.txt").write_text("x", encoding="utf-8")
    for name, words in (("a.csv", "not UTF-8"), ("b.txt", "ends neither"), ("c.csv", "cannot be read")):
        with pytest.raises(DecisionError, match=words):
            read_decisions(tmp_path / name, "d")


@pytest.mark.parametrize("seed", range(4))
def test_two_people_who_exchange_their_files_end_with_the_same_labels(two, tmp_path, seed):
    """Random work at two places, exchanged both ways, in any order of imports and undos."""
    rng = random.Random(seed)
    moment = 0
    for turn in range(3):
        for place, store in enumerate(two):
            for _ in range(rng.randint(1, 4)):
                batches = store.all().batch_id.unique().tolist()
                if batches and rng.random() < 0.4:
                    store.undo_batch(rng.choice(batches), who=f"p{place}")
                else:
                    moment += 1
                    store.append([accept(f"t{rng.randrange(4)}", proposal=rng.randrange(18),
                                         created_at=f"2026-01-01T00:{moment:02d}:00+00:00")])  # fmt: skip
        for place in rng.sample([0, 1], 2):
            path = tmp_path / f"{turn}-{place}.{rng.choice(['csv', 'jsonl'])}"
            write_decisions(path, two[place].all())
            assert two[1 - place].merge(read_decisions(path, "d")).conflicts == []
    write_decisions(tmp_path / "last.jsonl", two[1].all())
    two[0].merge(read_decisions(tmp_path / "last.jsonl", "d"))
    write_decisions(tmp_path / "last.jsonl", two[0].all())
    two[1].merge(read_decisions(tmp_path / "last.jsonl", "d"))
    standing = [store.effective().decision_id.tolist() for store in two]
    assert standing[0] == standing[1]
    assert set(two[0].all().decision_id) == set(two[1].all().decision_id)
