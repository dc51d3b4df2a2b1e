"""A run's out-of-fold predictions beside its labels, and the verb that tells where they differ."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from core.cli import cli
from core.curation.judged import error_tables, judge
from core.evaluation.error_tables import VIEWS
from core.evaluation.metrics import macro_f1
from core.taxonomy import PHOTO_KINDS
from tests.synthetic import write_run


@pytest.fixture
def run(index, workspace):
    """A finished run over the demo set."""
    return write_run(workspace, index, "first")


def test_each_prediction_stands_beside_its_own_photo(run, index):
    judged = judge(run)
    photos = index.photos.set_index("photo_id").loc[judged.photo_ids]
    assert judged.labels.tolist() == photos.label.tolist()
    assert judged.people.tolist() == photos.person_id.tolist()
    assert judged.kinds.tolist() == photos.kind.tolist()
    assert judged.ages.tolist() == photos.age.tolist()
    assert judged.predictions.tolist() == judged.logits.argmax(axis=1).tolist()
    for person in set(judged.people):
        assert len(set(judged.folds[judged.people == person])) == 1


def test_a_part_holds_the_same_rows_of_everything(run):
    judged = judge(run)
    part = judged.part(np.flatnonzero(judged.kinds == "normal"))
    assert part.photo_ids.tolist() == [name for name in judged.photo_ids if "/normal" in name]
    assert part.confusion.sum() == len(part.labels) == len(set(judged.people))
    assert not judged.logits.flags.writeable


def test_tables_are_of_the_same_photos_and_kinds_stand_in_their_own_order(run):
    judged = judge(run)
    tables = error_tables(judged)
    assert tables.kinds.part.tolist() == list(PHOTO_KINDS)
    for table in (tables.kinds, tables.folds, tables.ages):
        assert table.photos.sum() == len(judged.labels)
    assert tables.classes.support.sum() == len(judged.labels)


def test_the_verb_prints_the_tables_and_every_matrix(run, workspace):
    command = ["--workspace", str(workspace.root), "errors", "--run", "first"]
    done = CliRunner().invoke(cli, [*command, "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.output.splitlines()[-1])
    judged = judge(run)
    assert said["macro_f1"] == macro_f1(judged.labels, judged.predictions)
    assert said["macro_f1_low"] <= said["macro_f1"] <= said["macro_f1_high"]
    assert [row["axis"] for row in said["axes"]] == ["mask", "gender", "age"]
    assert {"precision", "recall", "f1", "support", "f1_lost"} <= said["classes"][0].keys()
    for name, view in VIEWS.items():
        assert said["matrices"][name]["names"] == list(view.names)
        assert np.sum(said["matrices"][name]["photos"]) == said["photos"] == len(judged.labels)
    assert "f1_lost" in CliRunner().invoke(cli, command).output
