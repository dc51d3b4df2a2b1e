"""The map: neighbours stay neighbours, the same seed gives the same map, and areas hold what lies inside."""

import numpy as np
import pytest
from scipy.spatial import Delaunay
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from core.errors import RunError
from core.evaluation.projection import inside, principal_components, project


def _clusters(seed, clusters=6, each=40, width=30):
    """Vectors in clusters, and the cluster of each."""
    rng = np.random.default_rng(seed)
    centres = 4 * rng.normal(size=(clusters, width))
    of = np.repeat(np.arange(clusters), each)
    return (centres[of] + rng.normal(size=(clusters * each, width))).astype(np.float16), of


def test_principal_components_are_scikit_learns_but_for_signs():
    vectors, _ = _clusters(0)
    expected = PCA(5, svd_solver="full").fit_transform(vectors.astype(np.float64))
    found = principal_components(vectors, 5)
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=2e-3)
    assert principal_components(vectors, 100).shape == (240, 30)


def test_neighbours_on_the_map_are_of_one_cluster_and_the_map_fills_the_unit_square():
    vectors, of = _clusters(1)
    told = []
    places = project(vectors, on_progress=lambda done, total: told.append((done, total)))
    near = NearestNeighbors(n_neighbors=6).fit(places).kneighbors(places, return_distance=False)[:, 1:]
    assert (of[near] == of[:, None]).mean() > 0.98
    assert places.dtype == np.float32
    assert np.ptp(places, axis=0).max() == pytest.approx(1)
    assert places.min() >= 0
    assert places.max() <= 1
    assert told[-1] == (400, 400)


def test_the_same_seed_gives_the_same_map():
    vectors, _ = _clusters(2, clusters=3)
    np.testing.assert_array_equal(project(vectors, seed=3), project(vectors, seed=3))


def test_a_map_of_four_photos_is_refused_and_a_stopped_one_says_so():
    with pytest.raises(RunError, match="4 photos are too few"):
        project(np.eye(4))
    with pytest.raises(RunError, match="stopped"):
        project(_clusters(0)[0], should_stop=lambda: True)


def test_inside_a_convex_area_is_what_its_triangles_hold():
    rng = np.random.default_rng(0)
    turns = np.sort(rng.uniform(0, 2 * np.pi, 9))
    corners = 0.5 + 0.4 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    places = rng.random((2000, 2))
    np.testing.assert_array_equal(inside(places, corners), Delaunay(corners).find_simplex(places) >= 0)


def test_inside_a_line_that_crosses_itself_is_what_it_winds_round_oddly():
    bow = [(0, 0), (1, 1), (1, 0), (0, 1)]
    places = np.array([(0.1, 0.5), (0.9, 0.5), (0.5, 0.9), (0.5, 0.1)])
    assert inside(places, bow).tolist() == [True, True, False, False]


def test_two_corners_hold_nothing():
    assert not inside([(0.5, 0.5)], [(0, 0), (1, 1)]).any()
    assert not inside([(0.5, 0.5)], np.empty((0, 2))).any()
