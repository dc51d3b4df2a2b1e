"""Grad-CAM against gradients by finite differences, and on a trained run."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

from core.cli import cli
from core.config import load_config
from core.dataset.index import load_index
from core.errors import RunError
from core.jobs.queue import JobQueue
from core.service import start_gradcam
from core.storage.heatmaps import Heatmaps, read_heatmaps, write_heatmaps
from core.storage.runs import open_run
from core.training.gradcam import explain_photos, grad_cam
from core.training.models import bare_model


def _small_network(seed):
    """(whole, up to the last convolution's activation, from there on), in double precision."""
    torch.manual_seed(seed)
    before = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.SiLU(), nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5), nn.ReLU())
    after = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(20, 7), nn.Tanh(), nn.Linear(7, 6))
    whole = nn.Sequential(before, after).double().eval()
    return whole, before, after


@torch.inference_mode()
def _by_finite_differences(channels, after, label, step=1e-5):
    """Equations 1 and 2 of the paper, each gradient from two forward passes."""
    _, depth, height, width = channels.shape
    weights = np.zeros(depth)
    for k in range(depth):
        for y in range(height):
            for x in range(width):
                up, down = channels.clone(), channels.clone()
                up[0, k, y, x] += step
                down[0, k, y, x] -= step
                weights[k] += float(after(up)[0, label] - after(down)[0, label]) / (2 * step)
        weights[k] /= height * width
    return np.maximum(np.tensordot(weights, channels[0].numpy(), axes=1), 0)


@pytest.mark.parametrize("seed", range(3))
def test_maps_equal_those_of_gradients_by_finite_differences(seed):
    whole, before, after = _small_network(seed)
    photo = torch.rand(1, 3, 15, 13, dtype=torch.float64)
    maps = grad_cam(whole, photo, [0, 4])
    with torch.inference_mode():
        channels = before(photo)
    for found, label in zip(maps, (0, 4), strict=True):
        expected = _by_finite_differences(channels, after, label)
        assert found.shape == expected.shape == (5, 4)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18", "convnext_atto", "vgg11"])
def test_the_map_lies_in_the_grid_of_the_last_convolution(name):
    model = bare_model(load_config("fast", settings=[f"model.name={name}", "model.weights=none"])).eval()
    photo = torch.randint(0, 256, (1, 3, 128, 96), dtype=torch.uint8)
    grid = (8, 6) if name == "vgg11" else (4, 3)
    maps = grad_cam(model, photo, [0, 17])
    assert maps.shape == (2, *grid)
    assert (maps >= 0).all()


def test_a_transformer_is_refused_in_words():
    config = load_config("fast", settings=["model.name=vit_tiny_patch16_224", "model.weights=none"])
    photo = torch.zeros(1, 3, config.image.height, config.image.width, dtype=torch.uint8)
    model = bare_model(config).eval()
    with pytest.raises(RunError, match="1 convolutions over places; Grad-CAM explains convolutional networks"):
        grad_cam(model, photo, [0])


def test_maps_of_a_runs_photos_are_kept_for_prediction_and_label_by_the_network_of_the_photos_own_fold(
    trained_run, demo_dir
):
    workspace, run_id = trained_run
    run = open_run(workspace, run_id)
    oof, table = run.oof(), run.train_photos().set_index("photo_id")
    photos = oof.photo_ids[[0, 8, 30]].tolist()
    assert explain_photos(run, load_index(demo_dir, workspace), photos) == 3
    for photo_id in photos:
        kept = read_heatmaps(run.path, photo_id)
        predicted = int(oof.logits[oof.rows_of(np.array([photo_id]))[0]].argmax())
        assert kept.fold == table.fold[photo_id]
        assert set(kept.classes) == {predicted, table.label[photo_id]}
        assert kept.of(predicted).shape == kept.maps.shape[1:]
    assert read_heatmaps(run.path, "another") is None


def test_an_evaluation_photo_is_explained_by_the_first_trained_fold_for_its_prediction_alone(trained_run, demo_dir):
    workspace, run_id = trained_run
    run = open_run(workspace, run_id)
    evaluation = run.evaluation()
    photo_id = str(evaluation.photo_ids[2])
    assert explain_photos(run, load_index(demo_dir, workspace), [photo_id]) == 1
    kept = read_heatmaps(run.path, photo_id)
    assert kept.fold == run.manifest["folds_to_run"][0]
    assert kept.classes.tolist() == [int(evaluation.logits[2].argmax())]


def test_maps_come_back_and_a_damaged_file_counts_as_none(tmp_path):
    maps = np.random.default_rng(0).random((2, 4, 3), dtype=np.float32)
    write_heatmaps(tmp_path, "a/b.jpg", Heatmaps(np.array([3, 5]), maps, 1))
    kept = read_heatmaps(tmp_path, "a/b.jpg")
    np.testing.assert_array_equal(kept.of(5), maps[1])
    assert kept.of(4) is None
    (place,) = (tmp_path / "heatmaps").iterdir()
    place.write_bytes(place.read_bytes()[:50])
    assert read_heatmaps(tmp_path, "a/b.jpg") is None


def test_a_photo_that_was_not_predicted_and_no_photo_at_all_are_refused(trained_run, demo_dir):
    workspace, run_id = trained_run
    run = open_run(workspace, run_id)
    with pytest.raises(RunError, match="1 photos were not predicted, such as nowhere"):
        explain_photos(run, load_index(demo_dir, workspace), ["nowhere"])
    with pytest.raises(RunError, match="no photo is named"):
        start_gradcam(workspace, run, [])


def test_a_misspelt_photo_is_refused_before_a_job_is_queued(trained_run):
    workspace, run_id = trained_run
    run = open_run(workspace, run_id)
    before = JobQueue(workspace).of_run(run_id)
    with pytest.raises(RunError, match="predicted no photo 'nowhere'; give photo_ids"):
        start_gradcam(workspace, run, [str(run.oof().photo_ids[0]), "nowhere"])
    assert JobQueue(workspace).of_run(run_id) == before


def test_the_job_itself_makes_the_maps(trained_run, demo_dir):
    workspace, run_id = trained_run
    run = open_run(workspace, run_id)
    photo_id = str(run.oof().photo_ids[3])
    places = ["--data", str(demo_dir), "--workspace", str(workspace.root)]
    done = CliRunner().invoke(cli, [*places, "gradcam-run", run_id, f"--photo={photo_id}"])
    assert done.exit_code == 0, done.output
    assert f"run {run_id}: Grad-CAM of 1 photos" in done.output
    assert read_heatmaps(run.path, photo_id) is not None
    assert run.events()[0][-1]["event"] == "gradcam"
