"""The bulk accept, and how many wrong ones it lets expect: on people whose truth is known."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from core.cli import cli
from core.cli.options import Settings
from core.curation.evidence import read_evidence
from core.curation.pseudo_labels import accept_chosen, bulk_choice, expected_wrong
from core.curation.review_table import review_table
from core.errors import DecisionError
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.predictions import Predictions
from tests.synthetic import EVAL_MIX, draw_people, write_run
from tests.test_review_table import decided, made_up, read


@pytest.fixture(scope="module")
def made():
    """Sixty train and twenty evaluation people of a made-up run."""
    return made_up()


def test_a_bulk_accept_covers_undecided_evaluation_photos_only_and_is_one_batch(made):
    ids = made[2].photo_ids
    table = read(
        made,
        "person",
        Decision(who="kim", kind="skip", target=str(ids[0])),
        Decision(who="kim", kind="reject", target=str(ids[1])),
    )
    chosen = bulk_choice(table, 0.0)
    assert set(chosen.photo_id) == set(ids[2:])
    decisions = accept_chosen(chosen, run_id="first", who="kim")
    assert [(row.target, row.proposal) for row in decisions] == list(
        zip(chosen.photo_id, chosen.proposal, strict=True)
    )
    assert len({row.batch_id for row in decisions}) == 1
    assert len({row.nonce for row in decisions}) == len(decisions)
    assert {(row.kind, row.run_id, row.who, row.queue, row.origin) for row in decisions} == {
        ("accept", "first", "kim", "pseudo_labels", "model")
    }


def test_the_threshold_itself_counts_and_the_expected_number_is_the_sum_of_doubt(made):
    table = read(made, "person")
    part = (table.photos.split == "eval").to_numpy()
    confidence = table.photo_probs[part].max(axis=1)
    least = float(np.sort(confidence)[70])
    chosen = bulk_choice(table, least)
    assert len(chosen) == (confidence >= least).sum()
    assert chosen.confidence.min() == least
    assert expected_wrong(chosen, table) == pytest.approx((1 - confidence[confidence >= least]).sum())
    assert expected_wrong(chosen[:0], table) == 0
    assert bulk_choice(table, 1.0).empty


@pytest.mark.parametrize("threshold", [-0.1, 1.01, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(made, threshold):
    with pytest.raises(DecisionError, match=r"threshold .* is outside 0\.\.1"):
        bulk_choice(read(made, "person"), threshold)


def test_the_expected_number_is_honest_when_the_evaluation_people_are_another_mix():
    """Chosen for the train people's mix, and still counted for the evaluation people's."""
    train, other = draw_people(0, 900, shared=0.1), draw_people(1, 900, EVAL_MIX, shared=0.1)
    photos = _photos(train, other)
    ids = photos.photo_id.to_numpy(dtype=str)
    cut = len(train.labels)
    oof, evaluation = Predictions(ids[:cut], train.logits), Predictions(ids[cut:], other.logits)
    tables = {}
    for prior in ("none", "em"):
        evidence = read_evidence(photos, decided(), oof, [evaluation], folds={}, unit="person", prior=prior)
        tables[prior] = review_table(evidence, photos, decided())
    for table in tables.values():
        chosen = bulk_choice(table, 0.6)
        wrong = int((chosen.proposal.to_numpy() != other.labels[chosen.index.to_numpy() - cut]).sum())
        assert len(chosen) > 1000
        assert expected_wrong(chosen, tables["em"]) == pytest.approx(wrong, rel=0.06)
    chosen = bulk_choice(tables["none"], 0.6)
    wrong = int((chosen.proposal.to_numpy() != other.labels[chosen.index.to_numpy() - cut]).sum())
    assert expected_wrong(chosen, tables["none"]) < 0.93 * wrong


def _photos(train, other):
    frame = made_up(people=1, others=0)[0].iloc[:1]
    count = len(train.labels) + len(other.labels)
    photos = frame.iloc[np.zeros(count, dtype=int)].reset_index(drop=True)
    is_train = np.arange(count) < len(train.labels)
    photos["photo_id"] = [f"photo{place}" for place in range(count)]
    photos["person_id"] = np.where(is_train, [f"p{one}" for one in [*train.people, *other.people]], "")
    photos["split"] = np.where(is_train, "train", "eval")
    labels = np.where(is_train, np.concatenate([train.labels, other.labels]), -1)
    axes = {"mask": labels // 6, "gender": labels // 3 % 2, "age_band": labels % 3, "label": labels}
    return photos.assign(**{name: np.where(is_train, values, -1) for name, values in axes.items()}, age=-1)


def test_the_verb_accepts_what_it_said_it_would_and_counts_as_the_page_does(index, workspace, monkeypatch):
    write_run(workspace, index, "first")
    monkeypatch.setattr(Settings, "load_index", lambda settings: index)
    words = ["--workspace", str(workspace.root), "accept", "--run", "first", "--threshold", "0.3", "--json"]

    def told(*more):
        done = CliRunner().invoke(cli, [*words, *more])
        assert done.exit_code == 0, done.output
        return json.loads(done.output.splitlines()[-1])

    would = told("--dry-run")
    assert (would["accepted"], would["batch_id"]) == (0, None)
    assert DecisionStore(workspace, index.dataset_id).effective().empty
    plain = told("--dry-run", "--prior", "none")
    assert plain["chosen"] != would["chosen"] or plain["expected_wrong"] != would["expected_wrong"]
    did = told()
    assert (did["accepted"], did["expected_wrong"]) == (would["chosen"], would["expected_wrong"])
    assert told("--dry-run")["chosen"] == 0
