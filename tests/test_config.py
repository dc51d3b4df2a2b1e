"""Settings: one model, three ways in, errors that name the key."""

import pytest
from pydantic import ValidationError

from core.config import PRESETS, TrainConfig, load_config, parse_config, settle_model
from core.errors import ConfigError


def test_every_preset_is_a_whole_config_and_survives_its_json():
    for preset in PRESETS:
        config = load_config(preset)
        assert parse_config(config.model_dump(mode="json")) == config


def test_preset_seed_is_the_recipe_of_the_domain_page():
    config = load_config("seed")
    assert (config.image.height, config.image.width) == (384, 384)
    assert (config.image.crop_height, config.image.crop_width) == (384, 384)
    assert (config.data.age_old, config.data.folds, config.data.pseudo_labels) == (58, 10, "accepted")
    assert (config.model.name, config.model.weights) == ("resnet34", "imagenet")
    assert (config.optim.name, config.optim.lr, config.optim.momentum) == ("sgd", 1e-4, 0.9)
    assert (config.optim.schedule, config.optim.step_epochs, config.optim.step_gamma) == ("step", 10, 0.9)
    assert (config.optim.epochs, config.optim.batch_size, config.optim.warmup) == (15, 4, 0)
    assert config.loss.name == "cross_entropy"
    assert config.loss.label_smoothing > 0
    assert not any(config.augment.model_dump().values())


def test_a_setting_wins_over_the_file_and_the_file_over_the_preset(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text('preset = "fast"\n[optim]\nepochs = 7\nlr = 0.5\n', encoding="utf-8")
    config = load_config(file=file, settings=["optim.lr=1e-3", "model.name=resnet18"])
    assert config.optim.epochs == 7
    assert config.optim.lr == 1e-3
    assert config.model.name == "resnet18"
    assert config.data.folds == PRESETS["fast"]["data"]["folds"]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("optim.lrr=1", "unknown setting 'optim.lrr'; known in [optim]: name, lr"),
        ("colour=red", "unknown setting 'colour'; known: image, data"),
        ("optim.lr=-1", "optim.lr = -1"),
        ("optim.lr=inf", "optim.lr = inf: give a number, above 0"),
        ("optim.epochs=many", "optim.epochs = 'many'"),
        ("optim", "'optim' is not key=value"),
        ("device=tpu", "device = 'tpu'"),
        ("data.leave_out_from=56", "leave_out_from and leave_out_to go together"),
        ("optim=3", "optim = 3"),
    ],
)
def test_a_wrong_setting_is_an_error_that_names_it(setting, message):
    with pytest.raises(ConfigError) as error:
        load_config(settings=[setting])
    assert message in str(error.value)


def test_a_missing_or_broken_file_and_an_unknown_preset_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml does not exist"):
        load_config(file=tmp_path / "nowhere.toml")
    (tmp_path / "bad.toml").write_text("optim = [", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.toml is not TOML"):
        load_config(file=tmp_path / "bad.toml")
    with pytest.raises(ConfigError, match="preset 'slow' does not exist; use one of default, fast, seed"):
        load_config("slow")


def test_a_config_cannot_be_changed_after_it_was_made():
    with pytest.raises(ValidationError):
        TrainConfig().seed = 3


@pytest.mark.parametrize(("gpu", "name"), [(True, "resnet34"), (False, "tf_efficientnet_lite0")])
def test_the_default_network_follows_the_device_and_a_named_one_stays(gpu, name):
    assert settle_model(load_config(), gpu=gpu).model.name == name
    chosen = load_config(settings=["model.name=convnext_tiny"])
    assert settle_model(chosen, gpu=gpu) == chosen
