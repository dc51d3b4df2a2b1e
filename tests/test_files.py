"""A file is the old one or the new one."""

import pytest

from core.files import read_json, write_atomic, write_json, write_text


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "note.txt"
    write_text(path, "before")

    def break_off(file):
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, break_off)
    assert path.read_text(encoding="utf-8") == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["note.txt"]


def test_json_comes_back_as_it_went_in_with_korean_text(tmp_path):
    path = tmp_path / "deep" / "run.json"
    write_json(path, {"이름": "첫 번째", "fold": 1})
    assert read_json(path) == {"이름": "첫 번째", "fold": 1}
