"""What a job's own process knows of being a job."""

import os
from pathlib import Path

FOLDER_VARIABLE = "MASKDESK_JOB"


def stop_requested() -> bool:
    """Whether someone asked this process's job to stop; False outside of a job."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return bool(folder) and (Path(folder or "") / "stop").exists()
