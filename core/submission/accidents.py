"""Known accidents that a file's form does not show: right answers in wrong rows, or under wrong numbers.

Found by comparing with a reference, such as a run's predictions: as an accident is taken back, agreement
leaps from chance to far beyond it. Chance is measured, not guessed, so a weak reference sees less but
accuses nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from core.evaluation.metrics import Float64Array, axis_confusion, confusion_matrix
from core.taxonomy import AXES, NUM_CLASSES, IntArray, decode, encode

TEXT_ORDER = np.array(sorted(range(NUM_CLASSES), key=str))
"""Classes in the order in which a folder listing puts them: 0, 1, 10, 11, ..., 17, 2, ..., 9."""

CERTAIN = 8.0
"""Standard deviations above chance at which agreement is no chance: some thousand repairs are tried on a file."""

_NEAR = 3
_WINDOW = 400
_SHORTEST = 40


@dataclass(frozen=True)
class Accident:
    """What a repair takes back, and how far it raises the share of rows that agree with the reference."""

    told: str
    as_is: float
    mended: float


def moved_rows(answers: IntArray, reference: IntArray, photo_ids: list[str]) -> Accident | None:
    """Answers that stand in the rows of other photos: shifted, reversed, in the order of sorted ids, or torn.

    Args:
        answers: (N,) class in each row of the submission.
        reference: (N,) class that a run or an earlier file gives the same photo.
        photo_ids: of the rows, in info.csv's order.
    """
    count = len(answers)
    shares = _agreement_at_every_shift(answers, reference)
    as_is, chance = float(shares[0]), float(shares.mean())
    spread = max(float(shares[1:].std()), (chance * (1 - chance) / count) ** 0.5, 1e-9)
    shift = int(shares[1:].argmax()) + 1
    by_name = np.argsort(np.asarray(photo_ids, dtype=object), kind="stable")
    repairs = [
        (float(shares[shift]), f"answers stand {_rows_off(shift if shift <= count // 2 else shift - count)}"),
        (float((answers == reference[::-1]).mean()), "answers stand in reverse order"),
        (float((answers == reference[by_name]).mean()), "answers stand in the order of sorted ImageIDs"),
    ]
    mended, told = max(repairs)
    if mended - chance > CERTAIN * spread and mended - chance > 2 * (as_is - chance):
        return Accident(told, as_is, mended)
    return _torn(answers, reference, chance)


def renamed_classes(answers: IntArray, reference: IntArray) -> Accident | None:
    """Answers under other numbers: classes in text order, axes in another order, values swapped.

    Args: as in ``moved_rows``.
    """
    confusion = confusion_matrix(reference, answers)
    total = confusion.sum()
    given, written = confusion.sum(axis=1) / total, confusion.sum(axis=0) / total
    classes = np.arange(NUM_CLASSES)
    as_is = float(np.trace(confusion) / total)
    found = []
    for told, table in _wrong_tables():
        mended = float(confusion[classes, table].sum() / total)
        chance = float((given * written[table]).sum())
        spread = max((chance * (1 - chance) / total) ** 0.5, 1e-9)
        kappa = (mended - chance) / (1 - chance) if chance < 1 else 0.0
        if mended - chance > CERTAIN * spread and mended > as_is + 0.15 and kappa > 0.2:
            found.append(Accident(told, as_is, mended))
    found += _swapped_values(confusion, as_is)
    return max(found, key=lambda accident: accident.mended, default=None)


@dataclass(frozen=True)
class Stretch:
    """Rows that agree with the reference as chance has it, though the others agree.

    Attributes:
        first, last: rows, from 1.
        share: of the stretch's rows that agree.
        typical: the same, as half of all stretches have it at least.
    """

    first: int
    last: int
    share: float
    typical: float


def lost_stretch(answers: IntArray, reference: IntArray) -> Stretch | None:
    """The longest stretch of rows whose answers have nothing to do with the reference, where most have much.

    Args: as in ``moved_rows``.
    """
    size = min(_WINDOW, len(answers) // 4)
    if size < _SHORTEST:
        return None
    starts = np.arange(0, len(answers) - size + 1, size)
    shares = (answers == reference)[: starts[-1] + size].reshape(-1, size).mean(axis=1)
    chance, _ = chance_of_agreement(answers, reference)
    spread, typical = (chance * (1 - chance) / size) ** 0.5, float(np.median(shares))
    if typical - chance < 1.5 * CERTAIN * spread:
        return None
    lost = shares - chance < (typical - chance) / 4
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lost.astype(int), [0]]))).reshape(-1, 2)
    if not len(edges):
        return None
    begin, end = max(edges, key=lambda pair: pair[1] - pair[0])
    last = len(answers) if end == len(starts) else int(starts[end - 1] + size)
    return Stretch(int(starts[begin]) + 1, last, float(shares[begin:end].mean()), typical)


def kappa(answers: IntArray, reference: IntArray) -> float:
    """Agreement beyond chance: 0 as chance has it, 1 everywhere.

    Source: Cohen, A coefficient of agreement for nominal scales, 1960.
    """
    return _kappa(confusion_matrix(reference, answers))


def chance_of_agreement(answers: IntArray, reference: IntArray) -> tuple[float, float]:
    """Share of equal rows to expect when rows had nothing to do with each other, and its standard deviation."""
    confusion = confusion_matrix(reference, answers) / len(answers)
    chance = float((confusion.sum(axis=0) * confusion.sum(axis=1)).sum())
    return chance, (chance * (1 - chance) / len(answers)) ** 0.5


def _agreement_at_every_shift(answers: IntArray, reference: IntArray) -> Float64Array:
    """(N,) share of equal rows with the reference moved down by 0, 1, 2, ... rows, all at once.

    The circular correlation of the one-hot columns, by fast Fourier transform.
    """
    one_hot = np.eye(NUM_CLASSES)
    spectrum = np.fft.rfft(one_hot[answers], axis=0) * np.conj(np.fft.rfft(one_hot[reference], axis=0))
    shares: Float64Array = np.fft.irfft(spectrum.sum(axis=1), n=len(answers)) / len(answers)
    return shares


def _torn(answers: IntArray, reference: IntArray, chance: float) -> Accident | None:
    """A stretch of rows that is shifted where the rest is not: a row was lost or doubled on the way."""
    count = len(answers)
    for start in range(0, count - _WINDOW + 1, _WINDOW // 2):
        rows = np.arange(start, start + _WINDOW)
        as_is = float((answers[rows] == reference[rows]).mean())
        for shift in [*range(-_NEAR, 0), *range(1, _NEAR + 1)]:
            mended = float((answers[rows] == reference[np.clip(rows - shift, 0, count - 1)]).mean())
            if mended - chance > CERTAIN * (chance / _WINDOW) ** 0.5 and mended - chance > 2 * (as_is - chance):
                return Accident(f"from about row {start + 1:,} on answers stand {_rows_off(shift)}", as_is, mended)
    return None


def _rows_off(rows: int) -> str:
    return f"{abs(rows):,} row{'s'[: abs(rows) != 1]} too {'low' if rows > 0 else 'high'}"


def _wrong_tables() -> Iterator[tuple[str, IntArray]]:
    """Known wrong class tables: what is written for each class."""
    text = "classes are numbered in text order 0, 1, 10, 11, ..., 17, 2, ..., 9"
    yield text, np.argsort(TEXT_ORDER)
    yield text, TEXT_ORDER
    sizes = dict(zip(AXES, map(len, AXES.values()), strict=True))
    parts = dict(zip(AXES, decode(np.arange(NUM_CLASSES)), strict=True))
    for order in list(permutations(AXES))[1:]:
        written = np.zeros(NUM_CLASSES, dtype=np.int64)
        for axis in order:
            written = written * sizes[axis] + parts[axis]
        yield f"classes are numbered by {', then '.join(order)}, not by mask, then gender, then age", written


def _swapped_values(confusion: IntArray, as_is: float) -> Iterator[Accident]:
    """An axis whose values are numbered otherwise, told by that axis alone."""
    total = confusion.sum()
    for axis, names in AXES.items():
        matrix = axis_confusion(confusion, axis)
        for table in list(permutations(range(len(names))))[1:]:
            if _kappa(matrix[:, list(table)]) > max(0.3, _kappa(matrix) + 0.3):
                parts = dict(zip(AXES, decode(np.arange(NUM_CLASSES)), strict=True))
                parts[axis] = np.array(table)[parts[axis]]
                mended = float(confusion[np.arange(NUM_CLASSES), encode(*parts.values())].sum() / total)
                said = ", ".join(f"{names[old]} as {names[new]}" for old, new in enumerate(table) if old != new)
                if mended > as_is + 0.15:
                    yield Accident(f"{axis} is numbered otherwise: {said}", as_is, mended)


def _kappa(matrix: IntArray) -> float:
    shares = matrix / matrix.sum()
    chance = float((shares.sum(axis=0) * shares.sum(axis=1)).sum())
    return (float(np.trace(shares)) - chance) / (1 - chance) if chance < 1 - 1e-9 else 0.0
