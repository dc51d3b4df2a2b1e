"""Near duplicates and odd train photos: found by brute force too, kept, shown and named as a reason."""

import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.cli import cli
from core.dataset.duplicates import NEAR, near_pairs, photo_hashes
from core.dataset.images import decode_photo
from core.dataset.index import load_index
from core.people.finding import PIXELS
from core.people.odd_photos import ODD, odd_photos, odd_reasons
from core.storage.findings import open_finding, save_finding
from tests.serving import ROOT


def test_pairs_are_those_of_brute_force_over_single_bits():
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (60, 256)).astype(bool)
    bits[1:20] = bits[0] ^ (rng.random((19, 256)) < 0.05)
    hashes = np.packbits(bits, axis=1).view(np.uint64)
    expected = [
        (i, j, int((bits[i] != bits[j]).sum()))
        for i in range(60)
        for j in range(i + 1, 60)
        if (bits[i] != bits[j]).sum() <= 20
    ]
    found = near_pairs(hashes, most=20)
    assert sorted(found.itertuples(index=False, name=None)) == expected
    assert found.bits.is_monotonic_increasing
    assert len(expected) > 10


def test_a_photo_saved_again_keeps_its_hash_and_another_photo_has_another(demo_dir, index, tmp_path):
    paths = index.photos[index.photos.kind == "mask1"].path.head(2)
    with Image.open(demo_dir / paths.iloc[0]) as photo:
        photo.convert("RGB").save(tmp_path / "again.jpg", quality=60)
    files = [demo_dir / paths.iloc[0], tmp_path / "again.jpg", demo_dir / paths.iloc[1]]
    hashes = photo_hashes(np.stack([decode_photo(file, PIXELS) for file in files]))
    between = np.bitwise_count(hashes[:, None] ^ hashes[None]).sum(axis=2)
    assert between[0, 1] <= NEAR < between[0, 2]


@pytest.fixture(scope="module")
def crowded(demo_dir, tmp_path_factory):
    """The demo set with a train photo copied to another person, and one copied to evaluation as another file."""
    data = tmp_path_factory.mktemp("crowded") / "data"
    shutil.copytree(demo_dir, data)
    folders = sorted((data / "train" / "images").glob("[0-9]*"))
    people = [one for one in folders if {path.stem for path in one.iterdir()} >= {"mask1", "mask2"}]
    first, second = (next(person.glob("mask1.*")) for person in people[:2])
    for stale in people[1].glob("mask1.*"):
        stale.unlink()
    shutil.copyfile(first, second.with_suffix(first.suffix))
    evaluation = min((data / "eval" / "images").glob("*.jpg"))
    with Image.open(next(people[2].glob("mask2.*"))) as photo:
        photo.convert("RGB").save(evaluation, "JPEG", quality=70)
    return data


def test_duplicates_across_people_and_sets_are_found_from_the_command_line(crowded, workspace):
    done = CliRunner().invoke(cli, ["duplicates", "--data", str(crowded), "--workspace", str(workspace.root)])
    assert done.exit_code == 0, done.output
    index = load_index(crowded, workspace)
    pairs = open_finding(workspace, index.dataset_id, "duplicates").table
    assert pairs["where"][pairs.same_file].tolist() == ["two people"]
    assert "train and evaluation" in pairs["where"].tolist()
    assert set(pairs["first"]) | set(pairs["second"]) <= set(index.photos.photo_id)


def test_a_photo_in_a_wrong_folder_is_the_oddest_and_becomes_a_reason():
    rng = np.random.default_rng(3)
    people = np.repeat([f"p{one:02d}" for one in range(40)], 7)
    features = np.repeat(rng.normal(size=(40, 30)), 7, axis=0) + 0.3 * rng.normal(size=(280, 30))
    ids = [f"{person}/{place % 7}" for place, person in enumerate(people)]
    features[[3, 72]] = features[[72, 3]]  # p00 and p10 swap a photo
    table = odd_photos(features, ids, people.tolist())
    assert sorted(table.photo_id) == sorted(ids)
    odd = table[table.fits < ODD]
    assert odd.photo_id.head(2).sort_values().tolist() == ["p00/3", "p10/2"]
    same_half = odd.set_index("photo_id").nearest.to_dict()
    assert same_half["p00/3"] in {"p10", *people} - {"p00"}
    reasons = odd_reasons(table, pd.Series({"p00/3": "mask4"}))
    assert reasons["p00"][0].startswith("mask4 looks like ")
    assert set(reasons) == set(odd.person_id)


def test_the_page_searches_as_a_job_and_shows_what_was_found(crowded, workspace, trained_run, monkeypatch):
    shutil.copytree(trained_run[0].root / "runs", workspace.root / "runs")
    monkeypatch.setenv("MASKDESK_DATA", str(crowded))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(workspace.root))
    index = load_index(crowded, workspace)
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
    app = app.switch_page(str(ROOT / "pages" / "people.py")).run()
    for shown, name in (("duplicates", "duplicates"), ("odd", "odd_photos")):
        app.segmented_control(key="people-show").set_value(shown).run()
        assert not app.exception
        assert "Nobody has searched yet" in app.info[0].value
        assert app.button(key=f"search-{name}").label.startswith("Find ")
    train = index.photos[index.photos.split == "train"].head(2)
    about = {"fingerprint": index.fingerprint, "photos": 5}
    odd = pd.DataFrame({"photo_id": train.photo_id, "person_id": train.person_id, "fits": [0.1, 0.9], "nearest": "x"})
    save_finding(workspace, index.dataset_id, "odd_photos", odd, about=about)
    app.run()
    assert "**1** of 2 train photos" in " ".join(one.value for one in app.markdown)
    pair = pd.DataFrame({"first": [train.photo_id.iloc[0]], "second": [train.photo_id.iloc[1]], "bits": [3],
                         "same_file": [False], "where": ["one person"]})  # fmt: skip
    save_finding(workspace, index.dataset_id, "duplicates", pair, about=about)
    app.segmented_control(key="people-show").set_value("duplicates").run()
    assert not app.exception
    assert "one person · 3 of 256 bits differ" in [one.value for one in app.caption]
