"""Which photos show the same person: groups of at most seven, grown from the most alike pairs.

A person has five photos with a mask worn, one with it worn wrongly and one without, and a run tells these
three apart almost without error. So a group that would hold two photos without a mask is two people, however
alike they look: the quota settles most of what likeness leaves open.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.taxonomy import MASKS, PHOTO_KINDS, IntArray, mask_of_kind

QUOTA = np.bincount([mask_of_kind(kind) or 0 for kind in PHOTO_KINDS], minlength=len(MASKS))
"""Photos of a person by mask: 5 worn, 1 incorrect, 1 not worn."""

_NEIGHBOURS = 30
"""Most alike photos that a photo may start a group with; a person has six others."""

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Groups:
    """Groups of photos.

    Attributes:
        group: (N,) group of each photo, 0..G-1, numbered by their first photo.
        own: (N,) mean similarity to the others of its group; nan for a single photo.
        other: (N,) mean similarity to the most alike other group; nan when there is none.
    """

    group: IntArray
    own: NDArray[np.float64]
    other: NDArray[np.float64]

    def confidence(self, slope: float) -> NDArray[np.float64]:
        """(N,) probability that a photo stands with its own people, of the two groups most alike to it.

        Args:
            slope: of the log-odds by the margin in similarity, see ``learning.learn``. A single photo has nan.
        """
        margin = self.own - np.where(np.isnan(self.other), -1.0, self.other)
        return np.asarray(1 / (1 + np.exp(-slope * margin)))


def group_photos(vectors: FloatArray, masks: IntArray, *, threshold: float) -> Groups:
    """Groups in which no mask exceeds its quota, joined by falling mean similarity.

    Average linkage: the similarity of two groups is the mean over all pairs of their photos, which for
    vectors is the product of their sums over the product of their sizes. The two most alike groups that fit
    together join, until none reaches the threshold.

    Args:
        vectors: (N, d) from ``Metric.embed``.
        masks: (N,) mask of each photo, 0..2, as a run predicts it.
        threshold: least mean similarity of two groups that join.
    """
    clusters = _Clusters(vectors, masks)
    neighbours, heap = _start(vectors, threshold)
    while heap:
        _, one, two = heapq.heappop(heap)
        if not clusters.fit(one, two):
            continue
        joined = clusters.join(one, two)
        near = np.array([c for c in neighbours[one] | neighbours[two] if clusters.alive[c]], dtype=np.int64)
        neighbours.append(set(near.tolist()))
        for cluster in near:
            neighbours[cluster].add(joined)
        similarity = clusters.similarity(joined, near)
        for cluster, value in zip(near[similarity > threshold], similarity[similarity > threshold], strict=True):
            if clusters.fit(joined, int(cluster)):
                heapq.heappush(heap, (-float(value), joined, int(cluster)))
    return describe_groups(vectors, clusters.labels())


def describe_groups(vectors: FloatArray, group: IntArray) -> Groups:
    """How well each photo stands in given groups.

    Args:
        vectors: (N, d) from ``Metric.embed``.
        group: (N,) any whole numbers; equal ones are one group.
    """
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))  # number groups by their first photo
    group = rank[group]
    size = np.bincount(group)
    sums = np.zeros((len(size), vectors.shape[1]), np.float32)
    np.add.at(sums, group, vectors)
    own, other = np.full(len(group), np.nan), np.full(len(group), np.nan)
    for start in range(0, len(group), 2048):
        rows = np.arange(start, min(start + 2048, len(group)))
        similarity = (vectors[rows] @ sums.T).astype(np.float64)  # (n, G)
        mine = similarity[rows - start, group[rows]]
        several = size[group[rows]] > 1
        own[rows[several]] = (mine[several] - 1) / (size[group[rows[several]]] - 1)  # without itself
        similarity /= size
        similarity[rows - start, group[rows]] = -np.inf
        if len(size) > 1:
            other[rows] = similarity.max(axis=1)
    return Groups(group.astype(np.int64), own, other)


class _Clusters:
    """Growing groups: sums of vectors, sizes, photos by mask, members."""

    def __init__(self, vectors: FloatArray, masks: IntArray) -> None:
        count, width = vectors.shape
        self.sums = np.zeros((2 * count, width))
        self.sums[:count] = vectors
        self.size = np.ones(2 * count)
        self.by_mask = np.zeros((2 * count, len(QUOTA)), dtype=np.int64)
        self.by_mask[np.arange(count), masks] = 1
        self.alive = np.zeros(2 * count, dtype=bool)
        self.alive[:count] = True
        self.members: list[list[int]] = [[photo] for photo in range(count)]

    def fit(self, one: int, two: int) -> bool:
        """Whether two groups still stand and stay within the quota together."""
        both = bool(self.alive[one] and self.alive[two])
        return both and bool((self.by_mask[one] + self.by_mask[two] <= QUOTA).all())

    def join(self, one: int, two: int) -> int:
        """Make one group of two; its number."""
        joined = len(self.members)
        self.members.append(self.members[one] + self.members[two])
        for table in (self.sums, self.size, self.by_mask):
            table[joined] = table[one] + table[two]
        self.alive[[one, two]] = False
        self.alive[joined] = True
        return joined

    def similarity(self, one: int, others: NDArray[np.int64]) -> NDArray[np.float64]:
        """Mean similarity of a group with others, (n,)."""
        return np.asarray((self.sums[others] @ self.sums[one]) / (self.size[others] * self.size[one]))

    def labels(self) -> IntArray:
        """(N,) the group each photo ended in."""
        found = np.empty(len(self.sums) // 2, dtype=np.int64)
        for cluster in np.flatnonzero(self.alive):
            found[self.members[cluster]] = cluster
        return found


def _start(vectors: FloatArray, threshold: float) -> tuple[list[set[int]], list[tuple[float, int, int]]]:
    """Each photo's neighbours in both directions, and the pairs above the threshold as a heap."""
    count = len(vectors)
    neighbours: list[set[int]] = [set() for _ in range(count)]
    heap: list[tuple[float, int, int]] = []
    kept = min(_NEIGHBOURS, count - 1)
    for start in range(0, count if kept > 0 else 0, 1024):
        similarity = vectors[start : start + 1024] @ vectors.T
        rows = np.arange(len(similarity))
        similarity[rows, rows + start] = -np.inf
        nearest = np.argpartition(-similarity, kept - 1, axis=1)[:, :kept]
        for row in rows:
            photo = int(row + start)
            for other in nearest[row].tolist():
                neighbours[photo].add(other)
                neighbours[other].add(photo)
                if similarity[row, other] > threshold:
                    heap.append((-float(similarity[row, other]), photo, other))
    heapq.heapify(heap)
    return neighbours, heap
