"""Ensembles at the evaluation mix: train people weighed to it tell what unseen evaluation people will say."""

import numpy as np
import pytest

from core.evaluation.best_classes import best_classes
from core.evaluation.metrics import macro_f1, probabilities, weighted_macro_f1
from core.evaluation.prior import total_variation
from core.evaluation.shift import estimate_shift
from core.submission import choosing
from core.submission.combine import Ballot, combine
from core.submission.expectation import evaluation_mix
from core.submission.held_out import corrected_classes
from core.submission.members import Member, Rows
from core.submission.overview import best_way, compare_recipes
from core.submission.recipe import make_recipe
from tests.synthetic import EVAL_MIX, TRAIN_MIX, draw_people

LEANS = {"run:honest": 0.0, "run:leans": 1.5}


@pytest.fixture(scope="module")
def world():
    """Rows of 2,000 train and 3,000 evaluation people of another mix, two members of unlike lean, the truth."""
    train, evaluation = draw_people(0, 2000, apart=1.2), draw_people(1, 3000, EVAL_MIX, apart=1.2)
    count = len(train.labels) + len(evaluation.labels)
    hidden = np.full(len(evaluation.labels), -1)
    rows = Rows(
        np.arange(count).astype(str).astype(object),
        np.concatenate([train.labels, hidden]),
        np.full(count, -1),
        np.concatenate([train.people.astype(str), np.full(len(hidden), "")]).astype(object),
        len(train.labels),
        "drawn",
    )
    members = []
    for name, lean in LEANS.items():
        some = [draw_people(seed, number, mix, apart=1.2, lean=lean, temperature=1.0) for seed, number, mix in
                ((0, 2000, TRAIN_MIX), (1, 3000, EVAL_MIX))]  # fmt: skip
        logits = np.concatenate([one.logits for one in some])
        members.append(Member(name, probabilities(logits).astype(np.float32), {}))
    return Ballot(rows, tuple(members)), evaluation.labels


def test_the_mix_is_had_from_the_best_member(world):
    ballot, _ = world
    mix = evaluation_mix(ballot)
    assert total_variation(mix, EVAL_MIX) < 0.6 * total_variation(TRAIN_MIX, EVAL_MIX)
    nobody = Member("outside:x", np.where(ballot.rows.labels[:, None] < 0, ballot.best.pred_probs, 0), {})
    assert evaluation_mix(Ballot(ballot.rows, (nobody,))) is None
    assert Ballot(ballot.rows, (nobody,)).best is None


def test_scores_at_the_mix_tell_which_member_is_best_on_the_evaluation_people(world):
    ballot, truth = world
    soft = combine(ballot, make_recipe(members=list(LEANS)))
    table = compare_recipes(ballot, [soft], mix=evaluation_mix(ballot)).set_index("name")
    true = {one.name: macro_f1(truth, one.classes[ballot.rows.evaluation]) for one in ballot.members}
    assert table.macro_f1["run:honest"] > table.macro_f1["run:leans"] + 0.005  # among people like the train people
    assert table.at_mix["run:leans"] > table.at_mix["run:honest"]
    assert true["run:leans"] > true["run:honest"]
    for name, score in (true | {"soft": macro_f1(truth, soft.labels)}).items():
        assert table.at_mix[name] == pytest.approx(score, abs=0.02)
    assert table.at_mix_gain["soft"] == pytest.approx(table.at_mix["soft"] - table.at_mix["run:leans"])
    assert table.at_mix_gain_low["soft"] < table.at_mix_gain["soft"] < table.at_mix_gain_high["soft"]
    without = compare_recipes(ballot, [soft])
    assert without.at_mix.isna().all()
    assert without.macro_f1.tolist() == table.macro_f1.tolist()


def test_corrected_classes_of_train_people_score_as_those_of_the_evaluation_people_will(world):
    ballot, truth = world
    member = ballot.best
    found = corrected_classes(ballot, member.pred_probs[ballot.shared], EVAL_MIX)
    held_out = weighted_macro_f1(ballot.labels, found, ballot.weights(EVAL_MIX))
    logits = np.log(member.pred_probs)
    evaluation = logits[ballot.rows.evaluation]
    shift = estimate_shift(logits[ballot.shared], ballot.labels, [evaluation])
    corrected = macro_f1(truth, best_classes(shift.corrected([evaluation], mix=EVAL_MIX)))
    assert held_out == pytest.approx(corrected, abs=0.02)
    as_voted = weighted_macro_f1(ballot.labels, member.classes[ballot.shared], ballot.weights(EVAL_MIX))
    assert held_out > as_voted + 0.01


def test_the_best_way_is_the_highest_score_as_voted_or_corrected(world):
    ballot, _ = world
    table = compare_recipes(ballot, [], mix=EVAL_MIX, corrected=True)
    for name, told in table.set_index("name").iterrows():
        member = next(one for one in ballot.members if one.name == name)
        found = corrected_classes(ballot, member.pred_probs[ballot.shared], EVAL_MIX)
        assert told.corrected == weighted_macro_f1(ballot.labels, found, ballot.weights(EVAL_MIX))
    assert best_way(table) == (table.name[table.corrected.argmax()], True, table.corrected.max())
    assert str(best_way(table)).endswith(f", corrected ({table.corrected.max():.4f})")
    as_voted = compare_recipes(ballot, [], mix=EVAL_MIX)
    assert best_way(as_voted) == ("run:leans", False, as_voted.at_mix.max())
    assert best_way(compare_recipes(ballot, [])) is None


def test_suggestion_and_contribution_follow_the_mix(world):
    ballot, _ = world
    assert choosing.suggest(ballot)[0].name == "run:honest"
    first, *_ = choosing.suggest(ballot, mix=EVAL_MIX)
    leaning = next(member for member in ballot.members if member.name == "run:leans")
    score = weighted_macro_f1(ballot.labels, leaning.classes[ballot.shared], ballot.weights(EVAL_MIX))
    assert (first.name, first.score) == ("run:leans", pytest.approx(score))
    guessing = np.full_like(ballot.best.pred_probs, 1 / 18)
    useless = Ballot(ballot.rows, (*ballot.members, Member("run:guesses", guessing, {})))
    assert "run:guesses" not in [step.name for step in choosing.suggest(useless, mix=EVAL_MIX)]
    plain, weighed = choosing.what_each_adds(ballot), choosing.what_each_adds(ballot, mix=EVAL_MIX)
    assert weighed[1] > plain[1]
