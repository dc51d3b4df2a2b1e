"""Who is in the demo set: people, their files, and what is wrong on purpose.

Proportions follow the real competition (docs/methods.md): more women and few people of 60 and
over in train, more men and many of 60 and over in the evaluation set.
"""

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from core.taxonomy import GENDERS, OLD, PHOTO_KINDS, YOUNG

_TRAIN_MIX = np.array([549, 410, 83, 732, 817, 109], dtype=float)  # male <30 / 30-59 / >=60, then female
_EVAL_MIX = np.outer([0.6, 0.4], [0.40, 0.35, 0.25]).ravel()
_FLIPPED, _SWAPPED = 0.008, 0.012  # shares of train people with a wrong gender / two swapped photos


@dataclass(frozen=True)
class Photo:
    """One file: what is drawn (``kind``, the truth) and where it is written."""

    kind: str
    path: str


@dataclass(frozen=True)
class Person:
    """One drawn person.

    Args:
        number: unique; every random choice about the drawing follows from it and the seed.
        gender: index into ``GENDERS``, the truth.
        years: true age in years, may be above 60.
        written_id, written_gender: what train.csv and the folder's name say.
    """

    number: int
    split: str
    gender: int
    years: int
    written_id: str
    written_gender: int
    photos: tuple[Photo, ...] = ()

    @property
    def age(self) -> int:
        """Age as labelled: everyone above 60 is labelled 60, as in the competition."""
        return min(self.years, OLD)

    @property
    def folder(self) -> str:
        """Name of a train person's folder."""
        return f"{self.written_id}_{GENDERS[self.written_gender]}_Drawn_{self.age}"


def plan_population(people: int, seed: int) -> list[Person]:
    """All people with their files: about three quarters train, the others are the evaluation set."""
    rng = np.random.default_rng([seed, 0])
    train_size = round(0.75 * people)
    groups = [("train", group) for group in _draw_groups(train_size, _TRAIN_MIX)]
    groups += [("eval", group) for group in _draw_groups(people - train_size, _EVAL_MIX)]
    numbers = 1 + rng.permutation(2 * people)[:people]
    population = []
    for (split, group), number in zip(groups, numbers.tolist(), strict=True):
        gender, band = divmod(group, 3)
        years = _draw_years(band, rng)
        population.append(Person(number, split, gender, years, f"{number:06d}", gender))
    population.sort(key=lambda person: person.number)
    train = _plant_odd_ids([person for person in population if person.split == "train"], rng)
    train, swapped = _plant_wrong_labels(train, rng)
    endings = _plant_endings(train, rng)
    train = [
        replace(person, photos=_train_photos(person, ends, person.number in swapped))
        for person, ends in zip(train, endings, strict=True)
    ]
    evaluation = [
        replace(person, photos=_eval_photos(person, seed)) for person in population if person.split == "eval"
    ]
    return train + evaluation


def _draw_groups(size: int, mix: np.ndarray) -> list[int]:
    """``size`` groups (gender * 3 + age band) in proportion to ``mix``; each at least once from 6 people on."""
    share = mix / mix.sum() * size
    counts = np.floor(share).astype(int)
    if size >= len(mix):
        counts = np.maximum(counts, 1)
    while counts.sum() != size:
        gap = share - counts
        if counts.sum() < size:
            counts[gap.argmax()] += 1
        else:
            counts[np.where(counts > 1, gap, np.inf).argmin()] -= 1
    return np.repeat(np.arange(len(mix)), counts).tolist()


def _draw_years(band: int, rng: np.random.Generator) -> int:
    """True age; few people near 30 and many just below 60, as in the competition."""
    if band == 0:
        return int(rng.integers(28, YOUNG) if rng.random() < 0.06 else rng.integers(18, 28))
    if band == 2:
        return OLD + min(int(rng.exponential(5.0)), 18)
    if rng.random() < 0.35:
        return int(rng.integers(56, OLD))
    return int(np.clip(rng.normal(46, 8), YOUNG, 55))


def _plant_odd_ids(train: list[Person], rng: np.random.Generator) -> list[Person]:
    """One id that stands twice with two ages, and ids such as 000123-1 that are somebody else."""
    order = rng.permutation(len(train)).tolist()
    changed: dict[int, str] = {}
    twins = [
        (first, second)
        for first in order
        for second in order
        if train[first].gender == train[second].gender and train[first].age != train[second].age
    ]
    taken = set(twins[0]) if twins else set()
    if twins:
        changed[twins[0][1]] = train[twins[0][0]].written_id
    free = [row for row in order if row not in taken]
    pairs = max(1, len(train) // 73)
    for first, second in zip(free[0 : 2 * pairs : 2], free[1 : 2 * pairs : 2], strict=False):
        changed[second] = f"{train[first].written_id}-1"
    return [replace(person, written_id=changed.get(row, person.written_id)) for row, person in enumerate(train)]


def _plant_wrong_labels(train: list[Person], rng: np.random.Generator) -> tuple[list[Person], set[int]]:
    """About 1 % wrong train photos: (people with some genders flipped, numbers with two files swapped)."""
    order = rng.permutation(len(train)).tolist()
    flips, swaps = round(_FLIPPED * len(train)), max(1, round(_SWAPPED * len(train)))
    candidates = [row for row in order if train[row].age < OLD]
    flipped = set(candidates[:flips])
    swapped = {train[row].number for row in candidates[flips : flips + swaps]}
    people = [
        replace(person, written_gender=1 - person.gender) if row in flipped else person
        for row, person in enumerate(train)
    ]
    return people, swapped


def _plant_endings(train: list[Person], rng: np.random.Generator) -> list[list[str]]:
    """File endings: mostly .jpg, some folders .jpeg or .png, some mixed."""
    endings = [[".jpg"] * 7 for _ in train]
    odd = max(1, round(0.02 * len(train)))
    mixed = [".jpg"] * 4 + [".jpeg", ".jpg", ".png"]
    styles = ([".png"] * 7, [".jpeg"] * 7, mixed)
    order = rng.permutation(len(train)).tolist()
    for start, style in enumerate(styles):
        for row in order[start * odd : (start + 1) * odd]:
            endings[row] = style
    return endings


def _train_photos(person: Person, endings: list[str], swapped: bool) -> tuple[Photo, ...]:
    written = dict(zip(PHOTO_KINDS, PHOTO_KINDS, strict=True))
    if swapped:
        written |= {"incorrect_mask": "normal", "normal": "incorrect_mask"}
    return tuple(
        Photo(kind, f"train/images/{person.folder}/{written[kind]}{end}")
        for kind, end in zip(PHOTO_KINDS, endings, strict=True)
    )


def _eval_photos(person: Person, seed: int) -> tuple[Photo, ...]:
    names = (hashlib.sha1(f"{seed}/{person.number}/{kind}".encode()).hexdigest() for kind in PHOTO_KINDS)
    return tuple(Photo(kind, f"eval/images/{name}.jpg") for kind, name in zip(PHOTO_KINDS, names, strict=True))
