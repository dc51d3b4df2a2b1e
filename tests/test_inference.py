"""The one switch: calibrated, corrected to a mix, joined over persons; in probabilities, files and manifests."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose

from benchmarks.drawn_runs import draw_index, draw_run
from core.cli import cli
from core.cli.options import Settings
from core.errors import DecisionError, SubmissionError
from core.evaluation.metrics import macro_f1
from core.evaluation.prior import corrected
from core.evaluation.shift import estimate_shift
from core.people.inference import Persons, infer, trusted
from core.people.joint import fit_pooling, pool_groups, pool_people
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.groupings import save_grouping
from core.submission.deciding import Voted, decide
from core.submission.export import draft_submission, manifest_of, write_submission
from core.submission.recipe import make_recipe, save_recipe
from core.taxonomy import decode_axis
from tests.synthetic import EVAL_MIX, draw_people


@pytest.fixture(scope="module")
def known():
    """Train people, evaluation people of another mix, and the shift and pooling learned from the first."""
    train, other = draw_people(0, 400, shared=0.3), draw_people(1, 300, EVAL_MIX, shared=0.3)
    shift = estimate_shift(train.logits, train.labels, [other.logits])
    single = shift.calibration.probabilities(train.logits)
    return train, other, shift, fit_pooling(single, train.labels, train.people)


def test_pooling_what_is_corrected_is_correcting_what_is_pooled(known):
    _, other, shift, pooling = known
    persons = Persons(other.people, np.full(len(other.people), 0.8), pooling)
    both = infer(shift, [other.logits], prior="em", persons=persons)
    after = corrected(infer(shift, [other.logits], persons=persons), shift.train_mix, shift.em_mix)
    own_prior = np.asarray(pooling.prior) / shift.train_mix  # people are counted with one more in each cell
    assert_allclose(own_prior, 1, atol=0.15)
    assert_allclose(both, after, atol=0.01)


def test_each_correction_can_be_left_out_and_each_brings_right_ones(known):
    _, other, shift, pooling = known
    persons = Persons(other.people, np.ones(len(other.people)), pooling)
    plain = infer(shift, [other.logits])
    np.testing.assert_array_equal(plain, shift.calibrated([other.logits]))
    halfway = shift.corrected([other.logits], mix=(shift.em_mix + shift.bbse_mix) / 2)
    np.testing.assert_array_equal(infer(shift, [other.logits], prior="both"), halfway)
    np.testing.assert_array_equal(infer(shift, [other.logits], prior="bbse"),
                                  shift.corrected([other.logits], mix=shift.bbse_mix))  # fmt: skip
    found = [
        plain,
        infer(shift, [other.logits], prior="em"),
        infer(shift, [other.logits], prior="em", persons=persons),
    ]
    scores = [macro_f1(other.labels, probs.argmax(axis=1)) for probs in found]
    assert scores[2] > scores[1] + 0.03 > scores[0] + 0.03
    rows = np.arange(len(plain))
    losses = [-np.log(np.maximum(probs[rows, other.labels], 1e-9)).mean() for probs in found]
    assert losses[2] < losses[1] < losses[0]


def test_a_group_is_what_a_photo_that_surely_belongs_to_it_says(known):
    _, other, shift, pooling = known
    probs = shift.calibrated([other.logits])
    masks, sure = decode_axis(other.labels, "mask"), np.random.default_rng(3).uniform(size=len(other.people))
    sure[::7] = 1.0
    told = pool_groups(probs, other.people, masks, pooling, confidence=sure)
    assert_allclose(told, pool_people(probs, other.people, masks, pooling, confidence=sure)[::7], rtol=1e-6)
    alike = pool_groups(probs, other.people, masks, pooling)
    nobody_sure = pool_groups(probs, other.people, masks, pooling, confidence=np.full(len(sure), np.nan))
    assert_allclose(nobody_sure, alike)


def test_groups_about_which_nobody_says_how_sure_they_are_count_in_full():
    groups, confidence = ["a", "a", "b", "c", "c"], [np.nan, np.nan, np.nan, 0.7, np.nan]
    np.testing.assert_array_equal(trusted(groups, confidence), [1, 1, np.nan, 0.7, np.nan])


@pytest.fixture
def desk(workspace, tmp_path):
    """A data set whose evaluation people are known to a grouping, and two runs."""
    index, truth = draw_index(tmp_path / "data")
    for seed, name in enumerate(["one", "two"]):
        draw_run(workspace, index, truth, name, seed=seed, strength=0.8)
    _group(workspace, index, truth, "found")
    return workspace, index, truth[(index.photos.split == "eval").to_numpy()]


def _group(workspace, index, truth, name):
    """Sevens of one gender and age band, each with its five, one and one masks."""
    part = (index.photos.split == "eval").to_numpy()
    ids, masks, cells = index.photos.photo_id.to_numpy()[part], truth[part] // 6, truth[part] % 6
    group = np.empty(len(ids), dtype=object)
    for cell in range(6):
        for mask, size in enumerate((5, 1, 1)):
            rows = np.flatnonzero((masks == mask) & (cells == cell))
            group[rows] = [f"{cell}-{place // size}" for place in range(len(rows))]
    table = pd.DataFrame({"photo_id": ids, "group": group, "confidence": 0.99})
    save_grouping(workspace, name, table, dataset_id=index.dataset_id, origin="a test", about={})


def _draft(desk, **settings):
    return draft_submission(*desk[:2], make_recipe(members=["run:one", "run:two"], **settings))


def test_an_export_over_persons_tells_which_and_what_it_changes(desk):
    plain, joined = _draft(desk), _draft(desk, grouping="found", prior="em")
    assert (plain.effect, plain.inference, manifest_of(plain)["inference"]) == (None, None, None)
    rows = np.flatnonzero(plain.labels != joined.labels)
    assert joined.effect.changes.rows.tolist() == rows.tolist() != []
    assert joined.effect.changes.moves.photos.sum() == len(rows)
    assert macro_f1(desk[2], joined.labels) > macro_f1(desk[2], plain.labels) + 0.05
    assert joined.expected == joined.effect.after
    assert joined.effect.after.mean > joined.effect.before.mean
    manifest = write_submission(*desk[:2], joined)
    told = json.loads((desk[0].submissions / manifest["file_name"]).with_suffix(".manifest.json").read_text())
    assert (told["inference"]["prior"], told["inference"]["grouping"]["name"]) == ("em", "found")
    assert told["inference"]["grouping"]["photos"] == 280
    assert sum(told["inference"]["mix"]) == pytest.approx(1, abs=1e-4)
    assert told["effect"]["photos"] == len(rows)
    assert 0 < told["effect"]["people"] <= 40
    assert told["recipe"]["grouping"] == "found"


def test_the_same_groups_give_the_same_bytes_and_other_groups_under_the_name_another_manifest(desk, tmp_path):
    first, again = _draft(desk, grouping="found"), _draft(desk, grouping="found")
    assert (first.text, manifest_of(first)) == (again.text, manifest_of(again))
    path = desk[0].root / "groupings" / desk[1].dataset_id / "found.csv"
    table = pd.read_csv(path, dtype=object)
    table.loc[table.index[:3], "group"] = "other"
    table.to_csv(path, index=False)
    moved = manifest_of(_draft(desk, grouping="found"))
    assert moved["inference"]["grouping"]["sha256"] != manifest_of(first)["inference"]["grouping"]["sha256"]
    assert moved["inputs_sha256"] != manifest_of(first)["inputs_sha256"]


def test_what_cannot_be_corrected_is_refused_in_words(desk):
    with pytest.raises(DecisionError, match="grouping 'lost' does not exist for this data set; there are: found"):
        _draft(desk, grouping="lost")
    draft = _draft(desk)
    unscored = Voted(draft.ballot, draft.combined, None)
    assert decide(desk[0], unscored, draft.recipe).labels is draft.combined.labels
    with pytest.raises(SubmissionError, match="leave the corrections out"):
        decide(desk[0], unscored, draft.recipe.model_copy(update={"grouping": "found"}))


def _run(desk, monkeypatch, *words):
    monkeypatch.setattr(Settings, "load_index", lambda settings: desk[1])
    done = CliRunner().invoke(cli, ["--workspace", str(desk[0].root), *words, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output.splitlines()[-1])


def test_the_command_line_uses_a_saved_ensembles_switches_and_can_leave_each_out(desk, monkeypatch):
    save_recipe(desk[0], "both", make_recipe(members=["run:one", "run:two"], prior="em", grouping="found"))
    saved = _run(desk, monkeypatch, "export", "--from", "both")
    assert (saved["inference"]["prior"], saved["inference"]["grouping"]["name"]) == ("em", "found")
    one_left = _run(desk, monkeypatch, "export", "--from", "both", "--grouping", "")
    assert (one_left["inference"]["prior"], one_left["inference"]["grouping"]) == ("em", None)
    plain = _run(desk, monkeypatch, "export", "--from", "both", "--grouping", "", "--prior", "none")
    assert plain["inference"] is None
    assert plain["sha256"] == _draft(desk).sha256
    given = _run(desk, monkeypatch, "export", "--run", "one", "--run", "two", "--grouping", "found", "--prior", "em")
    assert given["sha256"] == saved["sha256"]


def test_the_limits_of_the_command_line_reach_the_file(desk, monkeypatch):
    target = desk[1].photos.photo_id[desk[1].photos.split == "eval"].iloc[0]
    store = DecisionStore(desk[0], desk[1].dataset_id)
    store.append([Decision(who="ann", kind="relabel", target=target, mask=1, gender=0, age_band=0)])
    words = ("export", "--run", "one", "--with-decisions")
    assert len(_run(desk, monkeypatch, *words)["decisions"]) == 1
    assert _run(desk, monkeypatch, *words, "--limit", "none")["decisions"] == []


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({}, "most_probable"),
        ({"prior": "em"}, "macro_f1"),
        ({"grouping": "found"}, "macro_f1"),
        ({"prior": "em", "decide": "most_probable"}, "most_probable"),
        ({"decide": "macro_f1"}, "macro_f1"),
    ],
)
def test_what_is_corrected_is_decided_for_macro_f1_unless_told_otherwise(settings, rule):
    recipe = make_recipe(members=["run:one"], **settings)
    assert recipe.rule == rule
    assert recipe.is_plain == (not settings)
