"""Named groupings of evaluation photos: kept, listed, imported, never changed."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.errors import DecisionError
from core.jobs.queue import JobQueue
from core.storage.groupings import list_groupings, open_grouping, read_groups_csv, save_grouping
from tests.serving import ROOT
from tests.synthetic import write_run

IDS = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]


def _table():
    return pd.DataFrame({"photo_id": IDS[:3], "group": ["7", "7", "NA"], "confidence": [0.9, 0.8, np.nan]})


def _save(workspace, name="found"):
    return save_grouping(workspace, name, _table(), dataset_id="d1", origin="a test", about={"quality": 0.5})


def test_a_kept_grouping_reads_back_as_it_was(workspace):
    _save(workspace)
    read = open_grouping(workspace, "found", dataset_id="d1")
    pd.testing.assert_frame_equal(read.table, _table().assign(decided=""), check_dtype=False)
    assert (read.about["origin"], read.about["quality"], read.about["dataset_id"]) == ("a test", 0.5, "d1")
    group, confidence = read.groups_of(["d.jpg", "a.jpg", "c.jpg"])
    assert group == ["d.jpg", "7", "NA"]
    np.testing.assert_array_equal(confidence, [np.nan, 0.9, np.nan])


def test_a_name_is_taken_once_and_belongs_to_its_data_set(workspace):
    _save(workspace)
    with pytest.raises(DecisionError, match="'found' exists already"):
        _save(workspace)
    assert list_groupings(workspace, dataset_id="other") == []
    with pytest.raises(DecisionError, match="does not exist for this data set; there are: found"):
        open_grouping(workspace, "lost", dataset_id="d1")
    with pytest.raises(DecisionError, match="is not a word"):
        _save(workspace, "../out")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ImageID,cluster\na.jpg,1\n", "has no column group, only ImageID, cluster"),
        ("ImageID,group\nx.jpg,1\n", "line 2: 'x.jpg' is no evaluation photo"),
        ("ImageID,group\na.jpg,1\na.jpg,2\n", "a.jpg stands twice"),
        ("ImageID,group\na.jpg,1\nb.jpg,\n", "line 3: b.jpg has no group"),
        ("ImageID,group,confidence\na.jpg,1,1.5\n", "line 2: confidence '1.5' is not a number from 0 to 1"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path, text, problem):
    path = tmp_path / "groups.csv"
    path.write_text(text)
    with pytest.raises(DecisionError, match=problem):
        read_groups_csv(path, IDS)


def test_groups_are_text_and_may_leave_photos_out(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("ImageID,group\nb.jpg,007\na.jpg,NA\n")
    table = read_groups_csv(path, IDS)
    assert table.group.tolist() == ["007", "NA"]
    assert table.confidence.isna().all()


def test_people_are_found_from_the_command_line_and_go_out_as_csv(demo_dir, trained_run, tmp_path):
    workspace, run_id = trained_run
    common = ["--data", str(demo_dir), "--workspace", str(workspace.root), "--json"]

    def run(*words):
        done = subprocess.run([sys.executable, "-m", "core", *words, *common], capture_output=True, text=True)
        return done, json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None

    done, found = run("people", "--run", run_id, "--name", "cli")
    assert done.returncode == 0, done.stderr
    assert found["run_id"] == run_id
    assert found["metric"] == "whitened"
    assert list(found["tried"]) == ["whitened"]
    assert 0 <= found["quality"]["pair_precision"] <= 1
    done, both = run("people", "--run", run_id, "--name", "both", "--metric", "best")
    assert done.returncode == 0, done.stderr
    assert "training the head, epochs: " in done.stderr
    assert list(both["tried"]) == ["whitened", "contrastive"]
    used = both["tried"][both["metric"]]
    assert used["pair_f1"] == max(one["pair_f1"] for one in both["tried"].values())
    assert both["quality"] == {name: used[name] for name in both["quality"]}
    assert open_grouping(workspace, "both", dataset_id=both["dataset_id"]).about["tried"] == both["tried"]
    done, _ = run("people", "--run", run_id, "--name", "other", "--metric", "euclid")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "'euclid' is not one of 'whitened', 'contrastive', 'best'" in done.stderr
    out = tmp_path / "groups.csv"
    assert run("groups-export", "--name", "cli", "--out", str(out))[0].returncode == 0
    assert out.read_text().startswith("ImageID,group,confidence\n")
    assert run("groups-import", "--file", str(out), "--name", "again")[1]["groups"] == found["groups"]
    assert {row["name"] for row in run("groups")[1]["groupings"]} >= {"cli", "again"}
    done, _ = run("people", "--run", run_id, "--name", "cli")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "grouping 'cli' exists already" in done.stderr
    done, _ = run("people", "--run", "nowhere", "--name", "a/b")  # the name is looked at before anything is read
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "grouping name 'a/b' is not a word" in done.stderr


def test_the_page_shows_the_groups_and_what_pooling_changes(demo_dir, index, trained_run, monkeypatch):
    workspace = trained_run[0]
    ids = index.photos.photo_id[index.photos.split == "eval"].tolist()
    table = pd.DataFrame({"photo_id": ids, "group": [str(row // 7) for row in range(len(ids))], "confidence": 0.9})
    save_grouping(workspace, "page", table, dataset_id=index.dataset_id, origin="a test", about={})
    monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(workspace.root))
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
    app = app.switch_page(str(ROOT / "pages" / "people.py")).run()
    app.selectbox(key="grouping").set_value("page").run()
    assert not app.exception
    words = " ".join(element.value for element in app.markdown)
    assert f"**{len(ids) // 7} groups**, {len(ids) // 7} of seven photos, 0 single photos; a test" in words
    assert f"of {len(ids):,} classes" in words
    assert "Who is reviewing?" in words
    app.session_state["reviewer"] = "ada"
    app.run()
    for order, listed in {"least sure first": len(ids) // 7, "single photos": 0, "confirmed": 0}.items():
        app.segmented_control(key="groups-order").set_value(order).run()
        assert not app.exception
        shown = json.loads(next(one for one in _components(app) if "groups" in one))
        assert len(shown["groups"]) == listed
        assert {len(group["photos"]) for group in shown["groups"]} <= {7}


def test_the_page_says_which_metric_was_used_and_what_each_reached(desk, index, monkeypatch):
    monkeypatch.setattr("core.jobs.queue.ensure_dispatcher", lambda workspace: None)
    run = write_run(desk, index, "first")
    quality = {"pair_precision": 0.987, "pair_recall": 0.95, "perfect_groups": 0.91, "people": 1234, "photos": 8638}
    tried = {"whitened": {**quality, "pair_recall": 0.5}, "contrastive": quality}
    ids = index.photos.photo_id[index.photos.split == "eval"].tolist()
    table = pd.DataFrame({"photo_id": ids, "group": ids, "confidence": np.nan})
    for name, about in {
        "before": {"quality": quality},
        "best": {"quality": quality, "metric": "contrastive", "tried": tried},
    }.items():
        save_grouping(desk, name, table, dataset_id=index.dataset_id, origin="a test", about=about)
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
    app.switch_page(str(ROOT / "pages" / "people.py")).run()
    measured = "metric, measured on 1,234 train people it had not seen: 98.70% of the pairs right, 95.00% of them"
    for name, used in {"before": "whitened", "best": "contrastive"}.items():
        app.selectbox(key="grouping").set_value(name).run()
        assert not app.exception
        words = " ".join(element.value for element in app.markdown)
        assert f"The {used} {measured}" in words
        assert ("The whitened metric, tried as well: 98.70% of the pairs right, 50.00% of" in words) == (
            name == "best"
        )

    app.selectbox(key="grouping-metric-2").set_value("best")
    app.button(key="find-2").click().run()
    assert not app.exception
    job = JobQueue(desk).list()[0]
    assert job.kind == "people"
    assert job.arguments[-7:] == ["people", "--run", run.run_id, "--name", "people-1", "--metric", "best"]


def _components(app):
    """The data of all components on the page, as JSON."""
    return [element.proto.json for element in app.get("bidi_component")]


def test_below_the_search_for_people_only_such_jobs_are_shown(desk, index):
    write_run(desk, index, "first")
    queue = JobQueue(desk)
    for kind in ("train", "people"):
        queue.update(
            queue.submit(["--help"], kind=kind, title=f"a job of {kind}").job_id,
            ("queued", "running"), state="finished", finished_at=0.0,
        )  # fmt: skip
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
    app.switch_page(str(ROOT / "pages" / "people.py")).run()
    words = " ".join(element.value for element in app.markdown)
    assert "a job of people" in words
    assert "a job of train" not in words
