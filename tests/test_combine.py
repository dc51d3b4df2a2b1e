"""From runs, files and ensembles to one ballot; scores that no part of an ensemble has seen."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.drawn_runs import DATASET, draw_index, draw_run
from core.errors import RunError, SubmissionError
from core.evaluation.calibration import fit_temperature
from core.evaluation.metrics import macro_f1, probabilities
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.runs import open_run
from core.submission import combine as combining
from core.submission.assemble import best_runs, member_names, open_ballot, rows_of
from core.submission.combine import combine
from core.submission.outside import SURE, add_outside, doubts_of
from core.submission.recipe import METHODS, make_recipe, open_recipe, save_recipe


@pytest.fixture
def desk(workspace, tmp_path):
    index, truth = draw_index(tmp_path / "data")
    for place, name in enumerate(["a", "b", "c"]):
        draw_run(workspace, index, truth, name, seed=place, strength=2.0 - 0.5 * place, folds=3 + place)
    return workspace, index, truth, rows_of(index, DecisionStore(workspace, DATASET).effective())


RUNS = ("run:a", "run:b", "run:c")


def test_members_hold_calibrated_probabilities_in_the_order_of_the_index(desk):
    workspace, _, truth, rows = desk
    (member,) = open_ballot(workspace, rows, make_recipe(members=["run:b"])).members
    run = open_run(workspace, "b")
    temperature = fit_temperature(run.oof().logits, truth[rows.labels >= 0])
    assert member.origin["calibration"]["temperature"] == pytest.approx(temperature)
    expected = probabilities(run.evaluation().logits, temperature=temperature)
    np.testing.assert_allclose(member.pred_probs[rows.evaluation], expected, rtol=1e-5)
    assert isinstance(member.pred_probs, np.memmap)
    assert not member.pred_probs.flags.writeable
    plain = open_ballot(workspace, rows, make_recipe(members=["run:b"], calibration="none")).members[0]
    np.testing.assert_allclose(plain.pred_probs[rows.evaluation], probabilities(run.evaluation().logits), rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_probabilities_and_classes_and_says_what_members_count(desk, method):
    workspace, _, truth, rows = desk
    recipe = make_recipe(members=RUNS, method=method)
    ballot = open_ballot(workspace, rows, recipe)
    found = combine(ballot, recipe)
    assert found.pred_probs.shape == (280, 18)
    np.testing.assert_allclose(found.pred_probs.sum(1), 1, rtol=1e-4)
    np.testing.assert_allclose(found.weights.sum(-1), 1)
    assert macro_f1(ballot.labels, found.oof_labels) > 0.35
    assert macro_f1(truth[rows.evaluation], found.labels) > 0.35
    again = combine(ballot, recipe)
    np.testing.assert_array_equal(found.pred_probs, again.pred_probs)
    np.testing.assert_array_equal(found.oof_labels, again.oof_labels)


@pytest.mark.parametrize("method", ["fitted", "greedy", "stacked"])
def test_no_person_is_scored_by_a_rule_that_was_fitted_on_them(desk, monkeypatch, method):
    workspace, _, _, rows = desk
    recipe = make_recipe(members=RUNS, method=method, folds=4)
    ballot = open_ballot(workspace, rows, recipe)
    fitted_on = []
    fit = combining._fit

    def spy(recipe, members, labels):
        fitted_on.append(members[0].tobytes())
        apply, weights = fit(recipe, members, labels)
        place = len(fitted_on) - 1

        def watched(others):
            if place:  # the first is fitted on everyone, for the evaluation photos
                seen = {fitted_on[place][i : i + 72] for i in range(0, len(fitted_on[place]), 72)}
                assert not seen & {row.tobytes() for row in others[0]}
            return apply(others)

        return watched, weights

    monkeypatch.setattr(combining, "_fit", spy)
    combine(ballot, recipe)
    assert len(fitted_on) == 5


def test_a_method_fitted_to_noise_is_shown_with_the_score_of_people_it_did_not_see(workspace, tmp_path):
    index, truth = draw_index(tmp_path / "data", people=80)
    names = []
    for seed in range(12):
        draw_run(workspace, index, np.random.default_rng(seed).permutation(truth), f"noise{seed}", seed=seed)
        names.append(f"run:noise{seed}")
    rows = rows_of(index, DecisionStore(workspace, DATASET).effective())
    recipe = make_recipe(members=names, method="fitted", calibration="none")
    ballot = open_ballot(workspace, rows, recipe)
    found = combine(ballot, recipe)
    shown = macro_f1(ballot.labels, found.oof_labels)
    total = sum(w * m.pred_probs[ballot.shared] for w, m in zip(found.weights, ballot.members, strict=True))
    assert macro_f1(ballot.labels, total.argmax(1)) > shown + 0.005


def test_only_people_that_every_member_predicted_out_of_fold_count(desk):
    workspace, index, truth, _ = desk
    half = draw_run(workspace, index, truth, "half", seed=9, folds=4, folds_run=2)
    rows = rows_of(index, DecisionStore(workspace, DATASET).effective())
    ballot = open_ballot(workspace, rows, make_recipe(members=["run:a", "run:half"]))
    table = half.train_photos()
    assert set(ballot.person_ids) == set(table.person_id[table.fold < 2])
    assert len(ballot.labels) == 7 * 30
    whole = open_ballot(workspace, rows, make_recipe(members=["run:a", "run:b"]))
    assert whole.shared == slice(0, 420)


def test_labels_are_those_that_stand_after_the_decisions(desk):
    workspace, index, _, rows = desk
    person = index.photos.person_id[0]
    now = 1 - index.photos.gender[0]
    store = DecisionStore(workspace, DATASET)
    store.append([Decision(who="me", kind="relabel", unit="person", target=person, gender=int(now))])
    changed = rows_of(index, store.effective())
    assert (changed.labels != rows.labels).sum() == 7
    assert (changed.person_ids[changed.labels != rows.labels] == person).all()


def test_an_ensemble_can_be_a_member_of_another_and_none_of_itself(desk):
    workspace, _, _, rows = desk
    save_recipe(workspace, "pair", make_recipe(members=["run:a", "run:b"], method="logits", calibration="none"))
    recipe = make_recipe(members=["ensemble:pair", "run:c"], weights=[2, 1], calibration="none")
    ballot = open_ballot(workspace, rows, recipe)
    inner = combine(open_ballot(workspace, rows, open_recipe(workspace, "pair")), open_recipe(workspace, "pair"))
    expected = (2 * inner.pred_probs + ballot.members[1].pred_probs[rows.evaluation]) / 3
    np.testing.assert_allclose(combine(ballot, recipe).pred_probs, expected, rtol=1e-3, atol=1e-6)
    assert len(ballot.labels) == 420
    assert ballot.members[0].seconds == 120
    (workspace.ensembles / "loop.json").write_text('{"members": ["ensemble:loop", "run:a"]}')
    with pytest.raises(SubmissionError, match="ensemble:loop is a member of itself"):
        open_ballot(workspace, rows, make_recipe(members=["ensemble:loop"]))


def test_a_name_stands_for_one_recipe(desk):
    workspace = desk[0]
    save_recipe(workspace, "best", make_recipe(members=["run:a"]))
    save_recipe(workspace, "best", make_recipe(members=["run:a"]))
    with pytest.raises(SubmissionError, match="ensemble best exists and is made otherwise"):
        save_recipe(workspace, "best", make_recipe(members=["run:b"]))
    assert member_names(workspace, DATASET) == ["run:c", "run:b", "run:a", "ensemble:best"]


def test_the_first_of_the_best_runs_is_the_one_that_is_surely_good(desk):
    workspace = desk[0]
    for name, low, high in (("a", 0.5, 0.6), ("b", 0.3, 0.9), ("c", 0.2, 0.4)):
        path = workspace.runs / name / "result.json"
        told = {"macro_f1": (low + high) / 2, "macro_f1_low": low, "macro_f1_high": high}
        path.write_text(json.dumps(json.loads(path.read_text()) | told))
    assert best_runs(workspace, DATASET) == ["run:a", "run:b", "run:c"]
    (workspace.runs / "a" / "photos.csv").unlink()
    assert best_runs(workspace, DATASET) == ["run:b", "run:c"]
    assert best_runs(workspace, "another") == []


def _csv(ids, columns):
    return pd.DataFrame({"ImageID": ids, **columns}).to_csv(index=False).encode()


def test_predictions_from_outside_vote_matched_by_image_id(desk):
    workspace, _, truth, rows = desk
    shuffled = np.random.default_rng(3).permutation(len(rows.evaluation_ids))
    ids = np.array(rows.evaluation_ids)[shuffled]
    add_outside(
        workspace, rows, "friend", _csv(ids, {"ans": truth[rows.evaluation][shuffled]}), file_name="friend.csv"
    )
    ballot = open_ballot(workspace, rows, make_recipe(members=["outside:friend"]))
    found = combine(ballot, make_recipe(members=["outside:friend"]))
    np.testing.assert_array_equal(found.labels, truth[rows.evaluation])
    np.testing.assert_allclose(found.pred_probs.max(1), SURE, rtol=1e-5)
    assert ballot.members[0].origin["file_name"] == "friend.csv"
    assert len(ballot.labels) == 0
    recipe = make_recipe(members=["run:a", "outside:friend"], method="greedy")
    ballot = open_ballot(workspace, rows, recipe)
    with pytest.raises(SubmissionError, match="outside:friend predicts no train photo"):
        combine(ballot, recipe)


def test_columns_of_probabilities_are_taken_by_their_numbers_and_moved_rows_are_told(desk):
    workspace, _, truth, rows = desk
    sure = np.full((len(rows.evaluation_ids), 18), 0.1 / 17)
    sure[np.arange(len(sure)), truth[rows.evaluation]] = 0.9
    table = pd.DataFrame(sure, columns=[f"p{label}" for label in range(18)])
    table = table[sorted(table)].assign(ImageID=rows.evaluation_ids)  # p0, p1, p10, ...
    added = add_outside(workspace, rows, "text", table.to_csv(index=False).encode(), file_name="text.csv")
    np.testing.assert_array_equal(added.predictions().logits.argmax(axis=1), truth[rows.evaluation])
    assert doubts_of(workspace, rows, added) == []
    table.ImageID = np.roll(table.ImageID, 1)
    moved = add_outside(workspace, rows, "moved", table.to_csv(index=False).encode(), file_name="moved.csv")
    assert "shifted rows" in {one.check for one in doubts_of(workspace, rows, moved)}


@pytest.mark.parametrize("kind", ["csv", "npy", "npy with ids"])
def test_probabilities_from_outside_are_kept_and_have_a_score_when_train_photos_are_among_them(desk, kind, tmp_path):
    workspace, _, truth, rows = desk
    ids = list(rows.photo_ids) if kind != "npy" else rows.evaluation_ids
    known = truth if kind != "npy" else truth[rows.evaluation]
    probs = probabilities(3 * np.eye(18)[known] + np.random.default_rng(0).normal(size=(len(known), 18)))
    if kind == "csv":
        add_outside(workspace, rows, "x", _csv(ids, {f"p{k}": probs[:, k] for k in range(18)}), file_name="x.csv")
    else:
        np.save(tmp_path / "x.npy", probs)
        given = _csv(ids, {}) if kind == "npy with ids" else None
        add_outside(workspace, rows, "x", (tmp_path / "x.npy").read_bytes(), file_name="x.npy", ids=given)
    ballot = open_ballot(workspace, rows, make_recipe(members=["outside:x"], calibration="none"))
    np.testing.assert_allclose(ballot.members[0].pred_probs[rows.evaluation], probs[-280:], rtol=1e-3, atol=1e-5)
    assert len(ballot.labels) == (0 if kind == "npy" else 420)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="ImageID"), "no column ImageID"),
        (lambda t: t[1:], "leaves out 1 of the 280 photos of info.csv"),
        (lambda t: pd.concat([t, t[:1]]), "more than once"),
        (
            lambda t: t.assign(ImageID=["new.jpg", *t.ImageID[1:]]),
            "1 ImageIDs that the data set does not",
        ),
        (lambda t: t.assign(ans=18), "row 1 is class 18"),
        (lambda t: t.assign(ans=t.ans.astype(object).where(t.index > 0, "")), "row 1 holds"),
        (lambda t: t.assign(more=1), "has 2 columns besides ImageID"),
        (lambda t: t[["ImageID"]].join(pd.DataFrame(0.2, t.index, range(18))), "sums to 3.600; give probabilities"),
    ],
)
def test_files_from_outside_that_cannot_be_meant_are_refused(desk, change, message):
    workspace, _, truth, rows = desk
    table = pd.DataFrame({"ImageID": rows.evaluation_ids, "ans": truth[rows.evaluation]})
    with pytest.raises(SubmissionError, match=message):
        add_outside(workspace, rows, "x", change(table).to_csv(index=False).encode(), file_name="x.csv")
    assert not list(workspace.root.glob("outside/*/origin.json"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"members": []}, "members: "),
        ({"members": ["run:a", "run:a"]}, "run:a is given 2 times"),
        ({"members": ["run:a"], "method": "magic"}, "method: "),
        ({"members": ["run:a"], "weights": [1, 2]}, "2 weights do not fit 1 members"),
        ({"members": ["run:a"], "weights": [1], "method": "greedy"}, "do not go with the method greedy"),
        ({"members": ["run:a"], "method": "axes", "axes": {"age": ["run:b"]}}, "axes age = run:b"),
        ({"members": ["run:a"], "color": 1}, "color: "),
    ],
)
def test_recipes_that_cannot_be_are_refused(settings, message):
    with pytest.raises(SubmissionError, match=message):
        make_recipe(**settings)


def test_runs_that_do_not_fit_are_refused_by_name(desk):
    workspace, index, truth, rows = desk
    draw_run(workspace, index, truth, "open", finished=False)
    draw_run(workspace, index, truth, "other", dataset_id="another")
    with pytest.raises(RunError, match="run open is unfinished; go on with it first: resume --run open"):
        open_ballot(workspace, rows, make_recipe(members=["run:open"]))
    with pytest.raises(RunError, match="run other was made for data set another, this one is abcdef012345"):
        open_ballot(workspace, rows, make_recipe(members=["run:other"]))
    with pytest.raises(SubmissionError, match="member 'a': write run:NAME"):
        open_ballot(workspace, rows, make_recipe(members=["a"]))
