"""The cache of decoded photos: right pixels, nothing decoded twice, whole after any kill."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.config import ImageConfig
from core.dataset import images
from core.dataset.images import build_image_cache, decode_photo
from core.dataset.index import load_index
from core.errors import DatasetError
from tests.photo_folders import MAN, write_data_set, write_photo

ROOT = Path(__file__).resolve().parent.parent
SMALL = ImageConfig(height=48, width=36)


@pytest.fixture
def root(tmp_path):
    """Sixteen photos, each of one colour."""
    return write_data_set(tmp_path / "data")


@pytest.fixture
def decoded(monkeypatch):
    """The paths that are decoded from here on."""
    seen = []

    def spy(path, image):
        seen.append(path.name)
        return decode_photo(path, image)

    monkeypatch.setattr(images, "decode_photo", spy)
    return seen


def _quarters(path, **options):
    """A photo with a colour in each quarter: red, green / blue, white."""
    pixels = np.zeros((512, 384, 3), np.uint8)
    pixels[:256, :192, 0] = pixels[:256, 192:, 1] = pixels[256:, :192, 2] = 255
    pixels[256:, 192:] = 255
    Image.fromarray(pixels).save(path, **options)
    return path


def test_a_photo_is_cropped_about_its_centre_then_resized(tmp_path):
    path = _quarters(tmp_path / "q.png")
    whole = decode_photo(path, ImageConfig(height=64, width=48))
    assert whole.shape == (64, 48, 3)
    assert whole[5, 5].tolist() == [255, 0, 0]
    assert whole[60, 45].tolist() == [255, 255, 255]
    pixels = np.asarray(Image.open(path))
    exact = decode_photo(path, ImageConfig(height=384, width=384, crop_height=384, crop_width=384))
    assert np.array_equal(exact, pixels[64:448])


@pytest.mark.parametrize(("orientation", "corners"), [(6, "blue red"), (3, "white blue"), (8, "green white")])
def test_exif_rotation_is_applied_before_the_crop(tmp_path, orientation, corners):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = _quarters(tmp_path / "q.jpg", quality=95, exif=exif)
    colours = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
    photo = decode_photo(path, ImageConfig(height=64, width=48)).astype(int)
    for corner, name in zip((photo[4, 4], photo[4, -5]), corners.split(), strict=True):
        assert np.abs(corner - colours[name]).max() < 12


def test_a_photo_of_another_size_is_brought_to_the_whole_frame(tmp_path):
    small = _quarters(tmp_path / "q.png")
    Image.open(small).resize((150, 200)).save(tmp_path / "small.png")
    one, other = (decode_photo(tmp_path / name, SMALL).astype(int) for name in ("q.png", "small.png"))
    assert np.abs(one - other).mean() < 4
    Image.open(small).resize((300, 300)).save(tmp_path / "square.png")
    assert np.abs(one - decode_photo(tmp_path / "square.png", SMALL)).mean() < 4


def test_grey_and_transparent_photos_come_out_as_three_colours(tmp_path):
    for mode in ("L", "RGBA", "P", "CMYK"):
        ending = "jpg" if mode == "CMYK" else "png"
        Image.new(mode, (384, 512)).save(tmp_path / f"{mode}.{ending}")
        assert decode_photo(tmp_path / f"{mode}.{ending}", SMALL).shape == (48, 36, 3)


def test_the_cache_holds_each_photo_as_decoded_and_the_second_build_decodes_none(root, workspace, decoded):
    index = load_index(root, workspace)
    cache = build_image_cache(index, SMALL, workspace)
    assert cache.photo_ids.tolist() == index.photos.photo_id.tolist()
    assert cache.decoded.all()
    assert cache.pixels.dtype == np.uint8
    for row, path in zip(cache.pixels, index.photos.path, strict=True):
        assert np.array_equal(row, decode_photo(root / path, SMALL))
    assert not cache.pixels.flags.writeable
    assert len(decoded) == 16
    again = build_image_cache(index, SMALL, workspace)
    assert len(decoded) == 16
    assert np.array_equal(again.pixels, cache.pixels)


def test_a_changed_photo_is_decoded_anew_and_it_alone(root, workspace, decoded):
    build_image_cache(load_index(root, workspace), SMALL, workspace)
    decoded.clear()
    path = root / "train/images" / MAN / "mask2.jpg"
    write_photo(path, 4711)
    cache = build_image_cache(load_index(root, workspace), SMALL, workspace)
    assert decoded == ["mask2.jpg"]
    row = cache.rows([f"{MAN}/mask2.jpg"])[0]
    assert np.array_equal(cache.pixels[row], decode_photo(path, SMALL))


def test_a_photo_changed_within_the_same_size_is_noticed_by_its_time(root, workspace, decoded):
    path = root / "train/images" / MAN / "mask2.jpg"
    build_image_cache(load_index(root, workspace), SMALL, workspace)
    decoded.clear()
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    build_image_cache(load_index(root, workspace), SMALL, workspace)
    assert decoded == ["mask2.jpg"]


def test_added_and_removed_photos_move_the_rows_and_decode_only_the_new(root, workspace, decoded):
    build_image_cache(load_index(root, workspace), SMALL, workspace)
    decoded.clear()
    (root / "train/images" / MAN / "mask1.jpg").unlink()
    write_photo(root / "train/images" / MAN / "normal.png", 99)
    index = load_index(root, workspace)
    cache = build_image_cache(index, SMALL, workspace)
    assert decoded == ["normal.png"]
    for row, path in zip(cache.pixels, index.photos.path, strict=True):
        assert np.array_equal(row, decode_photo(root / path, SMALL))


@pytest.mark.parametrize(
    "other",
    [
        ImageConfig(height=64, width=48),
        ImageConfig(height=48, width=36, crop_height=384),
        ImageConfig(height=48, width=36, crop_width=300),
    ],
)
def test_another_size_or_crop_is_another_cache_beside_the_first(root, workspace, decoded, other):
    index = load_index(root, workspace)
    build_image_cache(index, SMALL, workspace)
    cache = build_image_cache(index, other, workspace)
    assert cache.pixels.shape == (16, other.height, other.width, 3)
    assert len(decoded) == 32
    build_image_cache(index, SMALL, workspace)
    assert len(decoded) == 32


def test_a_broken_photo_is_marked_and_stops_nothing(root, workspace):
    folder = root / "train/images" / MAN
    (folder / "mask1.jpg").write_text("no photo")
    whole = write_photo(root / "noise.png", 3).read_bytes()
    (folder / "mask2.jpg").unlink()
    broken = bytearray(whole)
    broken[whole.index(b"IDAT") + 8] ^= 255  # sound at both ends, broken in the middle
    (folder / "mask2.png").write_bytes(broken)
    index = load_index(root, workspace)
    assert index.photos.readable.sum() == 15
    cache = build_image_cache(index, SMALL, workspace)
    bad = cache.rows([f"{MAN}/mask1.jpg", f"{MAN}/mask2.png"])
    assert not cache.decoded[bad].any()
    assert cache.decoded.sum() == 14
    assert (cache.pixels[bad] == 0).all()


def test_all_cores_give_the_same_pixels_as_one_and_progress_ends_at_all(root, workspace, monkeypatch, tmp_path):
    index = load_index(root, workspace)
    alone = build_image_cache(index, SMALL, workspace, workers=1)
    monkeypatch.setattr(images, "_CHUNK", 5)
    seen = []
    other = type(workspace)(tmp_path / "other")
    together = build_image_cache(index, SMALL, other, workers=2, on_progress=lambda *at: seen.append(at))
    assert np.array_equal(together.pixels, alone.pixels)
    assert seen == [(5, 16), (10, 16), (15, 16), (16, 16)]


def test_an_unknown_photo_is_refused_by_name(root, workspace):
    cache = build_image_cache(load_index(root, workspace), SMALL, workspace)
    with pytest.raises(DatasetError, match="photo ghost is not in the data set"):
        cache.rows(["ghost"])


def test_a_disk_too_small_is_told_before_anything_is_written(root, workspace, monkeypatch):
    monkeypatch.setattr(images.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    with pytest.raises(DatasetError, match=r"need 0\.0 GB .* set a smaller image\.height"):
        build_image_cache(load_index(root, workspace), SMALL, workspace)
    assert not list(workspace.cache.rglob("pixels.bin"))


BUILD = """
import sys, time
from pathlib import Path
from core.config import ImageConfig
from core.dataset import images
from core.dataset.index import load_index
from core.workspace import Workspace
images._CHUNK = 5
root, workspace, workers = Path(sys.argv[1]), Workspace(Path(sys.argv[2])), int(sys.argv[3])
def wait(done, total):
    print(done, flush=True)
    time.sleep(60)
if __name__ == "__main__":
    index = load_index(root, workspace)
    images.build_image_cache(index, ImageConfig(height=48, width=36), workspace, workers=workers, on_progress=wait)
"""


WORK = """
import os, time
from core.dataset.workers import worker_pool
if __name__ == "__main__":
    pool = worker_pool(2)
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 60)
    time.sleep(60)
"""


def _killed(script, text, *words):
    """Start a script, kill -9 it after its first line; that line."""
    script.write_text(text)
    child = subprocess.Popen(
        [sys.executable, script, *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    line = child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.wait()
    return line


def test_a_build_that_was_killed_goes_on_where_it_ended(root, workspace, decoded, tmp_path):
    assert _killed(tmp_path / "build.py", BUILD, root, workspace.root, "1") == "5\n"
    index = load_index(root, workspace)
    cache = build_image_cache(index, SMALL, workspace)
    assert len(decoded) == 11
    assert cache.decoded.all()
    for row, path in zip(cache.pixels, index.photos.path, strict=True):
        assert np.array_equal(row, decode_photo(root / path, SMALL))


def test_workers_of_a_killed_process_end_by_themselves(tmp_path):
    worker = int(_killed(tmp_path / "work.py", WORK))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _alive(worker):
        time.sleep(0.05)
    assert not _alive(worker)


def test_two_builds_at_once_decode_each_photo_once(root, workspace, tmp_path):
    script = tmp_path / "build.py"
    script.write_text(BUILD.replace("time.sleep(60)", "time.sleep(0.05)"))
    command = [sys.executable, script, root, workspace.root, "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    builds = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [build.communicate()[0].split() for build in builds]
    assert [build.returncode for build in builds] == [0, 0]
    assert sorted(printed) == [[], ["5", "10", "15", "16"]]


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
