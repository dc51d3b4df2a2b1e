"""What happened to a photo and a person, what differs between revisions, and where labels come from."""

import pandas as pd
import pytest

from core.config import DataConfig
from core.curation.history import difference_counts, label_differences, timeline
from core.curation.labels import effective_labels, training_table
from core.curation.limits import restrict
from core.curation.origins import decided_labels, origins
from core.errors import ConfigError, DecisionError
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.revision_names import RevisionNames
from tests.test_labels import _photos

PHOTOS = _photos().assign(kind=lambda table: [name.split("/")[-1].split(".")[0] for name in table.photo_id])
EVAL = PHOTOS.photo_id[PHOTOS.split == "eval"].tolist()


@pytest.fixture
def store(workspace):
    """bob is made female, one of his photos gets another mask, the first is taken back; two evaluation photos."""
    store = DecisionStore(workspace, "d")
    store.append(
        [Decision(who="ann", kind="relabel", unit="person", target="bob", gender=1, batch_id="b", why="hair")]
    )
    store.append([Decision(who="ann", kind="relabel", target="bob/normal.jpg", mask=1)])
    store.append([Decision(who="cat", kind="accept", target=EVAL[0], proposal=17, origin="model")])
    store.append([Decision(who="cat", kind="accept", target=EVAL[1], proposal=3)])
    store.undo_batch("b", who="eve")
    store.append([Decision(who="cat", kind="relabel", target=EVAL[0], proposal=17, gender=0)])
    return store


def test_a_photos_history_tells_what_each_row_changed_and_whether_it_stands(store):
    table = timeline(PHOTOS, store.all(), "bob/normal.jpg")
    assert table[["row", "who", "kind", "stands"]].to_numpy().tolist() == [
        [1, "ann", "relabel", False],
        [2, "ann", "relabel", True],
        [5, "eve", "undo", True],
    ]
    photo = "bob/normal.jpg"
    assert table.changes.tolist() == [[(photo, 12, 15)], [(photo, 15, 9)], [(photo, 9, 6)]]
    assert table.why[0] == "hair"


def test_a_persons_history_holds_that_of_all_photos(store):
    table = timeline(PHOTOS, store.all(), "bob")
    assert table.row.tolist() == [1, 2, 5]
    assert [len(changes) for changes in table.changes] == [7, 1, 7]


def test_an_evaluation_photo_shows_its_labels_one_after_the_other(store):
    assert timeline(PHOTOS, store.all(), EVAL[0]).changes.tolist() == [[(EVAL[0], -1, 17)], [(EVAL[0], 17, 14)]]


@pytest.mark.parametrize("target", ["", "nobody", EVAL[3]])
def test_nothing_happened_to_others(store, target):
    assert timeline(PHOTOS, store.all(), target).empty


def test_differences_between_two_revisions_name_each_photo_with_both_labels(store):
    table = label_differences(PHOTOS, store.effective(0), store.effective(2))
    assert table.person_id.tolist() == ["bob"] * 7
    assert table.set_index("kind").loc["normal", ["label_before", "label_after"]].tolist() == [12, 9]
    now = label_differences(PHOTOS, store.effective(0), store.effective())
    assert now.photo_id.tolist() == ["bob/normal.jpg", *EVAL[:2]]
    assert now.origin.tolist() == ["changed", "changed", "accepted"]
    back = label_differences(PHOTOS, store.effective(2), store.effective(0))
    assert back.label_before.tolist() == table.label_after.tolist()
    counts = difference_counts(table)
    assert counts.to_numpy().tolist() == [[0, 3, 5], [6, 9, 1], [12, 9, 1]]
    assert label_differences(PHOTOS, store.effective(3), store.effective(3)).empty
    assert difference_counts(now.iloc[:0]).empty


def test_a_changed_age_in_the_same_band_is_a_difference(store):
    before = store.effective()
    store.append([Decision(who="ann", kind="relabel", unit="person", target="eve", age_years=46)])
    table = label_differences(PHOTOS, before, store.effective())
    assert len(table) == 7
    assert set(zip(table.age_before, table.age_after, strict=True)) == {(45, 46)}


def test_revisions_have_names_that_never_change_their_meaning(workspace, store):
    names = RevisionNames(workspace, "d")
    names.add("before the fixes", 2, newest=6, who="ann", why="for the report")
    assert names.resolve("before the fixes", newest=6) == 2
    assert (names.resolve("4", newest=6), names.resolve("now", newest=6)) == (4, 6)
    assert names.list()[["name", "revision", "who", "why"]].to_numpy().tolist() == [
        ["before the fixes", 2, "ann", "for the report"]
    ]
    assert RevisionNames(workspace, "other").list().empty
    for name, revision, words in [
        ("before the  fixes", 3, "is taken by revision 2"),
        ("", 1, "with a letter"),
        ("7", 1, "with a letter"),
        ("now", 1, "with a letter"),
        ("later", 7, "there are 0 to 6"),
    ]:
        with pytest.raises(DecisionError, match=words):
            names.add(name, revision, newest=6, who="ann")
    with pytest.raises(DecisionError, match="'nonsense' does not exist; there are 0 to 6, now, and before the fixes"):
        names.resolve("nonsense", newest=6)


def test_origins_are_counted_for_train_and_evaluation_apart(store):
    table = origins(PHOTOS, store.effective()).set_index(["split", "origin"]).photos
    assert table.to_dict() == {
        ("train", "original"): 41, ("train", "model"): 0, ("train", "accepted"): 0, ("train", "changed"): 1,
        ("eval", "model"): 0, ("eval", "accepted"): 1, ("eval", "changed"): 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "labels"), [("none", [-1, -1]), ("model", [17, -1]), ("unchanged", [17, 3]), ("all", [14, 3])]
)
def test_evaluation_labels_can_be_limited_by_origin(store, limit, labels):
    table = effective_labels(PHOTOS, restrict(PHOTOS, store.effective(), train="none", evaluation=limit))
    assert table.label[-4:-2].tolist() == labels
    assert set(table.origin[table.split == "train"]) == {"original"}
    predicted = pd.Series([0, 1, 2, 5]).to_numpy()
    result, counts = decided_labels(EVAL, predicted, PHOTOS, store.effective(), limit)
    assert result.tolist() == [p if d < 0 else d for p, d in zip([0, 1], labels, strict=True)] + [2, 5]
    assert sum(counts.values()) == sum(label >= 0 for label in labels)


def test_what_a_person_rejected_counts_only_where_what_people_accept_does(store):
    store.append([Decision(who="ann", kind="reject", target=EVAL[0], proposal=17)])
    limited = {
        limit: effective_labels(PHOTOS, restrict(PHOTOS, store.effective(), train="all", evaluation=limit))
        for limit in ("model", "unchanged", "all")
    }
    assert [table.label.iloc[-4] for table in limited.values()] == [17, -1, -1]


@pytest.mark.parametrize(("pseudo_labels", "count"), [("none", 0), ("model", 1), ("unchanged", 2), ("accepted", 2)])
def test_a_training_takes_the_labels_that_its_settings_allow(store, pseudo_labels, count):
    config = DataConfig(folds=2, pseudo_labels=pseudo_labels)
    table = training_table(PHOTOS, store.effective(), config, seed=0)
    assert (table.source == "pseudo_label").sum() == count
    assert (table.source == "decision").sum() == 1
    without = training_table(PHOTOS, store.effective(), DataConfig(folds=2, train_decisions="none"), seed=0)
    assert set(without.source) == {"original"}


def test_a_limit_of_another_name_is_refused(store):
    with pytest.raises(ConfigError, match="'some' is not one of none, model, unchanged, all"):
        restrict(PHOTOS, store.effective(), train="some", evaluation="all")
