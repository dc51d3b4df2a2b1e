"""Random changes of a batch, drawn per photo, on the device the batch lies on."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.transforms import v2

from core.config import AugmentConfig
from core.taxonomy import NUM_CLASSES

_LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""


def augment(photos: torch.Tensor, targets: torch.Tensor, config: AugmentConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """A changed batch and its target probabilities; randomness comes from torch's own generator.

    Args:
        photos: (B, 3, H, W) uint8.
        targets: (B, 18) probabilities.
    Returns:
        (B, 3, H, W) uint8 or float 0..255, (B, 18) targets.
    """
    photos = _move(photos, config)
    if config.colour:
        photos = _recolour(photos.float(), config.colour)
    mixes: list[nn.Module] = [v2.MixUp(alpha=config.mixup, num_classes=NUM_CLASSES)] if config.mixup else []
    mixes += [v2.CutMix(alpha=config.cutmix, num_classes=NUM_CLASSES)] if config.cutmix else []
    if mixes:
        photos, targets = v2.RandomChoice(mixes)(photos.float(), targets)
    return photos, targets


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
    across = (2 * torch.arange(width, device=photos.device) + 1) / width - 1  # centres of pixels, -1..1
    down = (2 * torch.arange(height, device=photos.device) + 1) / height - 1
    places = torch.stack([across.expand(height, -1), down[:, None].expand(-1, width), across.new_ones(height, width)])
    # One product of matrices, since F.affine_grid takes thirty times as long as this, and twice the look-up itself.
    grid = matrix.view(2 * count, 3) @ places.view(3, -1)  # (B * 2, H * W)
    grid = grid.view(count, 2, height, width).permute(0, 2, 3, 1)  # (B, H, W, 2)
    return F.grid_sample(photos.contiguous().float(), grid, padding_mode="border", align_corners=False)


def _recolour(photos: torch.Tensor, largest: float) -> torch.Tensor:
    """Brightness, contrast and saturation, each by a factor of 1 +- ``largest``.

    Saturation moves a pixel from its own brightness, contrast from the photo's mean one: together a matrix and a
    shift a photo, applied in one pass.
    """
    factors = 1 + (torch.rand(3, len(photos), 1, 1) * 2 - 1) * largest
    brightness, contrast, saturation = factors.to(photos.device)  # (B, 1, 1) each
    luma = photos.new_tensor(_LUMA)
    mean = (photos.mean(dim=(2, 3)) @ luma).view(-1, 1, 1)  # (B, 1, 1)
    matrix = saturation * torch.eye(3, device=photos.device) + (1 - saturation) * luma.expand(3, 3)  # (B, 3, 3)
    shift = (brightness * (1 - contrast) * mean).expand(-1, 3, 1)
    changed = torch.baddbmm(shift, brightness * contrast * matrix, photos.flatten(2))  # (B, 3, H * W)
    return changed.view(photos.shape).clamp_(0, 255)
