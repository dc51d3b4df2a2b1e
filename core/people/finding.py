"""From photos and a run to a named grouping of the evaluation photos."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.config import ImageConfig
from core.dataset.images import build_image_cache
from core.dataset.index import Index
from core.errors import RunError
from core.people.grouping import group_photos
from core.people.learning import Trial, learn
from core.people.odd_photos import odd_photos
from core.people.ways import Fit
from core.storage.findings import save_finding
from core.storage.groupings import Grouping, save_grouping
from core.storage.runs import Run
from core.taxonomy import IntArray, decode_axis
from core.workspace import Workspace

PIXELS = ImageConfig(height=64, width=48)
"""Photos are decoded at this size, then halved: 32 x 24 pixels of face, clothes and background."""


def find_people(
    workspace: Workspace,
    index: Index,
    run: Run,
    *,
    name: str,
    ways: Mapping[str, Fit],
    on_progress: Callable[[int, int], None] | None = None,
) -> Grouping:
    """Group the evaluation photos by person and keep the grouping under ``name``.

    Args:
        run: its masks say which photos can be one person's; nothing else of it is used.
        ways: how a metric can be fitted, see ``ways.ways_of``; the better one is used.
        on_progress: called with (photos decoded, photos) while photos are decoded for the first time.
    Returns:
        The grouping; ``about`` holds run_id, metric (the way that was used), threshold, slope, seconds, quality on
        held-out train people, and the same of each way that was ``tried``.
    Raises:
        RunError: a photo was not predicted, or there are too few train people.
        DecisionError: the name is taken.
    """
    started = time.monotonic()
    cache = build_image_cache(index, PIXELS, workspace, on_progress=on_progress)
    photos = index.photos[cache.decoded]
    features = small_pixels(cache.pixels[cache.decoded])
    train = (photos.split == "train").to_numpy()
    person, masks = photos.person_id.to_numpy()[train], train_masks(run, photos[train])
    learned = learn(features[train], person, masks, ways=ways)
    evaluation = run.evaluation()
    predicted = evaluation.logits[evaluation.rows_of(photos.photo_id[~train])].argmax(axis=1)
    vectors = learned.metric.embed(features[~train])
    groups = group_photos(vectors, decode_axis(predicted, "mask"), threshold=learned.used.threshold)
    table = pd.DataFrame(
        {
            "photo_id": photos.photo_id.to_numpy(dtype=object)[~train],
            "group": groups.group.astype(str),
            "confidence": groups.confidence(learned.used.slope),
        }
    )
    about = {
        "run_id": run.run_id,
        "groups": int(groups.group.max() + 1),
        "metric": learned.way,
        "threshold": learned.used.threshold,
        "slope": learned.used.slope,
        "quality": asdict(learned.used.quality),
        "tried": {way: _told(trial) for way, trial in learned.trials.items()},
        "seconds": round(time.monotonic() - started, 1),
    }
    return save_grouping(
        workspace,
        name,
        table,
        dataset_id=index.dataset_id,
        origin=f"found with the masks of run {run.run_id}",
        about=about,
        vectors=vectors,
    )


def _told(trial: Trial) -> dict[str, float]:
    return {**asdict(trial.quality), "pair_f1": trial.quality.pair_f1, "seconds": trial.seconds}


def find_odd_photos(
    workspace: Workspace, index: Index, *, on_progress: Callable[[int, int], None] | None = None
) -> pd.DataFrame:
    """How well each train photo fits its folder (``odd_photos.odd_photos``), kept as the finding ``odd_photos``.

    Raises:
        RunError: too few train people.
    """
    cache = build_image_cache(index, PIXELS, workspace, on_progress=on_progress)
    train = cache.decoded & (index.photos.split == "train").to_numpy()
    photos = index.photos[train]
    table = odd_photos(small_pixels(cache.pixels[train]), photos.photo_id.tolist(), photos.person_id.tolist())
    save_finding(workspace, index.dataset_id, "odd_photos", table, about={"fingerprint": index.fingerprint})
    return table


def small_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 2304) values 0..1: photos of 64 x 48 pixels halved by the mean of 2 x 2, three colours each."""
    count, height, width, colours = pixels.shape
    found = np.empty((count, height // 2 * (width // 2) * colours), np.float32)
    for start in range(0, count, 2048):
        block = pixels[start : start + 2048].astype(np.float32)
        halved = block.reshape(len(block), height // 2, 2, width // 2, 2, colours).mean(axis=(2, 4)) / 255
        found[start : start + 2048] = halved.reshape(len(block), -1)
    return found


def train_masks(run: Run, photos: pd.DataFrame) -> IntArray:
    """Mask of each train photo as predicted out-of-fold; by its file's name where no fold has scored it."""
    masks = pd.Series(photos["mask"].to_numpy(dtype=np.int64, copy=True), index=photos.photo_id)
    oof = run.oof()
    predicted = pd.Series(decode_axis(oof.logits.argmax(axis=1), "mask"), index=oof.photo_ids)
    masks.update(predicted[predicted.index.isin(masks.index)])
    if masks.empty:
        raise RunError("there is no readable train photo to learn from; see what check reports")
    return masks.to_numpy(dtype=np.int64)
