"""The benchmark over all methods: its figures are those of an independent scorer, and the truth chooses nothing."""

import pandas as pd
import pytest
from sklearn.metrics import f1_score

from benchmarks import ensemble_methods
from benchmarks.drawn_runs import draw_index, draw_run
from core.errors import RunError
from core.storage.runs import open_run


@pytest.fixture
def data(workspace, tmp_path, monkeypatch):
    index, truth = draw_index(tmp_path / "data", people=60, evaluation=40)
    for seed, name in enumerate(["a", "b"]):
        draw_run(workspace, index, truth, name, seed=seed)
    draw_run(workspace, index, truth, "one-fold", seed=5, folds_run=1)
    is_eval = (index.photos.split == "eval").to_numpy()
    table = pd.DataFrame({"ImageID": index.photos.photo_id[is_eval], "ans": truth[is_eval], "person": "p"})
    table["person"] = [str(place // 7) for place in range(len(table))]
    (tmp_path / "data" / "truth").mkdir(parents=True)
    table.to_csv(tmp_path / "data" / "truth" / "eval.csv", index=False)
    monkeypatch.setattr(ensemble_methods, "load_index", lambda *_: index)
    return tmp_path / "data", table


def test_every_member_and_method_has_its_scores_and_held_out_people_choose(data, workspace):
    folder, table = data
    found = ensemble_methods.compare_methods(folder, workspace)
    told = found["predictions"]
    assert set(told) == {"run:a", "run:b", *ensemble_methods._METHODS}  # a run of one fold shares too few people
    guess = open_run(workspace, "a").evaluation().logits.argmax(axis=1)
    oracle = f1_score(table.ans, guess, labels=range(18), average="macro", zero_division=0)
    assert told["run:a"]["plain"]["true"] == pytest.approx(oracle, abs=1e-4)
    for kind, names in (("chosen", ensemble_methods._METHODS), ("best_member", ["run:a", "run:b"])):
        held_out = {name: told[name]["held_out"] for name in names}
        best = max(names, key=lambda name: max(held_out[name]["at_mix"], held_out[name]["corrected"]))
        assert found[kind].split(",")[0].split(" ")[0] == best
    for entry in told.values():
        one = entry["corrected"]
        assert one["inside"] == (one["low"] <= one["true"] <= one["high"]) or abs(one["true"] - one["high"]) < 1e-3


def test_the_truth_chooses_nothing(data, workspace):
    folder, table = data
    first = ensemble_methods.compare_methods(folder, workspace)
    table.assign(ans=table.ans.to_numpy()[::-1]).to_csv(folder / "truth" / "eval.csv", index=False)
    second = ensemble_methods.compare_methods(folder, workspace)
    assert (second["chosen"], second["best_member"]) == (first["chosen"], first["best_member"])
    assert second["chosen_true"] != first["chosen_true"]


def test_where_no_mix_is_known_people_as_they_are_choose(data, workspace, monkeypatch):
    monkeypatch.setattr("core.evaluation.shift.STEADY", -1.0)
    found = ensemble_methods.compare_methods(data[0], workspace)
    told = found["predictions"]
    assert found["mix"] is None
    best = max(ensemble_methods._METHODS, key=lambda name: told[name]["held_out"]["macro_f1"])
    assert found["chosen"] == f"{best} ({told[best]['held_out']['macro_f1']:.4f})"


def test_one_run_is_no_ensemble(data, workspace):
    with pytest.raises(RunError, match="an ensemble needs two"):
        ensemble_methods.compare_methods(data[0], workspace, ("a",))
