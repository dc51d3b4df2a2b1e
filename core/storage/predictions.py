"""Logits with the photos they belong to; a file and ids that do not fit are refused."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import RunError
from core.files import write_atomic, write_json
from core.taxonomy import NUM_CLASSES


@dataclass(frozen=True)
class Predictions:
    """Logits of some photos.

    Attributes:
        photo_ids: (N,).
        logits: (N, 18) float32, read-only.
    """

    photo_ids: NDArray[np.str_]
    logits: NDArray[np.float32]

    def rows_of(self, photo_ids: NDArray[np.str_] | pd.Series) -> NDArray[np.int64]:
        """Row of each photo.

        Raises:
            RunError: a photo was not predicted.
        """
        rows = pd.Index(self.photo_ids).get_indexer(pd.Index(photo_ids))
        if (rows < 0).any():
            missing = list(photo_ids)[int(np.argmax(rows < 0))]
            raise RunError(
                f"{int((rows < 0).sum())} photos were not predicted, such as {missing}; train the run again"
            )
        return rows.astype(np.int64)


def write_predictions(stem: Path, photo_ids: Sequence[str] | NDArray[Any], logits: NDArray[np.floating[Any]]) -> None:
    """Write ``<stem>.npy`` (float32), then ``<stem>.json``; a kill between the two is found on reading.

    Args:
        stem: path without ending, such as ``run.path / "oof"``.
        photo_ids: (N,) unique.
        logits: (N, 18), finite; log-probabilities are logits too.
    Raises:
        RunError: lengths differ, an id stands twice, or the logits are not finite.
    """
    photo_ids = [str(photo_id) for photo_id in photo_ids]
    logits = np.ascontiguousarray(logits, dtype=np.float32)
    if logits.shape != (len(photo_ids), NUM_CLASSES):
        raise RunError(f"logits have shape {logits.shape} but there are {len(photo_ids)} photo ids and 18 classes")
    if len(set(photo_ids)) != len(photo_ids):
        twice = next(photo_id for photo_id in photo_ids if photo_ids.count(photo_id) > 1)
        raise RunError(f"{stem.name}: photo {twice} stands twice; predict each photo once")
    if not np.isfinite(logits).all():
        raise RunError(f"{stem.name}: logits are not finite; the training diverged, try a lower optim.lr")
    write_atomic(stem.with_suffix(".npy"), lambda file: np.save(file, logits, allow_pickle=False))
    write_json(stem.with_suffix(".json"), {"sha256": _digest(photo_ids, logits), "photo_ids": photo_ids})


def read_predictions(stem: Path, *, mmap: bool = True) -> Predictions:
    """What ``write_predictions`` wrote, checked.

    Args:
        mmap: leave the logits on the disk; False reads them into memory.
    Raises:
        RunError: missing, torn, or logits and ids that do not belong together.
    """
    try:
        manifest = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
        logits = np.load(stem.with_suffix(".npy"), mmap_mode="r" if mmap else None, allow_pickle=False)
        photo_ids, digest = manifest["photo_ids"], manifest["sha256"]
    except FileNotFoundError as error:
        raise RunError(f"{error.filename} does not exist; the run is unfinished, resume it first") from None
    except (ValueError, KeyError, TypeError, EOFError, OSError) as error:
        raise RunError(f"{stem} cannot be read ({error}); train the run again") from None
    if logits.shape != (len(photo_ids), NUM_CLASSES) or _digest(photo_ids, logits) != digest:
        raise RunError(f"{stem}: logits and photo ids do not belong together; train the run again")
    logits.flags.writeable = False
    return Predictions(np.array(photo_ids, dtype=str), logits)


def _digest(photo_ids: list[str], logits: NDArray[np.float32]) -> str:
    digest = hashlib.sha256("\n".join(photo_ids).encode())
    digest.update(np.ascontiguousarray(logits).data)
    return digest.hexdigest()
