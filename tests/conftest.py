"""Small real input for all tests: twelve demo people, and one run trained on them."""

from pathlib import Path

import pytest

import core.training  # noqa: F401  before torch, whose idle threads it sends to sleep
from core.workspace import Workspace


@pytest.fixture(scope="session")
def demo_dir(tmp_path_factory):
    """A demo data set of twelve people; tests only read it."""
    from core.dataset.demo import write_demo

    out = tmp_path_factory.mktemp("demo") / "data"
    write_demo(out, people=12, seed=3)
    return out


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def desk(demo_dir, workspace, monkeypatch) -> Workspace:
    """The empty workspace, named by the environment together with the demo data set."""
    monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(workspace.root))
    return workspace


@pytest.fixture
def index(demo_dir, workspace):
    """The demo data set as one table."""
    from core.dataset.index import load_index

    return load_index(demo_dir, workspace)


@pytest.fixture(scope="session")
def trained_run(demo_dir, tmp_path_factory):
    """A finished run: (workspace, run_id). One epoch, three folds, 48 x 36 pixels; only read it."""
    from core.config import load_config
    from core.dataset.index import load_index
    from core.service import create_training_run
    from core.training.train import train_run

    workspace = Workspace(tmp_path_factory.mktemp("trained") / "workspace")
    index = load_index(demo_dir, workspace)
    settings = ["image.height=48", "image.width=36", "optim.epochs=1", "device=cpu"]
    run = create_training_run(workspace, index, "first", load_config("fast", settings=settings))
    train_run(run, index, workspace)
    return workspace, run.run_id
