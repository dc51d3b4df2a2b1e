"""Networks by name."""

import difflib

import timm
import torch
import torchvision
from torch import nn

from core.config import TrainConfig
from core.errors import ConfigError
from core.taxonomy import GENDERS, MASKS, NUM_CLASSES, decode
from core.training.weights import Weights, load_weights, timm_network

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Channel means and deviations of ImageNet, 0..1 (torchvision's presets)."""

_EXAMPLES = ("tf_efficientnet_lite0", "resnet34", "convnext_tiny", "swin_tiny_patch4_window7_224")

_HEAD_SIZES = {"joint": NUM_CLASSES, "axes": 8}


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
        x: torch.Tensor = (photos.float() - self.mean) / self.std
        x = self.backbone(x.contiguous(memory_format=torch.channels_last))
        if self.heads == "joint":
            return x
        parts = x.split([len(MASKS), len(GENDERS), NUM_CLASSES // 6], dim=1)
        log_probs = torch.cat([part.float().log_softmax(1) for part in parts], dim=1)  # (B, 8)
        return log_probs[:, self.axis_of_class].sum(1)  # (B, 3, 18) -> (B, 18)


def build_model(config: TrainConfig) -> tuple[Classifier, Weights]:
    """A network with its starting weights, and which these are.

    Raises:
        ConfigError: unknown network, weights that cannot be had here or do not fit.
    """
    model = bare_model(config)
    return model, load_weights(model.backbone, config, _HEAD_SIZES[config.model.heads])


def bare_model(config: TrainConfig) -> Classifier:
    """A network of timm or torchvision before any weights are put in; it normalises as its weights want it.

    Raises:
        ConfigError: unknown network; names the nearest ones.
    """
    name, outputs = config.model.name, _HEAD_SIZES[config.model.heads]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mean, std = _IMAGENET
    if timm.is_model(name):
        backbone = timm_network(config, outputs)
        about = timm.get_pretrained_cfg(name)
        if about is not None and config.model.weights != "none":
            mean, std = about.mean, about.std
    elif name in _torchvision_names():
        if config.model.dropout:
            raise ConfigError(f"model.dropout = {config.model.dropout}: {name} of torchvision has its own; set 0")
        backbone = torchvision.models.get_model(name, weights=None, num_classes=outputs)
    else:
        near = difflib.get_close_matches(name, timm.list_models() + _torchvision_names(), n=5)
        hint = f"; near: {', '.join(near)}" if near else f"; there are {', '.join(_EXAMPLES)} and many more"
        raise ConfigError(f"model.name {name!r} is neither in timm nor in torchvision{hint}")
    model = Classifier(backbone, config.model.heads, mean, std)
    return model.to(memory_format=torch.channels_last)


def _torchvision_names() -> list[str]:
    """Classifiers only; googlenet is not one, as it returns three outputs while it trains."""
    names = torchvision.models.list_models(module=torchvision.models)
    return [name for name in names if name not in ("googlenet", "inception_v3")]
