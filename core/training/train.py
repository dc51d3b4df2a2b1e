"""Training a run: fold after fold, epoch after epoch, from wherever it was left.

All randomness of an epoch follows from (seed, fold, epoch), and a checkpoint holds the model, its
moving average, the optimizer and the schedule; so a run that was killed and resumed ends in the same
logits as one that was not.
"""

import platform
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import timm
import torch
import torch.nn.functional as F
import torchvision
from numpy.typing import NDArray
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from core.dataset.images import ImageCache, build_image_cache
from core.dataset.index import Index
from core.errors import RunError
from core.evaluation.metrics import accuracy, axis_accuracy, macro_f1, probabilities
from core.evaluation.uncertainty import macro_f1_interval
from core.files import read_json, write_json
from core.storage.events import append_event
from core.storage.predictions import Predictions, read_predictions, write_predictions
from core.storage.runs import Run
from core.training.checkpoint import load_checkpoint, save_checkpoint
from core.training.device import choose_device, device_name
from core.training.engine import Pace, Photos, Stopped, predict_logits, train_one_epoch
from core.training.losses import build_criterion
from core.training.models import Classifier, build_model
from core.training.optim import build_optimizer, build_schedule
from core.training.targets import training_targets
from core.training.weights import Weights
from core.workspace import Workspace

_PREDICT_PIXELS = 256 * 128 * 96
"""So many pixels are predicted at a time."""


def train_run(
    run: Run, index: Index, workspace: Workspace, *, should_stop: Callable[[], bool] = lambda: False
) -> dict[str, Any]:
    """Train every fold of a run that is not trained yet, and write its result.

    Args:
        should_stop: asked at every step; True ends the training after noting it.
    Returns:
        The content of result.json.
    Raises:
        RunError: stopped, or the run is of other data.
        ConfigError: the network, its weights or the device cannot be had.
    """
    finished = run.result()
    if finished:
        return finished
    if run.manifest["dataset_id"] != index.dataset_id:
        raise RunError(f"run {run.run_id} was made for data set {run.manifest['dataset_id']}, not {index.dataset_id}")
    try:
        return _train(run, index, workspace, should_stop)
    except Stopped:
        append_event(run.path, "stopped")
        raise RunError(f"run {run.run_id} was stopped; go on with: resume --run {run.run_id}") from None
    except Exception as error:
        append_event(run.path, "failed", error="".join(traceback.format_exception_only(error)).strip())
        raise


def _train(run: Run, index: Index, workspace: Workspace, should_stop: Callable[[], bool]) -> dict[str, Any]:
    config = run.config
    device = choose_device(config.device)
    _, weights = build_model(config)
    append_event(
        run.path, "started", device=device.type, device_name=device_name(device), weights=weights.name,
        folds=run.manifest["folds_to_run"], resumed=any(run.path.glob("fold*/checkpoint.pt")),
    )  # fmt: skip
    _write_environment(run, device, weights)
    last = [0.0]

    def on_cache(done: int, total: int) -> None:
        if should_stop():
            raise Stopped
        if done == total or time.monotonic() - last[0] > 0.5:
            last[0] = time.monotonic()
            append_event(run.path, "cache", done=done, total=total)

    cache = build_image_cache(index, config.image, workspace, on_progress=on_cache)
    trainer = _FoldTrainer(run, cache, device, should_stop)
    for place, fold in enumerate(run.manifest["folds_to_run"]):
        if not _is_trained(run, fold):
            trainer.train(fold, place)
    return _write_result(run, device, weights)


class _FoldTrainer:
    """What the folds of one run share while they are trained."""

    def __init__(self, run: Run, cache: ImageCache, device: torch.device, should_stop: Callable[[], bool]) -> None:
        self.run, self.config, self.device, self.should_stop = run, run.config, device, should_stop
        self.photos = Photos(cache.pixels, device)
        table = run.train_photos()
        self.table = table[cache.decoded[cache.rows(table.photo_id.tolist())]].reset_index(drop=True)
        if len(self.table) < len(table):
            print(f"{len(table) - len(self.table)} photos cannot be decoded and are left out", flush=True)
        self.rows = cache.rows(self.table.photo_id.tolist())
        self.targets = training_targets(self.table.target.clip(lower=0), self.table.age, self.config.data)
        self.eval_ids: list[str] = read_json(run.path / "evaluation_ids.json")["photo_ids"]
        self.eval_rows = cache.rows(self.eval_ids)
        self.eval_decoded = cache.decoded[self.eval_rows]

    def train(self, fold: int, place: int) -> None:
        """Train one fold from its checkpoint or the start, then predict; ``place`` is its place in the run."""
        config, table = self.config, self.table
        folder = self.run.path / f"fold{fold}"
        chosen = np.flatnonzero((table.fold != fold) & (table.target >= 0))
        held_out = np.flatnonzero(table.fold == fold)
        if not len(chosen) or not len(held_out):
            raise RunError(f"run {self.run.run_id}: fold {fold} has no photo to train on or to score")
        torch.manual_seed(config.seed * 1000 + fold)
        model, _ = build_model(config)
        model = model.to(self.device)
        ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.optim.ema_decay), use_buffers=True) \
            if config.optim.ema_decay else None  # fmt: skip
        steps = -(-len(chosen) // config.optim.batch_size)
        optimizer = build_optimizer(model, config.optim)
        schedule = build_schedule(optimizer, config.optim, steps)
        first = _restore(load_checkpoint(folder / "checkpoint.pt"), model, ema, optimizer, schedule)
        for epoch in range(first, config.optim.epochs):
            self._epoch(fold, place, epoch, chosen, held_out, model, ema, optimizer, schedule)
            save_checkpoint(
                folder / "checkpoint.pt",
                {
                    "epoch": epoch + 1,
                    "model": model.state_dict(),
                    "ema": ema.state_dict() if ema else None,
                    "optimizer": optimizer.state_dict(),
                    "schedule": schedule.state_dict(),
                },
            )
        final = ema.module if ema else model
        val_logits = self._predict(final, self.rows[held_out], tta=config.predict.tta_flip)
        eval_logits = self._predict(final, self.eval_rows, tta=config.predict.tta_flip)
        eval_logits[~self.eval_decoded] = 0
        write_predictions(folder / "evaluation", self.eval_ids, eval_logits)
        write_predictions(folder / "val", table.photo_id.iloc[held_out].tolist(), val_logits)
        labels, predictions = table.label.to_numpy()[held_out], val_logits.argmax(1)
        append_event(
            self.run.path, "fold_finished", fold=fold,
            macro_f1=macro_f1(labels, predictions), accuracy=accuracy(labels, predictions),
        )  # fmt: skip

    def _epoch(
        self,
        fold: int,
        place: int,
        epoch: int,
        chosen: NDArray[np.intp],
        held_out: NDArray[np.intp],
        model: Classifier,
        ema: AveragedModel | None,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
    ) -> None:
        config, started = self.config, time.monotonic()
        epochs, folds = config.optim.epochs, len(self.run.manifest["folds_to_run"])
        overall_photos = len(chosen) * epochs * folds

        def report(done: int, loss: float, pace: float) -> None:
            so_far = (place * epochs + epoch) * len(chosen) + done
            append_event(
                self.run.path, "progress", fold=fold, epoch=epoch + 1, epochs=epochs, done=done, total=len(chosen),
                photos_per_second=round(pace, 1), loss=round(loss, 4), overall=round(so_far / overall_photos, 4),
                seconds_left=round((overall_photos - so_far) / max(pace, 1e-6)),
            )  # fmt: skip

        lr = optimizer.param_groups[0]["lr"]
        train_loss = train_one_epoch(
            model, self.photos, self.rows[chosen], self.targets[chosen],
            criterion=build_criterion(config.loss), optimizer=optimizer, schedule=schedule, ema=ema,
            augmentation=config.augment, batch_size=config.optim.batch_size,
            seed=(config.seed * 1000 + fold) * 1000 + epoch, should_stop=self.should_stop, on_batch=Pace(report),
        )  # fmt: skip
        trained = time.monotonic() - started
        logits = self._predict(ema.module if ema else model, self.rows[held_out], tta=False)
        labels, predictions = self.table.label.to_numpy()[held_out], logits.argmax(1)
        append_event(
            self.run.path, "epoch", fold=fold, epoch=epoch + 1, epochs=epochs, lr=lr, train_loss=train_loss,
            val_loss=float(F.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels))),
            val_macro_f1=macro_f1(labels, predictions), val_accuracy=accuracy(labels, predictions),
            photos_per_second=len(chosen) / trained, seconds=time.monotonic() - started,
        )  # fmt: skip

    def _predict(self, model: torch.nn.Module, rows: NDArray[np.int64], *, tta: bool) -> NDArray[np.float32]:
        image = self.config.image
        batch_size = max(_PREDICT_PIXELS // (image.height * image.width), 1)
        return predict_logits(
            model, self.photos, rows, batch_size=batch_size, tta_flip=tta, should_stop=self.should_stop
        )


def _restore(
    state: dict[str, Any] | None,
    model: torch.nn.Module,
    ema: AveragedModel | None,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> int:
    """Put a checkpoint back; the number of whole epochs it holds."""
    if state is None:
        return 0
    model.load_state_dict(state["model"])
    if ema is not None:
        ema.load_state_dict(state["ema"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return int(state["epoch"])


def _is_trained(run: Run, fold: int) -> bool:
    try:
        for name in ("evaluation", "val"):
            read_predictions(run.path / f"fold{fold}" / name)
    except RunError:
        return False
    return True


def _write_result(run: Run, device: torch.device, weights: Weights) -> dict[str, Any]:
    folds = run.manifest["folds_to_run"]
    parts = [read_predictions(run.path / f"fold{fold}" / "val") for fold in folds]
    oof = Predictions(
        np.concatenate([part.photo_ids for part in parts]), np.concatenate([part.logits for part in parts])
    )
    table = run.train_photos().set_index("photo_id").loc[oof.photo_ids.tolist()]
    labels, predictions = table.label.to_numpy(), oof.logits.argmax(1)
    low, high = macro_f1_interval(labels, predictions, table.person_id)
    evaluation = [read_predictions(run.path / f"fold{fold}" / "evaluation") for fold in folds]
    mean = np.mean([probabilities(part.logits) for part in evaluation], axis=0)
    write_predictions(run.path / "oof", oof.photo_ids.tolist(), oof.logits)
    write_predictions(run.path / "evaluation", evaluation[0].photo_ids.tolist(), np.log(np.maximum(mean, 1e-30)))
    epochs = [event for event in run.events()[0] if event["event"] == "epoch"]
    result = {
        "macro_f1": macro_f1(labels, predictions),
        "macro_f1_low": low,
        "macro_f1_high": high,
        "accuracy": accuracy(labels, predictions),
        "axis_accuracy": axis_accuracy(labels, predictions),
        "per_fold": [
            {"fold": fold, "macro_f1": macro_f1(group.label, group.prediction), "photos": len(group)}
            for fold, group in pd.DataFrame(
                {"fold": table.fold.to_numpy(), "label": labels, "prediction": predictions}
            ).groupby("fold")
        ],
        "photos": len(labels),
        "seconds": round(sum(event["seconds"] for event in epochs), 1),
        "photos_per_second": round(float(np.median([event["photos_per_second"] for event in epochs])), 1),
        "device": device.type,
        "device_name": device_name(device),
        "weights": weights.name,
        "epochs": run.config.optim.epochs,
    }
    for fold in folds:
        if (run.fold_path(fold) / "checkpoint.pt").exists():  # not when a kill came between this and the result
            (run.fold_path(fold) / "checkpoint.pt").rename(run.fold_path(fold) / "model.pt")
    append_event(run.path, "finished", **{key: result[key] for key in ("macro_f1", "accuracy", "seconds")})
    write_json(run.path / "result.json", result)
    return result


def _write_environment(run: Run, device: torch.device, weights: Weights) -> None:
    write_json(
        run.path / "environment.json",
        {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
            "timm": timm.__version__,
            "device": str(device),
            "device_name": device_name(device),
            "weights": asdict(weights),
        },
    )
