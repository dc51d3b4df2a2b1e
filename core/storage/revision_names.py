"""Names that people give to label revisions; a revision is a number (``DecisionStore.revision``)."""

import json
from datetime import UTC, datetime

import pandas as pd

from core.errors import DecisionError
from core.files import private_folder
from core.storage.database import file_lock
from core.storage.journal import append_lines, read_lines
from core.workspace import Workspace

_COLUMNS = ["name", "revision", "who", "created_at", "why"]
_LONGEST = 60


class RevisionNames:
    """The names of one data set's revisions; only ever appended, a name means one revision for ever."""

    def __init__(self, workspace: Workspace, dataset_id: str) -> None:
        self.path = workspace.decisions / "revision-names.jsonl"
        self.dataset_id = dataset_id

    def add(self, name: str, revision: int, *, newest: int, who: str, why: str = "") -> None:
        """Give a revision a name; it may have several.

        Args:
            newest: the newest revision there is.
        Raises:
            DecisionError: the name is taken, empty, a number, or too long; there is no such revision.
        """
        name = " ".join(name.split())
        if not name or name.isdigit() or name == "now" or len(name) > _LONGEST or not name.isprintable():
            raise DecisionError(
                f"revision name {name!r}: give a few words with a letter, at most {_LONGEST} characters"
            )
        if not 0 <= revision <= newest:
            raise DecisionError(f"revision {revision} does not exist; there are 0 to {newest}")
        private_folder(self.path.parent)
        with file_lock(self.path.with_name("revision-names.lock")):
            known = self.list()
            if name in set(known.name):
                number = known.loc[known.name == name, "revision"].iloc[0]
                raise DecisionError(f"revision name {name!r} is taken by revision {number}; give another")
            content = {"dataset_id": self.dataset_id, "name": name, "revision": revision, "who": who}
            content |= {"created_at": datetime.now(UTC).isoformat(timespec="milliseconds"), "why": why}
            append_lines(self.path, [json.dumps(content, ensure_ascii=False) + "\n"])

    def list(self) -> pd.DataFrame:
        """All names in the order in which they were given: name, revision, who, created_at (ISO, UTC), why.

        Raises:
            DecisionError: a line cannot be read; names it.
        """
        rows = []
        for place, line in enumerate(read_lines(self.path), start=1):
            try:
                content = json.loads(line)
                if content["dataset_id"] == self.dataset_id:
                    rows.append([content[column] for column in _COLUMNS])
            except (ValueError, KeyError, TypeError):
                raise DecisionError(f"{self.path} line {place} is damaged; mend or remove that line") from None
        return pd.DataFrame(rows, columns=_COLUMNS)

    def resolve(self, text: str, *, newest: int) -> int:
        """The number of a revision that is given by number, by name, or as ``now``.

        Raises:
            DecisionError: no such revision; names those with a name.
        """
        if text == "now":
            return newest
        if text.isdecimal() and int(text) <= newest:
            return int(text)
        known = self.list()
        if text in set(known.name):
            return int(known.loc[known.name == text, "revision"].iloc[0])
        names = ", ".join(known.name.tail(20)) or "none has a name yet"
        raise DecisionError(f"revision {text!r} does not exist; there are 0 to {newest}, now, and {names}")
