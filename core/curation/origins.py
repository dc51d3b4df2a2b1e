"""Which labels people had a hand in, and decided labels in the place of predicted ones."""

import numpy as np
import pandas as pd

from core.curation.labels import ORIGIN_WORDS, effective_labels
from core.curation.limits import Limit, restrict
from core.storage.decision_record import ORIGINS
from core.taxonomy import IntArray


def origins(photos: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """How many photos have a label of which origin, train and evaluation apart.

    Returns:
        split, origin (``ORIGIN_WORDS``), photos; a row for each that can be, also with 0 photos.
    """
    labelled = effective_labels(photos, decisions)
    counts = labelled[labelled.origin != ""].groupby(["split", "origin"]).size()
    possible = [(split, origin) for split in ("train", "eval") for origin in ORIGIN_WORDS]
    possible.remove(("eval", "original"))
    return pd.DataFrame(
        [(split, origin, int(counts.get((split, origin), 0))) for split, origin in possible],
        columns=["split", "origin", "photos"],
    )


def decided_labels(
    photo_ids: list[str], labels: IntArray, photos: pd.DataFrame, decisions: pd.DataFrame, limit: Limit
) -> tuple[IntArray, dict[str, int]]:
    """Predicted classes of evaluation photos with decided ones in their place, and how many of which origin.

    Args:
        photo_ids: (N,) evaluation photos.
        labels: (N,) their predicted classes.
        limit: which decisions count.
    """
    counted = effective_labels(photos, restrict(photos, decisions, train="none", evaluation=limit))
    table = counted[counted.split == "eval"].set_index("photo_id").reindex(photo_ids)
    decided = table.label.fillna(-1).to_numpy(dtype=np.int64)
    result: IntArray = np.where(decided >= 0, decided, labels)
    found = table.origin[decided >= 0].value_counts()
    return result, {origin: int(found.get(origin, 0)) for origin in ORIGINS}
