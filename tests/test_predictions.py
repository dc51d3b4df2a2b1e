"""Logits never get separated from the photos they belong to."""

import json

import numpy as np
import pytest

from core.errors import RunError
from core.storage.predictions import read_predictions, write_predictions

IDS = [f"{i:040x}.jpg" for i in range(7)]
LOGITS = np.random.default_rng(0).normal(size=(7, 18))


@pytest.mark.parametrize("mmap", [True, False])
def test_what_is_written_comes_back_in_order_and_read_only(tmp_path, mmap):
    write_predictions(tmp_path / "oof", IDS, LOGITS)
    read = read_predictions(tmp_path / "oof", mmap=mmap)
    assert read.photo_ids.tolist() == IDS
    assert read.logits.dtype == np.float32
    np.testing.assert_array_equal(read.logits, LOGITS.astype(np.float32))
    with pytest.raises(ValueError, match="read-only"):
        read.logits[0, 0] = 1


def test_no_photos_at_all_can_be_written_and_read(tmp_path):
    write_predictions(tmp_path / "oof", [], np.empty((0, 18)))
    assert read_predictions(tmp_path / "oof", mmap=False).photo_ids.tolist() == []


def test_swapped_photo_ids_are_refused(tmp_path):
    write_predictions(tmp_path / "oof", IDS, LOGITS)
    manifest = json.loads((tmp_path / "oof.json").read_text())
    manifest["photo_ids"][:2] = manifest["photo_ids"][1::-1]
    (tmp_path / "oof.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match="do not belong together"):
        read_predictions(tmp_path / "oof")


def test_logits_of_a_later_writing_that_was_killed_are_refused(tmp_path):
    write_predictions(tmp_path / "oof", IDS, LOGITS)
    write_predictions(tmp_path / "new", IDS, LOGITS + 1)
    (tmp_path / "new.npy").replace(tmp_path / "oof.npy")
    with pytest.raises(RunError, match="do not belong together"):
        read_predictions(tmp_path / "oof")


def test_missing_and_torn_files_are_told_apart(tmp_path):
    with pytest.raises(RunError, match="the run is unfinished, resume it first"):
        read_predictions(tmp_path / "oof")
    write_predictions(tmp_path / "oof", IDS, LOGITS)
    whole = (tmp_path / "oof.npy").read_bytes()
    for size in (0, 5, 100, len(whole) - 1):
        (tmp_path / "oof.npy").write_bytes(whole[:size])
        with pytest.raises(RunError, match=r"cannot be read|do not belong"):
            read_predictions(tmp_path / "oof")


@pytest.mark.parametrize(
    ("ids", "logits", "message"),
    [
        (IDS[:6], LOGITS, r"shape \(7, 18\) but there are 6 photo ids"),
        (IDS, LOGITS[:, :17], r"shape \(7, 17\)"),
        ([*IDS[:6], IDS[2]], LOGITS, f"{IDS[2]} stands twice"),
        (
            IDS,
            np.where(np.arange(7)[:, None] == 4, np.nan, LOGITS),
            "not finite; the training diverged, try a lower optim.lr",
        ),
    ],
)
def test_wrong_predictions_are_never_written(tmp_path, ids, logits, message):
    with pytest.raises(RunError, match=message):
        write_predictions(tmp_path / "oof", ids, logits)
    assert list(tmp_path.iterdir()) == []
