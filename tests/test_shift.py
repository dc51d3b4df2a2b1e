"""A run's shift: estimates over several networks, their bootstrap by person, and the probabilities of a run."""

import numpy as np
import pytest

from core.curation.calibrated import calibrate_run
from core.errors import RunError
from core.evaluation.calibration_map import fit_calibration
from core.evaluation.metrics import macro_f1
from core.evaluation.prior import groups_of, mix_of, total_variation
from core.evaluation.shift import bootstrap_shift, estimate_shift, intervals, mix_table, moves, pooled
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from tests.synthetic import EVAL_MIX, draw_people, write_run


def _two_networks(people, seed):
    """The same people seen by two networks, each with noise of its own."""
    rng = np.random.default_rng(seed)
    return [people.logits + rng.normal(0, 0.3, size=people.logits.shape) for _ in range(2)]


@pytest.fixture(scope="module")
def train():
    return draw_people(0, 900)


@pytest.fixture(scope="module")
def evaluation():
    return draw_people(1, 300, EVAL_MIX)


def test_the_estimate_of_two_networks_is_the_mean_of_theirs_and_its_correction_helps(train, evaluation):
    members = _two_networks(evaluation, 2)
    both, *alone = [estimate_shift(train.logits, train.labels, some) for some in (members, members[:1], members[1:])]
    np.testing.assert_allclose(both.em_mix, (alone[0].em_mix + alone[1].em_mix) / 2)
    np.testing.assert_allclose(both.bbse_mix, (alone[0].bbse_mix + alone[1].bbse_mix) / 2)
    truth = mix_of(groups_of(evaluation.labels))
    assert total_variation(both.em_mix, truth) < 0.5 * total_variation(both.train_mix, truth)
    scores = [
        macro_f1(evaluation.labels, found.argmax(axis=1))
        for found in (both.calibrated(members), both.corrected(members))
    ]
    assert scores[1] > scores[0]


def test_bootstrap_intervals_hold_the_true_mix_and_people_are_drawn_whole(train, evaluation):
    draws = list(bootstrap_shift(train.logits, train.labels, train.people, [evaluation.logits], draws=20))
    shift = estimate_shift(train.logits, train.labels, [evaluation.logits])
    table = mix_table(shift, draws)
    truth = mix_of(groups_of(evaluation.labels))
    assert ((table.em_low < truth) & (truth < table.em_high)).sum() >= 4
    assert (table.em_high - table.em_low).max() < 0.25
    low, high = intervals(shift.em_mix, [draw.em_mix for draw in draws])
    half = 1.96 * np.std([draw.em_mix for draw in draws], axis=0, ddof=1)
    np.testing.assert_allclose(high, shift.em_mix + half, atol=1e-4)
    np.testing.assert_allclose(low, np.maximum(shift.em_mix - half, 0), atol=1e-4)
    by_person = np.std([draw.train_mix for draw in draws], axis=0)
    expected = np.sqrt(draws[0].train_mix * (1 - draws[0].train_mix) / 900)  # 900 people, not 6,300 photos
    np.testing.assert_allclose(by_person, expected, rtol=0.6)


def test_networks_taken_together_are_surer_than_their_mean_and_nearer_to_the_truth():
    train, fresh = draw_people(3, 900), draw_people(4, 900)
    rng = np.random.default_rng(5)
    noisy = [[people.logits + rng.normal(0, 3, people.logits.shape) for people in (train, fresh)] for _ in range(2)]
    members = [fit_calibration(seen, train.labels).probabilities(unseen) for seen, unseen in noisy]
    together, mean = pooled(members), np.mean(members, axis=0)
    np.testing.assert_allclose(together.sum(axis=1), 1)
    assert together.max(axis=1).mean() > mean.max(axis=1).mean()
    np.testing.assert_array_equal(together.argmax(axis=1), mean.argmax(axis=1))
    for one, other in ((together, members[0]), (together, members[1])):
        rows = np.arange(len(one))
        assert one[rows, other.argmax(axis=1)].mean() == pytest.approx(other.max(axis=1).mean(), abs=0.01)
    losses = [-np.log(found[np.arange(len(fresh.labels)), fresh.labels]).mean() for found in (together, mean)]
    assert losses[0] < losses[1]
    np.testing.assert_array_equal(pooled(members[:1]), members[0])


def test_moves_count_the_photos_that_change_class_and_no_other():
    table = moves([0, 0, 0, 1, 5], [1, 1, 2, 1, 5])
    assert table.to_numpy().tolist() == [[0, 1, 2], [0, 2, 1]]
    assert moves([3, 4], [3, 4]).empty


def test_the_bootstrap_follows_from_its_seed(train, evaluation):
    def first(seed):
        return next(bootstrap_shift(train.logits, train.labels, train.people, [evaluation.logits], seed=seed))

    np.testing.assert_array_equal(first(1).em_mix, first(1).em_mix)
    assert not np.array_equal(first(1).em_mix, first(2).em_mix)


def test_a_set_without_evaluation_photos_is_refused(train):
    with pytest.raises(RunError, match="no evaluation photo"):
        estimate_shift(train.logits, train.labels, [])


def test_a_runs_probabilities_are_calibrated_on_labels_as_decided(index, workspace):
    run, store = write_run(workspace, index, "first"), DecisionStore(workspace, index.dataset_id)
    before = calibrate_run(run, index.photos, store.effective())
    assert before.eval_ids.tolist() == run.eval_ids()
    assert len(before.eval_logits) == len(run.manifest["folds_to_run"])
    for found in (before.oof_probabilities(), before.raw, before.calibrated, before.corrected):
        np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(np.log(before.raw), run.evaluation().logits, atol=1e-4)
    person = before.people[0]
    other = 1 - before.labels[0] // 3 % 2
    store.append([Decision(kind="relabel", unit="person", target=person, gender=int(other), who="me")])
    after = calibrate_run(run, index.photos, store.effective())
    changed = after.people == person
    assert (after.labels[changed] // 3 % 2 == other).all()
    np.testing.assert_array_equal(after.labels[~changed], before.labels[~changed])
    assert after.shift.calibration != before.shift.calibration


def test_without_the_folds_own_logits_the_runs_mean_is_taken(index, workspace):
    run = write_run(workspace, index, "first")
    (run.fold_path(0) / "evaluation.npy").unlink()
    decisions = DecisionStore(workspace, index.dataset_id).effective()
    (alone,) = calibrate_run(run, index.photos, decisions).eval_logits
    np.testing.assert_array_equal(alone, run.evaluation().logits)


def test_a_run_that_cannot_tell_the_groups_apart_gives_no_steady_estimate(train, evaluation):
    assert estimate_shift(train.logits, train.labels, [evaluation.logits]).is_steady
    few, blurred = draw_people(4, 40, apart=0.3), draw_people(5, 80, EVAL_MIX, apart=0.3, lean=3.0)
    weak = estimate_shift(few.logits, few.labels, [blurred.logits])
    assert weak.gap == total_variation(weak.em_mix, weak.bbse_mix)
    assert not weak.is_steady
