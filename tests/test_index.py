"""The reader: every trap of the real folders, each on a data set made for it."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.dataset import index as index_module
from core.dataset.index import load_index
from core.errors import DatasetError
from core.taxonomy import PHOTO_KINDS
from tests.photo_folders import MAN, WOMAN, edit_csv, rename_person, write_data_set, write_photo


@pytest.fixture
def root(tmp_path):
    """A data set with nothing odd in it."""
    return write_data_set(tmp_path / "data")


def _oddities(index, kind):
    return index.anomalies[index.anomalies.kind == kind].path.tolist()


def _detail(index, kind):
    return index.anomalies[index.anomalies.kind == kind].detail.iloc[0]


def test_a_sound_data_set_is_one_row_a_photo_with_nothing_odd(root, workspace):
    index = load_index(root, workspace)
    columns = ["photo_id", "person_id", "split", "path", "mask", "gender", "age", "label", "width", "height"]
    assert set(columns) <= set(index.photos)
    assert index.anomalies.empty
    assert index.photos.photo_id.is_unique
    man = index.photos[index.photos.person_id == MAN]
    assert man.kind.tolist() == list(PHOTO_KINDS)
    assert man.path.tolist() == [f"train/images/{MAN}/{kind}.jpg" for kind in PHOTO_KINDS]
    assert man.label.tolist() == [0, 0, 0, 0, 0, 6, 12]
    assert man.age.tolist() == [25] * 7
    assert index.photos[index.photos.person_id == WOMAN].label.tolist() == [5] * 5 + [11, 17]
    assert (index.photos.width == 384).all()
    assert (index.photos.height == 512).all()
    assert index.photos.readable.all()


def test_evaluation_rows_keep_the_order_of_info_csv_and_have_no_label(root, workspace):
    evaluation = load_index(root, workspace).photos.query("split == 'eval'")
    assert evaluation.photo_id.tolist() == pd.read_csv(root / "eval/info.csv").ImageID.tolist()
    assert evaluation.photo_id.tolist() != sorted(evaluation.photo_id)
    assert (evaluation[["mask", "gender", "age", "label"]] == -1).all(axis=None)
    assert (evaluation.person_id == "").all()


def test_hidden_files_and_folders_are_no_photos(root, workspace):
    images = root / "train/images"
    junk = [images / "._x", images / MAN / "._mask1.jpg", images / MAN / ".ipynb_checkpoints/normal-checkpoint.jpg",
            images / ".ipynb_checkpoints/mask1.jpg", root / "eval/images/._a.jpg"]  # fmt: skip
    for path in junk:
        write_photo(path.with_suffix(".jpg"), 1).replace(path)
    index = load_index(root, workspace)
    assert len(index.photos) == 16
    assert sorted(_oddities(index, "hidden file")) == sorted(path.relative_to(root).as_posix() for path in junk)
    assert set(index.anomalies.kind) == {"hidden file"}


def test_endings_may_be_mixed_within_a_folder_and_in_capitals(root, workspace):
    for kind, ending in (("mask1", ".jpeg"), ("normal", ".png"), ("mask2", ".JPG")):
        (root / "train/images" / MAN / f"{kind}.jpg").unlink()
        write_photo(root / "train/images" / MAN / f"{kind}{ending}", 7)
    man = load_index(root, workspace).photos.query("person_id == @MAN")
    assert man.kind.tolist() == list(PHOTO_KINDS)
    assert man.label.tolist() == [0, 0, 0, 0, 0, 6, 12]


def test_an_id_with_a_suffix_is_another_person_and_ids_stay_text(tmp_path, workspace):
    folders = ("000123_male_Asian_25", "000123-1_female_Asian_45")
    photos = load_index(write_data_set(tmp_path / "data", folders=folders), workspace).photos
    train = photos[photos.split == "train"]
    assert train.groupby("person_id").size().to_dict() == dict.fromkeys(folders, 7)
    assert train.groupby("person_id").age.first().to_dict() == {folders[0]: 25, folders[1]: 45}


def test_an_id_that_stands_twice_with_two_ages_is_two_people_and_is_reported(tmp_path, workspace):
    folders = ("003397_male_Asian_20", "003397_male_Asian_59")
    index = load_index(write_data_set(tmp_path / "data", folders=folders), workspace)
    ages = index.photos[index.photos.split == "train"].groupby("person_id").age.unique()
    assert {person: age.tolist() for person, age in ages.items()} == {folders[0]: [20], folders[1]: [59]}
    assert len(_oddities(index, "id used twice")) == 1
    assert "003397 stands 2 times" in _detail(index, "id used twice")


def test_width_and_height_are_those_of_the_upright_photo(root, workspace):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = f"train/images/{MAN}/mask1.jpg"
    write_photo(root / path, 77, size=(512, 384), exif=exif)
    index = load_index(root, workspace)
    row = index.photos.set_index("path").loc[path]
    assert (row.width, row.height) == (384, 512)
    assert index.anomalies.empty


def test_where_csv_and_folder_name_disagree_the_csv_counts_and_the_place_is_told(root, workspace):
    edit_csv(root / "train/train.csv", "000001,male,Asian,25", "000001,female,Asian,31")
    index = load_index(root, workspace)
    man = index.photos[index.photos.person_id == MAN]
    assert man.label.tolist() == [4] * 5 + [10, 16]
    assert _oddities(index, "csv and folder disagree") == [f"train/images/{MAN}"]
    assert _detail(index, "csv and folder disagree") == "csv female 31, folder male 25; the csv is used"


def test_a_folder_that_the_csv_does_not_list_is_read_from_its_name(root, workspace):
    edit_csv(root / "train/train.csv", f"000001,male,Asian,25,{MAN}\n", "")
    index = load_index(root, workspace)
    assert index.photos[index.photos.person_id == MAN].label.tolist() == [0, 0, 0, 0, 0, 6, 12]
    assert _oddities(index, "not in csv") == [f"train/images/{MAN}"]


def test_folder_names_alone_are_enough_when_the_csv_is_its_header(root, workspace):
    before = load_index(root, workspace).photos
    (root / "train/train.csv").write_text("id,gender,race,age,path\n", encoding="utf-8")
    index = load_index(root, workspace)
    pd.testing.assert_frame_equal(index.photos, before)
    assert len(_oddities(index, "not in csv")) == 2


def test_a_folder_of_any_name_is_read_when_the_csv_lists_it(root, workspace):
    rename_person(root, MAN, "someone")
    edit_csv(root / "train/train.csv", MAN, "someone")
    photos = load_index(root, workspace).photos
    assert photos[photos.person_id == "someone"].age.tolist() == [25] * 7


def test_a_folder_that_nothing_explains_is_left_out_and_reported(root, workspace):
    rename_person(root, MAN, "holiday")
    index = load_index(root, workspace)
    assert set(index.photos.person_id) == {WOMAN, ""}
    assert _oddities(index, "not in csv") == ["train/images/holiday"]
    assert _oddities(index, "missing folder") == [f"train/images/{MAN}"]


@pytest.mark.parametrize("wrong", ["mael,Asian,25", "male,Asian,251", "male,Asian,", "male,Asian,2.5"])
def test_a_gender_or_age_that_cannot_be_is_reported_and_the_name_is_asked(root, workspace, wrong):
    edit_csv(root / "train/train.csv", "000001,male,Asian,25", f"000001,{wrong}")
    index = load_index(root, workspace)
    assert index.photos[index.photos.person_id == MAN].age.tolist() == [25] * 7
    assert _oddities(index, "label out of range") == [f"train/images/{MAN}"]


def test_an_answer_outside_the_18_classes_in_info_csv_is_reported(root, workspace):
    edit_csv(root / "eval/info.csv", ".jpg,0\n", ".jpg,18\n")
    assert len(_oddities(load_index(root, workspace), "label out of range")) == 2


def test_missing_extra_and_miscounted_photos_are_reported_and_the_others_read(root, workspace):
    (root / "train/images" / MAN / "mask3.jpg").unlink()
    write_photo(root / "train/images" / WOMAN / "mask9.jpg", 501)
    write_photo(root / "train/images" / WOMAN / "normal.png", 502)
    write_photo(root / "train/images/stray.jpg", 503)
    (root / "train/images" / WOMAN / "notes.txt").write_text("hello")
    write_photo(root / "eval/images/extra.jpg", 504)
    gone = pd.read_csv(root / "eval/info.csv").ImageID[0]
    (root / "eval/images" / gone).unlink()
    index = load_index(root, workspace)
    assert sorted(_oddities(index, "missing photo")) == [f"eval/images/{gone}", f"train/images/{MAN}/mask3"]
    assert sorted(_oddities(index, "extra file")) == [
        "eval/images/extra.jpg", f"train/images/{WOMAN}/mask9.jpg", f"train/images/{WOMAN}/notes.txt",
        "train/images/stray.jpg",
    ]  # fmt: skip
    assert sorted(_oddities(index, "wrong count")) == [f"train/images/{MAN}", f"train/images/{WOMAN}"]
    assert index.photos[index.photos.person_id == WOMAN].kind.tolist() == [*PHOTO_KINDS, "normal"]
    row = index.photos.set_index("photo_id").loc[gone]
    assert not row.readable


def test_broken_photos_are_reported_by_kind_and_stay_in_the_table_as_unreadable(root, workspace):
    folder = root / "train/images" / MAN
    (folder / "mask1.jpg").write_bytes(b"")
    (folder / "mask2.jpg").write_text("<html>not found</html>")
    whole = (folder / "mask3.jpg").read_bytes()
    (folder / "mask3.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    png = write_photo(root / "x.png", 5).read_bytes()
    (folder / "mask4.jpg").unlink()
    (folder / "mask4.png").write_bytes(png[:-30])
    (folder / "mask5.jpg").write_bytes(whole + b"\0" * 100)
    (folder / "normal.jpg").write_bytes(whole + b"SEFT: what some telephones add")
    index = load_index(root, workspace)
    prefix = f"train/images/{MAN}"
    assert _oddities(index, "unreadable") == [f"{prefix}/mask1.jpg", f"{prefix}/mask2.jpg"]
    assert _oddities(index, "truncated") == [f"{prefix}/mask3.jpg", f"{prefix}/mask4.png"]
    man = index.photos[index.photos.person_id == MAN]
    assert man.readable.tolist() == [False, False, False, False, True, True, True]


def test_photos_of_another_size_and_equal_files_are_reported(root, workspace):
    write_photo(root / "train/images" / MAN / "mask1.jpg", 31, size=(300, 300))
    copy = root / "train/images" / WOMAN / "normal.jpg"
    copy.write_bytes((root / "train/images" / MAN / "normal.jpg").read_bytes())
    index = load_index(root, workspace)
    assert _detail(index, "wrong size").startswith("300 x 300, expected 384 x 512")
    assert _oddities(index, "duplicate file") == [f"train/images/{WOMAN}/normal.jpg"]
    assert f"{MAN}/normal.jpg" in _detail(index, "duplicate file")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda root: (root / "train/train.csv").unlink(), "train/train.csv does not exist"),
        (lambda root: (root / "eval/info.csv").unlink(), "eval/info.csv does not exist"),
        (lambda root: edit_csv(root / "train/train.csv", "gender", "sex"), "lacks the column gender; found id, sex"),
        (lambda root: edit_csv(root / "eval/info.csv", "ImageID", "image"), "lacks the column ImageID"),
        (lambda root: (root / "eval/info.csv").write_text(""), "not a csv table"),
        (lambda root: (root / "train/train.csv").write_bytes(b"id,\xff\xfe"), "not UTF-8"),
        (lambda root: edit_csv(root / "train/train.csv", MAN, "../../etc"), "is not the name of a folder"),
        (lambda root: edit_csv(root / "eval/info.csv", "00009.jpg", "/../9.jpg"), "is not the name of a photo"),
        (lambda root: edit_csv(root / "eval/info.csv", "9.jpg", "4.jpg"), "stands twice"),
    ],
)  # fmt: skip
def test_a_csv_that_is_missing_or_wrong_is_a_clear_error(root, workspace, change, words):
    change(root)
    with pytest.raises(DatasetError, match=words.replace(".", r"\.")):
        load_index(root, workspace)


def test_a_folder_that_is_no_data_set_is_a_clear_error(tmp_path, workspace):
    with pytest.raises(DatasetError, match=r"train/images does not exist; give the data set with --data"):
        load_index(tmp_path, workspace)


def test_a_csv_saved_by_a_spreadsheet_reads_the_same(root, workspace):
    before = load_index(root, workspace).photos
    path = root / "train/train.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    pd.testing.assert_frame_equal(load_index(root, workspace).photos, before)


def test_the_second_reading_looks_at_no_photo_and_gives_the_same_table(root, workspace, monkeypatch):
    first = load_index(root, workspace)

    def never(*arguments):
        raise AssertionError("a photo was opened again")

    monkeypatch.setattr(index_module, "inspect_photos", never)
    again = load_index(root, workspace)
    pd.testing.assert_frame_equal(again.photos, first.photos)
    pd.testing.assert_frame_equal(again.anomalies, first.anomalies)
    assert (again.dataset_id, again.fingerprint) == (first.dataset_id, first.fingerprint)


def test_a_changed_photo_is_noticed_and_it_alone_is_looked_at(root, workspace, monkeypatch):
    before = load_index(root, workspace)
    looked_at = []

    def inspect(data_dir, paths, on_progress):
        looked_at.extend(paths)
        return index_module_inspect(data_dir, paths, on_progress)

    index_module_inspect = index_module.inspect_photos
    monkeypatch.setattr(index_module, "inspect_photos", inspect)
    path = f"train/images/{MAN}/mask1.jpg"
    write_photo(root / path, 4711, size=(100, 100))
    after = load_index(root, workspace)
    assert looked_at == [path]
    assert after.fingerprint != before.fingerprint
    assert after.photos.set_index("path").loc[path, "width"] == 100
    assert after.dataset_id == before.dataset_id


def test_a_damaged_saved_table_is_made_again(root, workspace):
    first = load_index(root, workspace)
    (saved,) = workspace.cache.rglob("photos.parquet")
    saved.write_bytes(b"PAR1 half written")
    pd.testing.assert_frame_equal(load_index(root, workspace).photos, first.photos)


def test_reading_changes_nothing_in_the_data_set(root, workspace):
    state = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in root.rglob("*")}
    load_index(root, workspace)
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in root.rglob("*")} == state


def test_many_photos_are_inspected_by_workers_with_the_same_result(root, workspace, monkeypatch):
    from core.dataset import scan

    alone = load_index(root, workspace).photos
    monkeypatch.setattr(scan, "_FEW", 1)
    seen = []
    together = load_index(root, type(workspace)(workspace.root / "other"), on_progress=lambda *at: seen.append(at))
    pd.testing.assert_frame_equal(together.photos, alone)
    assert seen[-1] == (16, 16)
    assert np.array_equal(together.photos.digest, alone.digest)
