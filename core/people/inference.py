"""What is inferred about evaluation photos before a class is chosen: one switch, the same everywhere.

A run's calibrated probabilities are for people like the train people, photo by photo. They can be corrected to
the evaluation set's estimated mix, and joined over the persons of a named grouping. Queues, ensembles, expected
scores and exports all ask here, and each correction can be left out.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from core.evaluation.metrics import Float64Array
from core.evaluation.shift import Shift
from core.people.joint import Pooling, joint_probs
from core.storage.groupings import Grouping
from core.taxonomy import FloatArray, IntArray

Prior = Literal["none", "em", "bbse", "both"]
PRIORS: dict[Prior, str] = {
    "none": "as the train people",
    "em": "as EM estimates",
    "bbse": "as BBSE estimates",
    "both": "as the mean of both",
}
"""The mix of gender and age that the evaluation people are taken to have."""

FORBIDDEN = "Some competitions forbid using which test photos show one person."


@dataclass(frozen=True)
class Inference:
    """Which corrections are made; the plain one makes none.

    Attributes:
        prior: of the evaluation set.
        grouping: name of a grouping of the evaluation photos, "" to take each photo alone.
    """

    prior: Prior = "none"
    grouping: str = ""


@dataclass(frozen=True)
class Persons:
    """Who is on M photos, as a grouping has it, and how the photos of one are put together.

    Attributes:
        groups: (M,) equal numbers are one person.
        confidence: (M,) probability that a photo stands in its own person's group; nan for a single photo.
    """

    groups: IntArray
    confidence: Float64Array
    pooling: Pooling

    @classmethod
    def of(cls, grouping: Grouping, photo_ids: Sequence[str], pooling: Pooling) -> "Persons":
        """Persons of these photos; one that is in no group stands alone."""
        names, confidence = grouping.groups_of(photo_ids)
        return cls(np.unique(names, return_inverse=True)[1], trusted(names, confidence), pooling)


def trusted(groups: ArrayLike, confidence: ArrayLike) -> Float64Array:
    """(M,) confidence, and 1 for photos of a group about which nobody said how sure it is (an imported one)."""
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    sure = np.asarray(confidence, dtype=np.float64)
    unsaid = (np.bincount(codes, weights=np.isfinite(sure)) == 0) & (np.bincount(codes) > 1)
    found: Float64Array = np.where(unsaid[codes], 1.0, sure)
    return found


def infer(
    shift: Shift, logits: Sequence[FloatArray], *, prior: Prior = "none", persons: Persons | None = None
) -> Float64Array:
    """Probabilities of the evaluation photos, (M, 18): calibrated, corrected to a mix, joined over persons.

    Pooling what was corrected, with the corrected mix as the pooling's prior, is the same as correcting what was
    pooled: the mix counts once.

    Args:
        logits: one (M, 18) a network that predicted the photos.
        persons: who is on them; None takes each photo alone.
    """
    mix = mix_of_prior(shift, prior)
    single = shift.calibrated(logits) if prior == "none" else shift.corrected(logits, mix=mix)
    if persons is None:
        return single
    pooling = replace(persons.pooling, prior=tuple(np.maximum(mix, 1e-6).tolist()))
    return joint_probs(single, persons.groups, pooling, confidence=persons.confidence)


def mix_of_prior(shift: Shift, prior: Prior) -> Float64Array:
    """(6,) share of each group that a prior stands for."""
    return {"none": shift.train_mix, "em": shift.em_mix, "bbse": shift.bbse_mix, "both": shift.mean_mix}[prior]


def origin_of(grouping: Grouping, photo_ids: Sequence[str]) -> dict[str, Any]:
    """Which groups were used, for a manifest: the name may come to stand for corrected groups, the hash does not."""
    names, confidence = grouping.groups_of(photo_ids)
    told = "".join(f"{one},{name},{sure:.6f}\n" for one, name, sure in zip(photo_ids, names, confidence, strict=True))
    _, size = np.unique(names, return_counts=True)
    return {
        "name": grouping.name,
        "origin": grouping.about.get("origin", ""),
        "placed_by_hand": int((grouping.table.decided != "").sum()),
        "groups": int((size > 1).sum()),
        "photos": int(size[size > 1].sum()),
        "sha256": hashlib.sha256(told.encode()).hexdigest(),
    }
