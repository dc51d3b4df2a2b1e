"""Optimizers and schedules, against torch's own."""

import numpy as np
import pytest
import torch
from torch import nn

from core.config import load_config
from core.training.optim import build_optimizer, build_schedule


def _network():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def _rates(config, steps_per_epoch):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=config.optim.lr)
    schedule = build_schedule(optimizer, config.optim, steps_per_epoch)
    rates = []
    for _ in range(config.optim.epochs * steps_per_epoch):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return np.array(rates)


def test_the_recipe_of_the_seed_preset_moves_weights_as_torchs_sgd_with_step_lr():
    config = load_config("seed")
    torch.manual_seed(0)
    ours, theirs = _network(), _network()
    theirs.load_state_dict(ours.state_dict())
    our_optimizer = build_optimizer(ours, config.optim)
    our_schedule = build_schedule(our_optimizer, config.optim, steps_per_epoch=2)
    their_optimizer = torch.optim.SGD(theirs.parameters(), lr=1e-4, momentum=0.9)
    their_schedule = torch.optim.lr_scheduler.StepLR(their_optimizer, step_size=10, gamma=0.9)
    for step in range(2 * 15):
        batch = torch.randn(5, 3)
        for network, optimizer in ((ours, our_optimizer), (theirs, their_optimizer)):
            optimizer.zero_grad()
            network(batch).square().sum().backward()
            optimizer.step()
        our_schedule.step()
        if step % 2:
            their_schedule.step()  # once an epoch
    for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, two)


def test_cosine_rises_then_falls_to_zero_as_torchs_cosine_does():
    config = load_config(settings=["optim.epochs=5", "optim.warmup=0.2", "optim.lr=0.5"])
    rates = _rates(config, steps_per_epoch=8)
    np.testing.assert_allclose(rates[:8], 0.5 * np.arange(1, 9) / 9)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=32)
    for rate in rates[8:]:
        assert rate == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
        optimizer.step()
        cosine.step()


def test_a_constant_rate_stays():
    config = load_config(settings=["optim.schedule=constant", "optim.warmup=0", "optim.epochs=2"])
    assert set(_rates(config, steps_per_epoch=3)) == {config.optim.lr}


def test_weight_decay_pulls_matrices_and_leaves_norms_and_biases_alone():
    config = load_config(settings=["optim.weight_decay=0.1", "optim.lr=0.1"])
    network = _network()
    before = [parameter.detach().clone() for parameter in network.parameters()]
    optimizer = build_optimizer(network, config.optim)
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for old, new in zip(before, network.parameters(), strict=True):
        torch.testing.assert_close(new.detach(), old * (1 - 0.1 * 0.1) if old.ndim > 1 else old)
