"""The process that starts queued jobs, one a device, and notes how they end.

It is detached from whoever started it, holds a lock so that there is one a workspace, and ends when
there has been nothing to do for some seconds. A job's process holds a lock of its own: alive means
that the lock is held, so a new dispatcher finds the jobs of a killed one.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from core.jobs.child import FOLDER_VARIABLE
from core.jobs.dispatcher_start import LOCK
from core.jobs.processes import signal_job
from core.jobs.queue import Job, JobQueue
from core.jobs.slots import CPU, find_slots, fitting_slots
from core.workspace import PROJECT, Workspace

_POLL_S = 0.1
_IDLE_S = 10.0
_GRACE_S = 20.0
"""From the wish to stop to SIGTERM; half as long again to SIGKILL."""

_GO_ON = "start it again: a training goes on from its last whole epoch"
_CORE = (sys.executable, "-m", "core")


def main() -> None:
    """Dispatch the jobs of the workspace given as the only argument, until none is left."""
    workspace = Workspace(Path(sys.argv[1]))
    with (workspace.jobs / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        Dispatcher(workspace, find_slots()).run()


class Dispatcher:
    """Starts jobs on free slots and reaps them.

    Args:
        command: what a job's arguments are given to.
        grace: seconds from the wish to stop to SIGTERM.
    """

    def __init__(
        self, workspace: Workspace, slots: Sequence[str], *, command: Sequence[str] = _CORE, grace: float = _GRACE_S
    ) -> None:
        self.queue = JobQueue(workspace)
        self.slots, self.command, self.grace = slots, command, grace
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping_since: dict[str, float] = {}

    def run(self) -> None:
        """Work until nothing waited or ran for a while."""
        busy = time.monotonic()
        while time.monotonic() - busy < _IDLE_S:
            alive = self.queue.alive()
            if alive:
                busy = time.monotonic()
            self.step(alive)
            time.sleep(_POLL_S)

    def step(self, alive: Sequence[Job]) -> None:
        """Reap what ended, press what should stop, start what fits."""
        taken = set()
        for job in alive:
            if job.state == "queued":
                continue
            if self._ended(job):
                self._note_end(job)
                continue
            taken.add(job.slot)
            if job.state == "stopping":
                self._press(job)
        for job in alive:
            if job.state != "queued":
                continue
            slots = fitting_slots(job.device, self.slots)
            free = [slot for slot in slots if slot not in taken]
            if free:
                taken.add(free[0])
                self._start(job, free[0])
            elif not slots:
                error = f"this machine has no {job.device}, only {', '.join(self.slots)}; start with device=auto"
                self.queue.update(job.job_id, ("queued",), state="failed", error=error, finished_at=time.time())

    def _start(self, job: Job, slot: str) -> None:
        folder = job.log_path.parent
        if not self.queue.update(job.job_id, ("queued",), state="running", slot=slot, started_at=time.time()):
            return  # stopped in the meantime
        environment = os.environ | {
            "PYTHONPATH": str(PROJECT),
            "PYTHONUNBUFFERED": "1",
            FOLDER_VARIABLE: str(folder),
            "CUDA_VISIBLE_DEVICES": "" if slot == CPU else slot,
        }
        with (folder / "alive.lock").open("ab") as lock, job.log_path.open("ab") as log:
            fcntl.flock(lock, fcntl.LOCK_EX)
            child = subprocess.Popen(
                [*self.command, *job.arguments],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(lock.fileno(),),
            )
        self.children[job.job_id] = child
        self.queue.update(job.job_id, ("running", "stopping"), pid=child.pid)

    def _ended(self, job: Job) -> bool:
        child = self.children.get(job.job_id)
        if child is not None:
            return child.poll() is not None
        return not lock_held(job.log_path.parent / "alive.lock")

    def _note_end(self, job: Job) -> None:
        child = self.children.pop(job.job_id, None)
        signal_job(job.log_path.parent, signal.SIGKILL)  # what it started and left behind
        code = child.returncode if child else None
        state, error = _outcome(job, code)
        self.queue.update(
            job.job_id, ("running", "stopping"), state=state, error=error, exit_code=code, finished_at=time.time()
        )

    def _press(self, job: Job) -> None:
        """After the wish to stop, which the job reads at its next step: SIGTERM, then SIGKILL to all it started."""
        waited = time.monotonic() - self.stopping_since.setdefault(job.job_id, time.monotonic())
        if waited > self.grace:
            signal_job(job.log_path.parent, signal.SIGKILL if waited > 1.5 * self.grace else signal.SIGTERM)


def _outcome(job: Job, code: int | None) -> tuple[str, str]:
    """How a job ended, and the error in words; ``code`` is None when nobody saw its end."""
    if code == 0 or (code is None and _says_finished(job)):
        return "finished", ""
    if (job.log_path.parent / "stop").exists():
        return "stopped", ""
    if code is None:
        return "failed", f"ended while no dispatcher watched; {_GO_ON}"
    if code < 0:
        return (
            "failed",
            f"killed by {signal.Signals(-code).name}{' (out of memory?)' if code == -9 else ''}; {_GO_ON}",
        )
    return "failed", _last_line(job.log_path) or f"exit status {code}"


def lock_held(path: Path) -> bool:
    """Whether a living process holds the lock file."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _says_finished(job: Job) -> bool:
    """Whether a job whose end nobody saw had printed that its run is done."""
    return _last_line(job.log_path).startswith(f"run {job.run_id}: ")


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    written = [line.strip() for line in lines if line.strip()]
    return written[-1].removeprefix("error: ")[:500] if written else ""


if __name__ == "__main__":
    main()
