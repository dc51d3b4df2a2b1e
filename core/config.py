"""All settings of a training run: one frozen model, the same for TOML, ``--set`` and the web form.

The model's fields carry their units and ranges, so that the command line's errors and the web
form's widgets come from here and nowhere else.
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.fields import FieldInfo

from core.errors import ConfigError


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ImageConfig(_Section):
    """What the network sees of a photo. A centred crop in photo pixels, then a resize."""

    height: int = Field(128, ge=32, le=512, description="training height, pixels")
    width: int = Field(96, ge=32, le=384, description="training width, pixels")
    crop_height: int = Field(512, ge=32, le=512, description="centred crop, pixels of the 384 x 512 photo")
    crop_width: int = Field(384, ge=32, le=384, description="centred crop, pixels of the 384 x 512 photo")


class DataConfig(_Section):
    """Which photos and labels a run trains on."""

    age_young: int = Field(30, ge=20, le=40, description="first age trained as 30-59, years")
    age_old: int = Field(58, ge=50, le=62, description="first age trained as 60 and over, years")
    age_soft: float = Field(
        0.0, ge=0, le=10, description="width of the age boundaries, years: targets share both bands; 0 is hard"
    )
    leave_out_from: int | None = Field(None, description="first age left out of training, years")
    leave_out_to: int | None = Field(None, description="last age left out of training, years")
    folds: int = Field(5, ge=2, le=20, description="number of folds, by person")
    pseudo_labels: Literal["none", "model", "unchanged", "accepted"] = Field(
        "none",
        description="train on evaluation photos whose label was accepted: in bulk, seen by nobody (model); also by a "
        "person, as proposed (unchanged); also as changed by a person (accepted)",
    )
    train_decisions: Literal["none", "model", "unchanged", "all"] = Field(
        "all", description="which decisions about train photos count; as for pseudo_labels"
    )

    @model_validator(mode="after")
    def _band_is_whole(self) -> "DataConfig":
        if (self.leave_out_from is None) != (self.leave_out_to is None):
            raise ValueError("leave_out_from and leave_out_to go together; give both or none")
        if self.leave_out_from is not None and self.leave_out_from > (self.leave_out_to or 0):
            raise ValueError(f"leave_out_from {self.leave_out_from} is above leave_out_to {self.leave_out_to}")
        return self


class ModelConfig(_Section):
    """The network and the weights it starts from."""

    name: str = Field(
        "auto",
        min_length=1,
        description="a model of timm or torchvision; auto: resnet34 on a GPU, tf_efficientnet_lite0 without one",
    )
    weights: str = Field(
        "imagenet", min_length=1, description="imagenet, none, or the path of a .pth or .safetensors file"
    )
    heads: Literal["joint", "axes"] = Field(
        "joint", description="joint: 18 classes; axes: mask, gender and age apart (3 x 2 x 3)"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout before the classifier")


class OptimConfig(_Section):
    """How the weights move."""

    name: Literal["sgd", "adamw"] = "adamw"
    lr: float = Field(1e-3, gt=0, description="learning rate at the start")
    momentum: float = Field(0.9, ge=0, lt=1, description="SGD only")
    weight_decay: float = Field(0.02, ge=0)
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    step_epochs: int = Field(10, ge=1, description="step: epochs between two drops of the learning rate")
    step_gamma: float = Field(0.9, gt=0, le=1, description="step: factor of each drop")
    warmup: float = Field(0.1, ge=0, lt=1, description="share of all steps with a rising learning rate")
    epochs: int = Field(4, ge=1, le=500)
    batch_size: int = Field(64, ge=1, le=4096, description="photos a step")
    ema_decay: float = Field(0.0, ge=0, lt=1, description="exponential moving average of weights; 0 is off")


class LossConfig(_Section):
    """What is minimised."""

    name: Literal["cross_entropy", "focal", "f1"] = "cross_entropy"
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    focal_gamma: float = Field(2.0, ge=0, description="focal only")


class AugmentConfig(_Section):
    """Random changes of the training photos; all zero is none."""

    flip: float = Field(0.5, ge=0, le=1, description="probability of a left-right flip")
    rotate: float = Field(8.0, ge=0, le=90, description="largest turn, degrees")
    shift: float = Field(0.05, ge=0, le=0.5, description="largest shift, share of the side")
    scale: float = Field(0.1, ge=0, lt=1, description="largest change of size, share")
    colour: float = Field(0.2, ge=0, lt=1, description="largest change of brightness, contrast, saturation")
    mixup: float = Field(0.0, ge=0, description="MixUp alpha; 0 is off")
    cutmix: float = Field(0.0, ge=0, description="CutMix alpha; 0 is off")


class PredictConfig(_Section):
    """How photos are predicted."""

    tta_flip: bool = Field(True, description="mean over the photo and its mirror image")


class TrainConfig(_Section):
    """One training run."""

    image: ImageConfig = ImageConfig()
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    optim: OptimConfig = OptimConfig()
    loss: LossConfig = LossConfig()
    augment: AugmentConfig = AugmentConfig()
    predict: PredictConfig = PredictConfig()
    seed: int = Field(18, ge=0, description="all randomness follows from it")
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda or cuda:1")


_NO_AUGMENT = {"flip": 0.0, "rotate": 0.0, "shift": 0.0, "scale": 0.0, "colour": 0.0}

PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "fast": {
        "image": {"height": 96, "width": 72},
        "data": {"folds": 3},
        "model": {"name": "tf_efficientnet_lite0"},
        "optim": {"epochs": 6, "batch_size": 32, "lr": 2e-3},
    },
    "seed": {
        "image": {"height": 384, "width": 384, "crop_height": 384, "crop_width": 384},
        "data": {"age_old": 58, "folds": 10, "pseudo_labels": "accepted"},
        "model": {"name": "resnet34"},
        "optim": {
            "name": "sgd", "lr": 1e-4, "momentum": 0.9, "weight_decay": 0.0, "schedule": "step",
            "step_epochs": 10, "step_gamma": 0.9, "warmup": 0.0, "epochs": 15, "batch_size": 4,
        },
        "loss": {"label_smoothing": 0.1},
        "augment": _NO_AUGMENT,
        "predict": {"tta_flip": False},
    },
}  # fmt: skip
"""Named settings. ``seed`` is the recipe MaskDesk starts from (macro F1 0.7648, 9th of 224 teams);
``fast`` trains the demo set in under two minutes on two cores."""


def settle_model(config: TrainConfig, *, gpu: bool) -> TrainConfig:
    """The config with the network that ``auto`` means on a machine with or without a GPU.

    >>> settle_model(TrainConfig(), gpu=False).model.name
    'tf_efficientnet_lite0'
    """
    if config.model.name != "auto":
        return config
    name = "resnet34" if gpu else "tf_efficientnet_lite0"
    return config.model_copy(update={"model": config.model.model_copy(update={"name": name})})


def load_config(preset: str = "default", *, file: Path | None = None, settings: Iterable[str] = ()) -> TrainConfig:
    """Preset, then a TOML file, then ``key=value`` settings, each over the one before.

    Args:
        preset: a name in ``PRESETS``; a file's own ``preset = "..."`` line wins over it.
        file: TOML with the sections of ``TrainConfig``.
        settings: such as ``optim.lr=1e-3``; values are read as TOML, a bare word as text.
    Raises:
        ConfigError: unknown key, wrong value, unreadable file; names the key and the value.
    """
    from_file: dict[str, Any] = {}
    if file is not None:
        try:
            from_file = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"config file {file} does not exist; check --config") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"config file {file} is not TOML: {error}") from None
        preset = str(from_file.pop("preset", preset))
    if preset not in PRESETS:
        raise ConfigError(f"preset {preset!r} does not exist; use one of {', '.join(PRESETS)}")
    content = _merge(PRESETS[preset], from_file)
    for setting in settings:
        content = _merge(content, _parse_setting(setting))
    return parse_config(content)


def with_settings(config: TrainConfig, settings: Iterable[str]) -> TrainConfig:
    """A configuration with some ``key=value`` settings changed; raises as ``load_config``."""
    content: dict[str, Any] = config.model_dump()
    for setting in settings:
        content = _merge(content, _parse_setting(setting))
    return parse_config(content)


def parse_config(content: Mapping[str, Any]) -> TrainConfig:
    """A checked ``TrainConfig`` from nested plain values, such as a run's ``config.json``.

    Raises:
        ConfigError: names every key that is unknown or wrong, with its value.
    """
    try:
        return TrainConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError("; ".join(_explain(problem) for problem in error.errors())) from None


def setting_fields() -> dict[str, FieldInfo]:
    """Every setting by its dotted key, such as ``optim.lr``, in the order of the sections."""
    found: dict[str, FieldInfo] = {}
    for name, field in TrainConfig.model_fields.items():
        section = getattr(field.annotation, "model_fields", None)
        found |= {f"{name}.{key}": inner for key, inner in section.items()} if section else {name: field}
    return found


def parse_value(key: str, value: Any) -> Any:
    """One setting's value, from text as well: 4 for ``optim.epochs`` and ``"4"``; rules between settings aside.

    Raises:
        ConfigError: the value is out of range or of another kind; says what it may be.
    """
    field = setting_fields()[key]
    kind: Any = Annotated[field.annotation, field]
    try:
        return TypeAdapter(kind, config=_Section.model_config).validate_python(value)
    except ValidationError:
        raise ConfigError(f"setting {key} = {value!r}: give {allowed(key)}") from None


def allowed(key: str) -> str:
    """What a setting may be, in words.

    >>> allowed("optim.epochs")
    'a whole number, at least 1 and at most 500'
    """
    field = setting_fields()[key]
    if get_origin(field.annotation) is Literal:
        *others, last = get_args(field.annotation)
        return f"{', '.join(others)} or {last}"
    kinds: dict[Any, str] = {float: "a number", bool: "true or false", str: field.description or "text"}
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    limits = [f"{told} {limit}" for name, told in words.items() for one in field.metadata
              if (limit := getattr(one, name, None)) is not None]  # fmt: skip
    return ", ".join([kinds.get(field.annotation, "a whole number"), *[" and ".join(limits)] * bool(limits)])


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        nested = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(old, value) if nested else value  # type: ignore[arg-type]
    return merged


def _parse_setting(setting: str) -> dict[str, Any]:
    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"setting {setting!r} is not key=value, such as optim.lr=1e-3")
    value: Any
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    first, *rest = key.strip().split(".")
    for name in reversed(rest):
        value = {name: value}
    return {first: value}


def _explain(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "config"
    if problem["type"] == "extra_forbidden":
        return f"unknown setting {key!r}; {_known_keys(problem['loc'][:-1])}"
    if key in setting_fields():
        return f"setting {key} = {problem['input']!r}: give {allowed(key)}"
    if problem["type"] == "value_error":  # a rule between settings, whose words name them
        return str(problem["ctx"]["error"])
    return f"setting {key} = {problem['input']!r} is not one setting but several; {_known_keys(problem['loc'])}"


def _known_keys(section: tuple[Any, ...]) -> str:
    model: Any = TrainConfig
    for name in section:
        model = model.model_fields[name].annotation
    where = f" in [{'.'.join(str(name) for name in section)}]" if section else ""
    return f"known{where}: {', '.join(model.model_fields)}"
