"""A run is a folder: what was asked, what it trained on, what happened, what came out.

``result.json`` is written last, so a run with one is finished. A kill at any moment leaves the
folder readable.
"""

import io
import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from core.config import TrainConfig, parse_config
from core.errors import LabelingError, RunError
from core.files import read_json, write_json, write_text
from core.storage.predictions import Predictions, read_predictions
from core.workspace import Workspace

_RUN_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


@dataclass(frozen=True)
class Run:
    """One training run on disk; reads its parts when they are asked for."""

    path: Path

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """run.json: name, dataset_id, data_dir, created_at (ISO, UTC), label_revision, folds_to_run."""
        return _read(self.path / "run.json")

    @cached_property
    def config(self) -> TrainConfig:
        """The settings."""
        return parse_config(_read(self.path / "config.json"))

    def environment(self) -> dict[str, Any]:
        """Versions, device and weights as the training noted them; empty before it started."""
        path = self.path / "environment.json"
        return _read(path) if path.exists() else {}

    def train_photos(self) -> pd.DataFrame:
        """photos.csv: photo_id, person_id, path, fold, label, target, age, source."""
        text = {"photo_id": object, "person_id": object, "path": object, "source": object}
        try:
            return pd.read_csv(self.path / "photos.csv", dtype=text, keep_default_na=False)
        except (OSError, ValueError) as error:
            raise RunError(f"run {self.run_id}: photos.csv cannot be read ({error})") from None

    def result(self) -> dict[str, Any] | None:
        """result.json, None while unfinished."""
        path = self.path / "result.json"
        return _read(path) if path.exists() else None

    def state(self) -> str:
        """``finished``, ``unfinished``, or ``damaged`` (see ``damage``)."""
        return "damaged" if self.damage() else "finished" if self.result() else "unfinished"

    def damage(self) -> str:
        """Why the folder cannot be read; empty for a sound run."""
        try:
            _ = self.manifest, self.config, self.result()
        except LabelingError as error:
            return str(error)
        return ""

    def oof(self) -> Predictions:
        """Out-of-fold logits of the train photos of all folds that were run."""
        return read_predictions(self.path / "oof")

    def evaluation(self) -> Predictions:
        """Logits of the evaluation photos, in info.csv's order: the folds' mean probability, as logs."""
        return read_predictions(self.path / "evaluation")

    def events(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Events from a byte offset on, and the offset behind the last whole line."""
        try:
            with (self.path / "events.jsonl").open("rb") as file:
                file.seek(offset)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return [], offset
        events = []
        for line in whole.splitlines():
            try:
                events.append(json.loads(line))
            except ValueError:
                continue  # a line torn by a kill, closed by the next writer
        return events, offset + len(whole) + len(newline)


def append_event(run: Run, kind: str, **fields: Any) -> None:
    """Add one line to events.jsonl; a line torn by a kill is closed first."""
    line = json.dumps({"time": round(time.time(), 3), "event": kind, **fields}).encode() + b"\n"
    with (run.path / "events.jsonl").open("a+b") as file:
        end = file.seek(0, io.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line)


def create_run(
    workspace: Workspace,
    name: str,
    config: TrainConfig,
    *,
    dataset_id: str,
    data_dir: Path,
    train_photos: pd.DataFrame,
    eval_ids: list[str],
    label_revision: int,
    folds_to_run: list[int],
) -> Run:
    """A new run's folder; its name is the run_id.

    Raises:
        RunError: the name is empty or taken.
    """
    run_id = re.sub(r"[^a-z0-9._-]+", "-", name.strip().lower()).strip("-._")[:80]
    if not _RUN_ID.fullmatch(run_id):
        raise RunError(f"run name {name!r} has no letter or digit (a-z, 0-9); give another")
    workspace.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = workspace.runs / run_id
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        raise RunError(
            f"run {run_id} exists; give another name, or go on with it: resume --run {run_id}"
        ) from None
    run = Run(path)
    write_text(path / "photos.csv", train_photos.to_csv(index=False, lineterminator="\n"))
    write_json(path / "evaluation_ids.json", {"photo_ids": eval_ids})
    write_json(path / "config.json", config.model_dump(mode="json"))
    write_json(
        path / "run.json",
        {
            "run_id": run_id,
            "name": name,
            "dataset_id": dataset_id,
            "data_dir": str(data_dir),
            "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "label_revision": label_revision,
            "folds_to_run": folds_to_run,
            "train_photos": len(train_photos),
            "train_people": int(train_photos.person_id.nunique()),
        },
    )
    return run


def open_run(workspace: Workspace, run_id: str) -> Run:
    """A run of the workspace.

    Raises:
        RunError: no such run; names those that exist.
    """
    if not _RUN_ID.fullmatch(run_id) or not (workspace.runs / run_id).is_dir():
        known = ", ".join(run.run_id for run in list_runs(workspace)[:20]) or "none yet"
        raise RunError(f"run {run_id!r} does not exist in {workspace.root}; there are: {known}")
    return Run(workspace.runs / run_id)


def list_runs(workspace: Workspace, dataset_id: str | None = None) -> list[Run]:
    """All runs, newest first; with ``dataset_id`` those of that data set and damaged ones."""
    if not workspace.runs.is_dir():
        return []
    runs = [Run(path) for path in workspace.runs.iterdir() if path.is_dir() and _RUN_ID.fullmatch(path.name)]
    if dataset_id is not None:
        runs = [run for run in runs if run.damage() or run.manifest["dataset_id"] == dataset_id]
    return sorted(
        runs, key=lambda run: ("" if run.damage() else run.manifest["created_at"], run.run_id), reverse=True
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except FileNotFoundError:
        raise RunError(f"{path} does not exist; the run's folder is damaged, start a new run") from None
    except (ValueError, OSError) as error:
        raise RunError(
            f"{path} cannot be read: {error}; the run's folder is damaged, start a new run"
        ) from None
