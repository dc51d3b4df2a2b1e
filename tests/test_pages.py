"""Every page draws, empty and with a run, and the buttons do what they say."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.storage.predictions import write_predictions
from core.storage.runs import Run, open_run
from core.storage.submissions import SubmissionLedger
from core.taxonomy import CLASS_NAMES
from ui.scored import scored

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


def test_a_cell_in_the_address_is_open_with_its_photos_and_escape_leaves_it(demo_dir, trained_run, monkeypatch):
    monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(trained_run[0].root))
    oof = scored(open_run(trained_run[0], trained_run[1]))
    true, predicted = (int(place[0]) for place in np.nonzero(oof.confusion))
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
    app.switch_page(str(ROOT / "pages" / "errors.py"))
    app.query_params["true"], app.query_params["predicted"] = CLASS_NAMES[true], CLASS_NAMES[predicted]
    app.run()
    _check_sound(app)
    assert app.subheader[0].value.endswith(f": {oof.confusion[true, predicted]} photos")
    next(button for button in app.button if button.label == "Leave the cell").click()
    app.run()
    _check_sound(app)
    assert not app.subheader
    assert app.selectbox(key="true").value is None


def test_matrices_by_axis_are_drawn_when_they_are_opened(demo_dir, trained_run, monkeypatch):
    app = _open("errors", demo_dir, trained_run[0], monkeypatch)
    app.session_state["details"] = True
    app.run()
    _check_sound(app)
    assert {"**mask**", "**gender**", "**age**"} <= {element.value for element in app.markdown}


def test_a_runs_predictions_are_read_once_and_again_when_its_files_change(demo_dir, trained_run, tmp_path):
    path = tmp_path / "runs" / trained_run[1]
    shutil.copytree(trained_run[0].runs / trained_run[1], path)
    first = scored(Run(path))
    assert scored(Run(path)) is first
    assert not first.pred_probs.flags.writeable
    oof = Run(path).oof()
    write_predictions(path / "oof", oof.photo_ids, np.roll(oof.logits, 1, axis=1))
    assert (scored(Run(path)).predictions == (first.predictions + 1) % 18).all()


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
