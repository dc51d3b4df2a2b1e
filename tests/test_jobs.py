"""Jobs: one a device, alive as long as their lock is held, stopped gently first; a dispatcher may die."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import RunError
from core.jobs.child import FOLDER_VARIABLE, stop_requested
from core.jobs.dispatcher import Dispatcher
from core.jobs.processes import signal_job
from core.jobs.queue import JobQueue
from core.jobs.slots import find_slots

PYTHON = (sys.executable, "-S", "-c")
WAIT_FOR_STOP = """
import os, pathlib, time
while not (pathlib.Path(os.environ["MASKDESK_JOB"]) / "stop").exists(): time.sleep(0.02)
raise SystemExit(1)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


@pytest.fixture
def queue(workspace, monkeypatch):
    """A queue whose dispatcher is the test itself."""
    monkeypatch.setattr("core.jobs.queue.ensure_dispatcher", lambda workspace: None)
    return JobQueue(workspace)


def _submit(queue, code, device="auto", run_id=""):
    return queue.submit([code], kind="test", title="a test", device=device, run_id=run_id).job_id


def _work(queue, dispatcher, until, seconds=30):
    """Let the dispatcher work until the condition holds; the states it went through."""
    seen = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        dispatcher.step(queue.alive())
        states = tuple(job.state for job in reversed(queue.list()))
        seen += [states] if not seen or seen[-1] != states else []
        if until():
            return seen
        time.sleep(0.02)
    raise AssertionError(f"not in {seconds} s; states were {seen}")


def _ended(queue):
    return lambda: not queue.alive()


def test_two_jobs_on_one_device_wait_for_each_other_and_two_devices_do_not(queue):
    dispatcher = Dispatcher(queue.workspace, ["0", "1", "cpu"], command=PYTHON)
    code = "import os, time; print(os.environ['CUDA_VISIBLE_DEVICES'] or 'none'); time.sleep(0.3)"
    jobs = [_submit(queue, code, device) for device in ("cuda:1", "cuda:1", "cpu", "auto")]
    seen = _work(queue, dispatcher, _ended(queue))
    assert ("running", "queued", "running", "running") in seen
    assert not any(states[:2] == ("running", "running") for states in seen)
    assert [queue.get(job).slot for job in jobs] == ["1", "1", "cpu", "0"]
    assert [queue.get(job).log_path.read_text().strip() for job in jobs] == ["1", "1", "none", "0"]


def test_auto_waits_for_the_gpu_where_there_is_one(queue):
    dispatcher = Dispatcher(queue.workspace, ["0", "cpu"], command=PYTHON)
    for _ in range(2):
        _submit(queue, "import time; time.sleep(0.2)")
    seen = _work(queue, dispatcher, _ended(queue))
    assert ("running", "queued") in seen
    assert ("running", "running") not in seen


def test_a_device_that_is_not_here_fails_at_once_and_says_what_is(queue):
    dispatcher = Dispatcher(queue.workspace, ["cpu"], command=PYTHON)
    job = _submit(queue, "", "cuda")
    _work(queue, dispatcher, _ended(queue))
    assert queue.get(job).state == "failed"
    assert "no cuda, only cpu; start with device=auto" in queue.get(job).error


@pytest.mark.parametrize(
    ("code", "state", "error"),
    [
        ("print('done')", "finished", ""),
        ("import sys; print('error: disk is full', file=sys.stderr); sys.exit(1)", "failed", "disk is full"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "failed", "killed by SIGKILL (out of memory?)"),
    ],
)
def test_the_end_of_a_job_is_told_as_it_was(queue, code, state, error):
    job = _submit(queue, code)
    _work(queue, Dispatcher(queue.workspace, ["cpu"], command=PYTHON), _ended(queue))
    assert queue.get(job).state == state
    assert queue.get(job).error.startswith(error)


def test_a_job_that_listens_stops_by_itself_and_one_that_waits_never_starts(queue):
    dispatcher = Dispatcher(queue.workspace, ["cpu"], command=PYTHON, grace=30)
    first, second = _submit(queue, WAIT_FOR_STOP), _submit(queue, "print('started')")
    _work(queue, dispatcher, lambda: queue.get(first).state == "running")
    assert queue.stop(second).state == "stopped"
    assert queue.stop(first).state == "stopping"
    _work(queue, dispatcher, _ended(queue), seconds=10)
    assert queue.get(first).state == "stopped"
    assert not queue.get(second).log_path.exists()
    assert queue.stop(first).state == "stopped"


def test_a_deaf_job_and_what_it_started_are_killed_after_the_grace(queue):
    dispatcher = Dispatcher(queue.workspace, ["cpu"], command=PYTHON, grace=0.3)
    child = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {DEAF!r}], start_new_session=True); {DEAF}"
    )
    job = _submit(queue, child)
    log = queue.get(job).log_path
    _work(queue, dispatcher, lambda: log.exists() and log.read_text().count("deaf") == 2)
    queue.stop(job)
    _work(queue, dispatcher, _ended(queue), seconds=10)
    assert queue.get(job).state == "stopped"
    assert signal_job(log.parent, signal.SIGCONT) == 0


def test_a_new_dispatcher_adopts_the_jobs_of_a_killed_one(queue):
    code = f"""
import core.jobs.queue
from pathlib import Path
from core.jobs.dispatcher import Dispatcher
from core.workspace import Workspace
Dispatcher(Workspace(Path({str(queue.workspace.root)!r})), ["cpu"], command={PYTHON!r}).run()
"""
    told = _submit(queue, "import time; time.sleep(1); print('run a: done')", run_id="a")
    waiting = _submit(queue, WAIT_FOR_STOP)
    first = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(Path.cwd())})
    while not queue.get(told).pid:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = Dispatcher(queue.workspace, ["cpu"], command=PYTHON)
    seen = _work(queue, second, lambda: queue.get(waiting).state == "running")
    assert ("running", "queued") in seen
    assert queue.get(told).state == "finished"
    signal_job(queue.get(waiting).log_path.parent, signal.SIGKILL)
    _work(queue, second, _ended(queue))
    assert queue.get(waiting).state == "failed"


def test_whoever_looks_at_a_job_starts_a_dead_dispatcher_again_until_the_job_has_ended(workspace, monkeypatch):
    started = []
    monkeypatch.setattr("core.jobs.queue.ensure_dispatcher", started.append)
    queue = JobQueue(workspace)
    job = _submit(queue, "pass")
    for look in (lambda: queue.get(job), queue.list):
        started.clear()
        look()
        assert started == [workspace]
    queue.stop(job)
    started.clear()
    assert queue.get(job).state == "stopped"
    assert started == []


def test_a_signal_reaches_the_marked_processes_and_nobody_else(tmp_path):
    sleeper = [sys.executable, "-S", "-c", "import time; print(flush=True); time.sleep(60)"]
    with (
        subprocess.Popen(sleeper, env={FOLDER_VARIABLE: str(tmp_path)}, stdout=subprocess.PIPE) as mine,
        subprocess.Popen(sleeper, env={FOLDER_VARIABLE: f"{tmp_path}x"}, stdout=subprocess.PIPE) as other,
    ):
        mine.stdout.readline(), other.stdout.readline()
        assert signal_job(tmp_path, signal.SIGKILL) == 1
        assert mine.wait(10) == -signal.SIGKILL
        assert other.poll() is None
        other.kill()


def test_an_unknown_job_is_named(queue):
    with pytest.raises(RunError, match="job 'ghost' does not exist in .*; list them with: jobs"):
        queue.get("ghost")


def test_a_process_outside_of_a_job_is_never_asked_to_stop(tmp_path, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert not stop_requested()
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert not stop_requested()
    (tmp_path / "stop").touch()
    assert stop_requested()


@pytest.mark.parametrize(
    ("visible", "slots"), [("", ["cpu"]), ("-1", ["cpu"]), ("2", ["2", "cpu"]), ("0,1", ["0", "1", "cpu"])]
)
def test_hidden_gpus_give_no_slot(monkeypatch, visible, slots):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert find_slots() == slots


def test_a_job_outlives_the_app_that_started_it(workspace):
    code = f"""
import time
from pathlib import Path
from core.jobs.queue import JobQueue
from core.workspace import Workspace
root = {str(workspace.root)!r}
job = JobQueue(Workspace(Path(root))).submit(["--workspace", root, "jobs"], kind="test", title="a test")
print(job.job_id, flush=True)
time.sleep(60)
"""
    app = subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(Path.cwd())}, stdout=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    job_id = app.stdout.readline().strip()
    os.killpg(app.pid, signal.SIGKILL)  # and all that the terminal of the app would take with it
    app.wait()
    queue = JobQueue(workspace)
    deadline = time.monotonic() + 200
    while queue.get(job_id).state not in ("finished", "failed") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert queue.get(job_id).state == "finished", queue.get(job_id).error
    assert "a test" in queue.get(job_id).log_path.read_text()
