"""Grad-CAM: which places of a photo speak for a class, as a convolutional network sees it."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core.dataset.images import decode_photo
from core.dataset.index import Index
from core.dataset.scan import UNDECODABLE
from core.errors import RunError
from core.storage.events import append_event
from core.storage.heatmaps import Heatmaps, write_heatmaps
from core.storage.runs import Run
from core.training.device import choose_device
from core.training.trained import trained_model


def explain_photos(
    run: Run, index: Index, photo_ids: Sequence[str], *, should_stop: Callable[[], bool] = lambda: False
) -> int:
    """Keep Grad-CAM maps of photos, for their predicted class and for their label; how many were made.

    Each train photo is seen by the network of its own fold, which was not trained on the person; an evaluation
    photo, which has no label, by the first trained fold's. A photo that cannot be decoded is passed over.

    Raises:
        RunError: stopped, a photo was not predicted, or the network is not convolutional.
    """
    device = choose_device(run.config.device)
    oof, evaluation = run.oof(), run.evaluation()
    asked, of_evaluation = np.array(photo_ids, dtype=str), np.isin(photo_ids, evaluation.photo_ids)
    predictions = np.empty(len(asked), dtype=np.int64)
    for part, rows in ((oof, ~of_evaluation), (evaluation, of_evaluation)):
        predictions[rows] = part.logits[part.rows_of(asked[rows])].argmax(axis=1)
    table = run.train_photos().set_index("photo_id").reindex(asked)
    folds = table.fold.fillna(run.manifest["folds_to_run"][0]).astype(int).tolist()
    labels = table.label.fillna(-1).astype(int).tolist()
    wanted = zip(photo_ids, folds, labels, predictions.tolist(), strict=True)
    paths = dict(zip(index.photos.photo_id, index.photos.path, strict=True))
    models: dict[int, nn.Module] = {}
    made = 0
    for done, (photo_id, fold, label, predicted) in enumerate(wanted, 1):
        if should_stop():
            append_event(run.path, "stopped")
            raise RunError(f"Grad-CAM of run {run.run_id} was stopped; ask for it again: gradcam --run {run.run_id}")
        if photo_id not in paths:
            raise RunError(f"photo {photo_id} is not in the data set any more; choose another")
        if fold not in models:
            models[fold] = trained_model(run, fold).to(device)
        try:
            pixels = decode_photo(index.data_dir / paths[photo_id], run.config.image)
        except UNDECODABLE:
            continue
        photo = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].to(device)  # (1, 3, H, W)
        classes = np.unique([predicted, *([label] if label >= 0 else [])])
        write_heatmaps(run.path, photo_id, Heatmaps(classes, grad_cam(models[fold], photo, classes.tolist()), fold))
        made += 1
        append_event(run.path, "gradcam", done=done, total=len(photo_ids))
    return made


def grad_cam(model: nn.Module, photo: torch.Tensor, classes: Sequence[int]) -> NDArray[np.float32]:
    """Maps of one photo, (C, h, w), 0 or more, in the grid of the network's last convolution.

    Each channel A_k of the last convolutional map is weighted by the mean gradient of the class's logit over the
    map; the sum's positive part is what speaks for the class.

    Args:
        model: in evaluation mode; (1, 3, H, W) photos to (1, K) logits.
        photo: (1, 3, H, W), as the model takes it.
        classes: C of the K classes.
    Raises:
        RunError: the network has no map of convolutions over places (a transformer, say).

    Source: Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2.
    """
    with torch.enable_grad():
        logits, channels = _with_last_map(model, photo)  # (1, K), (1, D, h, w)
        maps = []
        for label in classes:
            (gradient,) = torch.autograd.grad(logits[0, label], channels, retain_graph=True)
            weights = gradient.mean(dim=(2, 3), keepdim=True)  # (1, D, 1, 1)
            maps.append((weights * channels).sum(dim=1).clamp(min=0)[0])  # (h, w)
    found: NDArray[np.float32] = torch.stack(maps).detach().float().cpu().numpy()
    return found


def _with_last_map(model: nn.Module, photo: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The logits, and the last map that still lies in the grid of the last convolution: after its activation.

    A transformer cuts its patches by one convolution and has no other; so one alone does not count.
    """
    convolutions = 0
    grid: torch.Size | None = None
    kept: torch.Tensor | None = None

    def note(module: nn.Module, _: object, output: object) -> None:
        nonlocal convolutions, grid, kept
        if not isinstance(output, torch.Tensor) or output.dim() != 4:
            return
        if isinstance(module, nn.Conv2d) and min(output.shape[2:]) > 1:
            convolutions, grid = convolutions + 1, output.shape[2:]
        if grid is not None and output.shape[2:] == grid:
            kept = output

    leaves = [module for module in model.modules() if not list(module.children())]
    hooks = [leaf.register_forward_hook(note) for leaf in leaves]
    try:
        logits = model(photo)
    finally:
        for hook in hooks:
            hook.remove()
    if kept is None or convolutions < 2:
        raise RunError(
            f"this network has {convolutions} convolutions over places; Grad-CAM explains convolutional networks, "
            "such as tf_efficientnet_lite0 or resnet34"
        )
    return logits, kept
