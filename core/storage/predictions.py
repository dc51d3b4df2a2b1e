"""Logits with the photos they belong to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import RunError
from core.storage.arrays import find_rows, read_rows, write_rows
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
        return find_rows(self.photo_ids, photo_ids)


def write_predictions(stem: Path, photo_ids: Sequence[str] | NDArray[Any], logits: NDArray[np.floating[Any]]) -> None:
    """Write logits as float32 (``float16`` flips some of the largest).

    Args:
        stem: path without ending, such as ``run.path / "oof"``.
        photo_ids: (N,) unique.
        logits: (N, 18), finite; log-probabilities are logits too.
    Raises:
        RunError: lengths differ, an id stands twice, or the logits are not finite.
    """
    if logits.shape != (len(photo_ids), NUM_CLASSES):
        raise RunError(f"logits have shape {logits.shape} but there are {len(photo_ids)} photo ids and 18 classes")
    write_rows(stem, photo_ids, logits.astype(np.float32))


def read_predictions(stem: Path, *, mmap: bool = True) -> Predictions:
    """What ``write_predictions`` wrote, checked.

    Args:
        mmap: leave the logits on the disk; False reads them into memory.
    Raises:
        RunError: missing, torn, or logits and ids that do not belong together.
    """
    photo_ids, logits, _ = read_rows(stem, mmap=mmap)
    if logits.shape[1] != NUM_CLASSES:
        raise RunError(f"{stem} has {logits.shape[1]} columns and not 18; train the run again")
    return Predictions(photo_ids, logits)
