"""The main job on the command line, on twelve drawn people: check, train, evaluate, export, score."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _core(*arguments, cwd=ROOT):
    return subprocess.run(
        [sys.executable, "-m", "core", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=200, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def _json(finished):
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


def test_the_whole_loop_from_check_to_score(demo_dir, tmp_path):
    where = ["--data", demo_dir, "--workspace", tmp_path / "w", "--json"]
    assert _json(_core("check", *where))["photos"] == 84
    small = ["image.height=48", "image.width=36", "optim.epochs=1", "data.folds=2"]
    settings = [part for setting in small for part in ("--set", setting)]
    trained = _json(_core("train", *where, "--name", "one", "--preset", "fast", *settings))
    assert trained["run_id"] == "one"
    assert {"macro_f1", "accuracy", "device", "weights", "seconds"} <= trained.keys()
    assert _json(_core("evaluate", *where, "--run", "one"))["macro_f1"] == pytest.approx(trained["macro_f1"])
    accepted = _json(_core("accept", *where, "--run", "one", "--threshold", "0"))
    assert accepted["accepted"] == 21
    assert _json(_core("undo", *where, "--batch", accepted["batch_id"]))["undone"] == 21
    assert _json(_core("jobs", *where))["jobs"][0]["state"] == "finished"
    again = _core("train", *where, "--name", "one")
    assert again.returncode == 1
    assert "run one exists" in again.stderr


def test_scoring_the_truth_against_itself_is_perfect(demo_dir, tmp_path):
    truth = demo_dir / "truth" / "eval.csv"
    rows = [line.split(",")[:2] for line in truth.read_text(encoding="utf-8").splitlines()]
    submission = tmp_path / "s.csv"
    submission.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    assert _json(_core("score", "--submission", submission, "--truth", truth, "--json"))["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "--data", "/nowhere"], "/nowhere/train/images does not exist"),
        (["train"], "Missing option '--name'"),
        (["evaluate", "--run", "ghost"], "run 'ghost' does not exist"),
        (["train", "--name", "x", "--set", "optim.lrr=1"], "unknown setting 'optim.lrr'"),
        (["dance"], "No such command"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_status_1(arguments, words, tmp_path):
    finished = _core(*arguments, "--workspace", tmp_path) if arguments != ["dance"] else _core(*arguments)
    assert finished.returncode == 1
    assert words in finished.stderr
    assert len(finished.stderr.strip().splitlines()) == 1
