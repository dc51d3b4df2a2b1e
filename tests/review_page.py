"""A page with the review component alone, on cards made by hand: ``?queue=...&mode=card|grid``.

The queue is ``photos``, ``people``, ``issues``, ``swaps``, whose first card proposes nothing but to swap two masks,
the second another gender as well, the others nothing, or ``groups`` of three evaluation photos: one photo of the
first group is decided, and all of the others. Other proposals follow from the names of the photos and mean nothing;
what the page shows is how the component works.
"""

import hashlib

import streamlit as st

from core.storage.decisions import DecisionStore
from core.taxonomy import decode
from ui.review import review
from ui.session import current


def _number(text: str, below: int) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % below


def _shares(name: str, favourite: int, size: int) -> list[float]:
    top = 0.5 + _number(name, 45) / 100
    return [top if value == favourite else (1 - top) / (size - 1) for value in range(size)]


def _swap(name: str, unit: str, rows, train, place: int) -> dict:
    """A person whose label is right but for two masks (place 0), also wrong in gender (1), or right."""
    card = _card(name, unit, rows, train)
    gender = 1 - card["current"]["gender"] if place == 1 else None
    choices = [choice | {"proposed": True} for choice in card["choices"]] if place < 2 else []
    return card | {"proposal": {"mask": None, "gender": gender, "age_band": None}, "choices": choices}


def _card(name: str, unit: str, rows, train) -> dict:
    label = _number(name, 18)
    mask, gender, age = (int(axis) for axis in decode(label))
    first = rows.iloc[0]
    labelled = first.split == "train"
    current_label = {"mask": int(first["mask"]), "gender": int(first.gender), "age_band": int(first.age_band),
                     "age_years": int(first.age)}  # fmt: skip
    person = unit == "person"
    near = [_number(f"{name} {i}", len(train)) for i in range(8)]
    return {
        "target": name, "unit": unit, "title": f"{unit} {name[:24]}",
        "photos": [{"photo_id": row.photo_id, "note": row.kind or "evaluation", "mask": None if labelled else mask,
                    "decided": name.startswith("group") and (name != "group 00" or row.photo_id == first.photo_id)}
                   for row in rows.itertuples()],
        "current": current_label | ({"mask": None} if person else {}) if labelled else None,
        "proposal": {"mask": None if person else mask, "gender": gender, "age_band": age},
        "label": None if person else label,
        "probs": {"mask": _shares(name, mask, 3), "gender": _shares(name, gender, 2), "age": _shares(name, age, 3)},
        "photo_probs": [_shares(row.photo_id, age, 3) for row in rows.itertuples()] if person else None,
        "confidence": 0.5 + _number(name, 50) / 100, "gain": _number(name, 90) / 30_000,
        "why": ["made by hand for this page", f"its name says {label}"],
        "neighbours": [{"label": label, "photo_ids": train.photo_id.iloc[near[:4]].tolist()},
                       {"label": (label + 1) % 18, "photo_ids": train.photo_id.iloc[near[4:]].tolist()}],
        "choices": [{"key": "s", "words": "swap normal and incorrect", "items": [
            {"unit": "photo", "target": row.photo_id, "kind": "relabel", "mask": 3 - int(row.mask), "gender": None,
             "age_band": None, "age_years": None, "proposal": None, "confidence": None, "why": "seen so"}
            for row in rows.itertuples() if row.mask in (1, 2)]}] if person and labelled else [],
    }  # fmt: skip


st.set_page_config(page_title="Review", layout="wide")
desk = current()
queue = st.query_params.get("queue", "photos")
mode = st.query_params.get("mode", "card")
size = int(st.query_params.get("size", 24))
who = st.query_params.get("who", "ada")
store = DecisionStore(desk.workspace, desk.index.dataset_id)
photos = desk.index.photos
train = photos[photos.split == "train"]
rows = photos[photos.split == "eval"] if queue in ("photos", "groups") else train
if queue == "groups":
    rows = rows.assign(person_id=[f"group {place // 3:02}" for place in range(len(rows))])
unit = "person" if queue in ("people", "swaps", "groups") else "photo"
groups = rows.groupby("person_id" if unit == "person" else "photo_id", sort=True)
decisions = store.effective()
decided = set(decisions.target[decisions.queue == queue])
decided |= set(rows.person_id[rows.photo_id.isin(decided)]) if unit == "person" else set()
names = [name for name in groups.groups if name not in decided]
total = len(groups)
ahead = names[: 3 * size if mode == "grid" else 24]
view = st.text_input("a field of the page", key="field")
review(
    [
        _swap(name, unit, groups.get_group(name), train, list(groups.groups).index(name))
        if queue == "swaps"
        else _card(name, unit, groups.get_group(name), train)
        for name in ahead
    ],
    queue=queue, run_id="", who=who, store=store, mode="grid" if mode == "grid" else "card", page_size=size,
    view=view,
    progress={
        "done": total - len(names), "total": total, "gained": float(st.query_params.get("gained", 0.0123)),
        "hit_rate": 0.4, "hint": "",
        "states": [{"kind": "reject", "words": "rejected", "cards": int((decisions.kind == "reject").sum())}],
    },
)  # fmt: skip
st.html("<details><summary>a part to open</summary><p>a box to tick</p></details>")
