"""The 18 classes: the one place that knows ``label = mask * 6 + gender * 3 + age``.

Three axes make the label: how the mask is worn (3), gender (2), age band (3).
Source: the competition's published class table (domain knowledge, see docs/methods.md).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import DatasetError

MASKS = ("worn", "incorrect", "normal")
GENDERS = ("male", "female")
AGE_BANDS = ("<30", "30-59", ">=60")
AXES: dict[str, tuple[str, ...]] = {"mask": MASKS, "gender": GENDERS, "age": AGE_BANDS}
NUM_CLASSES = len(MASKS) * len(GENDERS) * len(AGE_BANDS)

YOUNG, OLD = 30, 60
"""The competition's own age bounds in years: below 30, and 60 or over."""

PHOTO_KINDS = ("mask1", "mask2", "mask3", "mask4", "mask5", "incorrect_mask", "normal")
"""File names (without ending) of one person's seven photos."""

_MASK_OF_KIND = {"incorrect_mask": 1, "normal": 2} | {f"mask{i}": 0 for i in range(1, 6)}

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.floating[Any]]


def encode(mask: ArrayLike, gender: ArrayLike, age: ArrayLike) -> IntArray:
    """Label of each (mask, gender, age band) triple.

    Args:
        mask: index into ``MASKS``; scalar or (N,), as are the others.
        gender: index into ``GENDERS``.
        age: index into ``AGE_BANDS`` (a band, not years; see ``age_band``).
    Raises:
        DatasetError: an index lies outside its axis.

    >>> int(encode(2, 1, 2))
    17
    """
    parts = []
    for axis, values in (("mask", mask), ("gender", gender), ("age", age)):
        index = np.asarray(values, dtype=np.int64)
        if index.size and (index.min() < 0 or index.max() >= len(AXES[axis])):
            bad = index[(index < 0) | (index >= len(AXES[axis]))].flat[0]
            raise DatasetError(f"{axis} index {bad} is outside 0..{len(AXES[axis]) - 1}")
        parts.append(index)
    return parts[0] * 6 + parts[1] * 3 + parts[2]


def decode(labels: ArrayLike) -> tuple[IntArray, IntArray, IntArray]:
    """(mask, gender, age band) indices of each label.

    Raises:
        DatasetError: a label lies outside 0..17.

    >>> [int(axis) for axis in decode(10)]
    [1, 1, 1]
    """
    index = np.asarray(labels, dtype=np.int64)
    if index.size and (index.min() < 0 or index.max() >= NUM_CLASSES):
        bad = index[(index < 0) | (index >= NUM_CLASSES)].flat[0]
        raise DatasetError(f"label {bad} is outside 0..{NUM_CLASSES - 1}")
    return index // 6, index // 3 % 2, index % 3


def decode_axis(labels: ArrayLike, axis: str) -> IntArray:
    """Index on one axis (``mask``, ``gender`` or ``age``) of each label."""
    return dict(zip(AXES, decode(labels), strict=True))[axis]


def age_band(years: ArrayLike, *, young: int = YOUNG, old: int = OLD) -> IntArray:
    """Index into ``AGE_BANDS`` of each age in years.

    Args:
        years: age in years, scalar or (N,).
        young: first age of the middle band.
        old: first age of the oldest band; 58 trains 58 and 59 as "60 and over".

    >>> age_band([29, 30, 59, 60]).tolist(), age_band([57, 58], old=58).tolist()
    ([0, 1, 1, 2], [1, 2])
    """
    years = np.asarray(years)
    return (years >= young).astype(np.int64) + (years >= old)


def mask_of_kind(kind: str) -> int | None:
    """Index into ``MASKS`` of a photo's file name without ending, None for a foreign name.

    >>> mask_of_kind("mask3"), mask_of_kind("normal"), mask_of_kind("holiday")
    (0, 2, None)
    """
    return _MASK_OF_KIND.get(kind)


def class_name(label: int) -> str:
    """A label in words.

    >>> class_name(10)
    'incorrect, female, 30-59'
    """
    mask, gender, age = decode(label)
    return f"{MASKS[int(mask)]}, {GENDERS[int(gender)]}, {AGE_BANDS[int(age)]}"


CLASS_NAMES = tuple(class_name(label) for label in range(NUM_CLASSES))


def marginal(pred_probs: FloatArray, axis: str) -> FloatArray:
    """Probabilities of one axis.

    Args:
        pred_probs: (N, 18), rows sum to 1.
        axis: ``mask``, ``gender`` or ``age``.
    Returns:
        (N, k) with k the number of values on that axis.
    """
    cube = pred_probs.reshape(len(pred_probs), len(MASKS), len(GENDERS), len(AGE_BANDS))
    keep = 1 + list(AXES).index(axis)
    summed: FloatArray = cube.sum(axis=tuple(i for i in (1, 2, 3) if i != keep))
    return summed
