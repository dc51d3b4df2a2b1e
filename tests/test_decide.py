"""Decisions for macro F1 against all decisions there are."""

import numpy as np
import pytest

from core.evaluation.decide import decide_for_macro_f1
from core.evaluation.metrics import f1_from_counts


def expected_macro_f1(pred_probs, chosen):
    classes = range(pred_probs.shape[1])
    hits = [pred_probs[chosen == c, c].sum() for c in classes]
    given = [(chosen == c).sum() for c in classes]
    return f1_from_counts(hits, pred_probs.sum(0), given).mean()


def local_search(pred_probs):
    """One photo after another takes the class that raises expected macro F1 most, until none does."""
    chosen, changed = pred_probs.argmax(1), True
    while changed:
        changed = False
        for photo in range(len(chosen)):
            tried = [np.where(np.arange(len(chosen)) == photo, k, chosen) for k in range(pred_probs.shape[1])]
            scores = [expected_macro_f1(pred_probs, each) for each in tried]
            if max(scores) > scores[chosen[photo]] + 1e-12:
                chosen, changed = tried[int(np.argmax(scores))], True
    return chosen


@pytest.mark.parametrize("seed", range(4))
def test_the_rounds_end_as_high_as_a_search_photo_by_photo(seed):
    pred_probs = np.random.default_rng(seed).dirichlet([1.2, 0.6, 0.2], size=150)
    found = expected_macro_f1(pred_probs, decide_for_macro_f1(pred_probs))
    assert found >= expected_macro_f1(pred_probs, pred_probs.argmax(1)) - 1e-12
    assert found >= 0.995 * expected_macro_f1(pred_probs, local_search(pred_probs))


def test_a_rare_class_is_given_where_it_is_not_the_most_probable_one():
    rng = np.random.default_rng(0)
    rare = np.where(rng.random(2000) < 0.1, rng.uniform(0.2, 0.5, 2000), 0.01)
    pred_probs = np.stack([1 - rare, rare], axis=1)
    labels = (rng.random(2000) < rare).astype(int)
    decided = decide_for_macro_f1(pred_probs)

    def macro(chosen):
        return f1_from_counts(
            [((chosen == k) & (labels == k)).sum() for k in (0, 1)],
            np.bincount(labels),
            np.bincount(chosen, minlength=2),
        ).mean()

    assert (decided == 1).sum() > 100 > (pred_probs.argmax(1) == 1).sum()
    assert macro(decided) > macro(pred_probs.argmax(1)) + 0.1


def test_no_photo_gives_no_decision():
    assert decide_for_macro_f1(np.zeros((0, 18))).shape == (0,)
