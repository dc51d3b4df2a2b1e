"""Groups of photos that show one person, and what is inferred over them."""

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from core.errors import RunError
from core.evaluation.prior import group_probabilities
from core.people.grouping import QUOTA, describe_groups, group_photos
from core.people.joint import Pooling, assign_masks, fit_pooling, joint_probs, pool_people
from core.people.learning import learn
from core.people.metric import fit_metric, join_blocks
from core.people.quality import group_quality
from core.people.ways import METRICS, ways_of

KINDS = np.repeat([0, 1, 2], QUOTA)
WHITENED = {"whitened": fit_metric}


def simulated_people(people, *, dimensions=12, nuisance=40, spread=0.35, seed=0):
    """Features whose first axes tell the person and whose others, far larger, tell nothing."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), 7)
    points = rng.normal(size=(people, dimensions))[person] + spread * rng.normal(size=(7 * people, dimensions))
    features = np.concatenate([points, 5 * rng.normal(size=(7 * people, nuisance))], axis=1)
    order = rng.permutation(7 * people)
    return features[order] @ _rotation(dimensions + nuisance), person[order], np.tile(KINDS, people)[order]


def _rotation(width):
    return np.linalg.qr(np.random.default_rng(99).normal(size=(width, width)))[0]


def test_the_metric_finds_the_directions_that_tell_people_apart():
    features, person, _ = simulated_people(200)
    metric = fit_metric(features, person)
    fresh, fresh_person, _ = simulated_people(100, seed=1)

    def nearest_is_same(vectors):
        similarity = vectors @ vectors.T
        np.fill_diagonal(similarity, -np.inf)
        return (fresh_person[similarity.argmax(1)] == fresh_person).mean()

    raw = fresh / np.linalg.norm(fresh, axis=1, keepdims=True)
    assert nearest_is_same(metric.embed(fresh)) > 0.95 > 0.3 > nearest_is_same(raw)
    assert_allclose(np.linalg.norm(metric.embed(fresh), axis=1), 1, rtol=1e-5)
    assert (np.diff(metric.ratio) <= 0).all()


def test_too_few_people_to_learn_from_are_refused():
    with pytest.raises(RunError, match="2 people with 14 photos are too few"):
        fit_metric(np.zeros((14, 3)), np.repeat([0, 1], 7))


def test_joined_blocks_count_the_same_whatever_their_unit():
    rng = np.random.default_rng(0)
    joined = join_blocks([rng.normal(size=(500, 4)), 1000 * rng.normal(size=(500, 9))])
    assert_allclose([joined[:, :4].var(0).sum(), joined[:, 4:].var(0).sum()], 1, rtol=1e-4)


def test_groups_never_exceed_a_masks_quota_and_find_the_people():
    features, person, masks = simulated_people(150)
    vectors = fit_metric(*simulated_people(200, seed=1)[:2]).embed(features)
    groups = group_photos(vectors, masks, threshold=0.3).group
    for group in np.unique(groups):
        assert (np.bincount(masks[groups == group], minlength=3) <= QUOTA).all()
    quality = group_quality(groups, person)
    assert quality.pair_precision > 0.97
    assert quality.pair_recall > 0.95


def test_joining_follows_average_linkage_as_computed_by_hand():
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(40, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    masks = rng.choice(3, size=40, p=QUOTA / 7)
    groups = [[photo] for photo in range(40)]
    while True:
        pairs = [
            (float((vectors[one] @ vectors[two].T).mean()), i, j)
            for i, one in enumerate(groups)
            for j, two in enumerate(groups[:i])
            if (np.bincount(masks[one + two], minlength=3) <= QUOTA).all()
        ]
        best = max(pairs, default=(-1.0, 0, 0))
        if best[0] <= 0.25:
            break
        joined = groups.pop(best[1]) + groups.pop(best[2])  # the first index is the larger one
        groups.append(joined)
    found = group_photos(vectors, masks, threshold=0.25).group
    by_hand = np.empty(40, dtype=int)
    for number, members in enumerate(groups):
        by_hand[members] = number
    assert group_quality(found, by_hand).perfect_groups == 1


def test_similarity_to_the_own_and_the_next_group_is_a_plain_mean():
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(30, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    group = rng.integers(0, 8, 30)
    found = describe_groups(vectors, group)
    for photo in range(30):
        mates = [p for p in range(30) if group[p] == group[photo] and p != photo]
        others = [np.mean(vectors[group == g] @ vectors[photo]) for g in np.unique(group) if g != group[photo]]
        assert_allclose(found.own[photo], np.mean(vectors[mates] @ vectors[photo]) if mates else np.nan, rtol=1e-4)
        assert_allclose(found.other[photo], max(others), rtol=1e-4)


def test_one_photo_alone_is_a_group_of_its_own():
    groups = group_photos(np.ones((1, 3), np.float32), np.array([0]), threshold=0.2)
    assert groups.group.tolist() == [0]
    assert np.isnan(groups.confidence(5.0)).all()


def test_confidence_is_the_share_of_photos_that_stand_right():
    features, person, masks = simulated_people(240, spread=0.45)
    learned = learn(*simulated_people(300, spread=0.45, seed=5), ways=WHITENED)
    groups = group_photos(learned.metric.embed(features), masks, threshold=learned.used.threshold)
    confidence = groups.confidence(learned.used.slope)
    majority = np.array(
        [np.bincount(person[groups.group == group]).argmax() for group in range(groups.group.max() + 1)]
    )
    right = majority[groups.group] == person
    grouped = np.isfinite(confidence)
    assert abs(confidence[grouped].mean() - right[grouped].mean()) < 0.08
    assert confidence[grouped & right].mean() > confidence[grouped & ~right].mean() + 0.1


def test_the_measured_quality_foretells_that_of_new_people():
    learned = learn(*simulated_people(240, spread=0.6), ways=WHITENED)
    features, person, masks = simulated_people(80, spread=0.6, seed=7)
    found = group_quality(
        group_photos(learned.metric.embed(features), masks, threshold=learned.used.threshold).group, person
    )
    assert learned.used.quality.people == 80
    assert abs(found.pair_recall - learned.used.quality.pair_recall) < 0.1
    assert abs(found.pair_precision - learned.used.quality.pair_precision) < 0.1


class _FirstAxes:
    """A metric that looks at the first features alone, which tell little after a rotation."""

    def embed(self, features):
        vectors = np.asarray(features[:, :5], np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_way_that_finds_more_of_the_people_held_out_is_fitted_on_all():
    features, person, masks = simulated_people(90)
    fitted = []

    def whitened(features, person_ids):
        fitted.append(set(person_ids))
        return fit_metric(features, person_ids)

    learned = learn(features, person, masks, ways={"poor": lambda *_: _FirstAxes(), "whitened": whitened})
    assert learned.way == "whitened"
    assert learned.used == learned.trials["whitened"]
    assert learned.trials["poor"].quality.pair_f1 < 0.5 < learned.used.quality.pair_f1
    assert [len(people) for people in fitted] == [60, 90]
    assert {trial.quality.people for trial in learned.trials.values()} == {30}
    assert_allclose(learned.metric.embed(features), fit_metric(features, person).embed(features))


def test_of_ways_that_find_the_same_the_first_is_used():
    tied = learn(*simulated_people(60), ways={"first": fit_metric, "second": fit_metric})
    assert tied.trials["first"].quality == tied.trials["second"].quality
    assert tied.way == "first"


def test_a_head_is_given_whitened_features_and_refines_them():
    features, person, masks = simulated_people(60)
    given = []

    def first_axes(points, person_ids):
        given.append(points.shape)
        return _FirstAxes()

    ways = ways_of("best", train_head=first_axes)
    learned = learn(features, person, masks, ways=ways)
    assert list(learned.trials) == ["whitened", "contrastive"]
    assert given[0][0] == 280
    vectors = ways["contrastive"](features, person).embed(features)
    start = fit_metric(features, person, dimensions=5).embed(features)
    assert_allclose(vectors, start, atol=1e-5)


def test_each_metric_that_may_be_asked_for_names_ways_that_there_are():
    for metric, ways in METRICS.items():
        assert tuple(ways_of(metric, train_head=fit_metric)) == ways
    with pytest.raises(RunError, match="1 people with 7 photos are too few"):
        learn(*simulated_people(3), ways={"contrastive": lambda *_: _FirstAxes()})


def _predicted(people, *, seed=0, repeated=0.0):
    """Probabilities of people whose photos each tell something, ``repeated`` of it the same in all seven."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), 7)
    person_class = rng.integers(0, 6, people)[person]
    shared, fresh = rng.normal(size=(people, 6))[person], rng.normal(size=(7 * people, 6))
    evidence = 1.2 * np.eye(6)[person_class] + np.sqrt(repeated) * shared + np.sqrt(1 - repeated) * fresh
    masks = np.tile(KINDS, people)
    mask_probs = np.full((7 * people, 3), 0.01)
    mask_probs[np.arange(7 * people), masks] = 0.98
    shares = np.exp(1.2 * evidence)  # the posterior of this model: log p = 1.2 x + const
    shares /= shares.sum(1, keepdims=True)
    return (mask_probs[:, :, None] * shares[:, None]).reshape(-1, 18), masks * 6 + person_class, person


def test_pooling_equals_a_direct_sum_over_each_group():
    pred_probs, _, person = _predicted(12)
    rng = np.random.default_rng(1)
    masks, confidence = np.tile(KINDS, 12), rng.uniform(size=84)
    confidence[5] = np.nan
    pooling = Pooling((1.0, 1.4, 3.0), 0.4, (0.2, 0.2, 0.1, 0.2, 0.2, 0.1))
    pooled = pool_people(pred_probs, person, masks, pooling, confidence=confidence)
    log_probs = np.log(group_probabilities(pred_probs))
    for photo in range(84):
        total, weight, count = np.zeros(6), 0.0, 0.0
        for other in np.flatnonzero(person == person[photo]):
            c = 1.0 if other == photo else np.nan_to_num(confidence[photo]) * np.nan_to_num(confidence[other])
            total += c * pooling.weights[masks[other]] * log_probs[other]
            weight += c * pooling.weights[masks[other]]
            count += c
        sharp = count**0.4
        expected = np.exp(sharp * total / weight - (sharp - 1) * np.log(pooling.prior))
        assert_allclose(pooled[photo], expected / expected.sum(), rtol=1e-9)


def test_a_single_photo_keeps_its_own_probabilities():
    pred_probs, _, _ = _predicted(3)
    pooling = Pooling((1.0, 2.0, 3.0), 0.7, (1 / 6,) * 6)
    assert_allclose(joint_probs(pred_probs, np.arange(21), pooling), pred_probs, rtol=1e-6)


def test_independent_photos_are_added_and_repeated_ones_are_averaged():
    fresh = fit_pooling(*_predicted(400, repeated=0.0))
    same = fit_pooling(*_predicted(400, repeated=0.95))
    assert fresh.independence > 0.8
    assert same.independence < 0.35
    assert_allclose(fresh.weights, 1, atol=0.35)


def test_pooling_gets_more_people_right_than_single_photos():
    pooling = fit_pooling(*_predicted(300, repeated=0.3))
    pred_probs, labels, person = _predicted(300, repeated=0.3, seed=3)
    alone = (pred_probs.argmax(1) == labels).mean()
    together = (joint_probs(pred_probs, person, pooling).argmax(1) == labels).mean()
    assert together > alone + 0.15


def test_masks_by_the_quota_are_the_best_of_all_arrangements():
    rng = np.random.default_rng(8)
    for photos in (1, 4, 7):
        shares = rng.dirichlet([0.4, 0.4, 0.4], size=photos)
        pred_probs = np.repeat(shares / 6, 6, axis=1)
        slots = np.repeat([0, 1, 2], QUOTA)
        best = max(
            (np.log(shares[np.arange(photos), list(order)]).sum(), order)
            for order in set(permutations(slots.tolist(), photos))
        )
        masks = assign_masks(pred_probs, np.zeros(photos))
        assert_allclose(np.log(shares[np.arange(photos), masks]).sum(), best[0], rtol=1e-9)


def test_quality_counts_pairs_as_a_loop_does():
    rng = np.random.default_rng(3)
    groups, person = rng.integers(0, 9, 40), rng.integers(0, 7, 40)
    together = [(groups[i] == groups[j], person[i] == person[j]) for i in range(40) for j in range(i)]
    right = sum(g and p for g, p in together)
    quality = group_quality(groups, person)
    assert quality.pair_precision == right / sum(g for g, _ in together)
    assert quality.pair_recall == right / sum(p for _, p in together)
    assert_allclose(quality.pair_f1, 2 * right / (sum(g for g, _ in together) + sum(p for _, p in together)))


def test_fewer_photos_than_pixels_give_the_same_directions_as_more():
    features, person, _ = simulated_people(30, dimensions=6, nuisance=300)
    wide = fit_metric(features, person, dimensions=4).embed(features)
    tall = fit_metric(features[:, :150], person, dimensions=4)  # 210 photos: the other branch
    assert tall.projection.shape == (150, 4)
    both = fit_metric(features @ _rotation(306), person, dimensions=4).embed(features @ _rotation(306))
    assert_allclose(wide @ wide.T, both @ both.T, atol=1e-5)
