"""The vectors that a trained network hands to its classifier, for every photo of a run."""

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core.dataset.images import build_image_cache
from core.dataset.index import Index
from core.errors import RunError
from core.storage.events import append_event
from core.storage.features import Features, write_features
from core.storage.runs import Run
from core.training.device import autocast, choose_device
from core.training.engine import Photos, Stopped
from core.training.models import Classifier
from core.training.trained import trained_model
from core.workspace import Workspace

_BATCH = 128


def extract_features(
    run: Run, index: Index, workspace: Workspace, *, should_stop: Callable[[], bool] = lambda: False
) -> Features:
    """Vectors of the scored train photos and the evaluation photos, by the first trained fold's model.

    One model for all photos: vectors of two models do not compare. Of the train photos it has seen those of
    the other folds.

    Raises:
        RunError: stopped, no fold is trained, or the network has no linear classifier.
    """
    device = choose_device(run.config.device)
    fold = int(run.manifest["folds_to_run"][0])
    model = trained_model(run, fold).to(device)
    table = run.train_photos()
    cache = build_image_cache(index, run.config.image, workspace)
    photo_ids = [*table.photo_id[table.fold >= 0], *run.eval_ids()]
    rows = cache.rows(photo_ids)
    try:
        vectors = _vectors(model, Photos(cache.pixels, device), rows, run=run, should_stop=should_stop)
    except Stopped:
        append_event(run.path, "stopped")
        raise RunError(
            f"features of run {run.run_id} were stopped; start again: features --run {run.run_id}"
        ) from None
    vectors[~cache.decoded[rows]] = 0
    write_features(run.path / "features", photo_ids, vectors, fold=fold)
    append_event(run.path, "features_finished", photos=len(photo_ids), fold=fold)
    return run.features()


@torch.inference_mode()
def _vectors(
    model: Classifier, photos: Photos, rows: NDArray[np.int64], *, run: Run, should_stop: Callable[[], bool]
) -> NDArray[np.float32]:
    """(N, D): what enters the last linear layer."""
    linear = [module for module in model.backbone.modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise RunError(f"{run.config.model.name} ends in no linear layer; features can be had of other networks only")
    entering: list[torch.Tensor] = []
    hook = linear[-1].register_forward_pre_hook(lambda _, inputs: entering.append(inputs[0].flatten(1).float().cpu()))
    told = 0.0
    try:
        for start in range(0, len(rows), _BATCH):
            if should_stop():
                raise Stopped
            with autocast(photos.device):
                model(photos.batch(rows[start : start + _BATCH]))
            if time.monotonic() - told > 0.5:
                told = time.monotonic()
                append_event(run.path, "features", done=min(start + _BATCH, len(rows)), total=len(rows))
    finally:
        hook.remove()
    return torch.cat(entering).numpy()
