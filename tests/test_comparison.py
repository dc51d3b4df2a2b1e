"""Two predictions compared: McNemar, correlation and bootstrap against scipy and scikit-learn."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest, bootstrap
from sklearn.metrics import f1_score, matthews_corrcoef

from core.errors import RunError
from core.evaluation.comparison import error_correlation, mcnemar, mcnemar_by_person, score_differences
from core.evaluation.metrics import macro_f1
from core.evaluation.uncertainty import macro_f1_draws, share_draws
from core.taxonomy import AXES, CLASS_NAMES, decode_axis


def _two_runs(seed, people=80, photos=7):
    """Labels, two predictions that err together by person, and the person of each photo."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.integers(18, size=people), photos)
    hard = np.repeat(rng.random(people) < 0.4, photos)
    guesses = [np.where(rng.random(len(labels)) < 0.1 + 0.5 * hard, rng.integers(18, size=len(labels)), labels)
               for _ in range(2)]  # fmt: skip
    return labels, *guesses, np.repeat([f"p{i:03d}" for i in range(people)], photos)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 9), (9, 1), (4, 4), (20, 35), (431, 512), (0, 900)])
def test_mcnemar_is_scipys_binomial_test_and_mid_p_leaves_half_of_the_observed_outcome_out(first, second):
    found = mcnemar(first, second)
    assert found.exact == pytest.approx(binomtest(first, first + second).pvalue, rel=1e-9)
    observed = binom.pmf(first, first + second, 0.5)
    below = binom.cdf(min(first, second) - 1, first + second, 0.5)
    expected = 1 - observed / 2 if first == second else 2 * below + observed
    assert found.mid_p == pytest.approx(expected, rel=1e-9)
    assert found.mid_p < found.exact


def test_predictions_that_never_differ_are_no_reason_to_doubt_and_counts_below_zero_are_refused():
    assert (mcnemar(0, 0).exact, mcnemar(0, 0).mid_p) == (1, 1)
    with pytest.raises(RunError, match="-1 and 3 units cannot be"):
        mcnemar(-1, 3)


def test_a_person_speaks_once_for_the_prediction_with_more_of_its_photos_right():
    labels = np.zeros(8, dtype=int)
    people = list("aaabbbcd")
    first = np.array([0, 1, 1, 0, 0, 1, 0, 1])  # a: 1 right, b: 2, c: 1, d: 0
    second = np.array([0, 0, 1, 0, 1, 0, 1, 1])  # a: 2 right, b: 2, c: 0, d: 0
    found = mcnemar_by_person(labels, first, second, people)
    assert (found.first, found.second) == (1, 1)


def test_by_person_equals_a_loop_over_people():
    labels, first, second, people = _two_runs(0)
    counts = [0, 0]
    for person in set(people):
        of = people == person
        right = [(guess[of] == labels[of]).sum() for guess in (first, second)]
        if right[0] != right[1]:
            counts[int(np.argmax(right))] += 1
    found = mcnemar_by_person(labels, first, second, people)
    assert [found.first, found.second] == counts
    assert found.exact == pytest.approx(binomtest(counts[0], sum(counts)).pvalue)


def test_photos_as_units_would_see_differences_that_are_not_there():
    """Two predictions that differ by chance, all photos of a person alike: by photo one in three tests errs."""
    rng = np.random.default_rng(5)
    people = np.repeat(np.arange(60), 7)
    labels, by_photo, by_person = np.zeros(420, dtype=int), [], []
    for _ in range(100):
        guesses = rng.integers(0, 2, size=(2, 60)).repeat(7, axis=1)
        by_person.append(mcnemar_by_person(labels, *guesses, people).exact < 0.05)
        by_photo.append(mcnemar_by_person(labels, *guesses, np.arange(420)).exact < 0.05)
    assert np.mean(by_person) <= 0.08
    assert np.mean(by_photo) > 0.3


def test_correlation_of_errors_is_matthews():
    labels, first, second, _ = _two_runs(1)
    wrong = np.stack([first != labels, second != labels])
    found = error_correlation(wrong)
    assert found[0, 1] == pytest.approx(matthews_corrcoef(*wrong))
    np.testing.assert_allclose(np.diag(found), 1)
    assert error_correlation([[True, False], [False, False]])[0, 1] == 0


def test_differences_are_those_of_scikit_learn():
    labels, first, second, people = _two_runs(2)
    table = score_differences(labels, first, second, people, draws=20).set_index("name")
    for column, guess in (("first", first), ("second", second)):
        classes = f1_score(labels, guess, labels=range(18), average=None, zero_division=0)
        np.testing.assert_allclose(table.loc[list(CLASS_NAMES), column].astype(float), classes)
        assert table.loc["macro F1", column] == pytest.approx(macro_f1(labels, guess))
        for axis in AXES:
            right = decode_axis(labels, axis) == decode_axis(guess, axis)
            assert table.loc[axis, column] == pytest.approx(right.mean())
    assert table.loc[CLASS_NAMES[3], "photos"] == (labels == 3).sum()


def test_intervals_of_macro_f1_and_accuracy_are_scipys_paired_bootstrap_over_people():
    labels, first, second, people = _two_runs(3)
    table = score_differences(labels, first, second, people, draws=4000).set_index("name")
    rows = [np.flatnonzero(people == person) for person in dict.fromkeys(people)]

    def difference(score):
        def of(drawn):
            photos = np.concatenate([rows[i] for i in drawn.astype(int)])
            return score(labels[photos], second[photos]) - score(labels[photos], first[photos])

        return of

    for name, score in (("macro F1", macro_f1), ("accuracy", lambda true, guess: (true == guess).mean())):
        oracle = bootstrap(
            (np.arange(len(rows)),), difference(score), vectorized=False, n_resamples=1500, method="percentile",
            rng=np.random.default_rng(0),
        ).confidence_interval  # fmt: skip
        assert (table.loc[name, "low"], table.loc[name, "high"]) == pytest.approx(tuple(oracle), abs=0.006)


def test_all_differences_come_from_the_same_draws_of_people():
    labels, first, second, people = _two_runs(4)
    table = score_differences(labels, first, second, people, draws=300, seed=7).set_index("name")
    one, other = macro_f1_draws(labels, [first, second], people, draws=300, seed=7)
    expected = np.quantile(other - one, [0.025, 0.975])
    np.testing.assert_allclose(table.loc["macro F1", ["low", "high"]].astype(float), expected)
    right = share_draws([first == labels, second == labels], people, draws=300, seed=7)
    expected = np.quantile(right[1] - right[0], [0.025, 0.975])
    np.testing.assert_allclose(table.loc["accuracy", ["low", "high"]].astype(float), expected)


def test_one_person_tells_nothing_about_a_difference():
    table = score_differences([1, 2], [1, 1], [1, 2], ["a", "a"])
    assert (table.low == -1).all()
    assert (table.high == 1).all()
