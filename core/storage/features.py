"""What a network sees in each photo: the vector before its classifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.storage.arrays import find_rows, read_rows, write_rows


@dataclass(frozen=True)
class Features:
    """Vectors of train and evaluation photos, all from ONE fold's model, since those of two models do not compare.

    Attributes:
        photo_ids: (N,).
        vectors: (N, D) float16, read-only; zero where a photo cannot be decoded.
        fold: the model's fold: it trained on the train photos of every other fold, and sees these in a better
            light than people it never met.
    """

    photo_ids: NDArray[np.str_]
    vectors: NDArray[np.float16]
    fold: int

    def rows_of(self, photo_ids: NDArray[np.str_] | pd.Series) -> NDArray[np.int64]:
        """Row of each photo.

        Raises:
            RunError: a photo has no vector.
        """
        return find_rows(self.photo_ids, photo_ids)


def write_features(
    stem: Path, photo_ids: Sequence[str] | NDArray[Any], vectors: NDArray[np.floating[Any]], *, fold: int
) -> None:
    """Write (N, D) vectors as float16: half the size, and distances keep three digits."""
    write_rows(stem, photo_ids, vectors.astype(np.float16), fold=int(fold))


def read_features(stem: Path) -> Features:
    """What ``write_features`` wrote, checked.

    Raises:
        RunError: missing, torn, or vectors and ids that do not belong together.
    """
    photo_ids, vectors, notes = read_rows(stem)
    return Features(photo_ids, vectors, int(notes.get("fold", -1)))
