"""From runs to a file: exact bytes, a manifest and a ledger row, or nothing at all."""

import hashlib
import json
import subprocess

import numpy as np
import pandas as pd
import pytest

from core.config import load_config
from core.curation.labels import COLUMNS
from core.dataset.index import Index
from core.errors import RunError, SubmissionError
from core.files import write_json
from core.storage.predictions import write_predictions
from core.storage.runs import create_run
from core.storage.submissions import SubmissionLedger
from core.submission import export
from core.submission.export import code_version, write_submission
from core.submission.score import score_submission
from core.taxonomy import PHOTO_KINDS, mask_of_kind
from core.workspace import PROJECT

TRUTH = np.random.default_rng(0).permutation(
    [6 * mask_of_kind(kind) + band for band in range(6) for kind in PHOTO_KINDS]
)
IDS = [f"{number:040x}.jpg" for number in np.random.default_rng(1).integers(2**62, size=len(TRUTH))]


@pytest.fixture
def data(tmp_path):
    """A data set's index with one train photo and 42 evaluation photos."""
    photos = pd.DataFrame({"photo_id": ["ann/normal.jpg", *IDS], "split": ["train", *["eval"] * len(IDS)]})
    return Index(tmp_path / "data", "abcdef012345", photos.astype(object), pd.DataFrame(), "")


def _run(workspace, name, *, right=0.8, seed=0, ids=IDS, dataset_id="abcdef012345", finished=True):
    rng = np.random.default_rng(seed)
    guess = np.where(rng.random(len(TRUTH)) < right, TRUTH, rng.permutation(TRUTH))
    logits = 4 * np.eye(18)[guess] + rng.normal(size=(len(TRUTH), 18))
    order = [IDS.index(photo_id) for photo_id in ids if photo_id in IDS]
    run = create_run(
        workspace, name, load_config(), dataset_id=dataset_id, data_dir=workspace.root,
        train_photos=pd.DataFrame(columns=list(COLUMNS)), eval_ids=IDS, label_revision=7,
        folds_to_run=[0],
    )  # fmt: skip
    write_predictions(run.path / "evaluation", list(ids), np.resize(logits[order], (len(ids), 18)))
    if finished:
        write_json(run.path / "result.json", {"macro_f1": 0.5})
    return run


def test_the_file_is_exactly_the_organisers_form_and_says_what_the_runs_say(workspace, data, tmp_path):
    run = _run(workspace, "one")
    made = write_submission(workspace, data, [run], out=tmp_path / "out" / "mine.csv", comment="first try")
    labels = run.evaluation().logits.argmax(1)
    expected = "ImageID,ans\n" + "".join(f"{i},{a}\n" for i, a in zip(IDS, labels, strict=True))
    content = (tmp_path / "out" / "mine.csv").read_bytes()
    assert content == expected.encode()
    assert made["sha256"] == hashlib.sha256(content).hexdigest()
    assert made["rows"] == 42
    assert made["class_counts"] == np.bincount(labels, minlength=18).tolist()
    assert not list((tmp_path / "out").glob("*.tmp"))


def test_the_manifest_beside_it_tells_where_it_came_from(workspace, data, tmp_path):
    runs = [_run(workspace, "one"), _run(workspace, "two", seed=1)]
    made = write_submission(workspace, data, runs, out=tmp_path / "mine.csv", vote="hard", comment="why not")
    manifest = json.loads((tmp_path / "mine.manifest.json").read_text())
    assert (
        made == {"path": str(tmp_path / "mine.csv"), "manifest_path": str(tmp_path / "mine.manifest.json")} | manifest
    )
    assert [run["run_id"] for run in manifest["runs"]] == ["one", "two"]
    assert {run["label_revision"] for run in manifest["runs"]} == {7}
    assert {run["pseudo_labels"] for run in manifest["runs"]} == {"none"}
    assert (manifest["vote"], manifest["comment"], manifest["dataset_id"]) == ("hard", "why not", "abcdef012345")
    assert manifest["code_version"] == code_version()
    assert manifest["findings"][1] == {"level": "ok", "check": "columns", "saw": "ImageID,ans", "cause": ""}
    assert "red" not in {finding["level"] for finding in manifest["findings"]}


def test_the_ledger_remembers_every_file(workspace, data, tmp_path):
    run = _run(workspace, "one")
    inside = write_submission(workspace, data, [run])
    write_submission(workspace, data, [run], out=tmp_path / "mine.csv", comment="elsewhere")
    rows = SubmissionLedger(workspace, data.dataset_id).list()
    assert len(rows) == 2
    assert set(rows.sha256) == {inside["sha256"]}
    assert set(rows.file_name) == {inside["file_name"], str(tmp_path / "mine.csv")}
    assert (workspace.submissions / inside["file_name"]).is_file()


def test_the_same_runs_give_the_same_bytes_and_name(workspace, data):
    runs = [_run(workspace, "one"), _run(workspace, "two", seed=1)]
    first = write_submission(workspace, data, runs)
    again = write_submission(workspace, data, runs)
    assert first == again
    assert first["file_name"].startswith("one+two-soft-")


def test_a_soft_vote_of_two_runs_is_the_mean_of_their_probabilities(workspace, data, tmp_path):
    runs = [_run(workspace, "one"), _run(workspace, "two", seed=1)]
    write_submission(workspace, data, runs, out=tmp_path / "mine.csv")
    odds = [np.exp(run.evaluation().logits.astype(float)) for run in runs]
    expected = sum(each / each.sum(1, keepdims=True) for each in odds).argmax(1)
    assert pd.read_csv(tmp_path / "mine.csv").ans.tolist() == expected.tolist()


def test_rows_follow_info_csv_whatever_the_order_in_the_run(workspace, data, tmp_path):
    shuffled = np.random.default_rng(5).permutation(IDS).tolist()
    write_submission(workspace, data, [_run(workspace, "straight")], out=tmp_path / "a.csv")
    write_submission(workspace, data, [_run(workspace, "shuffled", ids=shuffled)], out=tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset_id": "another"}, "run odd was made for data set another, this one is abcdef012345"),
        ({"finished": False}, "run odd is unfinished; go on with it first: resume --run odd"),
        ({"ids": IDS[1:]}, f"run odd predicts 41 photos and leaves out 1 of the 42 in info.csv, such as {IDS[0]}"),
        ({"ids": [*IDS, "new.jpg"]}, "run odd predicts 43 photos and leaves out 0"),
    ],
)
def test_a_run_that_does_not_fit_is_refused_by_name_and_nothing_is_written(workspace, data, options, message):
    runs = [_run(workspace, "good"), _run(workspace, "odd", **options)]
    with pytest.raises(RunError, match=message):
        write_submission(workspace, data, runs)
    assert not workspace.submissions.exists()
    assert SubmissionLedger(workspace, data.dataset_id).list().empty


def test_a_red_finding_stops_the_export_before_anything_is_written(workspace, data, tmp_path):
    run = _run(workspace, "constant")
    write_predictions(run.path / "evaluation", IDS, np.tile(np.eye(18)[4], (len(IDS), 1)))
    with pytest.raises(
        SubmissionError, match="nothing was written, the checks found: constant column: every row is class 4"
    ):
        write_submission(workspace, data, [run], out=tmp_path / "mine.csv")
    assert not (tmp_path / "mine.csv").exists()
    assert not (tmp_path / "mine.manifest.json").exists()
    assert SubmissionLedger(workspace, data.dataset_id).list().empty


def test_a_place_that_cannot_be_meant_is_refused(workspace, data, tmp_path):
    run = _run(workspace, "one")
    with pytest.raises(SubmissionError, match=r"does not end in \.csv"):
        write_submission(workspace, data, [run], out=tmp_path / "mine.txt")
    with pytest.raises(SubmissionError, match="lies in the data set, which is only ever read"):
        write_submission(workspace, data, [run], out=data.data_dir / "eval" / "info.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(SubmissionError, match="cannot be written: .*; choose another place"):
        write_submission(workspace, data, [run], out=tmp_path / "file" / "mine.csv")
    with pytest.raises(SubmissionError, match="no run to export"):
        write_submission(workspace, data, [])
    with pytest.raises(SubmissionError, match="run one is given 2 times"):
        write_submission(workspace, data, [run, run])


def test_the_code_version_is_a_commit_or_the_projects_version(monkeypatch, tmp_path):
    head = subprocess.run(
        ["git", "-C", str(PROJECT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    assert code_version().startswith(head.stdout[:12]) if head.returncode == 0 else code_version() == "0.1.0"
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "9.9"\n')
    monkeypatch.setattr(export, "PROJECT", tmp_path)
    assert code_version() == "9.9"


def test_an_exported_file_can_be_scored(workspace, data, tmp_path):
    run = _run(workspace, "one", right=1.0)
    made = write_submission(workspace, data, [run])
    pd.DataFrame({"ImageID": IDS, "ans": TRUTH}).to_csv(tmp_path / "truth.csv", index=False)
    scores = score_submission(workspace.submissions / made["file_name"], tmp_path / "truth.csv")
    expected = (run.evaluation().logits.argmax(1) == TRUTH).mean()
    assert scores["accuracy"] == pytest.approx(expected)
