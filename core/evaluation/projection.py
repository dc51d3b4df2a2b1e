"""Photos laid out in the plane: those that a network sees as alike lie together. And which lie inside an area."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import RunError
from core.evaluation.metrics import Float64Array
from core.taxonomy import FloatArray

COMPONENTS = 50
"""Principal components that t-SNE sees; what is beyond is mostly noise, and neighbours are found ten times faster."""

METHOD = f"t-SNE of {COMPONENTS} principal components"

_EARLY, _STEPS = 100, 300
"""Steps in which clusters draw together, and in which they settle; later ones change little (docs/log.md)."""

_TOLD_EVERY = 10


def principal_components(vectors: FloatArray, count: int) -> Float64Array:
    """The (N, D) vectors in the directions of greatest variance, (N, min(count, D)).

    Source: Pearson, On lines and planes of closest fit, Philosophical Magazine 1901.
    """
    centred = np.asarray(vectors, dtype=np.float32) - np.mean(vectors, axis=0, dtype=np.float64).astype(np.float32)
    _, directions = np.linalg.eigh(centred.T @ centred)
    components: Float64Array = (centred @ directions[:, ::-1][:, :count]).astype(np.float64)
    return components


def project(
    vectors: FloatArray,
    *,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> NDArray[np.float32]:
    """A place for each vector, (N, 2) in 0..1, the nearest of them kept together.

    Distances inside a cluster mean something, distances between clusters and sizes of clusters do not.

    Args:
        vectors: (N, D), finite.
        on_progress: called with steps done and in all.
        should_stop: asked every tenth step.
    Raises:
        RunError: fewer than five vectors, or stopped.

    Source: van der Maaten, Hinton, Visualizing data using t-SNE, JMLR 2008; the gradient by interpolation: Linderman
        et al., Fast interpolation-based t-SNE, Nature Methods 2019; learning rate N / 12 and a start at the principal
        components: Kobak, Berens, The art of using t-SNE for single-cell transcriptomics, Nature Communications 2019.
    """
    from openTSNE.tsne import TSNE  # here, so that no page loads it

    if len(vectors) < 5:
        raise RunError(f"{len(vectors)} photos are too few for a map; five are the least")
    done = [0]

    def tell(_step: int, _error: float, _places: Float64Array) -> bool:
        done[0] += _TOLD_EVERY
        if on_progress is not None:
            on_progress(done[0], _EARLY + _STEPS)
        return should_stop()

    layout = TSNE(  # type: ignore[no-untyped-call]
        perplexity=min(20.0, (len(vectors) - 1) / 3), early_exaggeration_iter=_EARLY, n_iter=_STEPS,
        n_jobs=-1, random_state=seed, callbacks=tell, callbacks_every_iters=_TOLD_EVERY,
    )  # fmt: skip
    places = np.asarray(layout.fit(principal_components(vectors, COMPONENTS)))  # type: ignore[no-untyped-call]
    if should_stop():
        raise RunError("the map was stopped; start it again")
    return _into_unit_square(places)


def inside(places: ArrayLike, corners: ArrayLike) -> NDArray[np.bool_]:
    """Which places lie inside a closed line, (N,); where it crosses itself, what it winds round an odd number
    of times.

    Args:
        places: (N, 2).
        corners: (M, 2); fewer than three enclose nothing.

    Source: Shimrat, Algorithm 112: position of point relative to polygon, CACM 1962.
    """
    (x, y), line = np.asarray(places, dtype=np.float64).T, np.asarray(corners, dtype=np.float64).reshape(-1, 2)
    found = np.zeros(len(x), dtype=bool)
    if len(line) < 3:
        return found
    for (ax, ay), (bx, by) in zip(line, np.roll(line, 1, axis=0), strict=True):
        if ay != by:
            found ^= ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return found


def _into_unit_square(places: Float64Array) -> NDArray[np.float32]:
    """Shifted and scaled, one scale for both directions, so that the longer side is 1 and the middle at 1/2."""
    low, high = places.min(axis=0), places.max(axis=0)
    longest = max(float((high - low).max()), 1e-12)
    unit: NDArray[np.float32] = np.clip((places - (low + high) / 2) / longest + 0.5, 0, 1).astype(np.float32)
    return unit
