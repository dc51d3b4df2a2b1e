"""The contrastive head: its loss against a plain loop, its vectors, and that it brings a person's photos together."""

import numpy as np
import torch

from core.people.grouping import describe_groups
from core.training.contrastive import Head, contrastive_loss, train_head


def test_the_loss_is_that_of_equation_2_written_out_as_loops():
    generator = torch.Generator().manual_seed(0)
    vectors = torch.nn.functional.normalize(torch.randn(9, 5, generator=generator), dim=1)
    person = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 3])  # 3 stands alone
    losses = []
    for i in range(9):
        positives = [p for p in range(9) if p != i and person[p] == person[i]]
        if not positives:
            continue
        total = sum(torch.exp(vectors[i] @ vectors[a] / 0.2) for a in range(9) if a != i)
        losses.append(
            -sum(torch.log(torch.exp(vectors[i] @ vectors[p] / 0.2) / total) for p in positives) / len(positives)
        )
    torch.testing.assert_close(contrastive_loss(vectors, person, temperature=0.2), torch.stack(losses).mean())


def test_a_head_learns_what_tells_people_apart_and_ignores_what_changes_within_one():
    rng = np.random.default_rng(0)

    def photos(people):
        own = np.repeat(rng.normal(size=(people, 6)), 7, axis=0)
        changing = 1.5 * rng.normal(size=(people * 7, 20))
        features = np.concatenate([own + 0.2 * rng.normal(size=own.shape), changing], axis=1)
        return features.astype(np.float32), np.repeat(np.arange(people), 7)

    features, person = photos(150)
    head = train_head(features, person)
    unseen, of = photos(30)
    vectors = head.embed(unseen)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    known = describe_groups(vectors, of)
    raw = describe_groups(unseen / np.linalg.norm(unseen, axis=1, keepdims=True), of)
    assert (known.own > known.other).mean() > 0.8 > 0.4 > (raw.own > raw.other).mean()


def test_an_untrained_head_is_the_metric_that_it_starts_from():
    features = np.random.default_rng(2).normal(size=(9, 8)).astype(np.float32)
    first = features[:, :5]
    for dimensions, start in ((5, first), (60, features)):
        vectors = Head(8, scale=3.0, dimensions=dimensions).embed(features)
        np.testing.assert_allclose(vectors, start / np.linalg.norm(start, axis=1, keepdims=True), rtol=1e-5)


def test_the_same_seed_gives_the_same_head_and_leaves_torchs_own_seed_alone():
    features = np.random.default_rng(1).normal(size=(70, 8)).astype(np.float32)
    person = np.repeat(np.arange(10), 7)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    told = []
    first, second = (
        train_head(features, person, epochs=2, lr=0.01, on_progress=lambda *done: told.append(done)).embed(features)
        for _ in range(2)
    )
    assert told == [(1, 2), (2, 2)] * 2
    np.testing.assert_array_equal(first, second)
    torch.testing.assert_close(torch.rand(3), expected)
    assert np.abs(first - train_head(features, person, epochs=2, lr=0.01, seed=1).embed(features)).max() > 0.01


def test_a_batch_in_which_everybody_stands_alone_teaches_nothing():
    vectors = torch.nn.functional.normalize(torch.randn(4, 3), dim=1).requires_grad_()
    loss = contrastive_loss(vectors, torch.arange(4))
    loss.backward()
    assert (loss.item(), vectors.grad.abs().max().item()) == (0.0, 0.0)
