"""Losses on soft targets, against torch's own functions and loops."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import f1_score

from core.config import LossConfig
from core.training.losses import build_criterion, focal_loss, soft_f1_loss

LOGITS = torch.from_numpy(np.random.default_rng(0).normal(size=(40, 18))).float()
CLASSES = torch.from_numpy(np.random.default_rng(1).integers(0, 18, 40))
TARGETS = F.one_hot(CLASSES, 18).float()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_on_certain_targets_is_torchs_with_label_smoothing(smoothing):
    criterion = build_criterion(LossConfig(label_smoothing=smoothing))
    expected = F.cross_entropy(LOGITS, CLASSES, label_smoothing=smoothing)
    torch.testing.assert_close(criterion(LOGITS, TARGETS), expected)


def test_a_mixed_target_costs_the_mix_of_both():
    criterion = build_criterion(LossConfig(label_smoothing=0))
    other = TARGETS.roll(1, 0)
    mixed = criterion(LOGITS, 0.3 * TARGETS + 0.7 * other)
    torch.testing.assert_close(mixed, 0.3 * criterion(LOGITS, TARGETS) + 0.7 * criterion(LOGITS, other))


def test_focal_loss_without_focus_is_cross_entropy_and_with_it_a_loop():
    torch.testing.assert_close(focal_loss(LOGITS, TARGETS, gamma=0), F.cross_entropy(LOGITS, CLASSES))
    probs = LOGITS.softmax(1)[torch.arange(40), CLASSES].tolist()
    expected = np.mean([-((1 - p) ** 2) * np.log(p) for p in probs])
    assert float(focal_loss(LOGITS, TARGETS, gamma=2)) == pytest.approx(expected, rel=1e-5)


def test_the_soft_f1_loss_of_certain_logits_is_one_minus_scikit_learns_macro_f1():
    predictions = CLASSES.clone()
    predictions[::3] = predictions.roll(7)[::3]
    loss = soft_f1_loss(1000 * F.one_hot(predictions, 18).float(), TARGETS)
    present = np.unique(CLASSES)
    expected = f1_score(CLASSES, predictions, labels=present, average="macro", zero_division=0)
    assert float(loss) == pytest.approx(1 - expected, abs=1e-6)


@pytest.mark.parametrize("name", ["cross_entropy", "focal", "f1"])
def test_going_down_each_loss_makes_the_predictions_right(name):
    logits = torch.zeros(40, 18, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    criterion = build_criterion(LossConfig(name=name))
    for _ in range(100):
        optimizer.zero_grad()
        criterion(logits, TARGETS).backward()
        optimizer.step()
    assert torch.equal(logits.argmax(1), CLASSES)
