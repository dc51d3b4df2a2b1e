"""What corrections change in a review's proposals, and that the queue of the command line takes people as units."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from benchmarks.drawn_runs import draw_index, draw_run
from core.cli import cli
from core.cli.options import Settings
from core.curation.calibrated import calibrate_run
from core.curation.evidence import run_evidence
from core.curation.review_effect import review_effect
from core.curation.review_table import review_table
from core.evaluation.best_classes import best_classes, expected_macro_f1
from core.evaluation.metrics import macro_f1
from core.evaluation.prior import group_probabilities
from core.people.inference import Persons, infer
from core.people.joint import fit_pooling
from core.storage.decisions import DecisionStore
from core.storage.groupings import open_grouping
from tests.test_inference import _group


@pytest.fixture
def desk(workspace, tmp_path):
    """An index, a run, the truth of the evaluation photos, and a grouping of them."""
    index, truth = draw_index(tmp_path / "data")
    run = draw_run(workspace, index, truth, "one", strength=0.8)
    _group(workspace, index, truth, "found")
    return workspace, index, run, truth[(index.photos.split == "eval").to_numpy()]


def _evidence(desk, **switches):
    workspace, index, run, _ = desk
    decided = DecisionStore(workspace, index.dataset_id).effective()
    return run_evidence(run, index.photos, decided, unit="person", **switches)


def test_without_corrections_a_review_proposes_from_the_runs_own_votes(desk):
    evidence = _evidence(desk, prior="none")
    np.testing.assert_array_equal(evidence.predictions, evidence.votes)
    assert len(review_effect(evidence).changes.rows) == 0


def test_the_effect_is_what_moves_and_what_is_expected_of_it(desk):
    workspace, index, _, truth = desk
    grouping = open_grouping(workspace, "found", dataset_id=index.dataset_id)
    evidence = _evidence(desk, prior="em", grouping=grouping)
    effect, part = review_effect(evidence), ~evidence.is_train
    moved = evidence.votes[part] != evidence.predictions[part]
    assert effect.changes.rows.tolist() == np.flatnonzero(moved).tolist() != []
    assert effect.changes.people == len(set(evidence.groups[part][moved])) <= 40
    probs = review_table(evidence, index.photos, DecisionStore(workspace, index.dataset_id).effective()).photo_probs
    assert effect.after == pytest.approx(expected_macro_f1(probs[part], evidence.predictions[part]))
    np.testing.assert_array_equal(evidence.predictions[part], best_classes(probs[part]))
    assert effect.after > effect.before
    assert macro_f1(truth, evidence.predictions[part]) > macro_f1(truth, evidence.votes[part])


@pytest.mark.parametrize("prior", ["none", "em", "bbse", "both"])
def test_every_mix_corrects_to_what_it_says(desk, prior):
    evidence = _evidence(desk, prior=prior)
    _, _, mix = evidence.posterior(np.full(len(evidence.targets), -1))
    assert mix.sum() == pytest.approx(1)
    assert (prior == "none") == (np.abs(mix - evidence.mix).max() < 1e-9)


def test_a_photo_that_hardly_belongs_to_its_group_speaks_for_itself(desk):
    workspace, index, _, _ = desk
    path = workspace.root / "groupings" / index.dataset_id / "found.csv"
    table = pd.read_csv(path, dtype={"ImageID": object, "group": object})
    table.loc[0, "confidence"] = 0.0
    table.to_csv(path, index=False)
    grouping = open_grouping(workspace, "found", dataset_id=index.dataset_id)
    joined, alone = _evidence(desk, prior="none", grouping=grouping), _evidence(desk, prior="none")
    row = index.photos.photo_id.tolist().index(table.ImageID[0])
    nobody = np.full(len(alone.targets), -1)
    others = np.full(len(joined.targets), -1)
    np.testing.assert_allclose(joined.posterior(others)[1][row], alone.posterior(nobody)[1][row], atol=1e-9)
    assert np.abs(joined.posterior(others)[1] - alone.posterior(nobody)[1])[row + 1 :].max() > 0.1


def test_the_verb_lists_found_people_as_units_by_what_the_person_is_worth(desk, monkeypatch):
    monkeypatch.setattr(Settings, "load_index", lambda settings: desk[1])
    words = [
        "--workspace",
        str(desk[0].root),
        "queue",
        "--name",
        "pseudo_labels",
        "--run",
        "one",
        "--json",
        "--count",
        "99",
    ]
    done = CliRunner().invoke(cli, [*words, "--grouping", "found"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output.splitlines()[-1])
    assert {card["unit"] for card in told["cards"]} == {"person"}
    assert sorted({len(card["photos"]) for card in told["cards"]})[-1] == 7
    gains = [card["gain"] for card in told["cards"]]
    assert gains == sorted(gains, reverse=True)
    assert told["effect"]["photos"] > 0
    plain = json.loads(CliRunner().invoke(cli, [*words, "--prior", "none"]).output.splitlines()[-1])
    assert {card["unit"] for card in plain["cards"]} == {"photo"}
    assert plain["effect"]["photos"] == 0


@pytest.mark.parametrize("prior", ["none", "em", "bbse", "both"])
@pytest.mark.parametrize("name", ["", "found"])
def test_a_review_without_answers_says_what_an_export_of_the_run_says(desk, prior, name):
    workspace, index, run, _ = desk
    grouping = open_grouping(workspace, "found", dataset_id=index.dataset_id) if name else None
    evidence = _evidence(desk, prior=prior, grouping=grouping)
    known = calibrate_run(run, index.photos, DecisionStore(workspace, index.dataset_id).effective())
    pooling = fit_pooling(known.oof_probabilities(), known.labels, known.people)
    persons = grouping and Persons.of(grouping, known.eval_ids.tolist(), pooling)
    said = group_probabilities(infer(known.shift, known.eval_logits, prior=prior, persons=persons))
    told = evidence.posterior(np.full(len(evidence.targets), -1))[1][~evidence.is_train]
    np.testing.assert_allclose(group_probabilities(told), said, atol=0.05 if name else 1e-9)
    assert (group_probabilities(told).argmax(axis=1) == said.argmax(axis=1)).mean() > 0.95


@pytest.mark.parametrize("prior", ["em", "both"])
def test_answers_move_the_mix_until_all_answers_are_the_count(desk, prior):
    evidence, truth = _evidence(desk, prior=prior), desk[3]
    other = np.flatnonzero(~evidence.is_train)
    units, cells = evidence.groups[other], truth % 6
    wanted = np.bincount(cells, minlength=6) / len(cells)
    known, gaps = np.full(len(evidence.targets), -1), []
    for share in (0.0, 0.5, 1.0):
        rows = np.arange(round(share * len(other)))
        known[units[rows]] = cells[rows]
        gaps.append(np.abs(evidence.posterior(known)[2] - wanted).sum())
    assert gaps[2] < gaps[1] < gaps[0]
    assert gaps[2] < 0.1
