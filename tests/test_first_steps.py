"""The front door: what ``make run`` and ``.ci/run`` do before and after the app and the tests."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.cli import cli, data
from core.config import load_config
from core.errors import ConfigError, RunError
from core.storage.runs import list_runs, open_run
from core.workspace import Workspace
from tests.photo_folders import write_data_set

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A desk without data and runs: ``data/demo`` and the workspace lie in a folder of the test."""
    monkeypatch.setattr(data, "DEFAULT_DATA", tmp_path / "demo")
    monkeypatch.setenv("MASKDESK_DATA", str(tmp_path / "demo"))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(tmp_path / "workspace"))
    return tmp_path


@pytest.fixture
def calls(monkeypatch):
    """What first-steps would draw, start, resume and follow; nothing is trained."""
    made = []

    def draw(out, **options):
        made.append("draw")
        write_data_set(out)

    def start(workspace, index, name, config):
        from core.service import create_training_run

        made.append(f"start {name}")
        return create_training_run(workspace, index, name, load_config("fast", settings=["data.folds=2"])), None

    monkeypatch.setattr(data, "write_demo", draw)
    monkeypatch.setattr(data, "start_run", start)
    monkeypatch.setattr(data, "resume_run", lambda workspace, run: made.append(f"resume {run.run_id}"))
    monkeypatch.setattr(data, "follow", lambda workspace, run, job: made.append(f"follow {run.run_id}"))
    return made


def _first_steps(*arguments):
    return CliRunner().invoke(cli, ["first-steps", *arguments], catch_exceptions=False)


def test_a_fresh_desk_gets_people_and_a_first_run(home, calls):
    _first_steps()
    assert calls == ["draw", "start first", "follow first"]


def test_a_first_run_that_was_cut_short_is_gone_on_with_and_nothing_is_drawn_again(home, calls):
    _first_steps()
    calls.clear()
    _first_steps()
    assert calls == ["resume first", "follow first"]


def test_a_desk_with_a_finished_run_is_left_as_it_is(home, calls, trained_run):
    workspace, run_id = trained_run
    write_data_set(home / "demo")
    shutil.copytree(open_run(workspace, run_id).path, Workspace(home / "workspace").runs / "mine")
    _first_steps()
    assert calls == []


def test_a_run_that_is_still_at_work_is_followed_not_started_again(home, calls, monkeypatch):
    _first_steps()
    calls.clear()
    busy = type("Job", (), {"state": "running"})()
    queue = type("Queue", (), {"__init__": lambda *_: None, "list": lambda *_: [busy], "of_run": lambda *_: [busy]})

    def follow(workspace, run, job):
        calls.append("follow the job at work" if job is busy else "follow")
        if job is busy:
            raise RunError("it was killed")

    monkeypatch.setattr(data, "JobQueue", queue)
    monkeypatch.setattr(data, "follow", follow)
    _first_steps()
    assert calls == ["follow the job at work", "resume first", "follow"]


def test_a_data_set_of_ones_own_gets_neither_people_nor_a_run(home, calls, monkeypatch, tmp_path):
    monkeypatch.setenv("MASKDESK_DATA", str(tmp_path / "mine"))
    _first_steps()
    assert calls == []
    assert list_runs(Workspace(home / "workspace")) == []


def test_a_taken_port_is_told_before_anything_is_done(home, calls):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port {port} cannot be had.*make run PORT={port + 1}"):
            _first_steps("--port", str(port))
    assert calls == []


def test_half_a_demo_set_is_noticed(home, capsys):
    (home / "demo/train/images").mkdir(parents=True)
    finished = subprocess.run(
        [sys.executable, "-c", f"from core.cli import data, main; from pathlib import Path\n"
         f"data.DEFAULT_DATA = Path({str(home / 'demo')!r})\nmain()", "first-steps"],
        cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip
    assert finished.returncode == 1
    assert "is not an empty folder; choose another --out or remove it" in finished.stderr


def _make(folder, *arguments, path=None):
    environment = os.environ | ({"PATH": str(path)} if path else {})
    return subprocess.run(
        ["/usr/bin/make", *arguments], cwd=folder, capture_output=True, text=True, check=False, env=environment
    )


@pytest.fixture
def clone(tmp_path):
    """A folder with the Makefile and nothing installed."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "requirements-test.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def _script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_python_that_is_too_old_or_lacks_venv_is_told_in_one_line(clone):
    old = _make(clone, "install", f"PYTHON={_script(clone / 'old', 'exit 1')}")
    assert old.returncode != 0
    assert "MaskDesk needs Python 3.11 or newer; say which: make PYTHON=" in old.stderr
    bare = _make(clone, "install", f"PYTHON={_script(clone / 'bare', '[ $1 = -c ]')}")
    assert bare.returncode != 0
    assert "apt-get install python3-venv" in bare.stderr
    none = _make(clone, "install", "PYTHON=")
    assert "MaskDesk needs Python 3.11" in none.stderr
    assert not (clone / ".venv").exists()


def test_an_install_that_was_cut_short_is_done_again_from_the_start_and_a_whole_one_is_not(clone):
    _script(clone / ".venv/bin/pip", "")
    python = clone / ".venv/bin/python"
    _script(python, 'echo "$@" >> pip.log; exit 1')
    assert _make(clone, "install").returncode != 0
    _script(python, 'echo "$@" >> pip.log')
    assert _make(clone, "install").returncode == 0
    assert _make(clone, "install").returncode == 0
    asked = [line for line in (clone / "pip.log").read_text().splitlines() if " install " in line]
    assert ["--ignore-installed" in line for line in asked] == [False, True]
    later = (clone / ".venv/installed.txt").stat().st_mtime + 1  # a clock's tick may hold both files
    os.utime(clone / "requirements.txt", (later, later))
    assert _make(clone, "install").returncode == 0
    asked = [line for line in (clone / "pip.log").read_text().splitlines() if " install " in line]
    assert ["--ignore-installed" in line for line in asked] == [False, True, False]


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ('tests="0" skipped="0" failures="0" errors="0"', "no test ran"),
        ('tests="3" skipped="3" failures="0" errors="0"', "no test ran"),
        ('tests="3" skipped="0" failures="1" errors="0"', "tests failed"),
        ('tests="3" skipped="1" failures="0" errors="0"', ""),
    ],
)
def test_the_gate_fails_when_no_test_ran(tmp_path, counts, status):
    (tmp_path / ".ci").mkdir()
    (tmp_path / "build").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    (tmp_path / "Makefile").write_text("test:\n\t@true\n")
    (tmp_path / "build/tests.xml").write_text(f"<testsuites><testsuite {counts}/></testsuites>")
    finished = subprocess.run([tmp_path / ".ci/run"], capture_output=True, text=True, check=False)
    assert (finished.returncode == 0) == (status == "")
    assert status in finished.stderr
