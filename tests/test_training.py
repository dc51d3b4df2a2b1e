"""Training: a run that was stopped and resumed ends in the same logits, folds never share a person."""

import numpy as np
import pytest

from core.config import load_config
from core.errors import RunError
from core.service import create_training_run
from core.storage.runs import open_run
from core.training.train import train_run


def _run(workspace, index, name):
    settings = ["image.height=48", "image.width=36", "optim.epochs=2", "data.folds=2", "device=cpu"]
    return create_training_run(workspace, index, name, load_config("fast", settings=settings), folds=[0])


def test_a_stopped_and_resumed_run_ends_in_the_same_logits(index, workspace):
    whole = _run(workspace, index, "whole")
    train_run(whole, index, workspace)
    torn = _run(workspace, index, "torn")
    asked = []

    def stop_in_the_second_epoch():
        asked.append(1)
        return (torn.path / "fold0" / "checkpoint.pt").exists()

    with pytest.raises(RunError, match="was stopped; go on with"):
        train_run(torn, index, workspace, should_stop=stop_in_the_second_epoch)
    assert torn.result() is None
    train_run(torn, index, workspace)
    np.testing.assert_array_equal(torn.oof().logits, whole.oof().logits)
    np.testing.assert_array_equal(torn.evaluation().logits, whole.evaluation().logits)


def test_every_train_photo_is_scored_once_by_a_fold_that_has_none_of_its_person(trained_run):
    run = open_run(*trained_run)
    table = run.train_photos()
    assert table.groupby("person_id").fold.nunique().max() == 1
    assert sorted(run.oof().photo_ids) == sorted(table.photo_id)
