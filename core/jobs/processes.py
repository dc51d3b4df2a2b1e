"""The living processes of a job.

A job's process and all that it starts carry the job's folder in their environment. That mark, not a process
id, says whom a signal may go to: an id is another process's by the time its owner is dead.
"""

import os
import signal
from pathlib import Path

from core.jobs.child import FOLDER_VARIABLE


def signal_job(folder: Path, number: signal.Signals) -> int:
    """Send a signal to every living process of the job in ``folder``; how many there were."""
    mark = f"{FOLDER_VARIABLE}={folder}".encode()
    reached = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            descriptor = os.pidfd_open(int(entry.name))  # names this very process from here on
        except OSError:
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                signal.pidfd_send_signal(descriptor, number)
                reached += 1
        except OSError:  # it has just ended, or is another user's
            continue
        finally:
            os.close(descriptor)
    return reached
