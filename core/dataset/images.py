"""Photos decoded once: uint8 at the training size, in one memory-mapped array.

Reading this array is some hundred times faster than opening the files again at each epoch. A changed
file, crop or size makes its rows anew; a build that was killed goes on where it ended.
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageOps, _imaging

from core.config import ImageConfig
from core.dataset.index import PHOTO_SIZE, Index
from core.dataset.scan import UNDECODABLE, Progress
from core.errors import DatasetError
from core.files import file_lock, write_json
from core.workspace import Workspace

_WAITING, _DECODED, _BROKEN = 0, 1, 2
_CHUNK = 64
"""Photos a worker decodes at a time; what is lost when the build is killed."""


def decode_photo(path: Path, image: ImageConfig) -> NDArray[np.uint8]:
    """One photo as the network sees it: (height, width, 3), RGB.

    EXIF rotation is applied; a photo of another size is first brought to 384 x 512; then the centred
    crop and the resize of ``image``.

    Raises:
        OSError: the file cannot be decoded.
    """
    width, height = PHOTO_SIZE
    with Image.open(path) as photo:
        if photo.size == PHOTO_SIZE and photo.format == "JPEG":
            # The JPEG decoder halves the size almost for free; stay at twice the target or above.
            photo.draft(
                "RGB",
                (2 * width * image.width // image.crop_width, 2 * height * image.height // image.crop_height),
            )
        upright = ImageOps.exif_transpose(photo).convert("RGB")
    if upright.width * height != upright.height * width:
        upright = upright.resize(PHOTO_SIZE, Image.Resampling.BICUBIC)
    scale_x, scale_y = upright.width / width, upright.height / height
    left, top = (width - image.crop_width) / 2 * scale_x, (height - image.crop_height) / 2 * scale_y
    box = (left, top, left + image.crop_width * scale_x, top + image.crop_height * scale_y)
    size = (image.width, image.height)
    return np.asarray(upright.resize(size, Image.Resampling.BILINEAR, box=box), dtype=np.uint8)


@dataclass(frozen=True)
class ImageCache:
    """Decoded photos.

    Attributes:
        photo_ids: (N,) in the index's order.
        pixels: (N, H, W, 3) uint8, memory-mapped, read-only.
        decoded: (N,) bool; False where the photo is broken and its pixels are zero.
    """

    photo_ids: NDArray[np.str_]
    pixels: NDArray[np.uint8]
    decoded: NDArray[np.bool_]

    def rows(self, photo_ids: Sequence[str]) -> NDArray[np.int64]:
        """Row of each photo.

        Raises:
            DatasetError: a photo is not in the cache.
        """
        place = pd.Index(self.photo_ids).get_indexer(pd.Index(photo_ids))
        if (place < 0).any():
            raise DatasetError(f"photo {photo_ids[int(np.argmax(place < 0))]} is not in the data set any more")
        return place.astype(np.int64)


def build_image_cache(
    index: Index,
    image: ImageConfig,
    workspace: Workspace,
    *,
    workers: int | None = None,
    on_progress: Progress | None = None,
) -> ImageCache:
    """All photos of the index, decoded; only what is not there yet is decoded now.

    Args:
        workers: threads; all cores when None.
        on_progress: called with (done, total).
    Raises:
        DatasetError: the disk cannot hold the array.
    """
    photos = index.photos
    shape = (len(photos), image.height, image.width, 3)
    settings = f"{image.height}x{image.width}-{image.crop_height}x{image.crop_width}"
    home = workspace.cache / "images" / f"{index.dataset_id}-{settings}"
    state = photos[["photo_id", "path", "size", "mtime_ns"]]
    folder = home / hashlib.sha256(state.to_csv(index=False).encode()).hexdigest()[:16]
    home.mkdir(parents=True, exist_ok=True)
    with file_lock(home.with_suffix(".lock")):  # a second training waits, and finds all decoded
        if not (folder / "rows.parquet").exists():
            _prepare(folder, home, state, shape)
        status = np.memmap(folder / "status.bin", np.uint8, "r+", shape=(len(photos),))
        status[(status == _WAITING) & ~photos.readable.to_numpy()] = _BROKEN
        waiting = np.flatnonzero(status == _WAITING)
        if len(waiting):
            _decode_all(index, image, folder, shape, waiting, status, workers, on_progress)
        for other in home.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        pixels = np.memmap(folder / "pixels.bin", np.uint8, "r", shape=shape)
    return ImageCache(photos.photo_id.to_numpy(dtype=str), pixels, np.asarray(status) == _DECODED)


def _prepare(folder: Path, home: Path, state: pd.DataFrame, shape: tuple[int, ...]) -> None:
    """An empty array beside the old one, with the rows that have not changed copied over."""
    needed = int(np.prod(shape, dtype=np.int64))
    free = shutil.disk_usage(home).free
    if needed > free - 2**28:
        raise DatasetError(
            f"the decoded photos need {needed / 1e9:.1f} GB but {home} has {free / 1e9:.1f} GB free; "
            "set a smaller image.height and image.width, or another --workspace"
        )
    old_folders = [other for other in home.iterdir() if other != folder and (other / "rows.parquet").exists()]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    pixels = np.memmap(folder / "pixels.bin", np.uint8, "w+", shape=shape)
    status = np.memmap(folder / "status.bin", np.uint8, "w+", shape=shape[:1])
    for old in old_folders:
        rows = pd.read_parquet(old / "rows.parquet")
        old_status = np.fromfile(old / "status.bin", np.uint8)
        old_pixels = np.memmap(old / "pixels.bin", np.uint8, "r", shape=(len(rows), *shape[1:]))
        place = pd.MultiIndex.from_frame(rows).get_indexer(pd.MultiIndex.from_frame(state))
        kept = np.flatnonzero((place >= 0) & (status == _WAITING))
        kept = kept[old_status[place[kept]] == _DECODED]
        for part in np.array_split(kept, len(kept) // 1024 + 1):
            pixels[part] = old_pixels[place[part]]
        status[kept] = _DECODED
    pixels.flush()
    status.flush()
    write_json(folder / "shape.json", {"shape": list(shape)})
    temporary = folder / "rows.tmp"
    state.to_parquet(temporary)
    temporary.replace(folder / "rows.parquet")


def _decode_all(
    index: Index,
    image: ImageConfig,
    folder: Path,
    shape: tuple[int, ...],
    waiting: NDArray[np.intp],
    status: NDArray[np.uint8],
    workers: int | None,
    on_progress: Progress | None,
) -> None:
    paths = index.photos.path.to_numpy()
    chunks = [waiting[start : start + _CHUNK] for start in range(0, len(waiting), _CHUNK)]
    jobs = [
        (index.data_dir, [paths[row] for row in rows], rows, image, folder / "pixels.bin", shape) for rows in chunks
    ]
    done = len(status) - len(waiting)
    threads = workers or len(os.sched_getaffinity(0))
    pool = ThreadPoolExecutor(threads)  # Pillow decodes outside of Python's lock
    _imaging.set_blocks_max(8 * threads)  # Pillow keeps freed memory: threads that give it back wait for each other
    try:
        for rows, decoded in zip(chunks, pool.map(_decode_chunk, jobs), strict=True):
            status[rows] = np.where(decoded, _DECODED, _BROKEN)
            done += len(rows)
            if on_progress:
                on_progress(done, len(status))
    finally:
        pool.shutdown(cancel_futures=True)
        _imaging.set_blocks_max(0)


def _decode_chunk(
    job: tuple[Path, list[str], NDArray[np.intp], ImageConfig, Path, tuple[int, ...]],
) -> NDArray[np.bool_]:
    data_dir, paths, rows, image, file, shape = job
    pixels = np.memmap(file, np.uint8, "r+", shape=shape)
    decoded = np.zeros(len(rows), dtype=bool)
    for place, (path, row) in enumerate(zip(paths, rows, strict=True)):
        try:
            pixels[row] = decode_photo(data_dir / path, image)
            decoded[place] = True
        except UNDECODABLE:
            pixels[row] = 0
    return decoded
