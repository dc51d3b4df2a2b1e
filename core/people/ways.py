"""The ways of learning a metric, by name: the one place that knows the names.

The contrastive way needs torch, which this package does not know; whoever composes gives the trainer of the head.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.people.metric import FloatArray, Metric, fit_metric

METRICS = {"whitened": ("whitened",), "contrastive": ("contrastive",), "best": ("whitened", "contrastive")}
"""What may be asked for, and the ways that are tried for it; of equals the first is used."""

_DIMENSIONS = 400
"""Whitened axes that the head is given: as many as carry anything; it starts at the first 60 of them."""


class Embedding(Protocol):
    """What a way gives, such as ``metric.Metric``."""

    def embed(self, features: NDArray[np.floating]) -> FloatArray:
        """(N, D) features as (N, d) vectors of length 1; their scalar product is the similarity, -1..1."""


Fit = Callable[[FloatArray, NDArray[Any]], Embedding]
"""From features (N, D) and person_ids (N,) to a metric, as ``metric.fit_metric``."""


@dataclass(frozen=True)
class Refined:
    """A metric on top of whitened features."""

    whitened: Metric
    head: Embedding

    def embed(self, features: NDArray[np.floating]) -> FloatArray:
        """As ``Metric.embed``."""
        return self.head.embed(self.whitened.project(features))


def ways_of(metric: str, *, train_head: Fit) -> dict[str, Fit]:
    """The ways that are tried for one of ``METRICS``.

    Args:
        train_head: such as ``core.training.contrastive.train_head``; it is given whitened features.
    """

    def contrastive(features: FloatArray, person_ids: NDArray[Any]) -> Embedding:
        whitened = fit_metric(features, person_ids, dimensions=_DIMENSIONS)
        return Refined(whitened, train_head(whitened.project(features), person_ids))

    known: dict[str, Fit] = {"whitened": fit_metric, "contrastive": contrastive}
    return {way: known[way] for way in METRICS[metric]}
