"""One epoch of training, and prediction. Photos stay uint8 until they are on the device."""

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.optim.swa_utils import AveragedModel

from core.config import AugmentConfig
from core.taxonomy import NUM_CLASSES
from core.training.augment import augment
from core.training.device import autocast
from core.training.losses import Criterion


class Stopped(Exception):  # noqa: N818 - a request, not an error
    """Training was asked to stop; the last whole epoch is kept."""


class Photos:
    """The decoded photos, on the GPU when they fit in half of its free memory, else memory-mapped."""

    def __init__(self, pixels: NDArray[np.uint8], device: torch.device) -> None:
        self.device = device
        self._pixels = pixels
        self._resident: torch.Tensor | None = None
        if device.type == "cuda" and pixels.nbytes < torch.cuda.mem_get_info(device)[0] // 2:
            self._resident = torch.from_numpy(np.asarray(pixels)).to(device)  # (N, H, W, 3)

    def batch(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """(B, 3, H, W) uint8 on the device, channels last in memory."""
        if self._resident is not None:
            photos = self._resident[torch.from_numpy(rows).to(self.device)]
        else:
            photos = torch.from_numpy(self._pixels[rows]).to(self.device, non_blocking=True)
        return photos.permute(0, 3, 1, 2)


def train_one_epoch(
    model: nn.Module,
    photos: Photos,
    rows: NDArray[np.int64],
    targets: NDArray[np.float32],
    *,
    criterion: Criterion,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    ema: AveragedModel | None,
    augmentation: AugmentConfig,
    batch_size: int,
    seed: int,
    should_stop: Callable[[], bool],
    on_batch: Callable[[int, torch.Tensor], None],
) -> float:
    """Train on every photo once, in an order that follows from ``seed`` alone.

    Args:
        rows: (n,) row of each photo in ``photos``.
        targets: (n, 18) probabilities.
        on_batch: called with (photos done, mean loss so far); the loss stays on the device, so that a GPU need not
            wait for whoever does not read it.
    Returns:
        Mean training loss.
    Raises:
        Stopped: ``should_stop`` said so; the weights are then in the middle of an epoch.
    """
    torch.manual_seed(seed)
    order = np.random.default_rng(seed).permutation(len(rows))
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches.pop()  # batch normalisation has no variance of one photo
    model.train()
    total, done = torch.zeros((), dtype=torch.float64, device=photos.device), 0
    for chosen in batches:
        if should_stop():
            raise Stopped
        wanted = torch.from_numpy(targets[chosen]).to(photos.device)
        batch, wanted = augment(photos.batch(rows[chosen]), wanted, augmentation)
        with autocast(photos.device):
            loss = criterion(model(batch), wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if ema is not None:
            ema.update_parameters(model)
        done += len(chosen)
        total += loss.detach() * len(chosen)
        on_batch(done, total / done)
    return float(total) / max(done, 1)


@torch.inference_mode()
def predict_logits(
    model: nn.Module,
    photos: Photos,
    rows: NDArray[np.int64],
    *,
    batch_size: int,
    tta_flip: bool,
    should_stop: Callable[[], bool] = lambda: False,
) -> NDArray[np.float32]:
    """(n, 18) logits in the order of ``rows``.

    With ``tta_flip`` the log of the mean probability over the photo and its mirror image.

    Raises:
        Stopped: ``should_stop`` said so.
    """
    model.eval()
    found = [np.zeros((0, NUM_CLASSES), np.float32)]
    for start in range(0, len(rows), batch_size):
        if should_stop():
            raise Stopped
        batch = photos.batch(rows[start : start + batch_size])
        with autocast(photos.device):
            logits = model(batch).float()
            if tta_flip:
                mirrored = model(batch.flip(3)).float()
                logits = torch.logaddexp(logits.log_softmax(1), mirrored.log_softmax(1)) - np.log(2)
        found.append(logits.cpu().numpy())
    return np.concatenate(found)


class Pace:
    """Calls ``report`` at most twice a second, with photos/s over the last seconds."""

    def __init__(self, report: Callable[[int, float, float], None]) -> None:
        self._report = report
        self._last, self._done = time.monotonic(), 0
        self.photos_per_second = 0.0

    def __call__(self, done: int, loss: torch.Tensor) -> None:
        """Note that ``done`` photos of the epoch are trained."""
        now = time.monotonic()
        if now - self._last < 0.5:
            return
        self.photos_per_second = (done - self._done) / (now - self._last)
        self._last, self._done = now, done
        self._report(done, float(loss), self.photos_per_second)
