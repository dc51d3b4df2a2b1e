"""The starting recipe as its notebook trained it, beside the preset ``seed`` here: photos/s of one epoch, in one run.

python -m benchmarks.recipe --data DIR [--photos 18900]

The notebook: resnet34 at 384 x 384 pixels, four worker processes that open each photo with PIL, crop, and make
floats of it, batches of 4, float32. Ours: the same network, photos and batches of 4 from the cache of decoded photos,
in bf16 with channels last on a GPU; then batches of 128, which the notebook's recipe does not have. The decoding of
the cache is told apart, since it happens once and not in each epoch. The last line is one JSON object; without a GPU
it says so.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import models
from torchvision.transforms import v2

from benchmarks.machine import machine
from core.config import TrainConfig, load_config
from core.dataset.images import build_image_cache
from core.dataset.index import Index, load_index
from core.training.device import choose_device, device_name
from core.training.engine import Photos, train_one_epoch
from core.training.losses import build_criterion
from core.training.models import build_model
from core.training.optim import build_optimizer, build_schedule
from core.training.targets import training_targets
from core.workspace import Workspace

WAITS = "no GPU on this machine: these few photos on the CPU only show that the script works; the comparison waits"
FEW = 24
"""Photos on a machine without a GPU."""


class NotebookPhotos(Dataset[tuple[torch.Tensor, int]]):
    """Photos as the notebook read them: opened again in each epoch, floats before they leave the worker."""

    def __init__(self, index: Index) -> None:
        self.paths = [index.data_dir / path for path in index.photos.path]
        self.labels = index.photos.label.tolist()
        self.transform = v2.Compose(
            [
                v2.CenterCrop(384),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        with Image.open(self.paths[row]) as photo:
            return self.transform(photo.convert("RGB")), self.labels[row]


def notebook_epoch(index: Index, config: TrainConfig, device: torch.device) -> None:
    """One epoch of the recipe, as a notebook writes it."""
    model = models.resnet34(weights=None, num_classes=18).to(device).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=config.optim.lr, momentum=config.optim.momentum)
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=config.loss.label_smoothing)
    loader = DataLoader(NotebookPhotos(index), config.optim.batch_size, shuffle=True, num_workers=4, drop_last=True)
    for photos, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(photos.to(device)), labels.to(device))
        loss.backward()
        optimizer.step()


def our_epoch(index: Index, config: TrainConfig, device: torch.device, workspace: Workspace) -> None:
    """One epoch of the training loop that a run goes through."""
    cache = build_image_cache(index, config.image, workspace)
    model, _ = build_model(config)
    model.to(device)
    optimizer = build_optimizer(model, config.optim)
    train_one_epoch(
        model, Photos(cache.pixels, device), np.arange(len(index.photos)),
        training_targets(index.photos.label, index.photos.age, config.data),
        criterion=build_criterion(config.loss), optimizer=optimizer,
        schedule=build_schedule(optimizer, config.optim, len(index.photos)), ema=None, augmentation=config.augment,
        batch_size=config.optim.batch_size, seed=0, should_stop=lambda: False, on_batch=lambda *_: None,
    )  # fmt: skip


def rates(index: Index, device: torch.device, workspace: Workspace) -> Iterator[tuple[str, float]]:
    """Photos/s by name: each epoch as a whole, loading of the network and start of the workers included."""
    seed = load_config("seed", settings=["model.weights=none"])
    large = load_config("seed", settings=["model.weights=none", "optim.batch_size=128"])
    todo: dict[str, Callable[[], object]] = {
        "decode_once": lambda: build_image_cache(index, seed.image, workspace),
        "notebook_batch_4": lambda: notebook_epoch(index, seed, device),
        "ours_batch_4": lambda: our_epoch(index, seed, device, workspace),
        "ours_batch_128": lambda: our_epoch(index, large, device, workspace),
    }
    for name, work in todo.items():
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        yield name, round(len(index.photos) / (time.perf_counter() - started), 2)
        click.echo(f"{name} is done", err=True)


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path))
@click.option("--photos", type=int, help=f"So many train photos; all of them when a GPU is there, else {FEW}.")
def main(data: Path, photos: int | None) -> None:
    """Train one epoch each way in a workspace that is thrown away."""
    device = choose_device("auto")
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        whole = load_index(data, workspace)
        train = whole.photos[(whole.photos.split == "train") & whole.photos.readable & (whole.photos.label >= 0)]
        count = photos or (FEW if device.type == "cpu" else len(train))
        index = replace(whole, photos=train.iloc[:count].reset_index(drop=True))
        found = dict(rates(index, device, workspace))
    result = {
        "benchmark": "recipe",
        "photos": len(index.photos),
        "device": device_name(device),
        "photos_per_second": found,
        "ours_over_notebook": round(found["ours_batch_4"] / found["notebook_batch_4"], 2),
        "note": WAITS if device.type == "cpu" else "",
        **machine("torch", "timm"),
    }
    if result["note"]:
        click.echo(WAITS, err=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
