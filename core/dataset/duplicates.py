"""Photos that are nearly the same picture, whatever folder they lie in: pairs by perceptual hash."""

import math
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from core.dataset.scan import Progress

Hashes = NDArray[np.uint64]

BITS = 256
"""64 bits, the usual number, do not tell faces apart that all stand in the middle of their photos."""

NEAR = 20
"""Near duplicates differ in at most so many bits: measured, see docs/methods.md."""

_BLOCK = 256


def photo_hashes(pixels: NDArray[np.uint8], *, on_progress: Progress | None = None) -> Hashes:
    """(N, 4) perceptual hashes of 256 bits.

    Args:
        pixels: (N, H, W, 3) photos, such as ``ImageCache.pixels``.
        on_progress: called with (done, total).

    Source: Zauner, Implementation and benchmarking of perceptual image hash functions, 2010 (DCT hash), as the
        package imagehash has it.
    """
    found = np.empty((len(pixels), BITS // 64), np.uint64)
    for row, photo in enumerate(pixels):
        hashed = imagehash.phash(Image.fromarray(np.asarray(photo)), hash_size=math.isqrt(BITS))
        found[row] = np.packbits(hashed.hash).view(np.uint64)
        if on_progress and (row % 500 == 499 or row + 1 == len(pixels)):
            on_progress(row + 1, len(pixels))
    return found


def near_pairs(hashes: Hashes, *, most: int = NEAR) -> pd.DataFrame:
    """All pairs of hashes that differ in at most ``most`` bits: first, second (rows, first < second), bits."""
    parts = []
    for start in range(0, len(hashes), _BLOCK):
        bits = np.zeros((len(hashes[start : start + _BLOCK]), len(hashes) - start), np.uint16)
        for word in hashes.T:
            bits += np.bitwise_count(word[start : start + _BLOCK, None] ^ word[None, start:])
        first, second = np.nonzero(bits <= most)
        later = second > first
        first, second = first[later], second[later]
        parts.append(np.stack([first + start, second + start, bits[first, second]], axis=1))
    rows = np.concatenate(parts).astype(np.int64) if parts else np.zeros((0, 3), np.int64)
    table = pd.DataFrame(rows, columns=["first", "second", "bits"])
    return table.sort_values(["bits", "first", "second"], kind="stable", ignore_index=True)


def photo_pairs(
    data_dir: Path, photos: pd.DataFrame, pixels: NDArray[np.uint8], *, most: int = NEAR,
    on_progress: Progress | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Near duplicates among photos, the most alike first.

    Args:
        data_dir: the data set's folder.
        photos: N rows of an index, those that could be decoded.
        pixels: (N, H, W, 3) of the same photos.
        most: bits in which two near duplicates may differ.
    Returns:
        first, second (photo_id), bits, same_file (byte for byte), where: ``one person`` (of the train people),
        ``two people``, ``train and evaluation`` or ``evaluation``.
    """
    pairs = near_pairs(photo_hashes(pixels, on_progress=on_progress), most=most)
    one, two = (photos.iloc[pairs[name]].reset_index(drop=True) for name in ("first", "second"))
    alike = ((pairs.bits == 0) & (one["size"] == two["size"])).to_numpy()
    same_file = [
        bool(might) and (data_dir / first).read_bytes() == (data_dir / second).read_bytes()
        for might, first, second in zip(alike, one.path, two.path, strict=True)
    ]
    train = (one.split == "train").astype(int) + (two.split == "train")
    where = np.select(
        [train == 0, train == 1, one.person_id == two.person_id],
        ["evaluation", "train and evaluation", "one person"],
        "two people",
    )
    return pd.DataFrame(
        {"first": one.photo_id, "second": two.photo_id, "bits": pairs.bits, "same_file": same_file, "where": where}
    )
