"""A corrected grouping in the order of work, and for each group the ones that may be the same person."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.people.grouping import QUOTA
from core.storage.group_decisions import by_group

Order = Literal["least_sure", "surest", "single", "confirmed"]

MOST = int(QUOTA.sum())
"""Photos of a person."""


def order_groups(table: pd.DataFrame, order: Order, *, vectors: NDArray[np.float32] | None = None) -> list[str]:
    """Groups in the order in which somebody should look at them.

    Args:
        table: of a corrected grouping (``Grouping.table``).
        order: ``least_sure`` and ``surest``: groups that nobody confirmed, those that somebody changed first, then by
            the least confidence of their photos; ``single``: photos that stand alone, those first that are most
            alike to a group with room for them; ``confirmed``.
        vectors: (N, d) of the table's first N photos; without them single photos come in the table's order.
    """
    groups = by_group(table)
    if order == "confirmed":
        return groups.index[groups.confirmed].tolist()
    if order == "single":
        alone = groups.index[(groups["size"] == 1) & ~groups.confirmed].tolist()
        near = partners_of(table, alone, vectors, most=1) if vectors is not None else {}
        return sorted(alone, key=lambda group: -near[group][0][1] if near.get(group) else 1.0)
    waits = groups[~groups.confirmed & ((groups["size"] > 1) | groups.in_work)]
    sign = 1 if order == "least_sure" else -1
    keys = pd.DataFrame({"work": ~waits.in_work, "sure": sign * waits.confidence.fillna(0.0)})
    return keys.sort_values(["work", "sure"], kind="stable").index.tolist()


def partners_of(
    table: pd.DataFrame, groups: list[str], vectors: NDArray[np.float32] | None, *, most: int = 3
) -> dict[str, list[tuple[str, float]]]:
    """The groups most alike to each of some groups, that together with it have at most seven photos.

    Args:
        table: of a corrected grouping.
        groups: the groups that are asked about.
        vectors: (N, d) of the table's first N photos, whose scalar product is the likeness; None: nobody is alike.
        most: how many for each.
    Returns:
        group -> (other group, mean likeness over all pairs of photos), the most alike first; above 0 only.
    """
    if vectors is None or not groups:
        return {group: [] for group in groups}
    code, names = pd.factorize(table.group)
    size = np.bincount(code, minlength=len(names))
    sums = np.zeros((len(names), vectors.shape[1]))
    np.add.at(sums, code[: len(vectors)], vectors)
    rows = pd.Index(names).get_indexer(pd.Index(groups))
    likeness = sums[rows] @ sums.T / np.outer(size[rows], size)  # (n, G)
    likeness[size[rows][:, None] + size[None, :] > MOST] = 0
    likeness[np.arange(len(rows)), rows] = 0
    best = np.argsort(-likeness, axis=1, kind="stable")[:, :most]
    return {
        group: [(str(names[other]), float(likeness[row, other])) for other in best[row] if likeness[row, other] > 0]
        for row, group in enumerate(groups)
    }


def board(
    table: pd.DataFrame,
    listed: list[str],
    *,
    vectors: NDArray[np.float32] | None,
    masks: dict[str, int],
    notes: dict[str, str],
) -> dict[str, Any]:
    """Groups as the component draws them.

    Args:
        table: of a corrected grouping.
        listed: the groups to work on, in order.
        vectors: as in ``partners_of``.
        masks, notes: mask 0..2 and a few words for each photo.
    Returns:
        ``groups``, the listed ones, and ``others``, their partners: id, sure (least confidence, None for none),
        partners (id, likeness), photos (photo_id, note, mask, sure, decided).
    """
    partners = partners_of(table, listed, vectors)
    others = list(dict.fromkeys(other for group in listed for other, _ in partners[group]))
    others = [group for group in others if group not in set(listed)]
    wanted = table[table.group.isin({*listed, *others})]
    rows = dict(list(wanted.groupby("group", sort=False)))

    def told(group: str) -> dict[str, Any]:
        photos = [
            {"photo_id": photo, "note": notes.get(photo, ""), "mask": masks.get(photo), "sure": _number(sure),
             "decided": decided}
            for photo, sure, decided in rows[group][["photo_id", "confidence", "decided"]].itertuples(index=False)
        ]  # fmt: skip
        photos.sort(key=lambda photo: (photo["mask"] is None, photo["mask"]))
        near = [{"id": other, "likeness": likeness} for other, likeness in partners.get(group, [])]
        return {"id": group, "sure": _number(rows[group].confidence.min()), "partners": near, "photos": photos}

    return {"groups": [told(group) for group in listed], "others": [told(group) for group in others]}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
