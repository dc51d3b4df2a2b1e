"""Every page draws, empty and with a run, and the buttons do what they say."""

import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.evaluation.error_tables import VIEWS
from core.jobs.queue import JobQueue
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.predictions import write_predictions
from core.storage.runs import Run, open_run
from core.storage.submissions import SubmissionLedger
from core.taxonomy import CLASS_NAMES
from core.workspace import Workspace
from ui.scored import judged

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("[a-z]*.py"))


def _open(page, demo_dir, workspace, monkeypatch):
    monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(workspace.root))
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
    return app.switch_page(str(ROOT / "pages" / f"{page}.py")).run()


def _check_sound(app):
    assert [error.value for error in app.exception] == []
    assert [error.value for error in app.error] == []
    assert len(app.title) == 1


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_workspace_gives_a_page_that_names_the_next_step(page, demo_dir, workspace, monkeypatch):
    app = _open(page, demo_dir, workspace, monkeypatch)
    _check_sound(app)
    words = " ".join(str(element.value) for element in [*app.info, *app.markdown])
    assert "Train" in words or "Start" in words


@pytest.mark.parametrize("page", PAGES)
def test_a_page_draws_with_a_finished_run(page, demo_dir, trained_run, monkeypatch):
    app = _open(page, demo_dir, trained_run[0], monkeypatch)
    _check_sound(app)
    assert "No runs yet" not in " ".join(str(element.value) for element in app.info)


def test_a_run_is_submitted_by_the_link_of_its_details(demo_dir, trained_run, monkeypatch):
    app = _open("runs", demo_dir, trained_run[0], monkeypatch)
    link = next(one.proto for one in app.get("page_link") if one.proto.label.startswith("Submit"))
    assert dict(parse_qsl(link.query_string)) == {"made-from": f"run:{trained_run[1]}"}


def test_the_overview_counts_the_decisions_that_stand(demo_dir, index, workspace, monkeypatch):
    store = DecisionStore(workspace, index.dataset_id)
    for target in index.photos.photo_id[:2]:
        store.append([Decision(who="Ann", kind="reject", target=target)])
    store.undo_batch(store.all().batch_id.iloc[0], who="Ann")
    app = _open("overview", demo_dir, workspace, monkeypatch)
    assert {metric.label: metric.value for metric in app.metric}["decisions"] == "1"


def test_a_wrong_data_folder_is_a_message_that_names_it(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("MASKDESK_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(workspace.root))
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
    assert not app.exception
    assert "nowhere" in app.error[0].value


def test_a_submission_is_checked_written_and_listed(demo_dir, index, trained_run, monkeypatch):
    workspace = trained_run[0]
    app = _open("submissions", demo_dir, workspace, monkeypatch)
    write = next(button for button in app.button if button.label == "Write")
    is_blocked = write.disabled  # a barely trained run can predict one class: a red check, and nothing to press
    if is_blocked:
        assert "red check" in " ".join(error.value for error in app.error)
    else:
        write.click()
        app.run()
        assert not app.exception
        assert "Written:" in app.success[0].value
    assert len(SubmissionLedger(workspace, index.dataset_id).list()) == (0 if is_blocked else 1)


@pytest.fixture
def errors_app(demo_dir, trained_run, monkeypatch):
    """The page Errors with these parameters in its address."""
    monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(trained_run[0].root))

    def go(**query):
        app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
        app.switch_page(str(ROOT / "pages" / "errors.py"))
        for name, value in query.items():
            app.query_params[name.replace("_", "-")] = value
        app.run()
        _check_sound(app)
        return app

    return go


def _headings(app):
    return [element.value for element in app.markdown if element.value.startswith("#####")]


@pytest.mark.parametrize("matrix", VIEWS)
def test_a_cell_in_the_address_is_open_with_its_photos_and_escape_leaves_it(matrix, errors_app, trained_run):
    oof, view = judged(open_run(trained_run[0], trained_run[1])), VIEWS[matrix]
    counts = view.matrix(oof.confusion)
    true, predicted = (int(place[0]) for place in np.nonzero(counts))
    app = errors_app(matrix=matrix, true=view.names[true], predicted=view.names[predicted])
    assert _headings(app) == [f"##### {view.names[true]} → {view.names[predicted]}: {counts[true, predicted]} photos"]
    next(button for button in app.button if button.label == "Leave the cell").click()
    app.run()
    _check_sound(app)
    assert not _headings(app)
    assert app.selectbox(key="true").value is None


def test_a_row_alone_shows_all_its_wrong_photos_and_takes_them_to_a_queue(errors_app, trained_run):
    oof = judged(open_run(trained_run[0], trained_run[1]))
    label = int(oof.labels[oof.labels != oof.predictions][0])
    wrong = int(((oof.labels == label) & (oof.predictions != label)).sum())
    app = errors_app(true=CLASS_NAMES[label])
    assert _headings(app) == [f"##### wrong {CLASS_NAMES[label]} → any: {wrong} photos"]
    app.session_state["reviewer"] = "kim"
    app.button(key="to-label-issues").click().run()
    _check_sound(app)
    assert f"Limited to {wrong} photos that were chosen on another page." in [one.value for one in app.caption]


def test_filters_in_the_address_limit_the_matrix_and_its_photos(errors_app, trained_run):
    oof = judged(open_run(trained_run[0], trained_run[1]))
    app = errors_app(kind="normal", in_fold="1")
    shown = int(((oof.kinds == "normal") & (oof.folds == 1)).sum())
    assert f"{shown:,} of {len(oof.labels):,} photos" in [caption.value for caption in app.caption]


def test_an_opened_photo_tells_calibrated_probabilities_and_its_person(errors_app, trained_run):
    run = open_run(trained_run[0], trained_run[1])
    oof = judged(run)
    app = errors_app(photo=str(oof.photo_ids[0]))
    told = " ".join(str(element.value) for element in [*app.markdown, *app.caption])
    assert f"**{CLASS_NAMES[oof.labels[0]]}** by its label" in told
    assert "The person's other photos" in told


def test_a_photo_that_the_run_did_not_predict_is_told_so(errors_app):
    assert any("predicted no photo 'nowhere'" in info.value for info in errors_app(photo="nowhere").info)


def test_a_runs_predictions_are_read_once_and_again_when_its_files_change(demo_dir, trained_run, tmp_path):
    path = tmp_path / "runs" / trained_run[1]
    shutil.copytree(trained_run[0].runs / trained_run[1], path)
    first = judged(Run(path))
    assert judged(Run(path)) is first
    assert not first.logits.flags.writeable
    oof = Run(path).oof()
    write_predictions(path / "oof", oof.photo_ids, np.roll(oof.logits, 1, axis=1))
    assert (judged(Run(path)).predictions == (first.predictions + 1) % 18).all()


def test_a_run_that_ends_behind_the_page_runs_is_not_shown_as_running(demo_dir, trained_run, tmp_path, monkeypatch):
    workspace = Workspace(tmp_path)
    path = workspace.runs / trained_run[1]
    shutil.copytree(trained_run[0].runs / trained_run[1], path)
    (path / "result.json").unlink()
    job = JobQueue(workspace).submit(["nothing"], kind="train", title="train first", run_id=path.name)
    asked = []

    def of_run(queue, run_id):  # running when the page is drawn, stopped ever after
        asked.append(run_id)
        return [replace(job, state="running" if len(asked) == 1 else "stopped")]

    monkeypatch.setattr(JobQueue, "of_run", of_run)
    app = _open("runs", demo_dir, workspace, monkeypatch)
    _check_sound(app)
    assert app.dataframe[0].value.state.tolist() == ["stopped"]
    assert [button.label for button in app.button] == ["Resume"]


def test_a_data_set_that_breaks_is_a_message_and_what_was_read_before_stays(
    demo_dir, workspace, tmp_path, monkeypatch
):
    data = tmp_path / "data"
    shutil.copytree(demo_dir, data)
    app = _open("overview", data, workspace, monkeypatch)
    whole = [metric.value for metric in app.metric]
    (data / "train" / "train.csv").write_text("id,gender,race,age\n1,male,Asian,30\n")
    next(button for button in app.button if button.label == "Read the data set again").click()
    app.run()
    assert not app.exception
    assert "lacks the column path" in app.error[0].value
    assert [metric.value for metric in app.metric] == whole
    app.run()
    _check_sound(app)
    shutil.copy(demo_dir / "train" / "train.csv", data / "train" / "train.csv")
    next(button for button in app.button if button.label == "Read the data set again").click()
    app.run()
    _check_sound(app)
