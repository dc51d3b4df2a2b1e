"""What in a photo speaks for a class, as a network sees it: small maps kept beside the run, one file a photo."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.files import write_atomic


@dataclass(frozen=True)
class Heatmaps:
    """Maps of one photo.

    Attributes:
        classes: (C,) what the maps speak for.
        maps: (C, h, w) float32, 0 or more, in the network's own grid over the photo's crop; all on one scale.
        fold: whose network it was.
    """

    classes: NDArray[np.int64]
    maps: NDArray[np.float32]
    fold: int

    def of(self, label: int) -> NDArray[np.float32] | None:
        """(h, w) map of a class; None when there is none."""
        found = np.flatnonzero(self.classes == label)
        return self.maps[found[0]] if len(found) else None


def write_heatmaps(run_path: Path, photo_id: str, found: Heatmaps) -> None:
    """Keep the maps of a photo."""

    def write(file: BinaryIO) -> None:
        np.savez(file, classes=found.classes, maps=found.maps, fold=np.int64(found.fold))

    write_atomic(_place(run_path, photo_id), write)


def read_heatmaps(run_path: Path, photo_id: str) -> Heatmaps | None:
    """The maps of a photo; None when they were not made yet, or the file is damaged."""
    try:
        with np.load(_place(run_path, photo_id), allow_pickle=False) as kept:
            found = Heatmaps(kept["classes"], kept["maps"], int(kept["fold"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    fits = found.classes.ndim == 1 and found.maps.ndim == 3 and len(found.classes) == len(found.maps)
    return found if fits else None


def _place(run_path: Path, photo_id: str) -> Path:
    """A photo_id holds slashes, so the file has a hash of it for a name."""
    return run_path / "heatmaps" / f"{hashlib.sha256(photo_id.encode()).hexdigest()[:24]}.npz"
