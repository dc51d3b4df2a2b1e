"""How fast and how safe reviewing is in Chromium: ``python -m benchmarks.review --data DIR --workspace DIR``.

Prints one JSON object: medians and 95th percentiles from a key to the next card painted, from Enter to the next
page with all 24 photos complete, and from Enter to the row in SQLite; then decisions a minute while a script asks
for 500, and how many were lost. ``--kills N`` kills the server N times during a scripted review instead. The
workspace is only read: decisions go to a copy that shares its runs and caches.
"""

import argparse
import json
import random
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from core.storage.decisions import DecisionStore
from core.storage.runs import list_runs
from core.workspace import Workspace
from tests.serving import browsing, free_port, start

WHO = "benchmark"
BARE = "tests/review_app.py"
"""Stands in for the queue of pseudo labels where the workspace holds no finished run."""
_KEYS = "aaaaxa1a3"
_PROBE = """() => {
    const find = (name) =>
        [...document.querySelectorAll("*")].map((e) => e.shadowRoot?.querySelector(name)).find(Boolean);
    window.addEventListener("maskdesk-saved", (event) => window.probe.saved.push(...event.detail));
    window.probe = {
        saved: [],
        target: () => (find(".stage.card, .stage.grid")?.dataset.target ?? ""),
        waiting: () => !find(".saves") || find(".saves").textContent.includes("on the way"), // absent: comes back
        arm: () => {
            const stage = find(".stage");
            const before = stage.dataset.target;
            window.probe.at = new Promise((resolve) => (window.probe.resolve = resolve));
            window.addEventListener("keydown", (event) => {
                window.probe.pressed = performance.timeOrigin + event.timeStamp;
                const look = () => {
                    const photos = [...stage.querySelectorAll(".large img, .tile img")];
                    const whole = photos.length && photos.every((img) => img.complete && img.naturalWidth);
                    if (stage.dataset.target === before || !whole) return requestAnimationFrame(look);
                    const painted = new MessageChannel(); // its message comes after the frame is painted
                    painted.port1.onmessage = () => window.probe.resolve(performance.now() - event.timeStamp);
                    painted.port2.postMessage(0);
                };
                requestAnimationFrame(look);
            }, { once: true, capture: true });
        },
    };
}"""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--per-minute", type=float, default=500.0)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = _beside(args.workspace.resolve(), Path(folder))
        with _Desk(args.data.resolve(), workspace) as desk:
            figures = _kills(desk, args) if args.kills else _speed(desk, args)
    print(json.dumps(figures))


class _Desk:
    """The app, a browser on it, and the decisions it wrote."""

    def __init__(self, data_dir: Path, workspace: Workspace) -> None:
        self.data_dir, self.workspace, self.port = data_dir, workspace, free_port()
        self.server: subprocess.Popen[bytes] | None = None
        self.real = any(run.state() == "finished" for run in list_runs(workspace))
        self.store = DecisionStore(workspace, "benchmark")
        self.store.append([])  # makes the database

    def __enter__(self) -> "_Desk":
        self.start()
        self._browsing = browsing()
        self.page: Page = self._browsing.__enter__()
        self.page.add_init_script(f"localStorage.setItem('maskdesk.reviewer', '{WHO}')")
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self._browsing.__exit__(*error)  # type: ignore[arg-type]

    def start(self) -> None:
        """Start the server on the same port as before."""
        self.server = start(
            self.data_dir, self.workspace.root, port=self.port, script="app.py" if self.real else BARE
        )

    def kill(self) -> None:
        """kill -9."""
        if self.server:
            self.server.kill()
            self.server.wait(10)

    def open(self, mode: str) -> None:
        """A review from the start, with the probe in the page."""
        place = f"pseudo_labels?unit=photo&order=confidence&mode={mode}" if self.real else f"?mode={mode}&who={WHO}"
        self.page.goto(f"http://127.0.0.1:{self.port}/{place}", wait_until="domcontentloaded")
        self.page.locator(".stage img").first.wait_for(timeout=120_000)
        self.page.evaluate(_PROBE)
        self.page.wait_for_timeout(2000)

    def rows(self) -> list[tuple[str, str, str]]:
        """(batch_id, nonce, target) of every row."""
        with closing(sqlite3.connect(self.store.database, timeout=30)) as connection:
            return connection.execute("SELECT batch_id, nonce, target FROM decisions ORDER BY row").fetchall()

    def newest(self) -> int:
        """The number of the newest row."""
        with closing(sqlite3.connect(self.store.database, timeout=30)) as connection:
            return connection.execute("SELECT coalesce(max(row), 0) FROM decisions").fetchone()[0]

    def settle(self, timeout_ms: int) -> None:
        """Wait until nothing is on the way."""
        self.page.wait_for_function("() => !window.probe.waiting()", timeout=timeout_ms)


def _beside(given: Workspace | Path, folder: Path) -> Workspace:
    """A workspace in ``folder`` that reads the given one's runs and caches."""
    for name in ("runs", "cache", "thumbnails"):
        source = Path(given) / name
        source.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(source)
    return Workspace(folder)


def _speed(desk: _Desk, args: argparse.Namespace) -> dict[str, Any]:
    desk.open("card")
    painted = [_press(desk, "a")[0] for _ in range(args.samples + 3)][3:]
    desk.settle(60_000)
    desk.open("grid")
    pages = [_press(desk, "Enter") for _ in range(args.samples + 3)][3:]
    desk.settle(60_000)
    rate, lost = _sustain(desk, per_minute=args.per_minute, minutes=args.minutes)
    return {
        "key_to_painted_ms": _summary(painted),
        "enter_to_page_ms": _summary([whole for whole, _ in pages]),
        "enter_to_committed_ms": _summary([committed for _, committed in pages]),
        "decisions_per_minute": rate,
        "lost": lost,
        "n": args.samples,
        "page": "pseudo_labels" if desk.real else "review_page",
    }


def _press(desk: _Desk, key: str) -> tuple[float, float]:
    """Milliseconds from a key to the next cards painted, and to their predecessors' rows in SQLite."""
    before = desk.newest()
    desk.page.evaluate("() => window.probe.arm()")
    desk.page.keyboard.press(key)
    until = time.time() + 30
    while desk.newest() == before and time.time() < until:
        time.sleep(0.001)
    committed = time.time() * 1000 - desk.page.evaluate("() => window.probe.pressed")
    painted = desk.page.evaluate("() => window.probe.at")
    desk.page.wait_for_timeout(400)  # a reviewer looks at a page before the next key
    return painted, committed


def _sustain(desk: _Desk, *, per_minute: float, minutes: float) -> tuple[float, int]:
    """Decisions a minute that a script at a fixed pace got saved, and how many of them were lost."""
    desk.open("card")
    before = {nonce for _, nonce, _ in desk.rows()}
    decided: list[str] = []
    begin = time.monotonic()
    for turn in range(round(per_minute * minutes)):
        time.sleep(max(0.0, begin + turn * 60 / per_minute - time.monotonic()))
        decided += _decide(desk, _KEYS[turn % len(_KEYS)])
    took = time.monotonic() - begin
    desk.settle(60_000)
    saved = Counter(target for _, nonce, target in desk.rows() if nonce not in before)
    lost = sum((Counter(decided) - saved).values())
    return round(sum(saved.values()) / took * 60, 1), lost


def _decide(desk: _Desk, key: str) -> list[str]:
    """Press a key; the target that it decided, none when no card was there."""
    target = desk.page.evaluate("() => window.probe.target()")
    if not target:
        return []
    desk.page.keyboard.press(key)
    return [target]


def _kills(desk: _Desk, args: argparse.Namespace) -> dict[str, Any]:
    rng = random.Random(args.seed)
    desk.open("card")
    decided: list[str] = []
    shown_not_there = 0
    for _ in range(args.kills):
        until = time.monotonic() + rng.uniform(0.2, 4.0)
        while time.monotonic() < until:
            decided += _decide(desk, rng.choice(_KEYS))
            time.sleep(rng.uniform(0.02, 0.25))
        desk.kill()
        for _ in range(rng.randrange(6)):
            decided += _decide(desk, rng.choice(_KEYS))
        kept = {batch for batch, _, _ in desk.rows()}
        shown_not_there += sum(batch not in kept for batch in desk.page.evaluate("() => window.probe.saved"))
        desk.start()
        desk.settle(300_000)
    rows = desk.rows()
    saved = Counter(target for _, _, target in rows)
    return {
        "kills": args.kills,
        "decided": len(decided),
        "saved": len(rows),
        "shown_as_saved": len(desk.page.evaluate("() => window.probe.saved")),
        "shown_as_saved_but_not_there": shown_not_there,
        "lost": sum((Counter(decided) - saved).values()),
        "doubled": len(rows) - len({nonce for _, nonce, _ in rows}) + sum((saved - Counter(decided)).values()),
    }


def _summary(values: list[float]) -> dict[str, float]:
    return {"p50": round(float(np.percentile(values, 50)), 1), "p95": round(float(np.percentile(values, 95)), 1)}


if __name__ == "__main__":
    main()
