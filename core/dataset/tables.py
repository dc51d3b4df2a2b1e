"""The organisers' csv files and folder names as rows, with what is odd about them.

Ids are text and a person is a folder: ``000123-1`` and ``000123`` are two people, and one id may
stand twice with two ages.
"""

import io
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from core.errors import DatasetError
from core.taxonomy import GENDERS, NUM_CLASSES

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


def read_csv(path: Path, columns: list[str], *, or_else: str = "") -> pd.DataFrame:
    """A csv file as text columns; ``or_else`` is the next step to name when there is none.

    Raises:
        DatasetError: missing, empty, not UTF-8, or without a needed column.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, skipinitialspace=True)
    except FileNotFoundError:
        raise DatasetError(f"{path} does not exist; a data set needs it (data/README.md){or_else}") from None
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

    train.csv is the first source and the folder's name the second: it speaks for folders that the csv
    does not list, or lists with a gender or age that cannot be.

    Args:
        folders: the folders in train/images, hidden ones left out.
    Raises:
        DatasetError: no train.csv or a wrong one, a path that leaves the photos' folder, no person at all.
    """
    listed = _listed_people(data_dir / "train" / "train.csv", anomalies)
    rows = []
    for folder in folders:
        where = f"train/images/{folder}"
        named = parse_folder(folder)
        known = listed.get(folder) or named
        if folder not in listed:
            detail = "its name tells gender and age" if named else "left out: its name is not id_gender_race_age"
            anomalies.add("not in csv", where, detail)
        elif known is None:
            anomalies.add("unknown person", where, "left out: neither train.csv nor its name tells gender and age")
        elif named is not None and named != known:
            detail = f"csv {_words(known)}, folder {_words(named)}; the csv is used"
            anomalies.add("csv and folder disagree", where, detail)
        if known is not None:
            rows.append((folder, *known))
    present = set(folders)
    for folder in listed:
        if folder not in present:
            anomalies.add("missing folder", f"train/images/{folder}", "train.csv names it")
    if not rows:
        raise DatasetError(f"{data_dir / 'train' / 'images'} holds no person's folder; see data/README.md")
    return pd.DataFrame(rows, columns=["person_id", "gender", "age"])


def _listed_people(path: Path, anomalies: Anomalies) -> dict[str, tuple[int, int] | None]:
    """train.csv: folder -> (gender, age), or None where the csv's values cannot be."""
    header_alone = f"; to go by the folders' names alone, write this line there: {','.join(TRAIN_COLUMNS)}"
    table = read_csv(path, TRAIN_COLUMNS, or_else=header_alone)
    people: dict[str, tuple[int, int] | None] = {}
    for number, row in enumerate(table.itertuples(index=False), start=2):
        folder = str(row.path).strip()
        if not folder or "/" in folder or "\\" in folder or folder.startswith("."):
            raise DatasetError(f"{path} line {number}: path {folder!r} is not the name of a folder in train/images")
        if folder in people:
            anomalies.add("listed twice", f"train/images/{folder}", f"train.csv line {number}; the last line counts")
        if folder.split("_")[0] != row.id:
            detail = f"train.csv line {number}: id {row.id}; a person is a folder, its id is not used"
            anomalies.add("csv and folder disagree", f"train/images/{folder}", detail)
        people[folder] = _person(str(row.gender), str(row.age))
        if people[folder] is None:
            detail = f"train.csv line {number}: gender {row.gender!r}, age {row.age!r}; its name is asked instead"
            anomalies.add("label out of range", f"train/images/{folder}", detail)
    for identifier, group in table.groupby("id"):
        if len(group) > 1:
            detail = f"id {identifier} stands {len(group)} times; each folder counts as a person"
            anomalies.add("id used twice", f"train/images/{group.path.iloc[0]}", detail)
    return people


def _person(gender: str, age: str) -> tuple[int, int] | None:
    if gender not in GENDERS or not (age.isascii() and age.isdigit()) or int(age) not in _AGES:
        return None
    return GENDERS.index(gender), int(age)


def parse_folder(name: str) -> tuple[int, int] | None:
    """(gender index, age in years) of a folder named ``id_gender_race_age``, None for other names.

    >>> parse_folder("000123-1_female_Asian_45")
    (1, 45)
    """
    parts = name.split("_")
    return _person(parts[1], parts[3]) if len(parts) == 4 else None


def read_eval_ids(data_dir: Path, anomalies: Anomalies) -> list[str]:
    """The ImageIDs of info.csv, in its order.

    Raises:
        DatasetError: no info.csv or a wrong one, an ImageID that is no plain file name or stands twice.
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
    for row in table[~labels.between(0, NUM_CLASSES - 1)].itertuples():
        anomalies.add("label out of range", "eval/info.csv", f"ans {row.ans!r} of {row.ImageID}")
    return table.ImageID.tolist()


def _words(person: tuple[int, int]) -> str:
    return f"{GENDERS[person[0]]} {person[1]}"
