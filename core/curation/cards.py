"""Cards: what a reviewer sees of one unit, as plain JSON. CONTRACT of the review component (docs/architecture.md)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.curation.review_table import STILL_OPEN, ReviewTable
from core.taxonomy import AGE_BANDS, GENDERS, MASKS, NUM_CLASSES, IntArray, decode

Card = dict[str, Any]
_VALUES = {"mask": MASKS, "gender": GENDERS, "age_band": AGE_BANDS}
_FIELD = {"mask": "mask", "gender": "gender", "age": "age_band"}


def cards(
    table: ReviewTable,
    rows: pd.DataFrame,
    *,
    queue: str,
    reasons: Mapping[str, list[str]] | None = None,
) -> list[Card]:
    """A card for each row of a queue, in its order.

    Args:
        table: where the rows come from.
        rows: some of ``table.units``, best first (``queues.queue_rows``).
        reasons: more words to say why, by target.
    Returns:
        ``neighbours`` is left empty: whoever has a run's features fills it in (``curation.neighbours``).
    """
    order = np.argsort(table.photos.group.to_numpy(), kind="stable")
    starts = np.searchsorted(table.photos.group.to_numpy()[order], np.arange(len(table.units) + 1))
    made = []
    for group, row in zip(rows.index.tolist(), rows.itertuples(), strict=True):
        members = order[starts[group] : starts[group + 1]]
        card = _card(table, row, members, queue)
        card["why"] += (reasons or {}).get(card["target"], [])
        made.append(card)
    return made


def _card(table: ReviewTable, row: Any, members: IntArray, queue: str) -> Card:
    members = first_to_look_at(table, row, members)
    head = members[0]
    cell = table.cells[row.Index].reshape(len(GENDERS), len(AGE_BANDS))
    probs = {"mask": table.mask_probs[head], "gender": cell.sum(axis=1), "age": cell.sum(axis=0)}
    is_train = row.split == "train"
    current = _current(table, row, members) if is_train else None
    proposal = _proposal(table, row, members, probs, current, queue)
    whole = row.unit == "photo" and None not in proposal.values()
    shown = members if row.unit == "person" or not is_train else _with_the_person(table, head)
    each = table.photo_cells[shown].reshape(-1, len(GENDERS), len(AGE_BANDS)).sum(axis=1)
    choices = _mask_choices(table, row, shown, queue) if is_train else []
    return {
        "target": row.target,
        "unit": row.unit,
        "title": _title(row),
        "photos": [_photo(table, place, is_train) for place in shown],
        "current": current,
        "proposal": proposal,
        "label": int(table.photos.proposal.to_numpy()[head]) if whole and not is_train else None,
        "probs": {axis: _rounded(values) for axis, values in probs.items()},
        "photo_probs": [_rounded(values) for values in each],
        "confidence": _confidence(row, proposal, probs, choices, is_train),
        "gain": round(float(row.gain), 6),
        "why": _decided_already(table, members) * (not is_train) + _why(row, proposal, probs, current, choices),
        "neighbours": [],
        "choices": choices,
    }


def first_to_look_at(table: ReviewTable, row: Any, members: IntArray) -> IntArray:
    """Train: the photo with the most doubtful label; evaluation: the one without a mask, which shows most."""
    photos = table.photos
    if row.split == "train":
        key = -photos.wrong.to_numpy()[members] if row.axis == "mask" else -table.mask_probs[members, len(MASKS) - 1]
    else:
        key = -table.mask_probs[members, len(MASKS) - 1]
    return members[np.argsort(key.round(3), kind="stable")]


def _with_the_person(table: ReviewTable, head: int) -> IntArray:
    """A train photo first, then its person's others."""
    person = table.photos.person_id.to_numpy()
    near = np.arange(max(head - 60, 0), min(head + 60, len(person)))  # a person's photos stand together
    others = near[(person[near] == person[head]) & (near != head)]
    return np.concatenate([[head], others])


def _title(row: Any) -> str:
    if row.split == "train":
        return f"{row.target} · labelled {row.age} years"
    if row.unit == "person":
        return f"group {row.target} · {row.size} photos"
    return str(row.target)


def _photo(table: ReviewTable, place: int, is_train: bool) -> dict[str, Any]:
    photo = table.photos.iloc[place]
    seen = int(table.mask_probs[place].argmax())
    note = str(photo.kind) if is_train else MASKS[seen]
    return {
        "photo_id": str(photo.photo_id),
        "note": note,
        "mask": None if is_train else int(photo.proposal) // 6,
        "decided": photo.decision not in STILL_OPEN,
    }


def _current(table: ReviewTable, row: Any, members: IntArray) -> dict[str, int | None] | None:
    label = int(table.photos.label.to_numpy()[members[0]])
    if label < 0:
        return None
    mask, gender, band = (int(value) for value in decode(label))
    return {
        "mask": mask if row.unit == "photo" else None,
        "gender": gender,
        "age_band": band,
        "age_years": int(row.age),
    }


def _proposal(
    table: ReviewTable,
    row: Any,
    members: IntArray,
    probs: dict[str, Any],
    current: dict[str, int | None] | None,
    queue: str,
) -> dict[str, int | None]:
    proposed: dict[str, int | None] = dict.fromkeys(_VALUES)
    if current is None:
        mask, gender, band = decode(int(table.photos.proposal.to_numpy()[members[0]]))
        return {"mask": int(mask) if row.unit == "photo" else None, "gender": int(gender), "age_band": int(band)}
    axis = "age" if queue == "age_boundary" else row.axis
    seen = int(np.argmax(probs[axis]))
    if current[_FIELD[axis]] not in (None, seen):
        proposed[_FIELD[axis]] = seen
    return proposed


def _confidence(
    row: Any, proposal: dict[str, int | None], probs: dict[str, Any], choices: list[dict[str, Any]], is_train: bool
) -> float:
    told = [probs[axis][value] for axis, field in _FIELD.items() if (value := proposal[field]) is not None]
    told += [item["confidence"] for choice in choices if choice["proposed"] for item in choice["items"]]
    return round(float(min(told)) if is_train and told else float(row.confidence), 4)


def _mask_choices(table: ReviewTable, row: Any, shown: IntArray, queue: str) -> list[dict[str, Any]]:
    """One key that gives all photos whose mask is seen otherwise the mask that is seen; a swap is one decision.

    ``proposed``: it is what the card proposes, so accepting makes it. Not where the question is an age, nor on the
    card of a photo, but for a swap that the photo is part of.
    """
    labels = table.photos.label.to_numpy()[shown]
    seen = table.mask_probs[shown].argmax(axis=1)
    odd = np.flatnonzero((labels >= 0) & (seen != labels // (NUM_CLASSES // len(MASKS))))
    if not len(odd):
        return []
    names = table.photos.kind.to_numpy()[shown[odd]]
    swapped = row.contradiction == "swapped" and len(odd) == 2
    words = (
        f"swap {names[0]} and {names[1]}"
        if swapped
        else "; ".join(f"{name} is {MASKS[seen[place]]}" for name, place in zip(names, odd, strict=True))
    )
    items = [
        {
            "unit": "photo",
            "target": str(table.photos.photo_id.iloc[shown[place]]),
            "kind": "accept",
            "mask": int(seen[place]),
            "gender": None,
            "age_band": None,
            "age_years": None,
            "proposal": None,
            "confidence": round(float(table.mask_probs[shown[place], seen[place]]), 4),
            "seconds": 0.0,
            "why": words,
        }
        for place in odd
    ]
    concerns = row.unit == "person" or (swapped and row.target in {item["target"] for item in items})
    return [{"key": "s", "words": words, "proposed": concerns and queue != "age_boundary", "items": items}]


def _decided_already(table: ReviewTable, members: IntArray) -> list[str]:
    """Photos of a found group that somebody decided count for its others, and a decision of the group leaves them."""
    decided = int((~table.photos.decision.iloc[members].isin(STILL_OPEN)).sum())
    words = f"{decided} of its {len(members)} photos are decided and stay so, which counts for the others"
    return [words] * (0 < decided < len(members))


def _why(
    row: Any, proposal: dict[str, int | None], probs: dict[str, Any], current: dict[str, int | None] | None,
    choices: list[dict[str, Any]],
) -> list[str]:  # fmt: skip
    if current is None:
        least = min(probs, key=lambda axis: float(np.max(probs[axis])))
        is_sure = np.max(probs[least]) >= 0.995
        return [
            "sure of mask, gender and age" if is_sure else f"least sure of {least}: " + _shares(least, probs[least])
        ]
    told = []
    for axis, field in _FIELD.items():
        value, given = proposal[field], current[field]
        if value is not None and given is not None:
            told.append(
                f"labelled {_VALUES[field][given]}, seen as {_VALUES[field][value]} ({probs[axis][value]:.0%})"
            )
    if row.contradiction == "gender":
        told.append("its photos are not seen as one gender")
    if choices:
        told.append(("masks labelled and seen the other way round: " if row.contradiction == "swapped" else "masks: ")
                    + choices[0]["words"])  # fmt: skip
    if row.together >= 0:
        gender, band = divmod(int(row.together), len(AGE_BANDS))
        told.append(
            f"all photos of the person together: {GENDERS[gender]}, {AGE_BANDS[band]} ({row.together_share:.0%})"
        )
    if row.wrong >= 0.01:
        told.append(f"{row.wrong:.0%} likely that its label is wrong")
    return told or [f"least sure of {row.axis}: " + _shares(row.axis, probs[row.axis])]


def _shares(axis: str, values: Any) -> str:
    names = _VALUES[_FIELD[axis]]
    return ", ".join(f"{name} {share:.0%}" for name, share in zip(names, values, strict=True) if share >= 0.005)


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 4) for value in values]
