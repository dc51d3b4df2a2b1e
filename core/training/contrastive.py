"""A small network over ready-made features, after which photos of one person lie close together.

Whitening by the within-person covariance (``core.people.metric``) is linear; this is the same task learned with a
hidden layer. Which of the two is used is decided by measurement (``benchmarks.people_features``).
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import nn

FloatArray = NDArray[np.float32]


class Head(nn.Module):
    """Features of unit scale to vectors of length 1."""

    def __init__(self, features: int, *, hidden: int = 512, dimensions: int = 64, dropout: float = 0.2) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, dimensions)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, D) to (B, d)."""
        return F.normalize(self.layers(x), dim=1)


def contrastive_loss(vectors: torch.Tensor, person: torch.Tensor, *, temperature: float = 0.1) -> torch.Tensor:
    """How little each photo is like its person's other photos, compared with all photos of the batch.

    Args:
        vectors: (B, d) of length 1.
        person: (B,) whole numbers; who stands alone in the batch does not count.
        temperature: of the likenesses.

    Source: Khosla et al., Supervised contrastive learning, NeurIPS 2020, equation 2.
    """
    itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    likeness = (vectors @ vectors.T / temperature).masked_fill(itself, -torch.inf)  # (B, B)
    log_share = likeness - torch.logsumexp(likeness, dim=1, keepdim=True)
    same = (person[:, None] == person[None, :]) & ~itself
    counted = same.any(dim=1)
    told = log_share.masked_fill(~same, 0).sum(dim=1)[counted] / same.sum(dim=1)[counted]
    return -told.sum() / max(int(counted.sum()), 1)


def train_head(
    features: FloatArray,
    person_ids: ArrayLike,
    *,
    epochs: int = 25,
    people_a_batch: int = 64,
    temperature: float = 0.1,
    lr: float = 2e-3,
    seed: int = 0,
) -> "TrainedHead":
    """Train a head: each batch holds all photos of some people, a person is a class and its photos are the positives.

    Args:
        features: (N, D).
        person_ids: (N,).
        seed: of weights, dropout and the order of people.
    """
    codes = np.unique(np.asarray(person_ids), return_inverse=True)[1]
    photos_of = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    inputs = torch.from_numpy(((features - mean) / scale).astype(np.float32))
    person = torch.from_numpy(codes)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        head = Head(features.shape[1])
        order = torch.Generator().manual_seed(seed)
        batches = max(1, len(photos_of) // people_a_batch)
        optimizer = torch.optim.AdamW(head.parameters(), lr=lr, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=epochs * batches + 1)
        for _ in range(epochs):
            shuffled = torch.randperm(len(photos_of), generator=order).tolist()
            for batch in range(batches):
                chosen = shuffled[batch * people_a_batch : (batch + 1) * people_a_batch]
                rows = np.concatenate([photos_of[one] for one in chosen])
                loss = contrastive_loss(head(inputs[rows]), person[rows], temperature=temperature)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
    return TrainedHead(head.eval(), mean, scale)


class TrainedHead:
    """A head with the scale of its features."""

    def __init__(self, head: Head, mean: FloatArray, scale: FloatArray) -> None:
        self._head, self._mean, self._scale = head, mean, scale

    @torch.inference_mode()
    def embed(self, features: FloatArray) -> FloatArray:
        """(N, D) features as (N, d) vectors of length 1, as ``core.people.metric.Metric.embed``."""
        inputs = torch.from_numpy(((features - self._mean) / self._scale).astype(np.float32))
        return np.asarray(torch.cat([self._head(part) for part in inputs.split(4096)]).numpy())
