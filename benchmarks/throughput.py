"""How close photos come to what decoding alone and the network alone would allow.

python -m benchmarks.throughput --data DIR [--photos 4000] [--set image.height=128]...

Two shares, each of two rates measured by turns in the same run: building the cache of decoded photos beside decoding
alone on one core times the number of cores (at least 0.8), and training beside the same step of the same network on
one batch that lies in memory (at least 0.95). Cores that share memory and caches do not decode as many times faster
as there are cores, whatever the program: ``machine_share`` is what independent processes that only decode reach, one
a core, and so the most that a cache can. The last line is one JSON object.
"""

import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import torch

from benchmarks.machine import machine
from core.config import ImageConfig, TrainConfig, load_config, settle_model
from core.dataset.images import build_image_cache, decode_photo
from core.dataset.index import Index, load_index
from core.dataset.workers import worker_pool
from core.training.device import autocast, choose_device, device_name
from core.training.engine import Photos, train_one_epoch
from core.training.losses import build_criterion
from core.training.models import build_model
from core.training.optim import build_optimizer, build_schedule
from core.workspace import Workspace

ROUNDS = 5
GOAL_CACHE, GOAL_TRAIN = 0.8, 0.95


def measure_cache(index: Index, config: TrainConfig, workspace: Workspace) -> dict[str, float]:
    """Photos/s of building the cache, and of decoding alone on one core just before and just after."""
    paths = [index.data_dir / path for path in index.photos.path]
    for path in paths:
        path.read_bytes()  # so that neither waits for the disk
    sample = paths[:: max(len(paths) // 400, 1)]

    def decode() -> float:
        started = time.perf_counter()
        for path in sample:
            decode_photo(path, config.image)
        return len(sample) / (time.perf_counter() - started)

    cores = len(os.sched_getaffinity(0))
    before, all_before = decode(), _decode_on_all(sample, config.image, cores)
    started = time.perf_counter()
    build_image_cache(index, config.image, workspace)
    built = len(paths) / (time.perf_counter() - started)
    alone, everywhere = (before + decode()) / 2, (all_before + _decode_on_all(sample, config.image, cores)) / 2
    return {
        "cache": built,
        "decode_only_one_core": alone,
        "decode_only_all_cores": everywhere,
        "cache_share": built / (alone * cores),
        "machine_share": everywhere / (alone * cores),
    }


def _decode_on_all(paths: list[Path], image: ImageConfig, cores: int) -> float:
    """Photos/s of processes that decode the same photos side by side and do nothing else."""
    with worker_pool(cores) as pool:
        list(pool.map(_decode_these, [paths[:16]] * cores, [image] * cores))  # they have started
        started = time.perf_counter()
        list(pool.map(_decode_these, [paths] * cores, [image] * cores))
        return cores * len(paths) / (time.perf_counter() - started)


def _decode_these(paths: list[Path], image: ImageConfig) -> None:
    for path in paths:
        decode_photo(path, image)


def measure_training(index: Index, config: TrainConfig, workspace: Workspace, *, steps: int = 12) -> dict[str, float]:
    """Photos/s of the training loop, and of the same network's step on one batch, by turns."""
    device = choose_device(config.device)
    cache = build_image_cache(index, config.image, workspace)
    photos = Photos(cache.pixels, device)
    model, _ = build_model(config)
    model.to(device).train()
    criterion, optimizer = build_criterion(config.loss), build_optimizer(model, config.optim)
    schedule = build_schedule(optimizer, config.optim, steps)
    size = config.optim.batch_size
    rows = np.random.default_rng(0).choice(len(index.photos), steps * size).astype(np.int64)
    targets = np.full((len(rows), 18), 1 / 18, np.float32)
    batch = photos.batch(rows[:size]).clone()
    wanted = torch.from_numpy(targets[:size]).to(device)

    def fixed() -> None:
        for _ in range(steps):
            with autocast(device):
                loss = criterion(model(batch), wanted)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    def loop() -> None:
        train_one_epoch(
            model, photos, rows, targets, criterion=criterion, optimizer=optimizer, schedule=schedule, ema=None,
            augmentation=config.augment, batch_size=size, seed=0, should_stop=lambda: False, on_batch=lambda *_: None,
        )  # fmt: skip

    rates: dict[str, list[float]] = {"train": [], "fixed": []}
    for number in range(ROUNDS + 1):
        for name, work in (("train", loop), ("fixed", fixed)):
            started = time.perf_counter()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if number:  # the first round warms up
                rates[name].append(len(rows) / (time.perf_counter() - started))
    train, alone = (float(np.median(rates[name])) for name in ("train", "fixed"))
    shares = np.array(rates["train"]) / np.array(rates["fixed"])
    return {"train": train, "fixed_batch": alone, "train_share": float(np.median(shares))}


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path))
@click.option("--photos", default=4000, show_default=True, help="So many photos of the data set, evenly spread.")
@click.option("--steps", default=12, show_default=True, help="Training steps a round.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE")
def main(data: Path, photos: int, steps: int, settings: tuple[str, ...]) -> None:
    """Measure both shares in a workspace that is thrown away."""
    config = settle_model(load_config(settings=settings), gpu=torch.cuda.is_available())
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        whole = load_index(data, workspace)
        chosen = whole.photos.iloc[:: max(len(whole.photos) // photos, 1)].reset_index(drop=True)
        index = replace(whole, photos=chosen)
        rates = measure_cache(index, config, workspace) | measure_training(index, config, workspace, steps=steps)
    result = {
        "benchmark": "throughput",
        "photos": len(chosen),
        "model": config.model.name,
        "pixels": f"{config.image.height} x {config.image.width}",
        "batch_size": config.optim.batch_size,
        "device": device_name(choose_device(config.device)),
        **{name: round(value, 3) for name, value in rates.items()},
        "goal_cache_share": GOAL_CACHE,
        "goal_train_share": GOAL_TRAIN,
        "within_goals": rates["cache_share"] >= GOAL_CACHE and rates["train_share"] >= GOAL_TRAIN,
        **machine("torch", "timm", "pillow"),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
