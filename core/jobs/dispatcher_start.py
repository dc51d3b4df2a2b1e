"""Seeing to it that one dispatcher lives, whoever asks and from wherever."""

import fcntl
import os
import subprocess
import sys

from core.files import private_folder
from core.jobs.child import FOLDER_VARIABLE
from core.workspace import PROJECT, Workspace

LOCK = "dispatcher.lock"


def ensure_dispatcher(workspace: Workspace) -> None:
    """Start a detached dispatcher unless one holds the lock; returns at once."""
    folder = private_folder(workspace.jobs)
    with (folder / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
    log = folder / "dispatcher.log"
    if log.exists() and log.stat().st_size > 1_000_000:
        log.unlink()
    with log.open("ab") as out:
        subprocess.Popen(
            [sys.executable, "-m", "core.jobs.dispatcher", str(workspace.root)],
            cwd=PROJECT,
            env={name: value for name, value in os.environ.items() if name != FOLDER_VARIABLE}
            | {"PYTHONPATH": str(PROJECT)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
