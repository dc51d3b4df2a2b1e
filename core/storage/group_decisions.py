"""A grouping as people have corrected it: the groups as found, with the decisions over them.

Nothing is written over a grouping: the same found groups and the same decisions give the same corrected ones.
"""

import hashlib

import numpy as np
import pandas as pd

COLUMNS = ("photo_id", "group", "confidence", "decided")


def grouping_key(found: pd.DataFrame) -> str:
    """What decisions name a grouping by: twelve letters and digits that follow from which photos stand together.

    Two groupings that happen to have one name in two workspaces have two keys, so that decisions which travel
    between them cannot correct the wrong one.

    Args:
        found: photo_id and group of each photo.
    """
    pairs = sorted(zip(found.photo_id.tolist(), found.group.tolist(), strict=True))
    text = "".join(f"{photo_id}\0{group}\n" for photo_id, group in pairs)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def corrected(found: pd.DataFrame, placements: pd.DataFrame) -> pd.DataFrame:
    """The groups after what people decided.

    The last decision about a photo counts, ``group`` (it belongs there) or ``confirm`` (it belongs there, and the
    group was looked at as a whole). A photo that somebody placed is certain, and so is a
    single one that another was placed with; one that is left alone says nothing.

    Args:
        found: photo_id, group, confidence.
        placements: decisions about the grouping that stand, oldest first (``DecisionStore.placements``).
    Returns:
        ``COLUMNS``: the rows of ``found`` in their order, then photos that it did not name; ``decided`` is the kind
        of the decision, empty for none.
    """
    if placements.empty:
        return found.assign(decided="")
    last = placements.drop_duplicates("target", keep="last").set_index("target")
    unnamed = last.index[~last.index.isin(found.photo_id)]
    extra = pd.DataFrame({"photo_id": unnamed, "group": "", "confidence": np.nan})
    table = pd.concat([found, extra], ignore_index=True) if len(extra) else found.reset_index(drop=True)
    decision = last.reindex(table.photo_id)
    kind = decision.kind.fillna("").to_numpy(dtype=object)
    placed = kind != ""
    group = np.where(placed, decision.group_id.to_numpy(dtype=object), table.group.to_numpy(dtype=object))
    size = pd.Series(group).map(pd.Series(group).value_counts()).to_numpy()
    confidence = np.where(placed, 1.0, table.confidence.to_numpy(dtype=float))
    with_placed = pd.Index(group).isin(group[placed])
    confidence[np.isnan(confidence) & with_placed] = 1.0  # nobody said how sure it is, then somebody gave it company
    confidence[size == 1] = np.nan
    columns = (table.photo_id.to_numpy(dtype=object), group, confidence, kind)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def by_group(table: pd.DataFrame) -> pd.DataFrame:
    """One row a group of a corrected grouping, by its name: size, confidence, confirmed, in_work.

    ``confidence`` is the least of its photos', nan where none has one; ``confirmed``: somebody confirmed each of its
    photos; ``in_work``: somebody changed it, and nobody has confirmed it since.
    """
    marked = table.assign(size=1, confirmed=table.decided == "confirm", moved=table.decided == "group")
    groups = marked.groupby("group", sort=False)
    rows = groups.agg(
        size=("size", "sum"), confidence=("confidence", "min"), confirmed=("confirmed", "all"), moved=("moved", "any")
    )
    return rows.assign(in_work=rows.moved & ~rows.confirmed).drop(columns="moved")


def group_counts(table: pd.DataFrame) -> dict[str, int]:
    """How many groups a corrected grouping has, how many photos stand alone, what is confirmed and what in work."""
    rows = by_group(table)
    return {
        "groups": len(rows),
        "single": int((rows["size"] == 1).sum()),
        "confirmed": int(rows.confirmed.sum()),
        "in_work": int(rows.in_work.sum()),
    }
