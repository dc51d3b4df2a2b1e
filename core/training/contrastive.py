"""A small network over whitened features, after which photos of one person lie closer together.

Whitening by the within-person covariance (``core.people.metric``) is linear; the head starts there and learns, with
one hidden layer, what to add. Which of the two is used is decided by measurement (``core.people.learning``).
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import nn

FloatArray = NDArray[np.float32]


class Head(nn.Module):
    """Whitened features to vectors of length 1: the first axes, and what a hidden layer adds, at the start nothing.

    Args:
        features: how many axes there are, the most telling first.
        scale: that the features are divided by.
        dimensions: how many of the first axes are the start.
    """

    def __init__(
        self, features: int, *, scale: float, dimensions: int, hidden: int = 512, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.scale, self.dimensions = scale, min(dimensions, features)
        last = nn.Linear(hidden, self.dimensions)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, hidden), nn.GELU(), last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, D) to (B, d)."""
        x = x / self.scale
        return F.normalize(x[:, : self.dimensions] + self.layers(x), dim=1)

    @torch.inference_mode()
    def embed(self, features: FloatArray) -> FloatArray:
        """(N, D) features as (N, d) vectors of length 1, as ``core.people.metric.Metric.embed``."""
        return np.asarray(torch.cat([self(part) for part in torch.from_numpy(features).split(4096)]).numpy())


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
    dimensions: int = 60,
    epochs: int = 60,
    people_a_batch: int = 64,
    temperature: float = 0.05,
    lr: float = 1e-3,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Head:
    """Train a head: each batch holds all photos of some people, a person is a class and its photos are the positives.

    Args:
        features: (N, D) whitened, the most telling axis first, see ``core.people.metric.Metric.project``.
        person_ids: (N,).
        dimensions: of the vectors.
        seed: of weights, dropout and the order of people.
        on_progress: called with (epochs done, epochs).
    """
    codes = np.unique(np.asarray(person_ids), return_inverse=True)[1]
    photos_of = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    inputs, person = torch.from_numpy(features), torch.from_numpy(codes)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        scale = float(features[:, :dimensions].std()) + 1e-12
        head = Head(features.shape[1], scale=scale, dimensions=dimensions)
        order = torch.Generator().manual_seed(seed)
        batches = max(1, len(photos_of) // people_a_batch)
        optimizer = torch.optim.AdamW(head.parameters(), lr=lr, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=epochs * batches + 1)
        for epoch in range(epochs):
            shuffled = torch.randperm(len(photos_of), generator=order).tolist()
            for batch in range(batches):
                chosen = shuffled[batch * people_a_batch : (batch + 1) * people_a_batch]
                rows = np.concatenate([photos_of[one] for one in chosen])
                loss = contrastive_loss(head(inputs[rows]), person[rows], temperature=temperature)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
            if on_progress:
                on_progress(epoch + 1, epochs)
    return head.eval()
