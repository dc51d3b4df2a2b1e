"""Random changes of a batch, against torch's and torchvision's own functions."""

import pytest
import torch
import torch.nn.functional as F
from torchvision.transforms.v2 import functional as tv

from core.config import AugmentConfig
from core.training import augment as module
from core.training.augment import augment

NONE = {"flip": 0, "rotate": 0, "shift": 0, "scale": 0, "colour": 0}


def _photos(count=6, height=24, width=18):
    small = torch.randn(count, 3, 6, 6, generator=torch.Generator().manual_seed(0)) * 50 + 128
    return F.interpolate(small, (height, width), mode="bicubic").clamp(0, 255).to(torch.uint8)


def _config(**changes):
    return AugmentConfig(**NONE | changes)


def _certain(classes):
    return F.one_hot(torch.tensor(list(classes)), 18).float()


def _always(monkeypatch, value):
    monkeypatch.setattr(torch, "rand", lambda *size, **_: torch.full(size, value))


def test_no_change_gives_the_same_photos_and_targets():
    photos, targets = _photos(), _certain([0, 17, 3, 3, 8, 12])
    changed, same = augment(photos, targets, _config())
    assert torch.equal(changed, photos)
    assert torch.equal(same, targets)


def test_a_flip_is_the_mirror_image():
    changed, _ = augment(_photos(), _certain([0] * 6), _config(flip=1))
    torch.testing.assert_close(changed, _photos().flip(3).float(), atol=1e-2, rtol=0)


def test_about_half_of_the_photos_are_flipped_each_by_its_own_coin():
    torch.manual_seed(0)
    photos = _photos(200)
    changed, _ = augment(photos, _certain([0] * 200), _config(flip=0.5))
    flipped = (changed - photos.flip(3).float()).abs().amax((1, 2, 3)) < 0.1
    kept = (changed - photos.float()).abs().amax((1, 2, 3)) < 0.1
    assert bool((flipped ^ kept).all())
    assert 75 <= int(flipped.sum()) <= 125


@pytest.mark.parametrize("size", [(24, 24), (32, 18)])
def test_a_turn_keeps_shapes_on_photos_that_are_not_square(monkeypatch, size):
    _always(monkeypatch, 1.0)
    photos = _photos(2, *size)
    changed, _ = augment(photos, _certain([0] * 2), _config(rotate=20))
    expected = tv.rotate(photos.float(), 20, interpolation=tv.InterpolationMode.BILINEAR)
    middle = (slice(None), slice(None), slice(size[0] // 3, -size[0] // 3), slice(6, -6))
    other = tv.rotate(photos.float(), -20, interpolation=tv.InterpolationMode.BILINEAR)
    error = min((changed - turned)[middle].abs().max() for turned in (expected, other))
    assert error < 1


def test_the_grid_is_that_of_torch(monkeypatch):
    seen = []
    monkeypatch.setattr(module.F, "grid_sample", lambda photos, grid, **_: seen.append(grid) or photos)
    _always(monkeypatch, 0.75)
    augment(_photos(2, 20, 10), _certain([0] * 2), _config(shift=0.1, scale=0.2))
    size = 1 + 0.5 * 0.2
    matrix = torch.tensor([[[1 / size, 0, 0.1], [0, 1 / size, 0.1]]]).expand(2, -1, -1)
    torch.testing.assert_close(seen[0], F.affine_grid(matrix, [2, 3, 20, 10], align_corners=False))


def test_colour_changes_are_those_of_torchvision_in_its_order(monkeypatch):
    _always(monkeypatch, 1.0)
    photos = (_photos() * 0.3 + 80).to(torch.uint8)  # far from black and white, where torchvision clamps in between
    changed, _ = augment(photos, _certain([0] * 6), _config(colour=0.1))
    expected = photos.float() / 255
    for change in (tv.adjust_saturation, tv.adjust_contrast, tv.adjust_brightness):
        expected = change(expected, 1.1)
    torch.testing.assert_close(changed / 255, expected, atol=2e-3, rtol=0)


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_mixed_photos_carry_their_shares_as_targets(mix):
    torch.manual_seed(1)
    photos = torch.zeros(2, 3, 20, 20, dtype=torch.uint8)
    photos[1] = 200
    changed, targets = augment(photos, _certain([0, 5]), _config(**{mix: 1.0}))
    torch.testing.assert_close(targets.sum(1), torch.ones(2))
    torch.testing.assert_close(changed.mean((1, 2, 3)) / 200, targets[:, 5])


def test_the_same_seed_gives_the_same_changes():
    config = AugmentConfig(mixup=0.2)
    batches = []
    for _ in range(2):
        torch.manual_seed(5)
        batches.append(augment(_photos(), _certain(range(6)), config))
    assert torch.equal(batches[0][0], batches[1][0])
    assert torch.equal(batches[0][1], batches[1][1])
