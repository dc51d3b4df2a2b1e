"""Small real input for all tests: twelve demo people, and one run trained on them."""

from pathlib import Path

import pytest

from core.dataset.demo import write_demo
from core.dataset.index import Index, load_index
from core.workspace import Workspace


@pytest.fixture(scope="session")
def demo_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo data set of twelve people; tests only read it."""
    out = tmp_path_factory.mktemp("demo") / "data"
    write_demo(out, people=12, seed=3)
    return out


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def index(demo_dir: Path, workspace: Workspace) -> Index:
    """The demo data set as one table."""
    return load_index(demo_dir, workspace)


@pytest.fixture(scope="session")
def trained_run(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    """A finished run: one epoch, three folds, a tiny network; tests only read its workspace."""
    from core.config import load_config
    from core.service import create_training_run
    from core.training.train import train_run

    workspace = Workspace(tmp_path_factory.mktemp("trained") / "workspace")
    index = load_index(demo_dir, workspace)
    config = load_config(
        "fast",
        settings=["image.height=48", "image.width=36", "optim.epochs=1", "device=cpu"],
    )
    run = create_training_run(workspace, index, "first", config)
    train_run(run, index, workspace)
    return workspace, run.run_id
