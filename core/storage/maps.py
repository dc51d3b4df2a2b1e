"""A run's map of photos: a place in the plane for each, near to those that its network sees as alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import RunError
from core.storage.arrays import read_rows, write_rows


@dataclass(frozen=True)
class PhotoMap:
    """Places of train and evaluation photos.

    Attributes:
        photo_ids: (N,).
        places: (N, 2) float32, 0..1, read-only.
        fold: of the network whose features were laid out, see ``Features.fold``.
        about: how it was made: method, seconds.
    """

    photo_ids: NDArray[np.str_]
    places: NDArray[np.float32]
    fold: int
    about: dict[str, Any]


def write_map(
    stem: Path, photo_ids: Sequence[str] | NDArray[Any], places: NDArray[np.floating[Any]], *, fold: int, **about: Any
) -> None:
    """Keep a map.

    Args:
        photo_ids: (N,) unique.
        places: (N, 2), 0..1.
        about: plain values.
    Raises:
        RunError: a place lies outside.
    """
    if places.shape != (len(photo_ids), 2) or (len(places) and not 0 <= places.min() <= places.max() <= 1):
        raise RunError(f"places have shape {places.shape}, or lie outside 0..1; give {len(photo_ids)} of them inside")
    write_rows(stem, photo_ids, places.astype(np.float32), fold=int(fold), about=about)


def read_map(stem: Path) -> PhotoMap:
    """What ``write_map`` wrote, checked.

    Raises:
        RunError: missing, torn, or places and ids that do not belong together.
    """
    photo_ids, places, notes = read_rows(stem)
    return PhotoMap(photo_ids, places, int(notes["fold"]), notes["about"])
