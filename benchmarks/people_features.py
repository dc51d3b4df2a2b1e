"""By what are the photos of one person found best? Features and metrics, on train people whom neither has seen.

python -m benchmarks.people_features --data DIR --workspace DIR [--run R] [--seed 1] [--only pixels]

Metrics learn from two thirds of the people and group the others, as ``core.people.learning`` does. Without a run the
people are all train people and masks are those of the file names. With one they are those of the fold whose network
gave the run's features (it never saw them), and masks are the run's. A line of JSON for each.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from core.dataset.images import build_image_cache
from core.dataset.index import load_index
from core.people.finding import PIXELS, small_pixels, train_masks
from core.people.grouping import group_photos
from core.people.metric import fit_metric, join_blocks
from core.people.quality import group_quality
from core.people.ways import ways_of
from core.storage.runs import open_run
from core.training.contrastive import train_head
from core.workspace import data_dir_from, workspace_from

Features = NDArray[np.float32]
_THRESHOLDS = (0.2, 0.35, 0.5, 0.65)


def colours(pixels: Features) -> Features:
    """(N, 288) mean and spread of each colour in 8 x 6 fields of 32 x 24 pixels."""
    fields = pixels.reshape(len(pixels), 8, 4, 6, 4, 3)
    told = [part.reshape(len(pixels), -1) for part in (fields.mean(axis=(2, 4)), fields.std(axis=(2, 4)))]
    return np.concatenate(told, axis=1)


def regions(pixels: Features) -> dict[str, Features]:
    """Face (middle of the upper two thirds), clothes (lower third) and background (the rest) of 32 x 24 pixels."""
    photos = pixels.reshape(len(pixels), 32, 24, 3)
    background = np.concatenate([photos[:, :22, :6], photos[:, :22, 18:]], axis=2)
    parts = {"face": photos[:, 6:22, 6:18], "clothes": photos[:, 22:], "background": background}
    return {name: np.ascontiguousarray(part).reshape(len(pixels), -1) for name, part in parts.items()}


def measure(name: str, vectors: Features, person: NDArray[Any], masks: NDArray[np.int64], seconds: float) -> None:
    """Print one line: how well these vectors group the people, at the best threshold."""
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    six = np.argpartition(-likeness, 6, axis=1)[:, :6]
    tried = {one: group_quality(group_photos(vectors, masks, threshold=one).group, person) for one in _THRESHOLDS}
    best = tried[max(tried, key=lambda one: (round(tried[one].pair_f1, 3), one))]
    line = {
        "by": name, "people": best.people, "partners_among_six_nearest": (person[six] == person[:, None]).mean(),
        "pair_precision": best.pair_precision, "pair_recall": best.pair_recall, "pair_f1": best.pair_f1,
        "perfect_groups": best.perfect_groups, "seconds": seconds,
    }  # fmt: skip
    rounded = {key: round(float(value), 4) if isinstance(value, float) else value for key, value in line.items()}
    print(json.dumps(rounded), flush=True)


@click.command()
@click.option("--data")
@click.option("--workspace")
@click.option("--run", "run_id")
@click.option("--seed", default=0, help="Which people are held out.")
@click.option("--only", multiple=True, help="Of the kinds of features; all by default.")
def main(data: str | None, workspace: str | None, run_id: str | None, seed: int, only: tuple[str, ...]) -> None:
    """Measure each kind of features under whitening, and the best under the contrastive head on top of it."""
    place = workspace_from(workspace)
    index = load_index(data_dir_from(data), place)
    cache = build_image_cache(index, PIXELS, place)
    photos = index.photos[cache.decoded & (index.photos.split == "train").to_numpy()]
    kinds = {}
    if run_id:
        run = open_run(place, run_id)
        found, table = run.features(), run.train_photos().set_index("photo_id")
        photos = photos[photos.photo_id.isin(table.index[table.fold == found.fold])]
        kinds["run features"] = np.asarray(found.vectors[found.rows_of(photos.photo_id)], np.float32)
    masks = train_masks(run, photos) if run_id else photos["mask"].to_numpy(dtype=np.int64)
    person = photos.person_id.to_numpy(dtype=object)
    people = np.random.default_rng(seed).permutation(np.unique(person.astype(str)))
    learns = ~np.isin(person, people[: round(len(people) / 3)])
    pixels = small_pixels(cache.pixels[photos.index])
    kinds |= {"pixels": pixels, "colour": colours(pixels)}
    kinds |= {f"pixels + {name}": join_blocks([pixels, kinds[name]]) for name in kinds if name != "pixels"}
    print(f"{learns.sum():,} photos to learn from, {(~learns).sum():,} to group", file=sys.stderr)

    def try_metric(name: str, features: Features, fit: Callable[..., Any]) -> None:
        started = time.perf_counter()
        vectors = fit(features[learns], person[learns].astype(str)).embed(features[~learns])
        measure(name, vectors, person[~learns], masks[~learns], time.perf_counter() - started)

    contrastive = ways_of("contrastive", train_head=train_head)["contrastive"]
    for name, features in {**kinds, **regions(pixels)}.items():
        if name in only or not only:
            try_metric(f"{name}, whitened", features, fit_metric)
            try_metric(f"{name}, contrastive head", features, contrastive)


if __name__ == "__main__":
    main()
