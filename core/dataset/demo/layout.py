"""Writing the demo set in the competition's layout, quirks included."""

import csv
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from core.dataset.demo.population import Person, plan_population
from core.dataset.demo.views import draw_photos
from core.dataset.workers import worker_pool
from core.errors import DatasetError
from core.taxonomy import GENDERS, PHOTO_KINDS, age_band, encode, mask_of_kind

_APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + b"\x00" * 96


def write_demo(
    out: Path,
    *,
    people: int = 120,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """A data set of drawn portraits in the competition's layout, traps included, with its truth beside it.

    The same ``people`` and ``seed`` give the same bytes, whatever the number of processes. Nothing
    is left at ``out`` unless all of it is.

    Args:
        out: a folder that does not exist yet, or is empty.
        people: seven photos each; about three quarters are train people.
        on_progress: called with (photos done, photos in all).
    Raises:
        DatasetError: ``out`` is not empty, or there are too few people to make two splits.
    """
    if people < 4:
        raise DatasetError(f"people {people}: a demo set needs at least 4, 12 or more to be useful")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DatasetError(f"{out} exists and is not an empty folder; choose another --out or remove it")
    out = out.resolve()
    _remove_killed_attempts(out)
    building = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        population = plan_population(people, seed)
        _write_tables(building, population)
        _write_photos(building, population, seed, on_progress)
        _litter(building)
        building.replace(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _remove_killed_attempts(out: Path) -> None:
    """What an earlier call at ``out`` left when it was killed."""
    if out.parent.is_dir():
        for path in out.parent.iterdir():
            name, _, pid = path.name.removesuffix(".tmp").rpartition(".")
            if name == f".{out.name}" and path.name.endswith(".tmp") and not Path("/proc", pid).exists():
                shutil.rmtree(path)


def _write_photos(
    root: Path, population: Sequence[Person], seed: int, on_progress: Callable[[int, int], None] | None
) -> None:
    for person in population:
        for photo in person.photos:
            (root / photo.path).parent.mkdir(parents=True, exist_ok=True)
    draw = partial(_write_person, root, seed)
    with worker_pool() as pool:
        done = 0
        for count in pool.map(draw, population):
            done += count
            if on_progress is not None:
                on_progress(done, len(population) * len(PHOTO_KINDS))


def _write_person(root: Path, seed: int, person: Person) -> int:
    """Draw and save one person's photos; how many they are."""
    for photo, image, quality in draw_photos(person, seed):
        options = {"compress_level": 3} if photo.path.endswith(".png") else {"quality": quality}
        image.save(root / photo.path, **options)
    return len(person.photos)


def _write_tables(root: Path, population: Sequence[Person]) -> None:
    train = [person for person in population if person.split == "train"]
    _write_csv(
        root / "train/train.csv",
        ["id", "gender", "race", "age", "path"],
        ([p.written_id, GENDERS[p.written_gender], "Drawn", p.age, p.folder] for p in train),
    )
    truth = sorted(
        [
            Path(photo.path).name,
            int(encode(mask := mask_of_kind(photo.kind) or 0, p.gender, age_band(p.age))),
            p.number,
            p.age,
            GENDERS[p.gender],
            mask,
        ]
        for p in population
        if p.split == "eval"
        for photo in p.photos
    )
    _write_csv(root / "eval/info.csv", ["ImageID", "ans"], ([row[0], 0] for row in truth))
    _write_csv(root / "truth/eval.csv", ["ImageID", "ans", "person", "age", "gender", "mask"], truth)
    wrong = (
        [p.folder, Path(photo.path).name, GENDERS[p.gender], photo.kind]
        for p in train
        for photo in p.photos
        if p.written_gender != p.gender or Path(photo.path).stem != photo.kind
    )
    _write_csv(root / "truth/train_noise.csv", ["path", "file", "true_gender", "true_mask"], wrong)


def _write_csv(path: Path, header: list[str], rows: Iterable[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _litter(root: Path) -> None:
    """What an archive made on a Mac and a notebook server leave among the photos."""
    images = root / "train/images"
    folders = sorted(images.iterdir())
    for folder in folders[:: max(1, len(folders) // 8)]:
        (folder / "._mask1.jpg").write_bytes(_APPLE_DOUBLE)
        (images / f"._{folder.name}").write_bytes(_APPLE_DOUBLE)
    checkpoints = folders[-1] / ".ipynb_checkpoints"
    checkpoints.mkdir()
    photo = next(path for path in sorted(folders[-1].iterdir()) if path.stem == "normal")
    shutil.copyfile(photo, checkpoints / f"normal-checkpoint{photo.suffix}")
    (images / ".ipynb_checkpoints").mkdir()
