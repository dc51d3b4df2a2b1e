"""The queue of disagreements on the command line, against votes that are read and compared here photo by photo."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import entropy

from core.cli import cli
from core.errors import DecisionError, RunError
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.predictions import read_predictions
from tests.synthetic import write_run

GENDER = {0: "male", 1: "female"}


@pytest.fixture
def runs(desk, index):
    return [write_run(desk, index, name, seed=seed) for seed, name in enumerate(("one", "two"))]


def _call(*more):
    words = ["queue", "--run", "one", "--unit", "photo", "--state", "all", "--count", "1000", *more]
    return CliRunner().invoke(cli, words, catch_exceptions=False).stdout


def _cards(*more):
    return {card["target"]: card for card in json.loads(_call("--json", *more).splitlines()[-1])["cards"]}


def _said(run):
    """Class of each photo by a run, out of fold or on the evaluation photos."""
    parts = (run.oof(), run.evaluation())
    return {name: int(row.argmax()) for part in parts for name, row in zip(part.photo_ids, part.logits, strict=True)}


def _votes(dispute):
    return {vote["who"]: 6 * vote["mask"] + 3 * vote["gender"] + vote["age_band"] for vote in dispute["votes"]}


def test_two_runs_disagree_about_the_photos_that_they_give_two_classes(runs):
    first, second = map(_said, runs)
    expected = {
        photo: {"one": first[photo], "two": second[photo]} for photo in first if first[photo] != second[photo]
    }
    found = _cards("--with", "two")
    assert {photo: _votes(card["disputes"][0]) for photo, card in found.items()} == expected
    assert all(len(card["disputes"]) == 1 for card in found.values())
    assert len(expected) > 10


@pytest.mark.parametrize("which", ["fixed", "broken"])
def test_fixed_and_broken_are_train_photos_that_one_run_alone_has_right(runs, desk, index, which):
    label = index.photos[index.photos.split == "train"].set_index("photo_id").label.to_dict()
    wrong, right = map(_said, runs if which == "fixed" else runs[::-1])
    expected = {photo for photo in label if wrong[photo] != label[photo] == right[photo]}
    accepted = next(photo for photo in runs[0].eval_ids() if wrong[photo] != right[photo])
    said = Decision(who="Ann", kind="accept", target=accepted, proposal=right[accepted])
    DecisionStore(desk, index.dataset_id).append([said])  # an evaluation photo proves neither run right
    assert _cards("--with", "two", "--which", which).keys() == expected
    assert expected


def test_folds_disagree_about_evaluation_photos_and_those_most_apart_come_first(runs):
    folds = [read_predictions(runs[0].fold_path(fold) / "evaluation") for fold in range(3)]
    said = {photo: [int(one.logits[row].argmax()) for one in folds] for row, photo in enumerate(runs[0].eval_ids())}
    expected = {photo: classes for photo, classes in said.items() if len(set(classes)) > 1}
    found = _cards("--with", "folds")
    assert {photo: list(_votes(card["disputes"][0]).values()) for photo, card in found.items()} == expected
    apart = [entropy(np.unique(expected[photo], return_counts=True)[1]) for photo in found]
    assert apart == sorted(apart, reverse=True)
    assert apart[0] > 0


def test_by_gain_the_order_and_the_gains_are_those_of_the_queue_of_pseudo_labels(runs):
    found, pseudo = _cards("--with", "folds", "--order", "gain"), _cards("--name", "pseudo_labels")
    assert {photo: card["gain"] for photo, card in found.items()} == {photo: pseudo[photo]["gain"] for photo in found}
    assert list(found) == [photo for photo in pseudo if photo in found]


def test_by_person_each_of_its_disputed_photos_is_told(runs, index):
    first, second = map(_said, runs)
    train = index.photos[index.photos.split == "train"]
    expected = {}
    for photo, person in zip(train.photo_id, train.person_id, strict=True):
        if first[photo] != second[photo]:
            expected.setdefault(person, []).append(photo)
    found = _cards("--with", "two", "--unit", "person")
    told = {target: [one["target"] for one in card["disputes"]] for target, card in found.items()}
    assert {target: told[target] for target in told if target in set(train.person_id)} == expected
    kinds = train.set_index("photo_id").kind
    text = _call("--with", "two", "--unit", "person")
    for person, photos in expected.items():
        row = next(line for line in text.splitlines() if line.split()[0] == person)
        assert all(kinds[photo] in row for photo in photos)


def test_reviewers_who_differ_are_listed_with_both_votes_whichever_unit_the_queue_has(runs, desk, index):
    photos = index.photos[index.photos.split == "train"]
    photo, person = photos.photo_id.iloc[0], photos.person_id.iloc[0]
    store = DecisionStore(desk, index.dataset_id)
    for who, mask in (("ann", 0), ("bob", 1)):
        store.append([Decision(who=who, kind="relabel", target=photo, mask=mask, why=f"{who} looked")])
    for unit, target in (("photo", photo), ("person", person)):
        [card] = _cards("--with", "reviewers", "--unit", unit).values()
        assert card["target"] == target
        [dispute] = card["disputes"]
        assert (dispute["unit"], dispute["target"], dispute["differing"]) == ("photo", photo, ["mask"])
        assert [(vote["who"], vote["mask"], vote["why"]) for vote in dispute["votes"]] == [
            ("ann", 0, "ann looked"),
            ("bob", 1, "bob looked"),
        ]


def test_the_table_names_ids_both_votes_and_the_expected_gain(runs):
    found, text = _cards("--with", "two"), _call("--with", "two")
    rows = {line.split()[0]: line for line in text.splitlines() if line.split()[0] in found}
    assert list(rows) == list(found)
    for photo, card in found.items():
        for vote in card["disputes"][0]["votes"]:
            assert f"{vote['who']}: " in rows[photo]
            assert f", {GENDER[vote['gender']]}, " in rows[photo]
        assert float(rows[photo].split()[3]) == pytest.approx(card["gain"], abs=1e-5)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ([], DecisionError, "no queue is named; give --name"),
        (["--name", "disagreements"], DecisionError, "give --with: another run, folds, or reviewers"),
        (["--name", "pseudo_labels", "--with", "two"], DecisionError, "--with two goes with --name disagreements"),
        (["--with", "folds", "--which", "fixed"], DecisionError, "--which fixed compares two runs"),
        (["--with", "ghost"], RunError, "run 'ghost' does not exist"),
        (["--with", "one"], RunError, "1 voters cannot disagree"),
    ],
)
def test_options_that_contradict_each_other_are_refused(runs, options, error, words):
    with pytest.raises(error, match=words):
        _call(*options)
