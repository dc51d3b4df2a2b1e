"""From an ensemble to a file: exact bytes, a manifest and a ledger row, or nothing at all."""

import hashlib
import json
import subprocess

import numpy as np
import pandas as pd
import pytest

from benchmarks.drawn_runs import draw_index, draw_run
from core.errors import SubmissionError
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.predictions import write_predictions
from core.storage.submissions import SubmissionLedger
from core.submission import export
from core.submission.export import code_version, draft_submission, write_submission
from core.submission.recipe import make_recipe
from core.submission.score import score_submission
from core.workspace import PROJECT, Workspace
from tests.synthetic import trained_on


@pytest.fixture
def desk(workspace, tmp_path):
    index, truth = draw_index(tmp_path / "data")
    for seed, name in enumerate(["one", "two"]):
        draw_run(workspace, index, truth, name, seed=seed)
    return workspace, index, truth


def _draft(desk, *names, with_decisions=False, **settings):
    recipe = make_recipe(members=[f"run:{name}" for name in names], **settings)
    return draft_submission(desk[0], desk[1], recipe, with_decisions=with_decisions)


def _ids(index):
    return index.photos.photo_id[index.photos.split == "eval"].tolist()


def test_the_file_is_exactly_the_organisers_form_and_says_what_the_members_say(desk, tmp_path):
    draft = _draft(desk, "one")
    made = write_submission(*desk[:2], draft, out=tmp_path / "out" / "mine.csv", comment="first try")
    expected = "ImageID,ans\n" + "".join(f"{i},{a}\n" for i, a in zip(_ids(desk[1]), draft.labels, strict=True))
    content = (tmp_path / "out" / "mine.csv").read_bytes()
    assert content == expected.encode()
    assert made["sha256"] == hashlib.sha256(content).hexdigest()
    assert made["rows"] == 280
    assert made["class_counts"] == np.bincount(draft.labels, minlength=18).tolist()
    assert not list((tmp_path / "out").glob("*.tmp"))


def test_the_manifest_beside_it_tells_where_it_came_from(desk, tmp_path):
    draft = _draft(desk, "one", "two", method="hard", weights=[2, 1])
    made = write_submission(*desk[:2], draft, out=tmp_path / "mine.csv", comment="why not")
    manifest = json.loads((tmp_path / "mine.manifest.json").read_text())
    where = {"path": str(tmp_path / "mine.csv"), "manifest_path": str(tmp_path / "mine.manifest.json")}
    assert made == where | manifest
    assert [member["run_id"] for member in manifest["members"]] == ["one", "two"]
    assert {len(member["evaluation_sha256"]) for member in manifest["members"]} == {64}
    assert manifest["recipe"]["method"] == "hard"
    assert manifest["weights"] == pytest.approx([2 / 3, 1 / 3], abs=1e-5)
    assert (manifest["variant"], manifest["comment"], manifest["override"]) == ("models alone", "why not", "")
    assert manifest["code_version"] == code_version()
    assert manifest["findings"][1] == {"level": "ok", "check": "columns", "saw": "ImageID,ans", "cause": ""}
    assert "red" not in {finding["level"] for finding in manifest["findings"]}


def test_the_ledger_remembers_every_file(desk, tmp_path):
    workspace, index, _ = desk
    draft = _draft(desk, "one")
    inside = write_submission(workspace, index, draft)
    write_submission(workspace, index, draft, out=tmp_path / "mine.csv", comment="elsewhere")
    rows = SubmissionLedger(workspace, index.dataset_id).list()
    assert set(rows.sha256) == {inside["sha256"]}
    assert rows.file_name.tolist() == [str(tmp_path / "mine.csv"), inside["file_name"]]
    assert rows.comment.tolist() == ["elsewhere", ""]
    assert rows.origin[0]["recipe"] == inside["recipe"]
    assert (workspace.submissions / inside["file_name"]).is_file()


def test_the_same_inputs_give_the_same_bytes_in_two_workspaces(desk, tmp_path):
    made = []
    for name in ("here", "there"):
        index, truth = draw_index(tmp_path / name / "data")
        workspace = Workspace(tmp_path / name / "workspace")
        for seed, run in enumerate(["one", "two"]):
            draw_run(workspace, index, truth, run, seed=seed)
        draft = _draft((workspace, index), "one", "two", method="stacked")
        made.append(write_submission(workspace, index, draft))
    assert made[0]["sha256"] == made[1]["sha256"]
    for key in made[0]:
        if key not in ("path", "manifest_path"):
            assert made[0][key] == made[1][key], key
    other = _draft(desk, "one", "two", method="soft")
    assert other.sha256 != made[0]["sha256"]


def test_a_limit_leaves_out_what_people_said_and_refuses_runs_trained_beyond_it(desk):
    workspace, index, _ = desk
    ids = _ids(index)
    plain = _draft(desk, "one")
    in_bulk, by_hand = ((int(plain.labels[place]) + 5) % 18 for place in (3, 5))
    store = DecisionStore(workspace, index.dataset_id)
    store.append([Decision(who="ann", kind="accept", target=ids[3], proposal=in_bulk, origin="model")])
    store.append([Decision(who="ann", kind="accept", target=ids[5], proposal=by_hand)])
    store.append([Decision(who="ann", kind="relabel", target=ids[6], mask=1, gender=0, age_band=0)])
    recipe = make_recipe(members=["run:one"])
    decided = {
        limit: draft_submission(workspace, index, recipe, with_decisions=True, limit=limit).decisions
        for limit in ("none", "model", "unchanged", "all")
    }
    assert {limit: len(used) for limit, used in decided.items()} == {"none": 0, "model": 1, "unchanged": 2, "all": 3}
    settings = {"pseudo_labels": "accepted", "train_decisions": "unchanged"}
    trained_on(workspace, "one", label_revision=2, **settings)
    draft_submission(workspace, index, recipe, limit="none", train_limit="none")  # no decision reached it
    trained_on(workspace, "one", label_revision=2, train=1, evaluation=2, **settings)
    draft_submission(workspace, index, recipe)
    with pytest.raises(SubmissionError, match="run one was trained with data.pseudo_labels = accepted, beyond"):
        draft_submission(workspace, index, recipe, limit="model")
    with pytest.raises(SubmissionError, match="data.train_decisions = unchanged, beyond the limit none"):
        draft_submission(workspace, index, recipe, train_limit="none")


def test_decided_photos_override_the_vote_in_the_variant_with_decisions_alone(desk):
    workspace, index, _ = desk
    ids = _ids(index)
    plain = _draft(desk, "one")
    store = DecisionStore(workspace, index.dataset_id)
    wanted = (int(plain.labels[3]) + 5) % 18
    store.append(
        [
            Decision(who="ann", kind="accept", target=ids[3], proposal=wanted, queue="pseudo_labels", run_id="one"),
            Decision(who="ann", kind="reject", target=ids[4], proposal=0, queue="pseudo_labels"),
            Decision(who="bob", kind="relabel", target=ids[5], proposal=int(plain.labels[5]), mask=1, queue="people"),
        ]
    )
    alone, decided = _draft(desk, "one"), _draft(desk, "one", with_decisions=True)
    np.testing.assert_array_equal(alone.labels, plain.labels)
    assert (alone.decisions, alone.label_revision) == ([], 3)
    assert decided.labels[3] == wanted
    assert decided.labels[5] == 6 + plain.labels[5] % 6
    others = np.delete(np.arange(280), [3, 5])
    np.testing.assert_array_equal(decided.labels[others], plain.labels[others])
    made = write_submission(workspace, index, decided)
    assert made["variant"] == "with decisions"
    assert made["decisions"] == [
        {"photo_id": ids[3], "label": wanted, "kind": "accept", "origin": "accepted", "queue": "pseudo_labels",
         "who": "ann", "run_id": "one"},
        {"photo_id": ids[5], "label": int(decided.labels[5]), "kind": "relabel", "origin": "changed",
         "queue": "people", "who": "bob", "run_id": ""},
    ]  # fmt: skip
    assert "-decided-" in made["file_name"]


def test_rows_follow_info_csv_whatever_the_order_in_the_run(desk, workspace):
    index = desk[1]
    one = _draft(desk, "one")
    run = workspace.runs / "two" / "evaluation"
    predictions = np.load(workspace.runs / "one" / "evaluation.npy")
    order = np.random.default_rng(5).permutation(280)
    write_predictions(run, np.array(_ids(index))[order].tolist(), predictions[order])
    shuffled = draft_submission(workspace, index, make_recipe(members=["run:two"], calibration="none"))
    np.testing.assert_array_equal(shuffled.labels, one.labels)


def _constant(workspace, index):
    logits = np.tile(np.eye(18)[4], (280, 1))
    write_predictions(workspace.runs / "two" / "evaluation", _ids(index), logits)


def test_a_red_finding_stops_the_export_before_anything_is_written(desk, tmp_path):
    workspace, index, _ = desk
    _constant(workspace, index)
    draft = _draft(desk, "two")
    assert draft.is_blocked
    for words in ("", "  "):
        with pytest.raises(SubmissionError, match="the checks found: constant column: every row is class 4"):
            write_submission(workspace, index, draft, out=tmp_path / "mine.csv", override=words)
    assert not (tmp_path / "mine.csv").exists()
    assert not (tmp_path / "mine.manifest.json").exists()
    assert SubmissionLedger(workspace, index.dataset_id).list().empty


def test_words_that_override_a_red_finding_are_kept_with_the_file(desk):
    workspace, index, _ = desk
    _constant(workspace, index)
    made = write_submission(workspace, index, _draft(desk, "two"), override="to see what a constant scores")
    manifest = json.loads((workspace.submissions / made["file_name"]).with_suffix(".manifest.json").read_text())
    assert manifest["override"] == "to see what a constant scores"
    rows = SubmissionLedger(workspace, index.dataset_id).list()
    assert rows.origin[0]["override"] == "to see what a constant scores"
    assert any(finding["level"] == "red" for finding in rows.findings[0])


def test_a_place_that_cannot_be_meant_is_refused(desk, tmp_path):
    workspace, index, _ = desk
    draft = _draft(desk, "one")
    with pytest.raises(SubmissionError, match=r"does not end in \.csv"):
        write_submission(workspace, index, draft, out=tmp_path / "mine.txt")
    with pytest.raises(SubmissionError, match="lies in the data set, which is only ever read"):
        write_submission(workspace, index, draft, out=index.data_dir / "eval" / "info.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(SubmissionError, match="cannot be written: .*; choose another place"):
        write_submission(workspace, index, draft, out=tmp_path / "file" / "mine.csv")


def test_the_code_version_is_a_commit_or_the_projects_version(monkeypatch, tmp_path):
    head = subprocess.run(
        ["git", "-C", str(PROJECT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    assert code_version().startswith(head.stdout[:12]) if head.returncode == 0 else code_version() == "0.1.0"
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "9.9"\n')
    monkeypatch.setattr(export, "PROJECT", tmp_path)
    assert code_version() == "9.9"


def test_an_exported_file_can_be_scored(desk, tmp_path):
    workspace, index, truth = desk
    draft = _draft(desk, "one")
    made = write_submission(workspace, index, draft)
    known = truth[(index.photos.split == "eval").to_numpy()]
    pd.DataFrame({"ImageID": _ids(index), "ans": known}).to_csv(tmp_path / "truth.csv", index=False)
    scores = score_submission(workspace.submissions / made["file_name"], tmp_path / "truth.csv")
    assert scores["accuracy"] == pytest.approx((draft.labels == known).mean())
