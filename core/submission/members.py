"""Members of an ensemble: probabilities of every photo of the data set, on the disk and read in place.

Whatever a member was (a run, a file from outside), here it is one (N, 18) array with its rows in the
index's order, so that members are added up without sorting, matching or copying.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.dataset.index import Index
from core.errors import RunError, SubmissionError
from core.evaluation.calibration_map import Calibration, CalibrationMethod, fit_calibration
from core.files import private_folder, read_json, write_atomic, write_json
from core.storage.outside import OutsidePredictions
from core.storage.predictions import Predictions
from core.storage.runs import Run
from core.submission.ensemble import Probs
from core.taxonomy import NUM_CLASSES, IntArray
from core.workspace import Workspace

_VERSION = 3

_Read = tuple[list[Predictions], list[Predictions], Calibration]
"""What a member predicts, what each of its networks says of the evaluation photos, and the map to probabilities."""


@dataclass(frozen=True)
class Member:
    """One prediction that votes.

    Attributes:
        name: ``run:NAME``, ``outside:NAME`` or ``ensemble:NAME``.
        pred_probs: (N, 18) float32, rows as the index's photos; 0 where it predicts nothing.
        origin: where it came from, for the manifest.
        seconds: of training; what it cost.
        networks: (F, E, 18) the evaluation photos as each fold's network alone has them, as it has the train photos
            out-of-fold; empty where only their mean is known.
    """

    name: str
    pred_probs: Probs
    origin: dict[str, Any] = field(repr=False)
    seconds: float = 0.0
    networks: Probs = field(default_factory=lambda: np.zeros((0, 0, NUM_CLASSES), dtype=np.float32), repr=False)

    @cached_property
    def classes(self) -> IntArray:
        """(N,) the class it chooses; without meaning where it predicts nothing."""
        return np.asarray(self.pred_probs.argmax(axis=1), dtype=np.int64)

    @cached_property
    def predicted(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """(N,) whether it predicts a photo: every evaluation photo, and train photos out-of-fold."""
        return np.asarray(self.pred_probs[:, 0] > 0)


@dataclass(frozen=True)
class Rows:
    """The photos of a data set as members see them.

    Attributes:
        photo_ids: (N,) train photos, then evaluation photos in info.csv's order.
        labels: (N,) label that stands, -1 for evaluation photos and for those without one.
        ages: (N,) years, -1 where unknown.
        person_ids: (N,) "" for evaluation photos.
        first_evaluation: row of the first evaluation photo.
    """

    photo_ids: np.ndarray[Any, Any]
    labels: IntArray
    ages: IntArray
    person_ids: np.ndarray[Any, Any]
    first_evaluation: int
    dataset_id: str

    @classmethod
    def of(cls, index: Index, labels: IntArray) -> "Rows":
        """Rows of an index, with the labels that stand."""
        photos = index.photos
        evaluation = (photos.split == "eval").to_numpy()
        first = int(evaluation.argmax()) if evaluation.any() else len(photos)
        return cls(
            photos.photo_id.to_numpy(dtype=object),
            np.where(evaluation, -1, labels),
            photos.age.to_numpy(dtype=np.int64),
            photos.person_id.to_numpy(dtype=object),
            first,
            index.dataset_id,
        )

    @property
    def evaluation(self) -> slice:
        """The rows of info.csv."""
        return slice(self.first_evaluation, len(self.photo_ids))

    @property
    def evaluation_ids(self) -> list[str]:
        """ImageIDs in info.csv's order."""
        return [str(photo_id) for photo_id in self.photo_ids[self.evaluation]]

    @cached_property
    def digest(self) -> str:
        """Changes with any photo's place."""
        return hashlib.sha256("\n".join(self.photo_ids).encode()).hexdigest()


def member_of_run(workspace: Workspace, rows: Rows, run: Run, *, calibration: CalibrationMethod) -> Member:
    """A finished run as a member.

    Args:
        calibration: fitted to its out-of-fold labels.
    Raises:
        RunError: unfinished, of another data set, or without all evaluation photos; names the run.
    """
    made_for = run.manifest["dataset_id"]
    if made_for != rows.dataset_id:
        raise RunError(
            f"run {run.run_id} was made for data set {made_for}, this one is {rows.dataset_id}; choose another run"
        )
    result = run.result()
    if result is None:
        raise RunError(f"run {run.run_id} is unfinished; go on with it first: resume --run {run.run_id}")
    hashes = [_hash_of(run.path / "oof.json"), _hash_of(run.path / "evaluation.json")]

    def read() -> _Read:
        parts, networks = [run.evaluation()], list(run.evaluations())
        if not (run.path / "oof.json").exists():
            return parts, networks, Calibration("none")
        oof = run.oof()
        labels = run.train_photos().set_index("photo_id").label.reindex(oof.photo_ids.tolist()).to_numpy()
        known = labels >= 0
        fitted = fit_calibration(oof.logits[known], labels[known].astype(np.int64), method=calibration)
        return [oof, *parts], networks, fitted

    pred_probs, networks, calibrated = _kept(workspace, rows, f"run {run.run_id}", [*hashes, calibration], read)
    origin = {
        "kind": "run",
        "run_id": run.run_id,
        "label_revision": run.manifest["label_revision"],
        "decided_photos": run.manifest.get("decided_photos", {}),
        "pseudo_labels": run.config.data.pseudo_labels,
        "train_decisions": run.config.data.train_decisions,
        "macro_f1": result.get("macro_f1"),
        "calibration": calibrated,
        "oof_sha256": hashes[0],
        "evaluation_sha256": hashes[1],
    }
    return Member(f"run:{run.run_id}", pred_probs, origin, float(result.get("seconds") or 0.0), networks)


def member_of_outside(
    workspace: Workspace, rows: Rows, outside: OutsidePredictions, *, calibration: CalibrationMethod
) -> Member:
    """Predictions from outside as a member; calibrated only when the file held train photos."""
    digest = _hash_of(outside.path / "predictions.json")

    def read() -> _Read:
        predictions = outside.predictions()
        labels = pd.Series(rows.labels, index=rows.photo_ids).reindex(predictions.photo_ids.tolist()).to_numpy()
        known = labels >= 0
        if not known.any():
            return [predictions], [], Calibration("none")
        fitted = fit_calibration(predictions.logits[known], labels[known].astype(np.int64), method=calibration)
        return [predictions], [], fitted

    labels_used = hashlib.sha256(rows.labels.tobytes()).hexdigest() if calibration != "none" else ""
    pred_probs, networks, calibrated = _kept(
        workspace, rows, f"outside {outside.name}", [digest, calibration, labels_used], read
    )
    origin = {"kind": "outside", "name": outside.name, **outside.origin(), "calibration": calibrated}
    del origin["added_at"]  # the same file imported later is the same member
    return Member(f"outside:{outside.name}", pred_probs, origin, networks=networks)


def _kept(
    workspace: Workspace,
    rows: Rows,
    name: str,
    inputs: list[Any],
    read: Callable[[], _Read],
) -> tuple[Probs, Probs, dict[str, Any]]:
    """Probabilities in the index's order and each network's as memory maps, and their calibration; made once."""
    key = hashlib.sha256(json.dumps([_VERSION, rows.digest, name, *inputs]).encode()).hexdigest()[:24]
    path = private_folder(workspace.cache / "members") / f"{key}.npy"
    if not path.with_suffix(".json").exists():
        parts, folds, calibration = read()
        pred_probs = np.zeros((len(rows.photo_ids), NUM_CLASSES), dtype=np.float32)
        for part in parts:
            where = pd.Index(rows.photo_ids).get_indexer(pd.Index(part.photo_ids.astype(object)))
            _check_known(name, part, where, rows)
            pred_probs[where[where >= 0]] = calibration.probabilities(part.logits[where >= 0])
        np.maximum(pred_probs, np.float32(1e-30), out=pred_probs, where=pred_probs.any(axis=1, keepdims=True))
        missing = np.flatnonzero(~pred_probs[rows.evaluation].any(axis=1))
        if len(missing):
            raise RunError(
                f"{name} leaves out {len(missing):,} of the {len(rows.evaluation_ids):,} photos in info.csv, such as "
                f"{rows.evaluation_ids[missing[0]]}; predict all of them"
            )
        networks = np.zeros((len(folds), len(rows.evaluation_ids), NUM_CLASSES), dtype=np.float32)
        for network, fold in zip(networks, folds, strict=True):
            where = pd.Index(fold.photo_ids.astype(object)).get_indexer(pd.Index(rows.evaluation_ids, dtype=object))
            network[:] = calibration.probabilities(fold.logits[where])
        write_atomic(path, lambda file: np.save(file, pred_probs, allow_pickle=False))
        write_atomic(_networks_of(path), lambda file: np.save(file, networks, allow_pickle=False))
        write_json(path.with_suffix(".json"), {"name": name, "calibration": asdict(calibration)})
    kept, alone = (np.load(one, mmap_mode="r", allow_pickle=False) for one in (path, _networks_of(path)))
    return kept, alone, read_json(path.with_suffix(".json"))["calibration"]


def _networks_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}-networks.npy")


def _check_known(name: str, part: Predictions, where: IntArray, rows: Rows) -> None:
    """Evaluation predictions may hold no unknown photo; a train photo may have left the data set since."""
    unknown = part.photo_ids[where < 0]
    if len(unknown) and (where >= rows.first_evaluation).any():
        raise RunError(
            f"{name} predicts {len(unknown):,} photos that the data set does not hold, such as {unknown[0]}; "
            "predict the photos of info.csv"
        )


def _hash_of(manifest: Path) -> str:
    """The hash that predictions carry, without reading them again."""
    try:
        return str(read_json(manifest)["sha256"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError) as error:
        raise SubmissionError(f"{manifest} cannot be read ({error}); train the run again") from None
