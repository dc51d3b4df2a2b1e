"""The rehearsal of the leaderboard: against scikit-learn, and where the winner is known."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from core.errors import RunError
from core.evaluation.rehearsal import rehearse
from tests.synthetic import EVAL_MIX, draw_people


@pytest.fixture(scope="module")
def people():
    return draw_people(0, 300)


@pytest.fixture(scope="module")
def candidates(people):
    best = people.true_probs.argmax(axis=1)
    rng = np.random.default_rng(1)
    worse = np.where(rng.random(len(best)) < 0.05, rng.integers(18, size=len(best)), best)
    return {"A": worse, "B": best, "also B": best}


def test_the_better_candidate_wins_nearly_always_and_equal_ones_tie(people, candidates):
    rehearsal = rehearse(people.labels, candidates, people.people, draws=200)
    assert rehearsal.wins("B", "A") > 0.9
    assert rehearsal.wins("B", "A") + rehearsal.wins("A", "B") == pytest.approx(1)
    assert rehearsal.wins("B", "also B") == 0.5
    assert rehearsal.table().name.tolist()[-1] == "A"
    first = rehearsal.table().set_index("name")["first"]
    assert first.sum() == pytest.approx(1)
    assert first["B"] == first["also B"] == pytest.approx(0.5, abs=0.05)  # a tie is shared
    differ = people.people[candidates["A"] != candidates["B"]]
    assert rehearsal.differing[0, 1] == pytest.approx(len(set(differ)))
    assert rehearsal.says("B", "A") == (
        f"B beats A in {rehearsal.wins('B', 'A'):.0%} of draws; {len(set(differ))} people decide it"
    )


def test_choosing_by_the_public_half_costs_what_a_loop_over_the_draws_finds(people, candidates):
    rehearsal = rehearse(people.labels, candidates, people.people, draws=50)
    lost, other = [], 0
    for public, private in zip(rehearsal.public, rehearsal.private, strict=True):
        taken = max(range(3), key=lambda one: public[one])
        lost.append(max(private) - private[taken])
        other += private[taken] < max(private)
    assert rehearsal.cost_of_choosing() == pytest.approx((np.mean(lost), other / 50))
    gaps = np.abs(rehearsal.public[:, 1] - rehearsal.private[:, 1])
    assert (gaps <= rehearsal.spread()[1]).mean() == pytest.approx(0.95, abs=0.02)


def test_mean_scores_of_the_draws_are_scikit_learns_scores_of_people_drawn_in_a_loop(people, candidates):
    rehearsal = rehearse(people.labels, candidates, people.people, draws=300, size=200)
    rng, scores = np.random.default_rng(2), []
    rows = [np.flatnonzero(people.people == one) for one in range(300)]
    for _ in range(60):
        drawn = np.concatenate([rows[one] for one in rng.integers(300, size=100)])
        rules = {"labels": range(18), "average": "macro", "zero_division": 0}
        scores.append(f1_score(people.labels[drawn], candidates["A"][drawn], **rules))
    assert rehearsal.private[:, 0].mean() == pytest.approx(np.mean(scores), abs=0.015)
    assert rehearsal.private[:, 0].std() == pytest.approx(np.std(scores), rel=0.35)


def test_ranks_and_intervals_agree_with_the_draws(people, candidates):
    rehearsal = rehearse(people.labels, candidates, people.people, draws=100)
    assert (np.sort(rehearsal.ranks(), axis=1) == [1, 2, 3]).all()
    assert (np.sort(rehearsal.ranks("public"), axis=1) == [1, 2, 3]).all()
    table = rehearsal.table().set_index("name")
    assert (table.low < table.private).all()
    assert (table.private < table.high).all()
    assert table.worst_rank["A"] == 3


def test_people_are_drawn_with_the_mix_that_is_asked_for(people, candidates):
    only_old_men = [0, 0, 1, 0, 0, 0]
    rehearsal = rehearse(people.labels, candidates, people.people, mix=only_old_men, draws=20)
    assert rehearsal.private.max() <= 3 / 18 + 0.06  # three classes are there, others through wrong masks only
    shifted = rehearse(people.labels, candidates, people.people, mix=EVAL_MIX, draws=100)
    assert shifted.private[:, 1].mean() > rehearsal.private[:, 1].mean()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidates": {}}, "0 candidates and 300 people"),
        ({"candidates": {"A": [0, 1]}}, "labels has 2,100 rows but predictions has 2"),
        ({"mix": [1, 0]}, r"mix is \[1.0, 0.0\]; give 6 shares"),
    ],
)
def test_input_that_cannot_be_is_refused(people, candidates, changes, message):
    given = {"candidates": candidates} | changes
    with pytest.raises(RunError, match=message):
        rehearse(people.labels, given.pop("candidates"), people.people, **given)
