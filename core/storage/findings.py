"""What a search over a data set's photos found, kept as a table under a fixed name; a later search replaces it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from core.errors import DatasetError
from core.files import private_folder, read_json, write_json, write_text
from core.workspace import Workspace

TEXTS = dict.fromkeys(("photo_id", "person_id", "nearest", "first", "second", "where"), object)


@dataclass(frozen=True)
class Finding:
    """A kept table; ``about`` holds created_at, fingerprint (of the index it was made from) and its maker's notes."""

    table: pd.DataFrame
    about: dict[str, Any]


def save_finding(
    workspace: Workspace, dataset_id: str, name: str, table: pd.DataFrame, *, about: Mapping[str, Any]
) -> None:
    """Keep a table in the place of an earlier one."""
    folder = private_folder(workspace.root / "findings" / dataset_id)
    write_text(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
    created = datetime.now(UTC).isoformat(timespec="milliseconds")
    write_json(folder / f"{name}.json", {"created_at": created, **about})


def open_finding(workspace: Workspace, dataset_id: str, name: str) -> Finding | None:
    """The kept table of that name, None when nobody has searched yet.

    Raises:
        DatasetError: it is damaged.
    """
    stem = workspace.root / "findings" / dataset_id / name
    try:
        about = read_json(stem.with_suffix(".json"))
        table = pd.read_csv(stem.with_suffix(".csv"), dtype=TEXTS, keep_default_na=False, na_values={"fits": [""]})
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DatasetError(f"{stem}.csv cannot be read ({error}); search again") from None
    return Finding(table, about)
