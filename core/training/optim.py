"""How the weights move: the optimizer and the learning rate step by step."""

import numpy as np
import torch

from core.config import OptimConfig


def build_optimizer(model: torch.nn.Module, config: OptimConfig) -> torch.optim.Optimizer:
    """SGD or AdamW; no weight decay on vectors (norms, biases)."""
    decayed = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if config.name == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum)
    return torch.optim.AdamW(groups, lr=config.lr)


def build_schedule(
    optimizer: torch.optim.Optimizer, config: OptimConfig, steps_per_epoch: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """The learning rate step by step: a linear rise over ``warmup``, then cosine, step or constant.

    ``step`` is torch's StepLR counted in epochs; ``cosine`` goes to zero (Loshchilov and Hutter, SGDR,
    ICLR 2017, without restarts).
    """
    total = config.epochs * steps_per_epoch
    rise = int(config.warmup * total)

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / (rise + 1)
        if config.schedule == "cosine":
            return 0.5 * (1 + float(np.cos(np.pi * (step - rise) / max(total - rise, 1))))
        if config.schedule == "step":
            return float(config.step_gamma ** (step // steps_per_epoch // config.step_epochs))
        return 1.0

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
