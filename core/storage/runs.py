"""A run is a folder: what was asked, what it trained on, what happened, what came out.

Made whole or not at all: ``run.json``, ``config.json``, ``photos.csv``, ``evaluation_ids.json``. Training
adds ``environment.json``, ``events.jsonl``, ``log.txt``, ``fold<k>/``, ``oof.*``, ``evaluation.*`` and, last
of all, ``result.json``: a run with one is finished. ``features.*``, ``map.*`` and ``heatmaps/`` are made later,
on demand. A kill at any moment leaves the folder readable.
"""

import os
import re
import shutil
import subprocess
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from core.config import TrainConfig, parse_config
from core.errors import ConfigError, RunError
from core.files import private_folder, read_json, write_json, write_text
from core.storage.events import read_events
from core.storage.features import Features, read_features
from core.storage.maps import PhotoMap, read_map
from core.storage.predictions import Predictions, read_predictions
from core.workspace import PROJECT, Workspace

PHOTO_COLUMNS = ("photo_id", "person_id", "path", "fold", "label", "target", "age", "source")
"""Columns of ``photos.csv``. fold -1: trained on in every fold, validated in none. label: 0..17, what
scores compare with. target: the training class, -1 when left out of training. source: ``original``,
``decision`` or ``pseudo_label``."""

_TEXT_COLUMNS = ("photo_id", "person_id", "path", "source")
_RUN_ID = re.compile(r"\w[\w.-]{0,59}")


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
        """run.json: name, dataset_id, data_dir, created_at (ISO, UTC), label_revision, folds_to_run, decided_photos.

        ``decided_photos``: how many train and evaluation photos have a label that people made.
        """
        content = _read(self.path / "run.json")
        missing = {"dataset_id", "data_dir", "created_at", "folds_to_run"} - content.keys()
        if missing:
            raise RunError(f"{self.path / 'run.json'} lacks {', '.join(sorted(missing))}; {_DAMAGED}")
        return content

    @cached_property
    def config(self) -> TrainConfig:
        """The settings."""
        try:
            return parse_config(_read(self.path / "config.json"))
        except ConfigError as error:
            raise RunError(f"{self.path / 'config.json'}: {error}; {_DAMAGED}") from None

    def environment(self) -> dict[str, Any]:
        """Versions, device and weights as the training noted them; empty before it started."""
        path = self.path / "environment.json"
        return _read(path) if path.exists() else {}

    def train_photos(self) -> pd.DataFrame:
        """photos.csv, with the columns of ``PHOTO_COLUMNS``."""
        path = self.path / "photos.csv"
        try:
            text = dict.fromkeys(_TEXT_COLUMNS, object)
            return pd.read_csv(path, dtype=text, keep_default_na=False)[list(PHOTO_COLUMNS)]
        except (OSError, ValueError, KeyError) as error:
            raise RunError(f"{path} cannot be read: {error}; {_DAMAGED}") from None

    def eval_ids(self) -> list[str]:
        """The evaluation photos, in info.csv's order."""
        return [str(photo_id) for photo_id in _read(self.path / "evaluation_ids.json")["photo_ids"]]

    def fold_path(self, fold: int) -> Path:
        """Folder of one fold's checkpoint and logits (``val.*``, ``evaluation.*``)."""
        return self.path / f"fold{fold}"

    def result(self) -> dict[str, Any] | None:
        """result.json; None for an unfinished or damaged run."""
        try:
            return _read(self.path / "result.json")
        except RunError:
            return None

    def state(self) -> Literal["finished", "unfinished", "damaged"]:
        """``damage`` says why a run is damaged."""
        if self.damage():
            return "damaged"
        return "finished" if (self.path / "result.json").exists() else "unfinished"

    def damage(self) -> str:
        """Why the folder cannot be used; empty for a sound run."""
        try:
            _ = self.manifest, self.config
            if not (self.path / "photos.csv").is_file():
                raise RunError(f"{self.path / 'photos.csv'} does not exist; {_DAMAGED}")
            if (self.path / "result.json").exists():
                _read(self.path / "result.json")
        except RunError as error:
            return str(error)
        return ""

    def oof(self) -> Predictions:
        """Out-of-fold logits of the train photos of all folds that were run."""
        return read_predictions(self.path / "oof")

    def evaluation(self) -> Predictions:
        """Logits of the evaluation photos, in info.csv's order: the folds' mean probability, as logs."""
        return read_predictions(self.path / "evaluation")

    def evaluations(self) -> tuple[Predictions, ...]:
        """The same fold by fold, in one order of photos; the run's alone where a fold's are not kept."""
        whole = self.evaluation()
        try:
            folds = [read_predictions(self.fold_path(fold) / "evaluation") for fold in self.manifest["folds_to_run"]]
        except RunError:
            return (whole,)
        alike = all(np.array_equal(fold.photo_ids, whole.photo_ids) for fold in folds)
        return tuple(folds) if alike else (whole,)

    def features(self) -> Features:
        """The vector before the classifier, of the train photos and the evaluation photos; made on demand."""
        if not (self.path / "features.json").exists():
            raise RunError(f"run {self.run_id} has no features yet; make them with: features --run {self.run_id}")
        return read_features(self.path / "features")

    def photo_map(self) -> PhotoMap:
        """Places of all photos in the plane, laid out from the features; made on demand."""
        if not (self.path / "map.json").exists():
            raise RunError(f"run {self.run_id} has no map yet; make it with: map --run {self.run_id}")
        return read_map(self.path / "map")

    def events(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Events from a byte offset on, and the offset behind the last whole line."""
        return read_events(self.path, offset)


_DECIDED = {"train": "decision", "eval": "pseudo_label"}
"""How photos.csv calls a label that people made, by split."""


def create_run(
    workspace: Workspace,
    name: str,
    config: TrainConfig,
    *,
    dataset_id: str,
    data_dir: Path,
    train_photos: pd.DataFrame,
    eval_ids: Sequence[str],
    label_revision: int,
    folds_to_run: Sequence[int],
) -> Run:
    """A new run's folder, there whole or not at all; its name is the run_id.

    Args:
        name: any words with a letter or digit, without slashes.
        train_photos: one row a photo, with ``PHOTO_COLUMNS``.
        label_revision: number of decisions that the labels rest on.
    Raises:
        RunError: the name is taken or cannot be one, a column is missing, or a person is in two folds.
    """
    run_id = _slug(name)
    _check_photos(train_photos)
    path = private_folder(workspace.runs) / run_id
    draft = private_folder(workspace.runs / f".{os.getpid()}-{time.monotonic_ns()}.tmp")
    manifest = {
        "run_id": run_id,
        "name": name,
        "dataset_id": dataset_id,
        "data_dir": str(data_dir),
        "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "label_revision": int(label_revision),
        "folds_to_run": [int(fold) for fold in folds_to_run],
        "train_photos": len(train_photos),
        "train_people": int(train_photos.person_id.nunique()),
        "decided_photos": {split: int((train_photos.source == made_by).sum()) for split, made_by in _DECIDED.items()},
        "code_version": _code_version(),
    }
    try:
        table = train_photos[list(PHOTO_COLUMNS)]
        write_text(draft / "photos.csv", table.to_csv(index=False, lineterminator="\n"))
        write_json(draft / "evaluation_ids.json", {"photo_ids": list(eval_ids)})
        write_json(draft / "config.json", config.model_dump(mode="json"))
        write_json(draft / "run.json", manifest)
        draft.rename(path)
    except OSError as error:
        if not path.exists():
            raise RunError(f"run folder {path} cannot be written: {error}") from None
        raise RunError(f"run {run_id} exists; give another name, or go on with it: resume --run {run_id}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Run(path)


def open_run(workspace: Workspace, run_id: str) -> Run:
    """A run of the workspace.

    Raises:
        RunError: no such run (names those that exist), or a damaged one (says why).
    """
    run = Run(workspace.runs / run_id)
    if not _RUN_ID.fullmatch(run_id) or not run.path.is_dir():
        known = ", ".join(run.run_id for run in list_runs(workspace)[:20])
        known = known or "none yet; start one with: train --name NAME"
        raise RunError(f"run {run_id!r} does not exist in {workspace.root}; there are: {known}")
    if damage := run.damage():
        raise RunError(damage)
    return run


def list_runs(workspace: Workspace, dataset_id: str | None = None) -> list[Run]:
    """All runs, newest first; with ``dataset_id`` those of that data set. Damaged ones always, last."""
    if not workspace.runs.is_dir():
        return []
    paths = sorted(path for path in workspace.runs.iterdir() if path.is_dir() and _RUN_ID.fullmatch(path.name))
    sound, damaged = [], []
    for run in map(Run, paths):
        if run.damage():
            damaged.append(run)
        elif dataset_id in (None, run.manifest["dataset_id"]):
            sound.append(run)
    return sorted(sound, key=lambda run: str(run.manifest["created_at"]), reverse=True) + damaged


def _slug(name: str) -> str:
    words = unicodedata.normalize("NFC", name).lower()
    slug = re.sub(r"[^\w.-]+", "-", words).strip("-._")[:60].rstrip("-._")
    if not slug:
        raise RunError(f"run name {name!r} has no letter or digit; give another")
    if parted := {"/", "\\"} & set(name):
        raise RunError(f"run name {name!r} has a {min(parted)}, but a run is one folder; give a name such as {slug}")
    return slug


def _check_photos(photos: pd.DataFrame) -> None:
    missing = [column for column in PHOTO_COLUMNS if column not in photos]
    if missing:
        raise RunError(f"the table of photos lacks the columns {', '.join(missing)}")
    folds_of = photos[photos.fold >= 0].groupby("person_id").fold.nunique()
    if (folds_of > 1).any():
        raise RunError(
            f"person {folds_of.idxmax()} is in {folds_of.max()} folds; a person belongs to one, "
            "or scores come out too high"
        )


def _code_version() -> str:
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()


_DAMAGED = "the run's folder is damaged, start a new run"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except FileNotFoundError:
        raise RunError(f"{path} does not exist; {_DAMAGED}") from None
    except (ValueError, OSError) as error:
        raise RunError(f"{path} cannot be read: {error}; {_DAMAGED}") from None
    if not isinstance(content, dict):
        raise RunError(f"{path} holds no JSON object; {_DAMAGED}")
    return content
