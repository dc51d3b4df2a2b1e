"""Proposed corrections of train labels from named sources: the published list, and folder names.

Certain ones may be accepted all at once; probable and disputed ones one by one, by someone who looks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.curation.known_fixes import LIST_NAME, PUBLISHED
from core.curation.labels import effective_labels
from core.dataset.tables import parse_folder
from core.errors import DecisionError
from core.storage.decision_record import Decision, new_id
from core.taxonomy import GENDERS, MASKS

QUEUE = "fixes"
FOLDER_NAME = "folder name"
CERTAINTIES = ("certain", "probable", "disputed")

Change = tuple[str, str, Mapping[str, Any]]
"""(unit, target, axis values), such as ``("person", "000123_male_Asian_58", {"gender": 1})``."""


@dataclass(frozen=True)
class Fix:
    """One proposed correction.

    Attributes:
        source: who proposes it, ``LIST_NAME`` or ``FOLDER_NAME``.
        certainty: one of ``CERTAINTIES``.
        changes: what accepting it decides; empty when the source names no value.
        words: what would change, for a person.
        state: ``open``, ``accepted``, ``rejected``, or ``in place`` when the labels say so already.
    """

    fix_id: str
    source: str
    certainty: str
    person_id: str
    changes: tuple[Change, ...]
    words: str
    state: str


def proposed_fixes(photos: pd.DataFrame, anomalies: pd.DataFrame, decisions: pd.DataFrame) -> list[Fix]:
    """The corrections that concern people of this data set, certain ones first.

    Args:
        photos: an index's photos.
        anomalies: an index's anomalies; those of csv against folder become proposals.
        decisions: those that stand.
    """
    train = photos[photos.split == "train"]
    labelled = effective_labels(train[train.person_id.isin(_concerned(train, anomalies))], decisions)
    by_person = {str(person): group for person, group in labelled.groupby("person_id", sort=False)}
    original = train.drop_duplicates("person_id").set_index("person_id").gender
    found = []
    for certainty, what, ids in PUBLISHED:
        for written_id in ids:
            people = [person for person in by_person if person.split("_")[0] == written_id]
            for person in people:
                changes, words = _changes(what, person, by_person[person], int(original[person]))
                unsure = len(people) > 1
                words += f"; the id stands for {len(people)} people" * unsure
                found.append((LIST_NAME, "disputed" if unsure else certainty, person, changes, words))
    found += _folder_fixes(by_person, anomalies)
    decided = decisions[(decisions.queue == QUEUE) & decisions.kind.isin(["accept", "relabel", "reject"])]
    fixes = []
    for source, certainty, person, changes, words in found:
        state = _state(source, by_person[person], changes, decided)
        fixes.append(Fix(f"{source}/{person}", source, certainty, person, changes, words, state))
    return sorted(fixes, key=lambda fix: (CERTAINTIES.index(fix.certainty), fix.source, fix.person_id))


def list_coverage(photos: pd.DataFrame) -> tuple[int, int]:
    """How many people of the published list's certain part are in the data set, and how many it names.

    In the organisers' data set it is all of them; a few alone are ids of the same number by chance.
    """
    ids = {person.split("_")[0] for person in photos.person_id[photos.split == "train"].unique()}
    certain = [written_id for certainty, _, group in PUBLISHED if certainty == "certain" for written_id in group]
    return len(ids.intersection(certain)), len(certain)


def accept_certain(fixes: Sequence[Fix], *, who: str) -> list[Decision]:
    """Decisions that accept every open certain fix, in one batch that is undone in one step."""
    batch_id = new_id()
    chosen = [fix for fix in fixes if fix.certainty == "certain" and fix.state == "open"]
    return [decision for fix in chosen for decision in _decide(fix, fix.changes, "accept", who, batch_id)]


def decide_fix(
    fixes: Sequence[Fix],
    fix_id: str,
    *,
    accept: bool,
    who: str,
    values: Mapping[str, int] | None = None,
    why: str = "",
) -> list[Decision]:
    """The batch that accepts or rejects one fix.

    Args:
        fix_id: of one of ``fixes``.
        values: axis values of the person to give instead of the proposed ones, such as ``{"age_years": 31}``.
    Raises:
        DecisionError: no such fix, it is decided already, or it names no value and none is given.
    """
    fix = next((fix for fix in fixes if fix.fix_id == fix_id), None)
    if fix is None:
        raise DecisionError(f"fix {fix_id!r} does not exist in this data set; the list names them: fixes list")
    if fix.state != "open":
        raise DecisionError(f"fix {fix_id!r} is {fix.state}; undo that decision first")
    if not accept:
        return [
            Decision(
                kind="reject", unit="person", target=fix.person_id, queue=QUEUE, run_id=fix.source, who=who, why=why
            )
        ]
    changes: tuple[Change, ...] = (("person", fix.person_id, values),) if values else fix.changes
    if not changes:
        raise DecisionError(f"fix {fix_id!r} names no right value; give one, such as --age 31")
    return _decide(fix, changes, "relabel" if values else "accept", who, new_id(), why)


def _decide(fix: Fix, changes: Sequence[Change], kind: str, who: str, batch_id: str, why: str = "") -> list[Decision]:
    common: dict[str, Any] = {"kind": kind, "queue": QUEUE, "run_id": fix.source, "who": who, "batch_id": batch_id}
    reason = why or f"{fix.source}, {fix.certainty}: {fix.words}"
    return [
        Decision(unit=unit, target=target, why=reason, **common, **dict(values)) for unit, target, values in changes
    ]


def _changes(what: str, person: str, rows: pd.DataFrame, written: int) -> tuple[tuple[Change, ...], str]:
    """What a line of the published list means for a person's photos."""
    if what in GENDERS:
        return (("person", person, {"gender": GENDERS.index(what)}),), f"gender is {what}"
    if what == "other gender":
        return (("person", person, {"gender": 1 - written}),), f"gender may be {GENDERS[1 - written]}"
    if what == "age":
        return (), "age may be wrong; the right one is not known"
    photo_of = dict(zip(rows.kind, rows.photo_id, strict=True))
    wanted = {"incorrect_mask": "normal", "normal": "incorrect"} if what == "swap" else {"incorrect_mask": "worn"}
    changes = tuple(
        ("photo", str(photo_of[kind]), {"mask": MASKS.index(mask)})
        for kind, mask in wanted.items()
        if kind in photo_of
    )
    words = "normal and incorrect_mask are swapped" if what == "swap" else "incorrect_mask is a worn mask"
    return changes, words


def _concerned(train: pd.DataFrame, anomalies: pd.DataFrame) -> set[str]:
    """The people whom a source may say something about."""
    written = {written_id for _, _, ids in PUBLISHED for written_id in ids}
    listed = {person for person in train.person_id.unique() if person.split("_")[0] in written}
    return listed | {
        str(path).rsplit("/", 1)[-1] for path in anomalies.path[anomalies.kind == "csv and folder disagree"]
    }


def _folder_fixes(by_person: Mapping[str, pd.DataFrame], anomalies: pd.DataFrame) -> list[Any]:
    found = []
    for path in anomalies.path[anomalies.kind == "csv and folder disagree"]:
        person = str(path).rsplit("/", 1)[-1]
        named = parse_folder(person)
        if named is not None and person in by_person:
            changes: tuple[Change, ...] = (("person", person, {"gender": named[0], "age_years": named[1]}),)
            words = f"the folder's name says {GENDERS[named[0]]}, {named[1]} years; train.csv says otherwise"
            found.append((FOLDER_NAME, "disputed", person, changes, words))
    return found


def _state(source: str, rows: pd.DataFrame, changes: Sequence[Change], decided: pd.DataFrame) -> str:
    about = decided[(decided.run_id == source) & decided.target.isin([rows.person_id.iloc[0], *rows.photo_id])]
    if len(about):
        return "rejected" if about.kind.iloc[-1] == "reject" else "accepted"
    columns = {"age_years": "age"}
    is_so = [
        (rows.loc[(rows.photo_id == target) | (unit == "person"), columns.get(axis, axis)] == value).all()
        for unit, target, values in changes
        for axis, value in values.items()
    ]
    return "in place" if is_so and all(is_so) else "open"
