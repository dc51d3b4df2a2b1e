"""Expected scores: against drawing and scoring in a loop, and against people whose truth is known."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from core.errors import RunError
from core.evaluation.expected_score import assumed_people, draw_truth, expected_score, shared_luck
from core.evaluation.held_out import check_expected_scores
from core.evaluation.metrics import macro_f1
from tests.synthetic import draw_people


def _f1(labels, predictions):
    return f1_score(labels, predictions, labels=range(18), average="macro", zero_division=0)


def test_scores_on_drawn_truths_and_on_their_halves_are_scikit_learns():
    people = draw_people(0, 20)
    truth = draw_truth([people.true_probs], people.people, draws=5)
    guess = people.true_probs.argmax(axis=1)
    public, private = truth.half_scores(guess)
    for draw in range(5):
        labels, half = truth.labels[draw], truth.public[draw]
        assert truth.scores(guess)[draw] == pytest.approx(_f1(labels, guess))
        assert public[draw] == pytest.approx(_f1(labels[half], guess[half]))
        assert private[draw] == pytest.approx(_f1(labels[~half], guess[~half]))
        assert len(set(people.people[half])) == 10
        assert not set(people.people[half]) & set(people.people[~half])


@pytest.mark.parametrize("together", [0.0, 0.6, 1.0])
def test_every_photo_is_drawn_with_its_own_probabilities_however_people_share_their_luck(together):
    people = draw_people(1, 4)
    truth = draw_truth([people.true_probs], people.people, together=together, draws=4000)
    drawn = np.stack([(truth.labels == label).mean(axis=0) for label in range(18)], axis=1)
    np.testing.assert_allclose(drawn, people.true_probs, atol=0.035)


def test_people_who_share_their_luck_make_the_score_less_certain():
    people = draw_people(2, 300)
    guess = people.true_probs.argmax(axis=1)
    alone, shared = (draw_truth([people.true_probs], people.people, together=one).scores(guess) for one in (0.0, 1.0))
    assert shared.std() > 1.4 * alone.std()
    assert shared.mean() == pytest.approx(alone.mean(), abs=0.01)


def test_known_labels_have_one_score():
    people = draw_people(3, 30)
    known = np.eye(18)[people.labels]
    guess = people.logits.argmax(axis=1)
    expected = expected_score(draw_truth([known]), guess)
    score = macro_f1(people.labels, guess)
    assert (expected.mean, expected.low, expected.high) == pytest.approx((score, score, score))


def test_a_discrepancy_widens_the_interval_and_leaves_the_mean():
    people = draw_people(4, 100)
    truth, guess = draw_truth([people.true_probs]), people.true_probs.argmax(axis=1)
    narrow, wide = expected_score(truth, guess, discrepancy=0), expected_score(truth, guess, discrepancy=0.05)
    assert wide.mean == narrow.mean
    assert wide.low < narrow.low - 0.03
    assert wide.high > narrow.high + 0.03


def test_draws_are_dealt_out_over_probabilities_that_could_each_be_right():
    labels = np.repeat(np.arange(18), 2)
    truth = draw_truth([np.eye(18)[labels], np.eye(18)[(labels + 1) % 18]], draws=10)
    assert truth.scores(labels).tolist() == [1.0, 0.0] * 5


def test_shared_luck_is_none_for_photos_of_strangers_and_all_for_photos_that_are_the_same():
    strangers = np.random.default_rng(0).permutation(2000 * 7)
    luck = []
    for shared in (0.0, 0.6, 1.0):
        people = draw_people(5, 2000, shared=shared)
        luck.append(shared_luck(people.labels, people.true_probs, people.people))
        assert shared_luck(people.labels, people.true_probs, people.people[strangers]) < 0.15
    assert luck == sorted(luck)  # also photos with noise of their own are wrong together: they have one label
    assert luck[0] < 0.85
    assert luck[2] > 0.97


def test_assumed_people_have_about_five_one_and_one_photos_that_look_alike():
    people = draw_people(6, 200)
    assumed = assumed_people(people.true_probs)
    sizes = np.bincount(assumed)
    assert len(sizes) == 200
    assert (sizes.min(), sizes.max()) >= (5, 7)
    assert sizes.max() <= 9
    guess = people.true_probs.argmax(axis=1) % 6
    alike = np.mean([len(set(guess[assumed == one])) == 1 for one in range(200)])
    assert alike > 0.8


def test_the_interval_holds_the_true_score_of_nearly_all_sets_of_unknown_people():
    inside = 0
    for seed in range(30):
        people = draw_people(100 + seed, 150)
        together = shared_luck(people.labels, people.true_probs, people.people)
        guess = people.true_probs.argmax(axis=1)
        expected = expected_score(draw_truth([people.true_probs], together=together), guess, discrepancy=0)
        inside += expected.low <= macro_f1(people.labels, guess) <= expected.high
    assert inside >= 27


def test_intervals_of_held_out_halves_hold_the_truth_without_knowing_a_label():
    people = draw_people(7, 500)
    check = check_expected_scores(people.logits, people.labels, people.people, halves=8, discrepancy=0)
    assert check.coverage >= 7 / 8
    assert np.abs(check.mean - check.truth).mean() < 0.05
    assert (check.high - check.low).mean() < 0.2
    assert check.discrepancy < 0.05


def test_held_out_people_can_be_thinned_to_another_mix():
    people = draw_people(8, 300)
    check = check_expected_scores(people.logits, people.labels, people.people, halves=2, mix=[0, 0, 0.5, 0, 0, 0.5])
    assert check.truth.max() < 6 / 18 + 0.1  # twelve classes are not there


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw_truth([]), "no probability to draw from"),
        (lambda: draw_truth([np.ones((2, 18)) / 18], together=2), "together is 2"),
        (lambda: draw_truth([np.ones((2, 18)) / 18], [1, 2, 3]), "pred_probs has 2 rows but people has 3"),
        (lambda: draw_truth([np.ones((2, 18)) / 18]).scores([1]), "predictions has 1 rows but drawn_photos has 2"),
        (lambda: check_expected_scores(np.zeros((2, 18)), [0, 1], [1, 1]), "needs four or more"),
    ],
)
def test_input_that_cannot_be_is_refused(call, message):
    with pytest.raises(RunError, match=message):
        call()
