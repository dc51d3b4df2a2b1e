"""Every page draws, empty and with a run, and the buttons do what they say."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.storage.submissions import SubmissionLedger

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
