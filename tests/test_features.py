"""Features: one network's vectors for every photo, kept with their ids."""

import numpy as np
import pytest
import torch

from core.dataset.images import build_image_cache
from core.dataset.index import load_index
from core.errors import RunError
from core.jobs.queue import JobQueue
from core.service import start_features
from core.storage.features import read_features, write_features
from core.storage.runs import open_run
from core.training.checkpoint import load_checkpoint
from core.training.features import extract_features
from core.training.models import bare_model


def test_the_classifier_on_the_features_gives_the_folds_own_logits(trained_run, demo_dir):
    workspace, run_id = trained_run
    run = open_run(workspace, run_id)
    index = load_index(demo_dir, workspace)
    features = extract_features(run, index, workspace)
    table = run.train_photos()
    assert features.fold == 0
    assert set(features.photo_ids) == set(table.photo_id) | set(run.eval_ids())
    assert features.vectors.dtype == np.float16
    model = bare_model(run.config)
    model.load_state_dict(load_checkpoint(run.fold_path(0) / "model.pt")["model"])
    classifier = model.eval().backbone.get_classifier()
    held_out = table.photo_id[table.fold == 0]
    with torch.inference_mode():
        vectors = torch.from_numpy(features.vectors[features.rows_of(held_out)].astype(np.float32))
        mirrored = build_image_cache(index, run.config.image, workspace)
        pixels = torch.from_numpy(mirrored.pixels[mirrored.rows(held_out.tolist())]).permute(0, 3, 1, 2)
        torch.testing.assert_close(classifier(vectors), model(pixels), atol=0.02, rtol=0.02)


def test_an_unfinished_run_has_no_features_and_says_how_to_get_them(trained_run, workspace, index):
    from core.config import load_config
    from core.service import create_training_run

    run = create_training_run(workspace, index, "young", load_config("fast", settings=["device=cpu"]))
    with pytest.raises(RunError, match="make them with: features --run young"):
        run.features()
    with pytest.raises(RunError, match="run young is unfinished; finish it first: resume --run young"):
        start_features(workspace, run)
    assert not JobQueue(workspace).alive()


def test_features_come_back_with_the_fold_they_are_from(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(3, 5))
    write_features(tmp_path / "features", ["a", "b", "c"], vectors, fold=2)
    read = read_features(tmp_path / "features")
    assert read.fold == 2
    np.testing.assert_array_equal(read.vectors, vectors.astype(np.float16))
    assert read.rows_of(np.array(["c", "a"])).tolist() == [2, 0]
