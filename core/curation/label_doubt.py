"""How likely each train label is wrong, photo by photo and person by person, and what is true then."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.curation.evidence import Evidence
from core.curation.label_issues import NOISE, confident_issues, contradictions, probability_wrong
from core.curation.posteriors import NUM_CELLS, joint
from core.evaluation.metrics import Float64Array
from core.taxonomy import AGE_BANDS, AXES, GENDERS, NUM_CLASSES, IntArray, decode


@dataclass(frozen=True)
class Doubt:
    """Of N photos in U groups; 0, False and "" for evaluation photos.

    Attributes:
        wrong: (U,) the greatest probability that a label of the group is wrong on an axis.
        axis: (U,) that axis.
        contradiction: (U,) ``label_issues.contradictions``.
        confident: (U,) whether confident learning holds a photo's label for wrong.
        together: (U,) gender and age band that all photos of the person say together where the label has another,
            else -1; together_share: its probability.
        photo_wrong: (N,) as ``wrong``.
        masks, cells, photo_probs: (N, 3), (U, 6), (N, 18) what is true, label and model taken together.
    """

    wrong: Float64Array
    axis: NDArray[np.object_]
    contradiction: NDArray[np.object_]
    confident: NDArray[np.bool_]
    together: IntArray
    together_share: Float64Array
    photo_wrong: Float64Array
    masks: Float64Array
    cells: Float64Array
    photo_probs: Float64Array


def train_doubt(evidence: Evidence, cells: Float64Array, labels: IntArray) -> Doubt:
    """Doubt in the labels as they stand.

    Args:
        cells: (U, 6) of the groups.
        labels: (N,) -1 without one.
    """
    groups, n_groups = evidence.groups, len(evidence.targets)
    given = evidence.is_train & (labels >= 0)
    values = dict(zip(AXES, decode(np.maximum(labels, 0)), strict=True))
    cube = evidence.person_cells.reshape(-1, len(GENDERS), len(AGE_BANDS))
    told = {"mask": evidence.mask_probs, "gender": cube.sum(axis=2), "age": cube.sum(axis=1)}
    wrong = np.zeros((len(labels), len(AXES)))
    true: dict[str, Float64Array] = {}
    for place, (axis, probs) in enumerate(told.items()):
        wrong[given, place] = probability_wrong(values[axis][given], probs[given], noise=NOISE[axis])
        true[axis] = np.where(given[:, None], _with_label(probs, values[axis], wrong[:, place]), probs)
    by_axis = np.zeros((n_groups, len(AXES)))
    np.maximum.at(by_axis, groups, wrong)
    both = (true["gender"][:, :, None] * true["age"][:, None, :]).reshape(-1, NUM_CELLS)
    unit_cells = cells.copy()
    unit_cells[groups[given]] = both[given]
    contradiction, confident = _flags(evidence, cells, labels, given)
    together, share = np.full(n_groups, -1), np.zeros(n_groups)
    seen = evidence.person_cells[given].argmax(axis=1)
    share[groups[given]] = evidence.person_cells[given].max(axis=1)
    together[groups[given]] = np.where(seen != labels[given] % NUM_CELLS, seen, -1)
    return Doubt(
        by_axis.max(axis=1),
        np.array(list(AXES), dtype=object)[by_axis.argmax(axis=1)],
        contradiction,
        confident,
        together,
        share,
        wrong.max(axis=1),
        true["mask"],
        unit_cells,
        (true["mask"][:, :, None] * both[:, None, :]).reshape(-1, NUM_CLASSES),
    )


def _with_label(probs: Float64Array, values: IntArray, wrong: Float64Array) -> Float64Array:
    """The label with what is left of its credit, the other values sharing the doubt as the model would."""
    rows = np.arange(len(probs))
    shared = probs * (wrong / np.maximum(1 - probs[rows, values], 1e-12))[:, None]
    shared[rows, values] = 1 - wrong
    return shared


def _flags(
    evidence: Evidence, cells: Float64Array, labels: IntArray, given: NDArray[np.bool_]
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Contradictions and confident-learning candidates by group."""
    groups, n_groups = evidence.groups, len(evidence.targets)
    contradiction = np.full(n_groups, "", dtype=object)
    confident = np.zeros(n_groups, dtype=bool)
    if not given.any():
        return contradiction, confident
    shown = evidence.photos[given]
    seen = pd.DataFrame(
        {
            "person_id": shown.person_id.to_numpy(),
            "photo_id": shown.photo_id.to_numpy(),
            "mask": decode(labels[given])[0],
            "mask_seen": evidence.mask_probs[given].argmax(axis=1),
            "gender_seen": evidence.photo_cells[given].argmax(axis=1) // len(AGE_BANDS),
        }
    )
    found = contradictions(seen)
    by_photo = {name: kind for kind, names in zip(found.kind, found.photo_ids, strict=True) for name in names}
    rows = shown.photo_id.isin(by_photo).to_numpy()
    contradiction[groups[given][rows]] = [by_photo[name] for name in shown.photo_id[rows]]
    issues = confident_issues(labels[given], joint(evidence.mask_probs, cells, groups)[given])
    confident[groups[given][issues]] = True
    return contradiction, confident
