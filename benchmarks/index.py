"""How long the check of a data set takes: the first time, and when nothing has changed.

    python -m benchmarks.index --data DIR

Runs the real command (``python -m core check``) in a child process, start of Python included: once with an
empty workspace and the photos dropped from the kernel's page cache, then again and again. The goals are for
25,200 photos: 10 s cold, 2 s warm. One JSON object is the last line.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import machine

GOAL_COLD_S, GOAL_WARM_S, GOAL_PHOTOS = 10.0, 2.0, 25_200
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=3, help="warm runs; the median counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as workspace:
        dropped = _drop_from_page_cache(arguments.data)
        report, cold = _check(arguments.data, workspace)
        warm = [_check(arguments.data, workspace)[1] for _ in range(arguments.repeats)]
    scale = max(1.0, report["photos"] / GOAL_PHOTOS)
    result = {
        "benchmark": "index",
        "photos": report["photos"],
        "megabytes_dropped_from_page_cache": round(dropped / 1e6),
        "cold_s": round(cold, 2),
        "warm_s": round(statistics.median(warm), 2),
        "warm_runs_s": [round(seconds, 2) for seconds in warm],
        "goal_cold_s": GOAL_COLD_S * scale,
        "goal_warm_s": GOAL_WARM_S * scale,
        "anomalies": {kind: found["count"] for kind, found in report["anomalies"].items()},
        **machine("pillow", "pandas"),
    }
    result["within_goals"] = result["cold_s"] <= result["goal_cold_s"] and result["warm_s"] <= result["goal_warm_s"]
    print(json.dumps(result))


def _check(data: Path, workspace: str) -> tuple[dict[str, Any], float]:
    """The report and the seconds it took."""
    command = [sys.executable, "-m", "core", "check", "--data", str(data), "--workspace", workspace, "--json"]
    started = time.perf_counter()
    finished = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(finished.stdout.splitlines()[-1]), time.perf_counter() - started


def _drop_from_page_cache(data: Path) -> int:
    """Ask the kernel to forget the files' content; bytes. Other files stay as they are."""
    total = 0
    for folder, _, names in os.walk(data):
        for name in names:
            descriptor = os.open(Path(folder, name), os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            total += os.fstat(descriptor).st_size
            os.close(descriptor)
    return total


if __name__ == "__main__":
    main()
