"""Small JPEGs for the screen: upright, kept, and never a crash."""

import io

import pytest
from PIL import Image

from core.dataset import thumbnails
from core.dataset.thumbnails import SIZES, photo_jpeg
from core.errors import DatasetError
from tests.photo_folders import write_photo


def _opened(content):
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("size", SIZES)
def test_a_photo_is_at_most_as_high_as_asked_and_keeps_its_shape(tmp_path, workspace, size):
    write_photo(tmp_path / "a.png", 1)
    photo = _opened(photo_jpeg(tmp_path, workspace, "a.png", size))
    assert photo.format == "JPEG"
    assert photo.height == size
    assert photo.width == pytest.approx(size * 384 / 512, abs=1)


def test_a_photo_on_its_side_comes_out_upright(tmp_path, workspace):
    exif = Image.Exif()
    exif[0x0112] = 6
    write_photo(tmp_path / "a.jpg", 1, size=(512, 384), exif=exif)
    photo = _opened(photo_jpeg(tmp_path, workspace, "a.jpg", 256))
    assert (photo.width, photo.height) == (192, 256)
    assert 0x0112 not in photo.getexif()


def test_the_second_look_reads_the_kept_file_and_a_changed_photo_is_made_anew(tmp_path, workspace, monkeypatch):
    path = write_photo(tmp_path / "a.jpg", 1)
    first = photo_jpeg(tmp_path, workspace, "a.jpg", 192)
    made = []

    def make(source, size):
        made.append(source)
        return thumbnails_make(source, size)

    thumbnails_make = thumbnails._make
    monkeypatch.setattr(thumbnails, "_make", make)
    assert photo_jpeg(tmp_path, workspace, "a.jpg", 192) == first
    assert made == []
    write_photo(path, 2)
    assert photo_jpeg(tmp_path, workspace, "a.jpg", 192) != first
    assert made == [path]


def test_a_broken_photo_and_a_foreign_size_are_clear_errors(tmp_path, workspace):
    (tmp_path / "a.jpg").write_text("no photo")
    with pytest.raises(DatasetError, match=r"photo a\.jpg cannot be decoded"):
        photo_jpeg(tmp_path, workspace, "a.jpg", 192)
    with pytest.raises(DatasetError, match="photo size 100 is not one of 192, 256, 512"):
        photo_jpeg(tmp_path, workspace, "a.jpg", 100)
