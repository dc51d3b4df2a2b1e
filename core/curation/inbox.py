"""What a reviewer's browser sends becomes decisions, or is refused with a reason; the browser is not trusted.

A browser repeats all its batches until it hears that they are kept, so receiving anything twice changes
nothing: decisions are known by their nonce, and an undo of what is undone already takes nothing back.
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from core.errors import DecisionError, LabelingError
from core.storage.decision_record import AXIS_FIELDS, GROUP_KINDS, Decision
from core.storage.decisions import DecisionStore

_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_ITEM_FIELDS = ("nonce", "unit", "target", "kind", *AXIS_FIELDS, "proposal", "confidence", "seconds", "why",
                "grouping", "group_id", "group_before")  # fmt: skip
_MOST_ITEMS = 2000
"""200 people of seven photos on one page stay below it."""


@dataclass
class Receipt:
    """What became of an outbox; the browser forgets what is acknowledged or refused and repeats the rest."""

    acknowledged: list[str] = field(default_factory=list)
    """Batch ids that the store holds, this time or since an earlier one."""
    refused: dict[str, str] = field(default_factory=dict)
    """Batch id -> why it can never be saved."""
    problem: str = ""
    """Why the store took nothing more; what is neither acknowledged nor refused has to come again."""


def receive(batches: object, *, store: DecisionStore, photos: pd.DataFrame, who: str) -> Receipt:
    """Save what an outbox holds, batch by batch in its order, whole or not at all.

    Args:
        batches: as the browser sent it: {batch, at (ms), who, queue, run_id, items: [...]} or
            {batch, at, who, undo: batch}; anything else is refused.
        store: where it goes.
        photos: an index's photos; every target must be among them.
        who: the reviewer, for batches that name none.
    """
    receipt = Receipt()
    known = _Known.of(photos)
    for batch in batches if isinstance(batches, list) else []:
        name = batch.get("batch") if isinstance(batch, Mapping) else None
        if not isinstance(name, str):
            continue  # nothing that could be answered
        try:
            decisions = [] if "undo" in batch else _decisions(batch, who, known)
        except DecisionError as error:
            receipt.refused[name] = str(error)
            continue
        try:
            if decisions:
                store.append(decisions)
            elif not _undo(batch, store, who):
                receipt.refused[name] = "there is nothing to undo: that batch was never saved"
                continue
        except LabelingError as error:
            receipt.problem = str(error)
            break  # later batches may be undos of this one
        receipt.acknowledged.append(name)
    return receipt


@dataclass(frozen=True)
class _Known:
    """The ids that a decision may name."""

    photo: frozenset[str]
    person: frozenset[str]
    evaluation: frozenset[str]

    @classmethod
    def of(cls, photos: pd.DataFrame) -> "_Known":
        return cls(
            photo=frozenset(photos.photo_id),
            person=frozenset(photos.person_id) - {""},
            evaluation=frozenset(photos.photo_id[photos.split == "eval"]),
        )


def _decisions(batch: Mapping[str, Any], who: str, known: _Known) -> list[Decision]:
    items = batch.get("items")
    if not _ID.fullmatch(batch["batch"]):
        raise DecisionError(f"batch {batch['batch'][:80]!r} is not an id of 8 to 64 letters and digits")
    if not isinstance(items, Sequence) or isinstance(items, str) or not 0 < len(items) <= _MOST_ITEMS:
        raise DecisionError(f"batch {batch['batch']} holds no list of 1 to {_MOST_ITEMS} decisions")
    common = {
        "who": batch.get("who") or who,
        "queue": batch.get("queue", ""),
        "run_id": batch.get("run_id") or "",
        "batch_id": batch["batch"],
        "created_at": _moment(batch.get("at")),
    }
    return [_decision(item, common, known) for item in items]


def _decision(item: object, common: dict[str, Any], known: _Known) -> Decision:
    given: dict[str, Any] = {name: item.get(name) for name in _ITEM_FIELDS} if isinstance(item, Mapping) else {}
    unit, target = given.get("unit"), given.get("target")
    if unit not in ("photo", "person") or not isinstance(target, str) or target not in getattr(known, unit):
        raise DecisionError(f"the data set has no {unit} {target!r}; read the page again")
    if not isinstance(given["nonce"], str) or not _ID.fullmatch(given["nonce"]):
        raise DecisionError(f"decision on {target}: nonce {given['nonce']!r} is not an id")
    words = {name: given[name] or "" for name in ("why", "grouping", "group_id", "group_before")}
    decision = Decision(**given | words, **common)
    if decision.kind in GROUP_KINDS and target not in known.evaluation:
        raise DecisionError(f"decision on {target}: it is no evaluation photo; the people of train photos are known")
    whole = decision.proposal is not None or None not in (decision.mask, decision.gender, decision.age_band)
    if decision.kind in ("accept", "relabel") and target in known.evaluation and not whole:
        raise DecisionError(
            f"decision on {target}: {decision.kind} of an evaluation photo needs mask, gender and age; give all three"
        )
    return decision


def _undo(batch: Mapping[str, Any], store: DecisionStore, who: str) -> bool:
    """Take a batch back; False when there is no such batch."""
    if not (store.all().batch_id == batch["undo"]).any():
        return False
    store.undo_batch(batch["undo"], who=batch.get("who") or who)
    return True


def _moment(at: object) -> str:
    """The browser's time of a decision in ISO form; now, when its clock is ahead or it sent none."""
    now = time.time()
    good = type(at) in (int, float) and 0 < at / 1000 <= now  # type: ignore[operator]
    seconds = at / 1000 if good else now  # type: ignore[operator]
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
