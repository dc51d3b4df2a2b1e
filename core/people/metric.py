"""How alike two photos are as pictures of one person: a metric learned from the train people.

Photos of one person differ by mask, pose and light; photos of two people differ by face, clothes and
background as well. The train people's folders say which is which, so the directions that tell people
apart are found by weighing one scatter against the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh

from core.errors import RunError

FloatArray = NDArray[np.float32]

_PRINCIPAL = 800
"""Principal components kept before the two scatters are compared: few enough to invert in a second."""

_RIDGE = 1e-2
"""Share of the mean within-person variance added to every direction: pixels of an edge hardly vary."""


@dataclass(frozen=True)
class Metric:
    """A projection after which the scalar product of two photos says how alike they are.

    Attributes:
        mean: (D,) mean of the features.
        projection: (D, d), each column scaled by how much it tells of the person.
        ratio: (d,) between-person over within-person variance, falling.
    """

    mean: NDArray[np.float64]
    projection: NDArray[np.float64]
    ratio: NDArray[np.float64]

    def embed(self, features: NDArray[np.floating]) -> FloatArray:
        """(N, D) features as (N, d) vectors of length 1; their scalar product is the similarity, -1..1."""
        found = self.project(features)
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        return found

    def project(self, features: NDArray[np.floating]) -> FloatArray:
        """(N, D) features as (N, d) vectors of any length, the axes in the order of ``ratio``."""
        found = np.empty((len(features), self.projection.shape[1]), np.float32)
        for start in range(0, len(features), 4096):  # a block at a time: no second copy of all photos
            found[start : start + 4096] = (features[start : start + 4096] - self.mean) @ self.projection
        return found


def fit_metric(features: NDArray[np.floating], person_ids: ArrayLike, *, dimensions: int = 60) -> Metric:
    """The metric under which photos of one person lie close together.

    Each photo is a person's own point plus noise, both normal. Directions u with B u = ratio * W u, where
    B and W are the scatter between and within people, carry all that is known of the person; each is scaled
    by sqrt(ratio / (1 + ratio)), its share of signal, and vectors are brought to length 1.

    Args:
        features: (N, D) of photos whose people are known.
        person_ids: (N,) person of each photo.
        dimensions: how many directions to keep at most.
    Raises:
        RunError: fewer than three people, or nobody with two photos.

    Source: Ioffe, Probabilistic linear discriminant analysis, ECCV 2006 (the model); Garcia-Romero,
        Espy-Wilson, Analysis of i-vector length normalization, Interspeech 2011 (the length).
    """
    people, codes = np.unique(np.asarray(person_ids), return_inverse=True)
    require_people(codes)
    photos_each = np.bincount(codes)
    mean = features.mean(axis=0, dtype=np.float64)
    principal = _principal_components(features, mean)  # (D, p)
    points = np.concatenate(
        [
            (np.asarray(features[start : start + 4096], np.float64) - mean) @ principal
            for start in range(0, len(features), 4096)
        ]
    )  # (N, p)
    centres = np.zeros((len(people), points.shape[1]))
    np.add.at(centres, codes, points)
    centres /= photos_each[:, None]
    noise = points - centres[codes]
    within = noise.T @ noise / max(len(points) - len(people), 1)
    within += _RIDGE * np.trace(within) / len(within) * np.eye(len(within))
    between = centres.T @ centres / len(people) - within * (1 / photos_each).mean()
    ratio, directions = eigh(between, within)
    kept = np.flatnonzero(ratio > 0)[::-1][:dimensions]
    ratio, directions = ratio[kept], directions[:, kept]
    scale = np.sqrt(ratio / (1 + ratio))
    return Metric(mean, principal @ (directions * scale), ratio)


def require_people(person_ids: ArrayLike) -> None:
    """Refuse what no metric can be learned from.

    Raises:
        RunError: fewer than three people, or nobody with two photos.
    """
    photos_each = np.unique(np.asarray(person_ids), return_counts=True)[1]
    if len(photos_each) < 3 or photos_each.max() < 2:
        raise RunError(
            f"{len(photos_each)} people with {photos_each.sum()} photos are too few to learn from; "
            "give more train people"
        )


def join_blocks(blocks: Sequence[NDArray[np.floating]]) -> FloatArray:
    """Several kinds of features side by side, (N, sum of D), each block with the same total variance."""
    scaled = [block / np.sqrt(np.var(block, axis=0, dtype=np.float64).sum() + 1e-12) for block in blocks]
    return np.concatenate(scaled, axis=1, dtype=np.float32)


def _principal_components(features: NDArray[np.floating], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """(D, p) orthonormal directions of greatest variance, at most as many as photos or ``_PRINCIPAL``."""
    count, width = features.shape
    if count <= width:  # the small matrix has the same directions: X'X u = s u follows from XX' v = s v
        centred = np.asarray(features, np.float64) - mean
        first = max(count - _PRINCIPAL, 1)  # one direction is lost to the mean
        variance, weights = eigh(centred @ centred.T, subset_by_index=(first, count - 1))
        kept = variance > 1e-9 * variance[-1]
        return np.asarray(centred.T @ (weights[:, kept] / np.sqrt(variance[kept])))
    scatter = np.zeros((width, width))
    for start in range(0, count, 4096):
        block = np.asarray(features[start : start + 4096], np.float64) - mean
        scatter += block.T @ block
    _, directions = eigh(scatter, subset_by_index=(max(width - _PRINCIPAL, 0), width - 1))
    return np.asarray(directions)
