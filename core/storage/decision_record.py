"""One decision of one person about one photo or person: its fields, their checks, its table and its line.

Most decisions are about labels. ``group`` and ``confirm`` say of an evaluation photo with which others it shows one
person; label logic never sees them (``DecisionStore.effective``), groupings do (``DecisionStore.placements``).
"""

import hashlib
import json
import math
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from core.errors import DecisionError
from core.storage.database import APPEND_ONLY
from core.taxonomy import AGE_BANDS, GENDERS, MASKS, NUM_CLASSES, age_band, decode

LABEL_KINDS = ("accept", "reject", "relabel", "skip")
GROUP_KINDS = ("group", "confirm")
KINDS = (*LABEL_KINDS, *GROUP_KINDS, "undo")
UNITS = ("photo", "person")
AXIS_FIELDS = ("mask", "gender", "age_band", "age_years")
ORIGINS = ("model", "accepted", "changed")
"""Where a decided label comes from: the model alone (accepted with many others, by a threshold, and nobody
looked at it), accepted by a person as proposed, or changed by a person."""

_OLDEST = 120
_LONGEST = 2000


def new_id() -> str:
    """A new id for a decision, a batch or a nonce."""
    return uuid.uuid4().hex


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided; an axis value of None is left open. Checked when made.

    An ``accept`` without axis values takes those of its proposal; ``age_years`` sets ``age_band`` too.

    Raises:
        DecisionError: a field has a value that cannot be; names both.
    """

    decision_id: str = field(default_factory=new_id)
    created_at: str = field(default_factory=_now)
    """ISO time, UTC."""
    dataset_id: str = ""
    """Filled in by the store."""
    who: str
    kind: str
    """One of ``KINDS``."""
    unit: str = "photo"
    target: str
    """photo_id or person_id."""
    mask: int | None = None
    gender: int | None = None
    age_band: int | None = None
    """By the competition's bounds, 30 and 60."""
    age_years: int | None = None
    queue: str = ""
    run_id: str = ""
    proposal: int | None = None
    """The label that was proposed, 0..17."""
    confidence: float | None = None
    """Of the proposal, 0..1."""
    seconds: float | None = None
    """How long the decision took."""
    why: str = ""
    batch_id: str = field(default_factory=new_id)
    """Decisions of one click; undone together."""
    undoes: str | None = None
    """kind ``undo``: the decision_id that this row takes back (an undo too: then it is a redo)."""
    nonce: str = field(default_factory=new_id)
    """The same nonce twice is one decision: whoever is unsure whether a decision arrived sends it again."""
    origin: str = ""
    """One of ``ORIGINS`` for ``accept`` and ``relabel``, worked out when left empty; empty for the others."""
    grouping: str = ""
    """Kinds ``group`` and ``confirm``: the grouping they correct (``Grouping.key``)."""
    group_id: str = ""
    """The group that the photo belongs to."""
    group_before: str = ""
    """The group that it stood in when that was decided; empty for none."""

    def __post_init__(self) -> None:
        for name in _TEXTS:
            text = getattr(self, name)
            if text is None and name == "undoes":
                continue
            self._check(isinstance(text, str), name, "is not text")
            self._check(len(text) <= _LONGEST, name, f"has over {_LONGEST} characters")
            self._check(text.isascii() or not _SURROGATE.search(text), name, "is not Unicode")
        for name in ("decision_id", "who", "target", "batch_id", "nonce"):
            self._check(bool(getattr(self, name)), name, "is empty")
        self._check(self.kind in KINDS, "kind", f"is not one of {', '.join(KINDS)}")
        self._check(self.unit in UNITS, "unit", f"is not one of {', '.join(UNITS)}")
        self._check_time()
        for name, count in _INTEGERS.items():
            number = getattr(self, name)
            whole = number is None or (type(number) is int and 0 <= number < count)
            self._check(whole, name, f"is not a whole number from 0 to {count - 1}")
        for name, most in (("confidence", 1.0), ("seconds", math.inf)):
            number = getattr(self, name)
            good = number is None or (type(number) in (int, float) and 0 <= number <= most)
            self._check(good and number != math.inf, name, "is not a number from 0" + " to 1" * (most == 1))
        self._check((self.undoes is not None) == (self.kind == "undo"), "undoes", "belongs to kind undo")
        self._check_group()
        self._complete_axes()
        self._complete_origin()

    def _check_group(self) -> None:
        groups = self.kind in GROUP_KINDS
        for name in ("grouping", "group_id"):
            self._check(bool(getattr(self, name)) == groups, name, f"does not go with kind {self.kind}")
        self._check(groups or not self.group_before, "group_before", f"does not go with kind {self.kind}")
        self._check(not groups or self.unit == "photo", "unit", f"is not photo, as kind {self.kind} needs")

    def _complete_axes(self) -> None:
        given = [name for name in AXIS_FIELDS if getattr(self, name) is not None]
        if self.kind not in ("accept", "relabel"):
            self._check(not given, given[0] if given else "", f"does not belong to kind {self.kind}")
            return
        if self.age_years is not None:
            band = int(age_band(self.age_years))
            self._check(self.age_band in (None, band), "age_band", f"is not the band of {self.age_years} years")
            object.__setattr__(self, "age_band", band)
        if not given and self.kind == "accept" and self.proposal is not None:
            for name, index in zip(AXIS_FIELDS, decode(self.proposal), strict=False):
                object.__setattr__(self, name, int(index))
        elif not given:
            raise DecisionError(
                f"decision on {self.target}: {self.kind} names no mask, gender or age; give at least one"
            )

    def _complete_origin(self) -> None:
        decides = self.kind in ("accept", "relabel")
        if not decides or self.origin:
            self._check(
                self.origin in (ORIGINS if decides else ("",)), "origin", f"does not belong to kind {self.kind}"
            )
            return
        proposed = () if self.proposal is None else decode(self.proposal)
        given = (self.mask, self.gender, self.age_band)
        as_proposed = all(value in (None, axis) for value, axis in zip(given, proposed, strict=False))
        origin = "accepted" if self.kind == "accept" and as_proposed else "changed"
        object.__setattr__(self, "origin", origin)

    def _check_time(self) -> None:
        """Times are kept in one form, so that their order as text is their order in time."""
        try:
            moment = datetime.fromisoformat(self.created_at)
        except ValueError:
            moment = None
        utc = moment is not None and moment.tzinfo is not None and not moment.utcoffset()
        self._check(utc, "created_at", "is not an ISO time in UTC")
        if moment is not None:
            object.__setattr__(self, "created_at", moment.astimezone(UTC).isoformat(timespec="milliseconds"))

    def _check(self, good: bool, name: str, problem: str) -> None:
        if not good:
            raise DecisionError(f"decision on {self.target!r}: {name} = {getattr(self, name)!r} {problem}")


FIELDS = tuple(each.name for each in fields(Decision))
LATER_FIELDS = ("origin", "grouping", "group_id", "group_before")
"""Lines and files of earlier versions lack these."""
_INTEGERS = {
    "mask": len(MASKS), "gender": len(GENDERS), "age_band": len(AGE_BANDS), "age_years": _OLDEST + 1,
    "proposal": NUM_CLASSES,
}  # fmt: skip
_NUMBERS = (*_INTEGERS, "confidence", "seconds")
NUMBER_FIELDS = _NUMBERS
_TEXTS = tuple(name for name in FIELDS if name not in _NUMBERS)
_SURROGATE = re.compile("[\ud800-\udfff]")

MIGRATIONS = (
    """
    CREATE TABLE decisions (
        row INTEGER PRIMARY KEY,
        decision_id TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL, dataset_id TEXT NOT NULL,
        who TEXT NOT NULL, kind TEXT NOT NULL, unit TEXT NOT NULL, target TEXT NOT NULL,
        mask INTEGER, gender INTEGER, age_band INTEGER, age_years INTEGER,
        queue TEXT NOT NULL, run_id TEXT NOT NULL, proposal INTEGER, confidence REAL, seconds REAL,
        why TEXT NOT NULL, batch_id TEXT NOT NULL, undoes TEXT, nonce TEXT NOT NULL UNIQUE
    );
    CREATE INDEX decisions_of_dataset ON decisions (dataset_id, row);
    CREATE INDEX decisions_of_batch ON decisions (batch_id);
    CREATE INDEX decisions_of_target ON decisions (target);
    CREATE INDEX decisions_undone ON decisions (dataset_id, row) WHERE kind = 'undo';
    """
    + APPEND_ONLY.format(table="decisions"),
    "ALTER TABLE decisions ADD COLUMN origin TEXT NOT NULL DEFAULT '';",
    "\n".join(f"ALTER TABLE decisions ADD COLUMN {name} TEXT NOT NULL DEFAULT '';" for name in LATER_FIELDS[1:]),
)
INSERT = f"INSERT INTO decisions (row, {', '.join(FIELDS)}) VALUES ({', '.join('?' * (len(FIELDS) + 1))})"
"""Row None takes the next number."""
SELECT = f"SELECT row, {', '.join(FIELDS)} FROM decisions"


def values_of(decision: Decision) -> tuple[Any, ...]:
    """The decision's fields in the order of ``FIELDS``."""
    return tuple(getattr(decision, name) for name in FIELDS)


def to_line(row: int, values: Iterable[Any]) -> str:
    """One line of the mirror, newline and all: row, the values of ``FIELDS``, a check sum over them."""
    content = json.dumps({"row": row} | dict(zip(FIELDS, values, strict=True)), ensure_ascii=False)
    return f'{content[:-1]}, "sum": "{_check_sum(content)}"}}\n'


def from_line(line: str) -> tuple[int, Decision]:
    """A line of the mirror read back; lines of earlier versions have no check sum and not all fields.

    Raises:
        DecisionError: the line is torn or changed, or a field is wrong or missing.
    """
    try:
        content = json.loads(line)
        given = content.pop("sum", None)
        whole = given is None or given == _check_sum(json.dumps(content, ensure_ascii=False))
        row = content.pop("row")
        if whole and type(row) is int and row > 0 and content.keys() | set(LATER_FIELDS) == set(FIELDS):
            return row, Decision(**content)
    except (ValueError, AttributeError, KeyError, RecursionError):
        pass
    raise DecisionError(f"not a decision, or changed: {line[:60]!r}")


def _check_sum(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()
