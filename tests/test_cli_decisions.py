"""The verbs about decisions, in one process: what they print as JSON is what the store holds."""

import json

import pytest
from click.testing import CliRunner

from core.cli import cli
from core.errors import DecisionError
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore


@pytest.fixture
def desk(demo_dir, workspace, index):
    store = DecisionStore(workspace, index.dataset_id)

    def core(*arguments):
        common = ["--json", "--data", str(demo_dir), "--workspace", str(workspace.root)]
        done = CliRunner().invoke(cli, [*map(str, arguments), *common], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout.splitlines()[-1])

    return core, store, index.photos


def test_history_tells_of_a_photo_and_a_person(desk):
    core, store, photos = desk
    person = photos.person_id.iloc[0]
    store.append([Decision(who="ann", kind="relabel", unit="person", target=person, age_years=61, why="grey")])
    told = core("history", "--person", person)
    assert [(row["who"], row["why"], row["stands"]) for row in told["rows"]] == [("ann", "grey", True)]
    assert len(told["rows"][0]["changes"]) in (0, 7)
    assert core("history", "--photo", photos.photo_id.iloc[0])["rows"][0]["unit"] == "person"
    for wrong in (["--photo", "ghost"], [], ["--photo", "a", "--person", "b"]):
        with pytest.raises(DecisionError):
            core("history", *wrong)


def test_revisions_are_named_listed_and_compared(desk):
    core, store, photos = desk
    photo = photos.photo_id[photos.split == "eval"].iloc[0]
    store.append([Decision(who="ann", kind="accept", target=photo, proposal=3)])
    assert core("revision", "name", "first evening") == {"name": "first evening", "revision": 1}
    store.append([Decision(who="ann", kind="reject", target=photo, proposal=3)])
    listed = core("revision", "list")
    assert (listed["newest"], listed["names"][0]["name"]) == (2, "first evening")
    diff = core("revision", "diff", "0", "first evening")
    assert [(row["photo_id"], row["label_before"], row["label_after"]) for row in diff["photos"]] == [(photo, -1, 3)]
    assert core("revision", "diff", "first evening")["counts"] == [
        {"label_before": 3, "label_after": -1, "photos": 1}
    ]
    assert core("revision", "diff", "0", "now")["photos"] == []


def test_fixes_are_listed_and_decided(desk, monkeypatch):
    core, _, photos = desk
    first, second = photos[photos.split == "train"].person_id.unique()[:2].tolist()
    published = (("certain", "swap", (first.split("_")[0],)), ("disputed", "age", (second.split("_")[0],)))
    monkeypatch.setattr("core.curation.fixes.PUBLISHED", published)
    listed = core("fixes", "list")
    assert [fix["certainty"] for fix in listed["fixes"] if fix["source"] == "published list"] == [
        "certain",
        "disputed",
    ]
    batch = core("fixes", "accept-certain", "--who", "ann")
    assert batch["decisions"] == 2
    assert core("undo", "--batch", batch["batch_id"])["undone"] == 2
    with pytest.raises(DecisionError, match="give one, such as --age 31"):
        core("fixes", "accept", f"published list/{second}")
    assert core("fixes", "accept", f"published list/{second}", "--age", 44)["decisions"] == 1
    assert core("fixes", "reject", f"published list/{first}")["decisions"] == 1
    assert core("fixes", "accept-certain") == {"decisions": 0, "batch_id": None}


def test_decisions_go_out_and_come_in_and_agreement_is_told(desk, tmp_path):
    core, store, photos = desk
    cards = photos.photo_id[photos.split == "eval"].tolist()[:4]
    for who, labels in (("ann", [1, 2, 3, 4]), ("bob", [1, 2, 3, 5])):
        store.append(
            [Decision(who=who, kind="accept", target=c, proposal=k) for c, k in zip(cards, labels, strict=True)]
        )
    told = core("agreement")
    assert [(row["first"], row["second"], row["label_same"]) for row in told["pairs"]] == [("ann", "bob", 0.75)]
    assert [row["target"] for row in told["disagreements"]] == [cards[3]]
    assert {"split": "eval", "origin": "accepted", "photos": 4} in told["origins"]
    assert core("decisions-export", "--out", tmp_path / "out.csv")["decisions"] == 8
    again = core("decisions-import", "--in", tmp_path / "out.csv")
    assert (again["new"], again["known"], again["conflicts"], again["unknown_targets"]) == (0, 8, [], [])
