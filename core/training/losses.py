"""Losses on soft targets: label smoothing, MixUp and soft pseudo labels are all targets."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from core.config import LossConfig
from core.taxonomy import NUM_CLASSES

Criterion = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def build_criterion(config: LossConfig) -> Criterion:
    """The loss of a config: (B, 18) logits, (B, 18) target probabilities -> scalar."""

    def criterion(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        smooth = targets * (1 - config.label_smoothing) + config.label_smoothing / NUM_CLASSES
        if config.name == "focal":
            return focal_loss(logits, smooth, gamma=config.focal_gamma)
        if config.name == "f1":
            return soft_f1_loss(logits, targets) + F.cross_entropy(logits, smooth)
        return F.cross_entropy(logits, smooth)

    return criterion


def focal_loss(logits: torch.Tensor, targets: torch.Tensor, *, gamma: float) -> torch.Tensor:
    """Cross-entropy with each class's term weighted by (1 - p) ** gamma.

    Source: Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, equation 4.
    """
    log_probs = logits.float().log_softmax(1)  # (B, K)
    return -((1 - log_probs.exp()) ** gamma * targets * log_probs).sum(1).mean()


def soft_f1_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """1 - macro F1 with probabilities in place of counts, over the classes in the batch.

    Source: Benedict et al., sigmoidF1: A Smooth F1 Score Surrogate Loss, TMLR 2022, section 4.
    """
    probs = logits.float().softmax(1)  # (B, K)
    hits = (probs * targets).sum(0)  # (K,)
    f1 = 2 * hits / (probs.sum(0) + targets.sum(0)).clamp(min=1e-6)
    present = targets.sum(0) > 0
    return 1 - f1[present].mean()
