"""Each verb of the command line on twelve drawn people: the JSON it promises, and its mistakes in one line."""

import json
import shutil
import sys

import pandas as pd
import pytest

from core.cli import main
from core.storage.runs import open_run
from core.workspace import Workspace
from tests.photo_folders import MAN, write_data_set


@pytest.fixture
def core(monkeypatch, capsys):
    """``python -m core ...`` in this process: (exit status, standard output, standard error)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["python -m core", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = ended.code
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


@pytest.fixture
def core_json(core):
    """The object in the last line of a verb called with ``--json``."""

    def call(*arguments):
        status, out, err = core(*arguments, "--json")
        assert status == 0, err
        return json.loads(out.splitlines()[-1])

    return call


@pytest.fixture
def desk(trained_run, demo_dir, tmp_path, monkeypatch):
    """A workspace with the runs ``first`` and ``second``, named by the environment."""
    workspace, run_id = trained_run
    for name in ("first", "second"):
        shutil.copytree(open_run(workspace, run_id).path, tmp_path / "desk/runs" / name)
    monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(tmp_path / "desk"))
    return Workspace(tmp_path / "desk")


def test_odd_photos_prints_no_table_when_none_is_odd(core, desk):
    status, out, _ = core("odd-photos")
    assert status == 0
    assert out == "0 of 63 train photos fit another person better\n"


def test_demo_draws_as_many_people_as_asked(core_json, tmp_path):
    said = core_json("demo", "--out", tmp_path / "d", "--people", 4, "--seed", 1)
    assert said == {"out": str(tmp_path / "d"), "people": 4, "photos": 28, "seed": 1}
    assert len(pd.read_csv(tmp_path / "d/train/train.csv")) == 3


def test_check_counts_by_class_person_and_split_and_names_the_odd_files(core_json, tmp_path):
    root = write_data_set(tmp_path / "data")
    (root / "train/images" / MAN / "mask1.jpg").write_text("no photo")
    said = core_json("check", "--data", root, "--workspace", tmp_path / "w")
    assert (said["photos"], said["train_photos"], said["eval_photos"], said["people"]) == (16, 14, 2, 2)
    assert sum(said["classes"]) == 14
    assert (said["classes"][0], said["classes"][5]) == (5, 5)
    assert said["people_by_group"]["male <30"] == said["people_by_group"]["female >=60"] == 1
    assert said["photos_per_person"] == {"7": 2}
    assert said["unreadable"] == 1
    odd = said["anomalies"]["unreadable"]
    assert (odd["count"], odd["files"]) == (1, [f"train/images/{MAN}/mask1.jpg"])


def test_check_tells_a_person_the_same_in_words(core, tmp_path):
    root = write_data_set(tmp_path / "data")
    for number in range(7):
        (root / "eval/images" / f"stray{number}.jpg").write_text("x")
    status, out, _ = core("check", "--data", root, "--workspace", tmp_path / "w")
    assert status == 0
    assert "extra file: 7" in out
    assert "and 2 more; --json names them all" in out
    assert "worn, female, >=60" in out


def test_evaluate_names_scores_classes_and_axes(core_json, desk):
    said = core_json("evaluate", "--run", "first")
    result = open_run(desk, "first").result()
    assert said["macro_f1"] == pytest.approx(result["macro_f1"])
    assert said["accuracy"] == pytest.approx(result["accuracy"])
    assert said["macro_f1_low"] <= said["macro_f1"] <= said["macro_f1_high"]
    assert [row["label"] for row in said["classes"]] == list(range(18))
    assert set(said["axis_accuracy"]) == {"mask", "gender", "age"}


def test_accept_and_undo_are_batches(core_json, desk):
    said = core_json("accept", "--run", "first", "--threshold", 0)
    assert said["accepted"] == 21
    assert 0 < said["expected_wrong"] < 21
    assert core_json("accept", "--run", "first", "--threshold", 0)["accepted"] == 0
    assert core_json("undo", "--batch", said["batch_id"])["undone"] == 21
    assert core_json("accept", "--run", "first", "--threshold", 1)["accepted"] == 0


def test_export_writes_the_rows_of_info_csv_and_score_scores_them(core_json, desk, demo_dir, tmp_path):
    out = tmp_path / "two.csv"
    said = core_json("export", "--run", "first", "--run", "second", "--out", out)
    assert said["rows"] == 21
    assert said["path"] == str(out)
    written = pd.read_csv(out)
    assert written.ImageID.tolist() == pd.read_csv(demo_dir / "eval/info.csv").ImageID.tolist()
    assert written.ans.between(0, 17).all()
    scored = core_json("score", "--submission", out, "--truth", demo_dir / "truth/eval.csv")
    truth = pd.read_csv(demo_dir / "truth/eval.csv")
    assert scored["accuracy"] == pytest.approx((written.ans == truth.ans).mean())
    assert 0 <= scored["macro_f1"] <= 1


def test_runs_and_jobs_are_listed(core_json, desk):
    assert {row["run_id"] for row in core_json("runs")["runs"]} == {"first", "second"}
    assert core_json("jobs") == {"jobs": []}


def test_the_common_options_may_stand_before_the_verb(core, desk, tmp_path):
    root = write_data_set(tmp_path / "other")
    status, out, _ = core("--data", root, "--json", "check")
    assert status == 0
    assert json.loads(out.splitlines()[-1])["photos"] == 16


def test_without_a_verb_the_help_is_shown(core):
    status, out, err = core()
    assert status == 0
    assert "Commands:" in out
    assert err == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["demo"], "Missing option '--out'"),
        (["demo", "--out", "x", "--people", "2"], "2 is not in the range x>=4"),
        (["demo", "--out", "tests"], "exists and is not an empty folder; choose another --out"),
        (["check", "--data", "/nowhere"], "/nowhere/train/images does not exist; give the data set with --data"),
        (["train", "--name", "x", "--folds", "7,8"], "choose from 0..4"),
        (["train", "--name", "x", "--folds", "one"], "--folds 'one' is not a list such as 0,1"),
        (["train", "--name", "x", "--config", "/nowhere.toml"], "config file /nowhere.toml does not exist"),
        (["train", "--name", "x", "--set", "optim.lrr=1"], "unknown setting 'optim.lrr'; known in [optim]: name, lr"),
        (
            ["train", "--name", "x", "--set", "optim.epochs=0"],
            "setting optim.epochs = 0: give a whole number, at least 1 and at most 500",
        ),
        (["train", "--name", "first"], "run first exists"),
        (["evaluate", "--run", "ghost"], "run 'ghost' does not exist"),
        (["accept", "--run", "first", "--threshold", "2"], "threshold 2.0 is outside 0..1"),
        (["undo", "--batch", "ghost"], "ghost"),
        (["resume", "--run", "first"], "run first is finished"),
        (["history", "--photo", "ghost"], "give a photo_id such as 00"),
        (["history", "--person", ""], "give a person_id such as 00"),
        (["compare", "--run", "first", "--with", "first"], "run first cannot be compared with itself"),
        (["stop", "ghost"], "job 'ghost' does not exist"),
        (["export", "--run", "ghost", "--out", "x.csv"], "run 'ghost' does not exist"),
        (["export", "--run", "first", "--out", "pyproject.toml/x.csv"], "pyproject.toml is a file, not a folder"),
        (["decisions-export", "--out", "pyproject.toml/x.csv"], "pyproject.toml is a file, not a folder"),
        (["groups-export", "--name", "x", "--out", "LICENSE/x/y.csv"], "LICENSE is a file, not a folder"),
        (["diff", "requirements.txt", "99"], "requirements.txt: columns are"),
        (["score", "--submission", "/nowhere.csv", "--truth", "/nowhere.csv"], "/nowhere.csv"),
        (["chekc"], "No such command 'chekc'"),
        (["check", "--date", "x"], "No such option"),
    ],
)
def test_a_mistake_is_exit_status_1_and_one_clear_line(core, desk, arguments, words):
    status, out, err = core(*arguments)
    assert status == 1
    assert out == ""
    lines = [line for line in err.splitlines() if not line.startswith("reading photos:")]  # on a slow machine
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert words in lines[0]


def test_a_folder_that_is_made_for_a_file_is_named(core, desk, tmp_path):
    status, _, err = core("decisions-export", "--out", str(tmp_path / "tpyo" / "x.csv"))
    assert status == 0
    assert f"the folder {tmp_path / 'tpyo'} is not there; it will be made" in err
    assert (tmp_path / "tpyo" / "x.csv").exists()


def test_a_finding_without_a_cause_ends_without_brackets(core, desk):
    status, out, _ = core("gate", "/nowhere.csv")
    assert (status, out) == (1, "   red  file: /nowhere.csv does not exist; check the path\n")


def test_files_that_answer_alike_are_told_in_one_line(core, desk, tmp_path):
    core("export", "--run", "first", "--out", tmp_path / "a.csv")
    status, out, _ = core("diff", tmp_path / "a.csv", 1)
    assert (status, out.splitlines()[0]) == (0, "0 photos change")
    assert "DataFrame" not in out
    assert "submission 99 is not in the ledger" in core("diff", tmp_path / "a.csv", 99)[2]


def test_a_comparison_names_the_kept_file_that_is_no_answer_and_what_to_do(core, desk, tmp_path):
    core("export", "--run", "first", "--out", tmp_path / "a.csv")
    bad = (tmp_path / "a.csv").read_text().splitlines()
    (tmp_path / "bad.csv").write_text("\n".join([bad[0], bad[1].rpartition(",")[0] + ",99", *bad[2:]]) + "\n")
    assert core("gate", tmp_path / "bad.csv", "--import", "--override", "to see")[0] == 0
    kept = next(desk.submissions.glob("bad-*.csv"))
    words = f"submission 2, {kept}: its answers are not all classes 0..17; run the gate on it"
    for both in ((1, 2), (2, 1)):
        status, _, told = core("diff", *both)
        assert (status, told) == (1, f"error: {words}\n")
    assert core("ledger")[1].splitlines()[-1] == words
    assert "bad.csv: its answers are not all classes" in core("diff", 1, tmp_path / "bad.csv")[2]


def test_the_ledger_says_which_file_is_gone_and_when_there_is_none(core, desk, tmp_path):
    assert core("ledger")[1] == "no file yet\n"
    core("export", "--run", "first", "--out", tmp_path / "a.csv")
    (tmp_path / "a.csv").unlink()
    assert "is gone" not in core("ledger")[1]  # a copy was kept
    next((desk.submissions / "copies").glob("*.csv")).unlink()
    assert core("ledger")[1].splitlines()[-1].startswith(f"submission 1: {tmp_path / 'a.csv'} is gone; put it back")


def test_the_ledger_is_listed_without_columns_that_are_empty(core, desk, tmp_path):
    core("export", "--run", "first", "--out", tmp_path / "a.csv", "--comment", "mine")
    first, line = core("ledger")[1].splitlines()[:2]
    assert first.split()[-2:] == ["comment", "file_name"]
    assert "private" not in first
    assert line.split()[-2:] == ["mine", "a.csv"]


def test_json_holds_null_for_what_is_not_known(core, desk, tmp_path):
    core("export", "--run", "first", "--out", tmp_path / "a.csv")

    def refuse(constant):
        raise AssertionError(constant)

    found = json.loads(core("ledger", "--json")[1].splitlines()[-1], parse_constant=refuse)
    assert found["submissions"][0]["public"] is None
