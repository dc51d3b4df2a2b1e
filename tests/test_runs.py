"""A run is a folder that a kill at any moment leaves readable."""

import json
import stat
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.config import load_config
from core.errors import RunError
from core.storage.events import append_event, read_events
from core.storage.predictions import write_predictions
from core.storage.runs import PHOTO_COLUMNS, create_run, list_runs, open_run

CONFIG = load_config("fast")


def _photos() -> pd.DataFrame:
    rows = [
        ("000001_male_Asian_20/mask1.jpg", "000001_male_Asian_20", "a.jpg", 0, 0, 0, 20, "original"),
        ("000002_male_Asian_57/normal.png", "000002_male_Asian_57", "b.png", 1, 13, -1, 57, "decision"),
        ("NA", "", "eval/images/NA", -1, 5, 5, -1, "pseudo_label"),
    ]
    return pd.DataFrame(rows, columns=PHOTO_COLUMNS)


def _create(workspace, name="First try", **changes):
    fields = {
        "dataset_id": "abc",
        "data_dir": Path("/data/faces"),
        "train_photos": _photos(),
        "eval_ids": ["NA", "x.jpg"],
        "label_revision": 3,
        "folds_to_run": [0, 2],
    }
    return create_run(workspace, name, CONFIG, **fields | changes)


def test_a_new_run_reads_back_what_it_was_made_from(workspace):
    _create(workspace)
    run = open_run(workspace, "first-try")
    assert run.config == CONFIG
    assert run.manifest["name"] == "First try"
    assert run.manifest["label_revision"] == 3
    assert run.manifest["decided_photos"] == {"train": 1, "eval": 1}
    assert run.manifest["folds_to_run"] == [0, 2]
    assert run.eval_ids() == ["NA", "x.jpg"]
    assert run.train_photos().to_dict("list") == _photos().to_dict("list")
    assert (run.state(), run.result(), run.environment()) == ("unfinished", None, {})
    (run.path / "result.json").write_text('{"macro_f1": 0.5}')
    assert (run.state(), run.result()) == ("finished", {"macro_f1": 0.5})


def test_run_folders_are_for_their_user_alone(workspace):
    run = _create(workspace)
    for folder in (workspace.root, workspace.runs, run.path):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_name_is_used_once_and_the_error_says_what_to_do(workspace):
    _create(workspace)
    with pytest.raises(RunError, match="run first-try exists; give another name.*resume --run first-try"):
        _create(workspace, "first TRY!")
    assert [path.name for path in workspace.runs.iterdir()] == ["first-try"]


def test_of_many_who_create_the_same_name_one_wins(workspace):
    outcomes = []

    def create(label_revision):
        try:
            outcomes.append(_create(workspace, label_revision=label_revision).run_id)
        except RunError:
            outcomes.append("refused")

    threads = [threading.Thread(target=create, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["first-try"] + ["refused"] * 5
    assert open_run(workspace, "first-try").state() == "unfinished"


@pytest.mark.parametrize(
    ("name", "run_id"),
    [
        ("첫 번째 훈련", "첫-번째-훈련"),
        ("x" * 300, "x" * 60),
        ("lr=1e-3, seed 7", "lr-1e-3-seed-7"),
    ],
)
def test_any_name_becomes_a_plain_folder_name(workspace, name, run_id):
    assert _create(workspace, name).run_id == run_id
    assert open_run(workspace, run_id).manifest["name"] == name


def test_a_name_without_letters_is_refused(workspace):
    with pytest.raises(RunError, match=r"'\.\./!' has no letter or digit"):
        _create(workspace, "../!")


@pytest.mark.parametrize("name", ["a/b", "a\\b", "../../a-b"])
def test_a_name_with_a_slash_is_refused_rather_than_changed(workspace, name):
    with pytest.raises(RunError, match=r"is one folder; give a name such as a-b"):
        _create(workspace, name)
    assert not list_runs(workspace)


@pytest.mark.parametrize("run_id", ["..", ".", "", "../runs/first-try", "/etc", "first-try/fold0", "a\0b"])
def test_no_run_id_leads_out_of_the_folder_of_runs(workspace, run_id):
    _create(workspace)
    with pytest.raises(RunError, match="does not exist in .*; there are: first-try"):
        open_run(workspace, run_id)


def test_without_runs_the_error_says_how_to_start_one(workspace):
    with pytest.raises(RunError, match="none yet; start one with: train --name NAME"):
        open_run(workspace, "first")
    assert list_runs(workspace) == []


def test_a_person_in_two_folds_is_refused(workspace):
    photos = _photos()
    photos.loc[1, "person_id"] = "000001_male_Asian_20"
    with pytest.raises(RunError, match="person 000001_male_Asian_20 is in 2 folds"):
        _create(workspace, train_photos=photos)


def test_runs_are_listed_newest_first_for_one_data_set(workspace):
    for name, dataset_id in (("b", "abc"), ("a", "other"), ("c", "abc")):
        _create(workspace, name, dataset_id=dataset_id)
    assert [run.run_id for run in list_runs(workspace)] == ["c", "a", "b"]
    assert [run.run_id for run in list_runs(workspace, "abc")] == ["c", "b"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("run.json", '{"name": "x"'),
        ("run.json", "[]"),
        ("run.json", "{}"),
        ("run.json", "\udcff"),
        ("config.json", '{"optim": {"speed": 3}}'),
        ("result.json", ""),
        ("photos.csv", None),
    ],
)
def test_a_damaged_run_is_listed_with_its_reason_and_hides_no_other(workspace, file, content):
    broken = _create(workspace, "broken")
    _create(workspace, "whole")
    (broken.path / file).unlink(missing_ok=True)
    if content is not None:
        (broken.path / file).write_bytes(content.encode("utf-8", "surrogateescape"))
    runs = list_runs(workspace, "abc")
    assert [(run.run_id, run.state()) for run in runs] == [("whole", "unfinished"), ("broken", "damaged")]
    assert file in runs[1].damage()
    assert runs[1].result() is None
    with pytest.raises(
        RunError, match=rf"broken/{file} .*the run's folder is damaged|broken/{file}: unknown setting"
    ):
        open_run(workspace, "broken")


def test_drafts_and_strange_files_among_the_runs_are_not_runs(workspace):
    _create(workspace)
    (workspace.runs / ".17.other.tmp").mkdir()
    (workspace.runs / "notes.txt").write_text("x")
    assert [run.run_id for run in list_runs(workspace)] == ["first-try"]


def test_predictions_of_a_run_are_reached_through_it(workspace):
    run = _create(workspace)
    with pytest.raises(RunError, match="the run is unfinished, resume it first"):
        run.oof()
    write_predictions(run.path / "evaluation", run.eval_ids(), np.zeros((2, 18)))
    assert run.evaluation().photo_ids.tolist() == ["NA", "x.jpg"]


def test_events_are_read_on_from_an_offset(tmp_path):
    assert read_events(tmp_path) == ([], 0)
    append_event(tmp_path, "epoch", fold=np.int64(1), loss=np.float32(0.5))
    events, offset = read_events(tmp_path)
    assert [{**event, "time": 0} for event in events] == [{"time": 0, "event": "epoch", "fold": 1, "loss": 0.5}]
    assert read_events(tmp_path, offset) == ([], offset)
    append_event(tmp_path, "stopped")
    assert [event["event"] for event in read_events(tmp_path, offset)[0]] == ["stopped"]


def test_a_torn_last_event_is_ignored_and_the_next_writer_repairs_it(tmp_path):
    append_event(tmp_path, "started", device="cpu")
    whole = (tmp_path / "events.jsonl").read_bytes()
    for size in range(1, len(whole)):
        (tmp_path / "events.jsonl").write_bytes(whole + whole[:size])
        events, offset = read_events(tmp_path)
        assert ([event["event"] for event in events], offset) == (["started"], len(whole))
        append_event(tmp_path, "finished")
        later = [event["event"] for event in read_events(tmp_path, offset)[0]]
        assert later in (["finished"], ["started", "finished"])
        assert later == ["finished"] or size == len(whole) - 1
    assert all(
        json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()
    )  # the last one lost only its newline
