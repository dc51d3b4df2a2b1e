"""The organisers' csv files and folder names as rows, with what is odd about them.

Ids are text and a person is a folder: ``000123-1`` and ``000123`` are two people, and one id may
stand twice with two ages.
"""

import io
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from core.errors import DatasetError
from core.taxonomy import GENDERS

TRAIN_COLUMNS = ["id", "gender", "race", "age", "path"]
EVAL_COLUMNS = ["ImageID", "ans"]
_AGES = range(0, 121)


@dataclass
class Anomalies:
    """What was found to be odd: rows of (kind, path, detail)."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, kind: str, path: str, detail: str = "") -> None:
        """Note one anomaly; ``path`` is relative to the data set."""
        self.rows.append((kind, path, detail))

    def frame(self) -> pd.DataFrame:
        """Columns kind, path, detail."""
        return pd.DataFrame(self.rows, columns=["kind", "path", "detail"]).astype(object)


def read_csv(path: Path, columns: list[str]) -> pd.DataFrame:
    """A csv file as text columns.

    Raises:
        DatasetError: missing, empty, not UTF-8, or without a needed column.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, skipinitialspace=True)
    except FileNotFoundError:
        raise DatasetError(f"{path} does not exist; a data set needs it (data/README.md)") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path} is not UTF-8 text; save it as UTF-8 csv") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise DatasetError(f"{path} is not a csv table: {error}") from None
    missing = [name for name in columns if name not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns[:8]))
        raise DatasetError(f"{path} lacks the column {', '.join(missing)}; found {found}")
    return table[columns]


def read_people(data_dir: Path, folders: list[str], anomalies: Anomalies) -> pd.DataFrame:
    """One row a person folder: person_id, gender (index), age (years).

    ``train.csv`` wins over the folder's name; where they disagree, or one is missing, that is an
    anomaly. Without a train.csv the folder names alone are used.

    Raises:
        DatasetError: a wrong csv file, a path that leaves the photos' folder, no person at all.
    """
    path = data_dir / "train" / "train.csv"
    listed: dict[str, tuple[int, int]] = {}
    if path.exists():
        listed = _listed_people(path, anomalies)
    else:
        anomalies.add("missing csv", "train/train.csv", "genders and ages are taken from the folder names")
    rows = []
    present = set(folders)
    for folder in folders:
        named = parse_folder(folder)
        known = listed.get(folder, named)
        if known is None:
            anomalies.add(
                "unknown person",
                f"train/images/{folder}",
                "neither in train.csv nor named id_gender_race_age",
            )
            continue
        if path.exists() and folder not in listed:
            anomalies.add("not in csv", f"train/images/{folder}", "gender and age are taken from its name")
        if named is not None and named != known:
            detail = f"csv {_words(known)}, folder {_words(named)}; the csv is used"
            anomalies.add("csv and folder disagree", f"train/images/{folder}", detail)
        rows.append((folder, *known))
    for folder in listed:
        if folder not in present:
            anomalies.add("missing folder", f"train/images/{folder}", "train.csv names it")
    if not rows:
        raise DatasetError(f"{data_dir / 'train' / 'images'} holds no person's folder; see data/README.md")
    return pd.DataFrame(rows, columns=["person_id", "gender", "age"])


def _listed_people(path: Path, anomalies: Anomalies) -> dict[str, tuple[int, int]]:
    table = read_csv(path, TRAIN_COLUMNS)
    people: dict[str, tuple[int, int]] = {}
    for number, row in enumerate(table.itertuples(index=False), start=2):
        folder = str(row.path).strip()
        where = f"{path} line {number}"
        if not folder or "/" in folder or "\\" in folder or folder.startswith("."):
            raise DatasetError(f"{where}: path {folder!r} is not the name of a folder in train/images")
        if row.gender not in GENDERS:
            raise DatasetError(f"{where}: gender {row.gender!r} is not one of {', '.join(GENDERS)}")
        if not str(row.age).isdigit() or int(str(row.age)) not in _AGES:
            raise DatasetError(f"{where}: age {row.age!r} is not a whole number of years, 0 to 120")
        if folder in people:
            anomalies.add("listed twice", f"train/images/{folder}", f"train.csv line {number}")
        people[folder] = (GENDERS.index(str(row.gender)), int(str(row.age)))
    for identifier, group in table.groupby("id"):
        if len(group) > 1:
            detail = f"id {identifier} stands {len(group)} times; each folder counts as a person"
            anomalies.add("id used twice", f"train/images/{group.path.iloc[0]}", detail)
    return people


def parse_folder(name: str) -> tuple[int, int] | None:
    """(gender index, age in years) of a folder named ``id_gender_race_age``, None for other names.

    >>> parse_folder("000123-1_female_Asian_45")
    (1, 45)
    """
    parts = name.split("_")
    if len(parts) != 4 or parts[1] not in GENDERS or not parts[3].isdigit():
        return None
    return GENDERS.index(parts[1]), int(parts[3])


def read_eval_ids(data_dir: Path, anomalies: Anomalies) -> list[str]:
    """The ImageIDs of info.csv, in its order.

    Raises:
        DatasetError: a wrong csv file, an ImageID that is no plain file name or stands twice.
    """
    path = data_dir / "eval" / "info.csv"
    table = read_csv(path, EVAL_COLUMNS)
    seen: set[str] = set()
    for number, name in enumerate(table.ImageID, start=2):
        if not name or "/" in name or "\\" in name or name.startswith("."):
            raise DatasetError(f"{path} line {number}: ImageID {name!r} is not the name of a photo in eval/images")
        if name in seen:
            raise DatasetError(f"{path} line {number}: ImageID {name} stands twice")
        seen.add(name)
    labels = pd.to_numeric(table.ans, errors="coerce")
    for row in table[~labels.between(0, 17)].head(100).itertuples():
        anomalies.add("label out of range", "eval/info.csv", f"ans {row.ans!r} of {row.ImageID}")
    return table.ImageID.tolist()


def _words(person: tuple[int, int]) -> str:
    return f"{GENDERS[person[0]]} {person[1]}"
