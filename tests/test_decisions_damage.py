"""Damage to the database or its mirror, done for real: what one has lost the other gives back."""

import json
import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import DecisionError
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from tests.test_decisions import accept


@pytest.fixture
def store(workspace):
    store = DecisionStore(workspace, "d")
    store.append([accept(f"t{number}", why="x" * 200) for number in range(60)])
    store.append([accept(f"u{number}", batch_id="b") for number in range(5)])
    store.undo_batch("b", who="bob")
    return store


@pytest.fixture
def before(store):
    return store.all().decision_id.tolist()


def _ids(store):
    lines = [json.loads(line) for line in store.mirror.read_text(encoding="utf-8").splitlines()]
    ids = store.all().decision_id.tolist()
    assert [line["decision_id"] for line in lines] == ids
    assert [line["row"] for line in lines] == store.all().row.tolist()
    return ids


def _rewrite(path, change):
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(change(lines)))


def test_a_deleted_database_comes_back_from_its_mirror_by_itself(store, before):
    for path in store.database.parent.glob("decisions.sqlite*"):
        path.unlink()
    assert store.effective().target.tolist() == [f"t{number}" for number in range(60)]
    assert _ids(store) == before


def test_a_deleted_mirror_is_written_again_with_the_next_decision(store, before):
    store.mirror.unlink()
    store.append([accept("new")])
    assert _ids(store)[:-1] == before


def test_a_database_that_lost_its_last_commits_gets_them_from_the_mirror(store, before, tmp_path):
    """What a power loss does: commits that were not on the disk are gone, the mirror has them."""
    with closing(sqlite3.connect(store.database)) as connection:
        connection.execute("DROP TRIGGER decisions_never_delete")
        connection.execute("DELETE FROM decisions WHERE row > 50")
        connection.commit()
    store.append([accept("new")])
    assert _ids(store)[:-1] == before
    assert store.all().target.iloc[-1] == "new"


@pytest.mark.parametrize("torn", [b'{"row": 71, "decision_id": "ab', b"\xff\x00", b"{"])
def test_a_torn_last_line_of_the_mirror_is_cut_off(store, before, torn):
    with store.mirror.open("ab") as file:
        file.write(torn)
    store.append([accept("new")])
    assert _ids(store)[:-1] == before


@pytest.mark.parametrize("keep", [0, 1, 100, 4096, 8192, 20_000])
def test_a_truncated_database_is_restored_whole(store, before, keep):
    _checkpoint(store)
    os.truncate(store.database, keep)
    if keep > 1:  # an empty file is a new database: it is filled from the mirror without being asked
        with pytest.raises(DecisionError, match="damaged.*decisions-restore"):
            store.effective()
        assert store.restore().rows == len(before)
    assert _ids(store) == before


@pytest.mark.parametrize("seed", range(4))
def test_garbage_in_the_database_is_restored_whole(store, before, seed):
    _checkpoint(store)
    rng = random.Random(seed)
    size = store.database.stat().st_size
    with store.database.open("r+b") as file:
        for _ in range(3):
            file.seek(rng.randrange(size // 4096) * 4096 + rng.randrange(2000))
            file.write(rng.randbytes(1500))
    report = store.restore()
    assert report.rows == len(before)
    assert report.database_problem
    assert _ids(store) == before
    assert report.kept
    assert all(Path(path).exists() for path in report.kept)


def test_a_line_changed_in_the_middle_of_the_mirror_is_noticed_and_taken_from_the_database(store, before):
    text = store.mirror.read_text(encoding="utf-8").replace('"target": "t7"', '"target": "t8"')
    store.mirror.write_text(text, encoding="utf-8")
    report = store.restore()
    assert report.damaged_lines == [8]
    assert store.history("t7").decision_id.tolist() == [before[7]]
    assert _ids(store) == before


def test_a_row_changed_inside_the_database_is_taken_from_the_mirror(store, before):
    with closing(sqlite3.connect(store.database)) as connection:
        connection.execute("DROP TRIGGER decisions_never_update")
        connection.execute("UPDATE decisions SET target = 'zz' WHERE row = 5")
        connection.commit()
    store.restore()
    assert store.all().target.iloc[4] == "t4"


def test_both_damaged_in_different_places_give_everything_together(store, before):
    _rewrite(store.mirror, lambda lines: [*lines[:10], b"garbage", *lines[11:30], *lines[40:]])
    with closing(sqlite3.connect(store.database)) as connection:
        connection.execute("DROP TRIGGER decisions_never_delete")
        connection.execute("DELETE FROM decisions WHERE row BETWEEN 41 AND 60")
        connection.commit()
    report = store.restore()
    assert (report.only_in_mirror, report.only_in_database) == (20, 11)
    assert report.damaged_lines == [11]
    assert report.lost == []
    assert _ids(store) == before


def test_rows_that_neither_can_give_are_named(store, before):
    _rewrite(store.mirror, lambda lines: [*lines[:10], *lines[12:]])
    with closing(sqlite3.connect(store.database)) as connection:
        connection.execute("DROP TRIGGER decisions_never_delete")
        connection.execute("DELETE FROM decisions WHERE row BETWEEN 10 AND 15")
        connection.commit()
    assert store.restore().lost == [11, 12]
    assert _ids(store) == before[:10] + before[12:]


def test_different_decisions_under_one_number_are_refused_and_both_kept_by_a_restoration(store, before, workspace):
    """Both hold what the other lacks: a mirror of another copy of the workspace."""
    content = store.mirror.read_bytes()
    store.append([accept("ours")])
    ours = store.all().decision_id.iloc[-1]
    store.mirror.write_bytes(content)
    for path in store.database.parent.glob("decisions.sqlite*"):
        path.rename(path.with_name("kept-" + path.name))
    store.append([accept("theirs"), accept("theirs too")])
    for path in store.database.parent.glob("kept-decisions.sqlite*"):
        path.rename(path.with_name(path.name.removeprefix("kept-")))
    with pytest.raises(DecisionError, match="differ at row 71.*decisions-restore"):
        store.append([accept("new")])
    assert store.restore().renumbered == 1
    assert _ids(store)[:71] == [*before, ours]
    assert sorted(store.all().target.tail(3)) == ["ours", "theirs", "theirs too"]
    store.append([accept("new")])


def test_nothing_sound_anywhere_is_an_error_that_changes_nothing(workspace):
    store = DecisionStore(workspace, "d")
    with pytest.raises(DecisionError, match="no sound decision"):
        store.restore()
    store.append([accept("a")])
    store.database.write_bytes(b"x" * 5000)
    store.mirror.write_bytes(b"nonsense\n")
    with pytest.raises(DecisionError, match="put back a copy"):
        store.restore()
    assert store.database.read_bytes() == b"x" * 5000
    assert store.mirror.read_bytes() == b"nonsense\n"


def test_a_mirror_from_before_check_sums_and_origins_can_still_be_read(store, before):
    def older(lines):
        contents = [json.loads(line) for line in lines if line]
        for content in contents:
            del content["sum"], content["origin"]
        return [*(json.dumps(content).encode() for content in contents), b""]

    _rewrite(store.mirror, older)
    for path in store.database.parent.glob("decisions.sqlite*"):
        path.unlink()
    assert store.all().decision_id.tolist() == before
    assert set(store.effective().origin) == {"accepted"}


def test_a_database_of_the_first_version_is_brought_up_to_date(workspace):
    from core.storage.database import connect, migrate
    from core.storage.decision_record import FIELDS, LATER_FIELDS, MIGRATIONS

    store = DecisionStore(workspace, "d")
    store.database.parent.mkdir(parents=True)
    old = Decision(who="ann", kind="relabel", target="a", mask=1, dataset_id="d")
    names = [name for name in FIELDS if name not in LATER_FIELDS]
    with closing(connect(store.database)) as connection:
        migrate(connection, MIGRATIONS[:1])
        connection.execute(
            f"INSERT INTO decisions ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            [getattr(old, name) for name in names],
        )
    assert store.effective()[["target", "origin"]].to_numpy().tolist() == [["a", "changed"]]
    store.append([accept("b")])
    assert len(_ids(store)) == 2


def test_the_command_restores_and_tells_what_it_found(store, before, demo_dir, index):
    own = DecisionStore(_workspace_of(store), index.dataset_id)
    own.append([accept("mine")])
    _checkpoint(store)
    os.truncate(store.database, 9000)
    command = [sys.executable, "-m", "core", "decisions-restore", "--json", "--data", str(demo_dir)]
    done = subprocess.run(
        [*command, "--workspace", str(store.database.parent.parent)],
        capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["rows"] == told["only_in_mirror"] == len(before) + 1
    assert told["database_problem"]
    assert own.effective().target.tolist() == ["mine"]


def _workspace_of(store):
    from core.workspace import Workspace

    return Workspace(store.database.parent.parent)


def _checkpoint(store):
    with closing(sqlite3.connect(store.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
