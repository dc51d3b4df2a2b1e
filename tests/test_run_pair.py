"""Two runs of the demo set compared: who counts, what is fixed and broken, and by whose labels."""

import shutil

import numpy as np
import pytest

from core.curation.run_pair import pair_runs
from core.errors import RunError
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.predictions import write_predictions
from core.storage.runs import Run
from core.taxonomy import decode
from tests.synthetic import write_run


@pytest.fixture
def decided(workspace, index):
    return DecisionStore(workspace, index.dataset_id)


def _keep_only(run, people):
    oof, table = run.oof(), run.train_photos().set_index("photo_id")
    kept = np.isin(table.person_id.reindex(oof.photo_ids).to_numpy(dtype=str), people)
    write_predictions(run.path / "oof", oof.photo_ids[kept], oof.logits[kept])


def test_only_people_that_both_runs_predicted_count_and_the_others_are_told(workspace, index, decided):
    one, other = (write_run(workspace, index, name, seed=seed) for seed, name in enumerate(("one", "other")))
    people = index.photos.person_id[index.photos.split == "train"].unique()
    _keep_only(one, people[:5])
    _keep_only(other, people[3:])
    pair = pair_runs(one, other, index.photos, decided.effective())
    assert set(pair.people) == set(people[3:5])
    assert (pair.num_people, pair.left_out) == (2, len(people) - 2)
    _keep_only(other, people[5:])
    with pytest.raises(RunError, match="predicted no person in common"):
        pair_runs(one, other, index.photos, decided.effective())


def test_a_person_of_whom_one_run_misses_a_photo_is_left_out(workspace, index, decided):
    one, other = (write_run(workspace, index, name, seed=seed) for seed, name in enumerate(("one", "other")))
    oof = other.oof()
    write_predictions(other.path / "oof", oof.photo_ids[1:], oof.logits[1:])
    pair = pair_runs(one, other, index.photos, decided.effective())
    lost = index.photos.set_index("photo_id").person_id[oof.photo_ids[0]]
    assert lost not in pair.people
    assert pair.left_out == 1


def test_fixed_and_broken_are_ordered_by_how_far_the_true_class_moved(workspace, index, decided):
    one, other = (write_run(workspace, index, name, seed=seed) for seed, name in enumerate(("one", "other")))
    pair = pair_runs(one, other, index.photos, decided.effective())
    right = [guess == pair.labels for guess in (pair.first, pair.second)]
    assert sorted(pair.fixed) == np.flatnonzero(~right[0] & right[1]).tolist()
    assert sorted(pair.broken) == np.flatnonzero(right[0] & ~right[1]).tolist()
    assert (np.diff(pair.moved[pair.fixed]) <= 0).all()
    assert (np.diff(pair.moved[pair.broken]) >= 0).all()
    swapped = pair_runs(other, one, index.photos, decided.effective())
    assert swapped.scores.difference.tolist() == pytest.approx((-pair.scores.difference).tolist())
    assert (swapped.test.first, swapped.test.second) == (pair.test.second, pair.test.first)


def _with_its_copy(workspace, index):
    run = write_run(workspace, index, "one")
    return run, Run(shutil.copytree(run.path, workspace.runs / "copy"))


def test_a_run_and_its_copy_differ_in_nothing_and_a_run_is_not_compared_with_itself(workspace, index, decided):
    run, copy = _with_its_copy(workspace, index)
    with pytest.raises(RunError, match="cannot be compared with itself"):
        pair_runs(run, run, index.photos, decided.effective())
    pair = pair_runs(run, copy, index.photos, decided.effective())
    assert (pair.scores.difference == 0).all()
    assert (pair.scores.low == 0).all()
    assert (pair.test.exact, pair.correlation, pair.same_answer) == (1, pytest.approx(1), 1)
    assert not len(pair.fixed)


def test_labels_count_as_decided(workspace, index, decided):
    run, copy = _with_its_copy(workspace, index)
    photo = index.photos[index.photos.split == "train"].iloc[0]
    other = int(1 - photo.gender)
    decided.append([Decision(who="kim", kind="relabel", unit="photo", target=photo.photo_id, gender=other)])
    pair = pair_runs(run, copy, index.photos, decided.effective())
    assert decode(pair.labels[pair.photo_ids == photo.photo_id])[1] == other
