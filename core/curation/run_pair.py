"""Two runs on the same photos: those of people whom neither network had seen."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.curation.disagreements import fixed_and_broken
from core.curation.labels import effective_labels
from core.errors import RunError
from core.evaluation.comparison import McNemar, error_correlation, mcnemar_by_person, score_differences
from core.evaluation.metrics import Float64Array, probabilities
from core.storage.predictions import Predictions
from core.storage.runs import Run
from core.taxonomy import IntArray


@dataclass(frozen=True)
class RunPair:
    """Out-of-fold predictions of two runs for the people that both predicted.

    Attributes:
        photo_ids, people: (N,).
        labels: (N,) class as it stands, decisions taken in.
        first, second: (N,) predicted class.
        moved: (N,) how much likelier the second holds the true class, -1..1.
        left_out: people that one run alone predicted, or not all of their photos.
        scores: ``comparison.score_differences``.
        test: McNemar by person.
        correlation: of being wrong.
        same_answer: share of the photos that both have wrong on which they say one class; NaN without such.
        fixed, broken: rows that the second has right and the first wrong, and the other way round; the largest
            move first.
    """

    photo_ids: NDArray[np.str_]
    people: NDArray[np.str_]
    labels: IntArray
    first: IntArray
    second: IntArray
    moved: Float64Array
    left_out: int
    scores: pd.DataFrame
    test: McNemar
    correlation: float
    same_answer: float
    fixed: IntArray
    broken: IntArray

    @property
    def num_people(self) -> int:
        """People that count."""
        return len(np.unique(self.people))


def pair_runs(first: Run, second: Run, photos: pd.DataFrame, decisions: pd.DataFrame) -> RunPair:
    """Compare two finished runs on the people that both predicted out-of-fold.

    Args:
        photos: an index's photos.
        decisions: as in ``labels.effective_labels``.
    Raises:
        RunError: both are one run, one is unfinished or damaged, or they share no labelled person.
    """
    if first.path == second.path:
        raise RunError(f"run {first.run_id} cannot be compared with itself; choose another run as the second")
    known = effective_labels(photos, decisions).set_index("photo_id")
    known = known[known.label >= 0]
    one, other = first.oof(), second.oof()
    rows, left_out = _shared(known, one, other)
    if not len(rows):
        raise RunError(
            f"runs {first.run_id} and {second.run_id} predicted no person in common out-of-fold; "
            "train one of them on all folds, or with the same seed and folds"
        )
    labels = rows.label.to_numpy(dtype=np.int64)
    logits = [each.logits[each.rows_of(rows.index.to_series())] for each in (one, other)]
    before, after = (each.argmax(axis=1).astype(np.int64) for each in logits)
    of_truth = [probabilities(each)[np.arange(len(labels)), labels] for each in logits]
    moved: Float64Array = of_truth[1] - of_truth[0]
    people = rows.person_id.to_numpy(dtype=str)
    wrong = np.stack([before != labels, after != labels])
    both = wrong.all(axis=0)
    fixed, broken = fixed_and_broken(labels, before, after)
    return RunPair(
        photo_ids=rows.index.to_numpy(dtype=str),
        people=people,
        labels=labels,
        first=before,
        second=after,
        moved=moved,
        left_out=left_out,
        scores=score_differences(labels, before, after, people),
        test=mcnemar_by_person(labels, before, after, people),
        correlation=float(error_correlation(wrong)[0, 1]),
        same_answer=float((before == after)[both].mean()) if both.any() else float("nan"),
        fixed=fixed[np.argsort(-moved[fixed], kind="stable")],
        broken=broken[np.argsort(moved[broken], kind="stable")],
    )


def _shared(known: pd.DataFrame, one: Predictions, other: Predictions) -> tuple[pd.DataFrame, int]:
    """The labelled photos of people of whom both predict the same photos, and how many people that leaves out."""
    by_one, by_other = known.index.isin(one.photo_ids), known.index.isin(other.photo_ids)
    told = known[by_one | by_other]
    lost = set(known.person_id[by_one != by_other])
    rows = told[~told.person_id.isin(lost)]
    return rows, len(lost)
