"""The data set as one table: a row a photo, and what is odd about the files.

A second call reads the saved table when no file's name, size or time has changed; changed files
alone are looked at again.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.dataset.scan import FoundFile, PhotoFacts, Progress, find_files, inspect_photos
from core.dataset.tables import Anomalies, read_eval_ids, read_people
from core.errors import DatasetError
from core.files import read_json, write_atomic, write_json
from core.taxonomy import PHOTO_KINDS, age_band, encode, mask_of_kind
from core.workspace import Workspace

PHOTO_SIZE = (384, 512)
"""Width and height in pixels that the organisers give their photos."""

_VERSION = 2
_TEXT = ["photo_id", "person_id", "split", "path", "kind"]


@dataclass(frozen=True)
class Index:
    """A data set as read: see ``load_index``.

    Attributes:
        photos: train rows by folder and photo kind, then eval rows in info.csv's order; columns photo_id,
            person_id ("" for eval), split, path, kind, mask, gender, age_band, age (years), label (-1 where
            unknown), width, height (pixels after EXIF rotation), readable, size (bytes), mtime_ns.
        anomalies: kind, path, detail.
        dataset_id: 12 hex digits that follow from info.csv's ImageIDs; the same after a move.
        fingerprint: changes with any file's name, size or time.
    """

    data_dir: Path
    dataset_id: str
    photos: pd.DataFrame
    anomalies: pd.DataFrame
    fingerprint: str


def load_index(data_dir: Path, workspace: Workspace, *, on_progress: Progress | None = None) -> Index:
    """Read a data set in the competition's layout.

    Raises:
        DatasetError: no such folder, a missing or wrong csv file.
    """
    data_dir = data_dir.resolve()
    for folder in ("train/images", "eval/images"):
        if not (data_dir / folder).is_dir():
            raise DatasetError(
                f"{data_dir / folder} does not exist; give the data set with --data or MASKDESK_DATA (data/README.md)"
            )
    files = [*find_files(data_dir, "train/images"), *find_files(data_dir, "eval/images")]
    fingerprint = _fingerprint(data_dir, files)
    saved = workspace.cache / "index" / hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    index = _load_saved(data_dir, saved, fingerprint)
    if index is None:
        index = _build(data_dir, files, fingerprint, _known_facts(saved), on_progress)
        _save(index, saved)
    return index


def _build(
    data_dir: Path,
    files: list[FoundFile],
    fingerprint: str,
    known: dict[tuple[str, int, int], PhotoFacts],
    on_progress: Progress | None,
) -> Index:
    anomalies = Anomalies()
    eval_ids = read_eval_ids(data_dir, anomalies)
    people = read_people(data_dir, _person_folders(data_dir), anomalies)
    photo_files = {file.path: file for file in files if file.is_photo}
    for file in files:
        if not file.is_photo:
            hidden = any(part.startswith(".") for part in file.path.split("/"))
            anomalies.add("hidden file" if hidden else "extra file", file.path, "ignored")
    rows = _train_rows(people, photo_files, anomalies) + _eval_rows(eval_ids, photo_files, anomalies)
    photos = pd.DataFrame(rows, columns=[*_TEXT, "gender", "age"])
    facts = {
        path: known[key] for path, file in photo_files.items() if (key := (path, file.size, file.mtime_ns)) in known
    }
    facts |= inspect_photos(
        data_dir, [path for path in photos.path if path in photo_files and path not in facts], on_progress
    )
    missing = PhotoFacts(0, 0, "", "missing")
    found = [facts.get(path, missing) for path in photos.path]
    photos["mask"] = [-1 if (mask := mask_of_kind(kind)) is None else mask for kind in photos.kind]
    train = (photos.split == "train").to_numpy()
    photos["age_band"] = np.where(train, age_band(photos.age), -1)
    photos["label"] = -1
    photos.loc[train, "label"] = encode(photos["mask"][train], photos.gender[train], photos.age_band[train])
    photos["width"] = [fact.width for fact in found]
    photos["height"] = [fact.height for fact in found]
    photos["readable"] = [not fact.problem for fact in found]
    photos["size"] = [photo_files[path].size if path in photo_files else 0 for path in photos.path]
    photos["mtime_ns"] = [photo_files[path].mtime_ns if path in photo_files else 0 for path in photos.path]
    photos["digest"] = [fact.digest for fact in found]
    photos["problem"] = [fact.problem for fact in found]
    _note_photo_anomalies(photos, anomalies)
    return Index(data_dir, _dataset_id(eval_ids), _text_as_objects(photos), anomalies.frame(), fingerprint)


def _person_folders(data_dir: Path) -> list[str]:
    images = data_dir / "train" / "images"
    return sorted(path.name for path in images.iterdir() if path.is_dir() and not path.name.startswith("."))


def _train_rows(
    people: pd.DataFrame, photo_files: dict[str, FoundFile], anomalies: Anomalies
) -> list[tuple[str, str, str, str, str, int, int]]:
    by_folder: dict[str, list[str]] = {}
    for path in photo_files:
        parts = path.split("/")
        if parts[0] == "train" and len(parts) == 4:
            by_folder.setdefault(parts[2], []).append(parts[3])
        elif parts[0] == "train":
            anomalies.add("extra file", path, "not in a person's folder; ignored")
    order = {kind: place for place, kind in enumerate(PHOTO_KINDS)}
    rows = []
    for folder, gender, age in people[["person_id", "gender", "age"]].to_numpy().tolist():
        named = [(name, name.rsplit(".", 1)[0]) for name in by_folder.get(folder, [])]
        for name, kind in sorted(named, key=lambda pair: (order.get(pair[1], 99), pair[0])):
            path = f"train/images/{folder}/{name}"
            if kind not in order:
                anomalies.add("extra file", path, f"{kind!r} is not one of {', '.join(PHOTO_KINDS)}; ignored")
                continue
            rows.append((f"{folder}/{name}", folder, "train", path, kind, gender, age))
        counts = Counter(kind for _, kind in named if kind in order)
        for kind in PHOTO_KINDS:
            if counts[kind] == 0:
                anomalies.add("missing photo", f"train/images/{folder}/{kind}", "no file of that name")
        if sum(counts.values()) != len(PHOTO_KINDS):
            anomalies.add("wrong count", f"train/images/{folder}", f"{sum(counts.values())} photos, expected 7")
    return rows


def _eval_rows(
    eval_ids: list[str], photo_files: dict[str, FoundFile], anomalies: Anomalies
) -> list[tuple[str, str, str, str, str, int, int]]:
    listed = {f"eval/images/{name}" for name in eval_ids}
    for path in photo_files:
        if path.startswith("eval/") and path not in listed:
            anomalies.add("extra file", path, "not in info.csv; ignored")
    for path in sorted(listed - photo_files.keys()):
        anomalies.add("missing photo", path, "info.csv names it")
    return [(name, "", "eval", f"eval/images/{name}", "", -1, -1) for name in eval_ids]


def _note_photo_anomalies(photos: pd.DataFrame, anomalies: Anomalies) -> None:
    for row in photos[photos.problem.isin(["unreadable", "truncated"])].itertuples():
        anomalies.add(str(row.problem), str(row.path), "skipped in training")
    sized = photos[photos.width > 0]
    for row in sized[(sized.width != PHOTO_SIZE[0]) | (sized.height != PHOTO_SIZE[1])].itertuples():
        anomalies.add("wrong size", str(row.path), f"{row.width} x {row.height}, expected 384 x 512; it is resized")
    same = sized[sized.duplicated("digest", keep=False) & (sized.digest != "")]
    for _, group in same.groupby("digest", sort=False):
        for path in group.path.iloc[1:]:
            anomalies.add("duplicate file", path, f"the same bytes as {group.path.iloc[0]}")


def _dataset_id(eval_ids: list[str]) -> str:
    return hashlib.sha256("\n".join(eval_ids).encode()).hexdigest()[:12]


def _fingerprint(data_dir: Path, files: list[FoundFile]) -> str:
    digest = hashlib.sha256(str(_VERSION).encode())
    for name in ("train/train.csv", "eval/info.csv"):
        path = data_dir / name
        digest.update(path.read_bytes() if path.exists() else b"missing")
    digest.update("\n".join(_person_folders(data_dir)).encode())
    digest.update("\n".join(f"{file.path}|{file.size}|{file.mtime_ns}" for file in files).encode())
    return digest.hexdigest()


def _save(index: Index, saved: Path) -> None:
    write_atomic(saved / "photos.parquet", lambda file: index.photos.to_parquet(file))
    write_atomic(saved / "anomalies.parquet", lambda file: index.anomalies.to_parquet(file))
    write_json(saved / "index.json", {"fingerprint": index.fingerprint, "dataset_id": index.dataset_id})


def _load_saved(data_dir: Path, saved: Path, fingerprint: str) -> Index | None:
    try:
        head = read_json(saved / "index.json")
        if head["fingerprint"] != fingerprint:
            return None
        photos = _read_table(saved / "photos.parquet")
        anomalies = _read_table(saved / "anomalies.parquet")
    except (OSError, ValueError, KeyError, json.JSONDecodeError):
        return None
    return Index(data_dir, head["dataset_id"], photos, anomalies, fingerprint)


def _read_table(path: Path) -> pd.DataFrame:
    return _text_as_objects(pd.read_parquet(path))


def _text_as_objects(table: pd.DataFrame) -> pd.DataFrame:
    """One dtype for text, whether the table was just built or read back from parquet."""
    text = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name].dtype)]
    return table.astype(dict.fromkeys(text, object))


def _known_facts(saved: Path) -> dict[tuple[str, int, int], PhotoFacts]:
    try:
        photos = _read_table(saved / "photos.parquet")
    except (OSError, ValueError):
        return {}
    columns = ["path", "size", "mtime_ns", "width", "height", "digest", "problem"]
    return {
        (path, size, mtime_ns): PhotoFacts(width, height, digest, problem)
        for path, size, mtime_ns, width, height, digest, problem in photos[columns].to_numpy().tolist()
    }
