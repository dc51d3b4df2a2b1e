"""The demo set: layout, quirks, truth, and the same bytes again."""

import hashlib

import pandas as pd
import pytest
from PIL import Image

from core.dataset.demo import write_demo
from core.dataset.demo.population import plan_population
from core.errors import DatasetError
from core.taxonomy import PHOTO_KINDS, age_band, encode, mask_of_kind


def _hashes(root):
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others(tmp_path):
    for name, seed in (("one", 5), ("again", 5), ("other", 6)):
        write_demo(tmp_path / name, people=4, seed=seed)
    one, again, other = (_hashes(tmp_path / name) for name in ("one", "again", "other"))
    assert one == again
    photos = [path for path in one if path.endswith(".jpg") and "._" not in path]
    assert not {one[path] for path in photos} & set(other.values())


def test_every_train_person_has_seven_portrait_photos_under_the_competitions_names(demo_dir):
    train = pd.read_csv(demo_dir / "train/train.csv", dtype=str)
    for row in train.itertuples():
        assert row.path == f"{row.id}_{row.gender}_{row.race}_{row.age}"
        photos = [path for path in (demo_dir / "train/images" / row.path).glob("[!.]*") if path.is_file()]
        assert sorted(path.stem for path in photos) == sorted(PHOTO_KINDS)
        for path in photos:
            with Image.open(path) as photo:
                assert photo.size == (384, 512)


def test_evaluation_photos_info_and_truth_name_the_same_files_in_one_order(demo_dir):
    info = pd.read_csv(demo_dir / "eval/info.csv")
    truth = pd.read_csv(demo_dir / "truth/eval.csv")
    assert info.ImageID.tolist() == truth.ImageID.tolist()
    assert set(info.ImageID) == {path.name for path in (demo_dir / "eval/images").iterdir()}
    assert (info.ans == 0).all()
    assert info.ImageID.str.fullmatch(r"[0-9a-f]{40}\.jpg").all()
    expected = encode(truth["mask"], (truth.gender == "female").astype(int), age_band(truth.age))
    assert truth.ans.tolist() == expected.tolist()
    assert (truth.groupby("person")["mask"].value_counts().unstack() == [5, 1, 1]).all(axis=None)


def test_the_traps_of_the_real_folders_are_there(demo_dir):
    train = pd.read_csv(demo_dir / "train/train.csv", dtype=str)
    images = demo_dir / "train/images"
    assert train.id.str.endswith("-1").sum() == 1
    assert train.id.duplicated().sum() == 1
    assert train.path.is_unique
    endings = [{p.suffix for p in (images / path).glob("[!.]*") if p.is_file()} for path in train.path]
    assert {".png"} in endings
    assert {".jpeg"} in endings
    assert {".jpg", ".jpeg", ".png"} in endings
    assert list(images.glob("._*"))
    assert list(images.glob("*/._*.jpg"))
    assert list(images.rglob(".ipynb_checkpoints"))


@pytest.mark.parametrize("people", [12, 40, 120])
def test_every_group_trains_and_the_evaluation_set_has_another_mix(people):
    population = plan_population(people, seed=0)
    train = [person for person in population if person.split == "train"]
    evaluation = [person for person in population if person.split == "eval"]
    assert len(train) == round(0.75 * people)
    assert len(train) + len(evaluation) == people
    groups = {(person.gender, int(age_band(person.age))) for person in train}
    assert len(groups) == 6
    if people >= 40:
        assert {(person.gender, int(age_band(person.age))) for person in evaluation} == groups
    share = {
        split: sum(person.gender == 0 for person in members) / len(members)
        for split, members in (("train", train), ("eval", evaluation))
    }
    assert share["train"] < share["eval"]


def test_ages_are_written_as_18_to_60_and_everybody_older_is_60():
    population = plan_population(400, seed=1)
    assert {person.age for person in population} <= set(range(18, 61))
    assert any(person.years > 60 for person in population)
    assert all(person.age == 60 for person in population if person.years >= 60)


def test_about_one_percent_of_the_train_labels_is_wrong_and_the_truth_names_them():
    population = plan_population(1000, seed=2)
    photos = [(person, photo) for person in population if person.split == "train" for photo in person.photos]
    wrong_gender = [person for person, _ in photos if person.written_gender != person.gender]
    wrong_mask = [photo for _, photo in photos if mask_of_kind(_stem(photo.path)) != mask_of_kind(photo.kind)]
    assert 0.008 < (len(wrong_gender) + len(wrong_mask)) / len(photos) < 0.015
    assert wrong_gender
    assert wrong_mask


def test_the_planted_errors_stand_in_truth(demo_dir):
    noise = pd.read_csv(demo_dir / "truth/train_noise.csv")
    assert noise.columns.tolist() == ["path", "file", "true_gender", "true_mask"]
    assert len(noise) >= 2
    for row in noise.itertuples():
        assert (demo_dir / "train/images" / row.path / row.file).exists()
        assert row.true_gender not in row.path.split("_") or row.true_mask != _stem(row.file)


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(DatasetError, match="not an empty folder"):
        write_demo(tmp_path, people=4)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failure_on_the_way_leaves_nothing(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_demo(tmp_path / "demo", people=4, on_progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_at_all_photos(tmp_path):
    (tmp_path / "demo").mkdir()
    seen = []
    write_demo(tmp_path / "demo", people=4, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(7, 28), (14, 28), (21, 28), (28, 28)]


def test_too_few_people_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="at least 4"):
        write_demo(tmp_path / "demo", people=3)


def _stem(path):
    return path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
