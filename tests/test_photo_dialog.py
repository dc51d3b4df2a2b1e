"""A photo opened on the page Errors: its person, its neighbours, and what the network looks at."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.curation.judged import judge
from core.storage.features import write_features
from core.storage.heatmaps import Heatmaps, write_heatmaps
from core.storage.runs import open_run
from core.taxonomy import CLASS_NAMES
from core.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def run(trained_run, demo_dir, tmp_path, monkeypatch):
    """A run of its own, so that what is made of it later is not there yet."""
    workspace, run_id = trained_run
    shutil.copytree(workspace.runs / run_id, tmp_path / "runs" / run_id)
    for made_later in ("features.json", "features.npy", "heatmaps"):
        path = tmp_path / "runs" / run_id / made_later
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(tmp_path))
    return open_run(Workspace(tmp_path), run_id)


def _open(photo_id, **query):
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
    app.switch_page(str(ROOT / "pages" / "errors.py"))
    for name, value in {"photo": photo_id, **query}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def _words(app):
    return " ".join(str(element.value) for element in [*app.markdown, *app.caption])


def test_without_features_and_maps_both_jobs_are_offered_and_the_command_is_told(run):
    app = _open(str(run.oof().photo_ids[0]))
    assert f"python -m core features --run {run.run_id}" in _words(app)
    labels = {button.label for button in app.button}
    assert {"Export the features", "Show what the network looks at (Grad-CAM)"} <= labels


def test_with_features_the_nearest_train_photos_of_both_classes_are_shown(run):
    judged = judge(run)
    row = int(np.flatnonzero(judged.labels != judged.predictions)[0])
    ids = judged.photo_ids.tolist()
    write_features(run.path / "features", ids, np.random.default_rng(0).normal(size=(len(ids), 8)), fold=0)
    words = _words(_open(ids[row]))
    assert "By the network of fold 0" in words
    for label in (judged.labels[row], judged.predictions[row]):
        assert CLASS_NAMES[label] in words


def test_a_kept_map_can_be_laid_over_the_photo_and_the_choice_is_in_the_address(run):
    judged = judge(run)
    row = int(np.flatnonzero(judged.labels != judged.predictions)[0])
    photo_id, label = str(judged.photo_ids[row]), int(judged.labels[row])
    classes = np.unique([label, judged.predictions[row]])
    maps = np.ones((2, 3, 2), dtype=np.float32)
    write_heatmaps(run.path, photo_id, Heatmaps(classes, maps, int(judged.folds[row])))
    assert "What speaks for" not in _words(_open(photo_id))
    assert f"What speaks for {CLASS_NAMES[label]}, in 3 x 2 cells" in _words(_open(photo_id, gradcam="label"))


def test_an_evaluation_photo_opens_from_the_page_confidence_without_a_label_and_with_its_neighbours(run):
    judged = judge(run)
    opened = str(run.eval_ids()[3])
    ids = [*judged.photo_ids, *run.eval_ids()]
    write_features(run.path / "features", ids, np.random.default_rng(0).normal(size=(len(ids), 8)), fold=0)
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
    app.switch_page(str(ROOT / "pages" / "confidence.py"))
    for name, value in {"photos": "evaluation", "sure": ["0.02", "1.0"], "photo": opened}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    words = _words(app)
    assert f"`{opened}` · evaluation" in words
    assert "by its label" not in words
    assert "By the network of fold 0" in words
    assert " years" not in " ".join(str(one.value) for one in app.caption if opened in str(one.value))
