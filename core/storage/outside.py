"""Predictions made elsewhere, kept as they were read, with their origin: ``outside/<name>/``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import RunError
from core.files import private_folder, read_json, write_json
from core.storage.predictions import Predictions, read_predictions, write_predictions
from core.workspace import Workspace

_NAME = re.compile(r"\w[\w.-]{0,59}")


@dataclass(frozen=True)
class OutsidePredictions:
    """One file of predictions from outside."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def origin(self) -> dict[str, Any]:
        """dataset_id, file_name, sha256 of the file, kind, matched (how), rows, train_rows, added_at, comment."""
        try:
            return read_json(self.path / "origin.json")
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path} cannot be read ({error}); import the file again") from None

    def predictions(self) -> Predictions:
        """Log-probabilities of evaluation photos, and of train photos where the file held them."""
        return read_predictions(self.path / "predictions")


def keep_outside(
    workspace: Workspace,
    name: str,
    photo_ids: list[str],
    logits: NDArray[np.floating[Any]],
    origin: Mapping[str, Any],
) -> OutsidePredictions:
    """Keep predictions under a new name; the origin is written last and makes them whole.

    Args:
        photo_ids: (N,) unique.
        logits: (N, 18) log-probabilities.
    Raises:
        RunError: the name cannot be or is taken, or the predictions are not whole.
    """
    path = workspace.outside / name
    if not _NAME.fullmatch(name):
        raise RunError(f"name {name!r}: use up to 60 letters, digits, '-', '_' or '.', a letter or digit first")
    if (path / "origin.json").exists():
        raise RunError(f"{name} exists among the predictions from outside; give another name")
    private_folder(path)
    write_predictions(path / "predictions", photo_ids, logits)
    write_json(path / "origin.json", origin)
    return OutsidePredictions(path)


def list_outside(workspace: Workspace, dataset_id: str) -> list[OutsidePredictions]:
    """All of one data set, by name."""
    if not workspace.outside.is_dir():
        return []
    found = [OutsidePredictions(path.parent) for path in sorted(workspace.outside.glob("*/origin.json"))]
    return [one for one in found if one.origin()["dataset_id"] == dataset_id]


def open_outside(workspace: Workspace, name: str) -> OutsidePredictions:
    """One by name.

    Raises:
        RunError: no such name.
    """
    found = OutsidePredictions(workspace.outside / name)
    if not _NAME.fullmatch(name) or not (found.path / "origin.json").exists():
        raise RunError(f"there are no predictions {name!r} from outside; add them with: ensemble --add FILE")
    return found
