"""Random changes of a batch, drawn per photo, on the device the batch lies on."""

import math

import torch
import torch.nn.functional as F
from torchvision.transforms import v2

from core.config import AugmentConfig
from core.taxonomy import NUM_CLASSES

_LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""


def augment(photos: torch.Tensor, classes: torch.Tensor, config: AugmentConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """A changed batch and its target probabilities; randomness comes from torch's own generator.

    Args:
        photos: (B, 3, H, W) uint8.
        classes: (B,) class index.
    Returns:
        (B, 3, H, W) uint8 or float 0..255, (B, 18) targets.
    """
    photos = _move(photos, config)
    if config.colour:
        photos = _recolour(photos.float(), config.colour)
    mixes = [v2.MixUp(alpha=config.mixup, num_classes=NUM_CLASSES)] if config.mixup else []
    mixes += [v2.CutMix(alpha=config.cutmix, num_classes=NUM_CLASSES)] if config.cutmix else []
    if not mixes:
        return photos, F.one_hot(classes, NUM_CLASSES).float()
    mixed, targets = v2.RandomChoice(mixes)(photos.float(), classes)
    return mixed, targets


def _move(photos: torch.Tensor, config: AugmentConfig) -> torch.Tensor:
    """Flip, turn, shift and scale: one bilinear look-up a photo."""
    if not (config.flip or config.rotate or config.shift or config.scale):
        return photos
    count, _, height, width = photos.shape

    def uniform(largest: float) -> torch.Tensor:
        return (torch.rand(count) * 2 - 1) * largest

    mirrored = torch.where(torch.rand(count) < config.flip, -1.0, 1.0)
    angle, size = uniform(math.radians(config.rotate)), 1 + uniform(config.scale)
    cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
    matrix = torch.stack(
        [
            torch.stack([cos * mirrored, sin * height / width, uniform(2 * config.shift)], dim=1),
            torch.stack([-sin * width / height * mirrored, cos, uniform(2 * config.shift)], dim=1),
        ],
        dim=1,
    ).to(photos.device)  # (B, 2, 3)
    grid = F.affine_grid(matrix, [count, 3, height, width], align_corners=False)
    return F.grid_sample(photos.float(), grid, padding_mode="border", align_corners=False)


def _recolour(photos: torch.Tensor, largest: float) -> torch.Tensor:
    """Brightness, contrast and saturation, each by a factor of 1 +- ``largest``."""
    factors = 1 + (torch.rand(3, len(photos), 1, 1, 1) * 2 - 1) * largest
    brightness, contrast, saturation = factors.to(photos.device)
    luma = (photos * photos.new_tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)  # (B, 1, H, W)
    photos = luma + (photos - luma) * saturation
    mean = luma.mean(dim=(2, 3), keepdim=True)
    return ((mean + (photos - mean) * contrast) * brightness).clamp_(0, 255)
