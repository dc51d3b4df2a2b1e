"""An array with the photos its rows belong to: ``<stem>.npy`` and ``<stem>.json``, refused when they do not fit."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import RunError
from core.files import write_atomic, write_json


def write_rows(
    stem: Path, photo_ids: Sequence[str] | NDArray[Any], rows: NDArray[np.floating[Any]], **notes: Any
) -> None:
    """Write the array, then the ids with a hash of both; a kill between the two is found on reading.

    Args:
        photo_ids: (N,) unique.
        rows: (N, D), finite.
        notes: plain values kept beside the ids.
    Raises:
        RunError: an id stands twice, or a value is not finite.
    """
    ids = [str(photo_id) for photo_id in photo_ids]
    if len(set(ids)) != len(ids):
        twice = next(photo_id for photo_id in ids if ids.count(photo_id) > 1)
        raise RunError(f"{stem.name}: photo {twice} stands twice; predict each photo once")
    if not np.isfinite(rows).all():
        raise RunError(f"{stem.name}: values are not finite; the training diverged, try a lower optim.lr")
    rows = np.ascontiguousarray(rows)
    write_atomic(stem.with_suffix(".npy"), lambda file: np.save(file, rows, allow_pickle=False))
    write_json(stem.with_suffix(".json"), {"sha256": _digest(ids, rows), **notes, "photo_ids": ids})


def read_rows(stem: Path, *, mmap: bool = True) -> tuple[NDArray[np.str_], NDArray[Any], dict[str, Any]]:
    """What ``write_rows`` wrote, checked: ids (N,), rows (N, D) read-only, and the notes.

    Args:
        mmap: leave the rows on the disk; False reads them into memory.
    Raises:
        RunError: missing, torn, or an array and ids that do not belong together.
    """
    try:
        notes = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
        rows = np.load(stem.with_suffix(".npy"), mmap_mode="r" if mmap else None, allow_pickle=False)
        ids, digest = notes.pop("photo_ids"), notes.pop("sha256")
    except FileNotFoundError as error:
        raise RunError(f"{error.filename} does not exist; the run is unfinished, resume it first") from None
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, OSError) as error:
        raise RunError(f"{stem} cannot be read ({error}); train the run again") from None
    if rows.ndim != 2 or len(rows) != len(ids) or _digest(ids, rows) != digest:
        raise RunError(f"{stem}: rows and photo ids do not belong together; train the run again")
    rows.flags.writeable = False
    return np.array(ids, dtype=str), rows, notes


def find_rows(known: NDArray[np.str_], photo_ids: NDArray[np.str_] | pd.Series) -> NDArray[np.int64]:
    """Row of each photo.

    Raises:
        RunError: a photo was not predicted.
    """
    rows = pd.Index(known).get_indexer(pd.Index(photo_ids))
    if (rows < 0).any():
        missing = list(photo_ids)[int(np.argmax(rows < 0))]
        raise RunError(f"{int((rows < 0).sum())} photos were not predicted, such as {missing}; train the run again")
    return rows.astype(np.int64)


def _digest(photo_ids: list[str], rows: NDArray[Any]) -> str:
    digest = hashlib.sha256("\n".join(photo_ids).encode())
    digest.update(np.ascontiguousarray(rows).data)
    return digest.hexdigest()
