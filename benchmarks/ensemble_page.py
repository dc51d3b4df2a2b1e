"""How soon the page Ensemble answers in Chromium with many members.

``python -m benchmarks.ensemble_page --data DIR`` draws fifty finished runs over the data set (DIR/truth/eval.csv
gives them something to predict), opens the page with all of them, and takes members away one after another by
Backspace. Prints one JSON object, in seconds: ``first`` opening, and ``changes`` until the page stands still again.
"""

import json
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import click
import numpy as np
import pandas as pd

from benchmarks.drawn_runs import draw_run
from benchmarks.machine import machine
from core.dataset.index import Index, load_index
from core.workspace import Workspace
from tests.serving import browsing, served
from ui.times import duration

_REST_MS = 700
_DRAWN = """minutes => {
    const app = document.querySelector('[data-testid=stApp]');
    const told = [...document.querySelectorAll('[data-testid=stMetricValue]')].map((one) => one.innerText);
    return told.includes(minutes) && app.dataset.testScriptState === 'notRunning'
        && !document.querySelector('[data-stale=true]');
}"""
"""Each drawn run took a minute, so the sum tells which members the page counts."""


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--members", default=50, show_default=True)
@click.option("--changes", default=8, show_default=True)
def main(data: Path, members: int, changes: int) -> None:
    """Measure in a workspace that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        index = load_index(data, workspace)
        truth = _truth(index)
        names = [f"drawn-{number:02d}" for number in range(members)]
        for seed, name in enumerate(names):
            draw_run(workspace, index, truth, name, seed=seed, dataset_id=index.dataset_id)
        first, told = _measure(data, workspace, names, changes)
    result = {"benchmark": "ensemble_page", "photos": len(index.photos), "members": members, "first": first}
    print(json.dumps(result | {"changes": told, **machine("streamlit", "numpy")}))


def _measure(data: Path, workspace: Workspace, names: list[str], changes: int) -> tuple[float, list[float]]:
    with served(data, workspace.root) as address, browsing() as page:
        started = time.perf_counter()
        chosen = urlencode([("members", f"run:{name}") for name in names])
        page.goto(f"{address}/ensemble?{chosen}", wait_until="domcontentloaded")
        page.wait_for_function(_DRAWN, arg=_words(len(names)))
        first = time.perf_counter() - started
        field = page.get_by_test_id("stMultiSelect").first.locator("input").first
        told = []
        for left in range(len(names) - 1, len(names) - 1 - changes, -1):
            page.wait_for_timeout(_REST_MS)
            started = time.perf_counter()
            field.press("Backspace")
            page.wait_for_function(_DRAWN, arg=_words(left))
            told.append(round(time.perf_counter() - started, 3))
    return round(first, 2), told


def _words(members: int) -> str:
    return duration(60.0 * members)


def _truth(index: Index) -> np.ndarray:
    """(N,) true class of every photo."""
    told = pd.read_csv(index.data_dir / "truth" / "eval.csv", dtype={"ImageID": str}).set_index("ImageID").ans
    photos = index.photos
    return np.where(photos.split == "train", photos.label, photos.photo_id.map(told).fillna(-1)).astype(np.int64)


if __name__ == "__main__":
    main()
