"""The networks that a run trained, as they predict."""

from core.errors import RunError
from core.storage.runs import Run
from core.training.checkpoint import load_checkpoint
from core.training.models import Classifier, bare_model


def trained_model(run: Run, fold: int) -> Classifier:
    """A fold's network in evaluation mode on the CPU, with the averaged weights where the run kept an average.

    Raises:
        RunError: the fold is not trained.
    """
    state = load_checkpoint(run.fold_path(fold) / "model.pt")
    if state is None:
        raise RunError(f"run {run.run_id} has no trained network in fold{fold}; finish it: resume --run {run.run_id}")
    model = bare_model(run.config)
    averaged = {name.removeprefix("module."): value for name, value in (state["ema"] or {}).items()}
    averaged.pop("n_averaged", None)
    model.load_state_dict(averaged or state["model"])
    return model.eval()
