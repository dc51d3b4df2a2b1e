"""Known corrections as proposals: the published list and folder names; certain ones at once, others one by one."""

import pandas as pd
import pytest

from core.curation.fixes import (
    FOLDER_NAME,
    QUEUE,
    accept_certain,
    decide_fix,
    list_coverage,
    proposed_fixes,
)
from core.curation.known_fixes import LIST_NAME, PUBLISHED
from core.curation.labels import effective_labels
from core.errors import DecisionError
from core.storage.decisions import DecisionStore
from tests.test_labels import _photos

PEOPLE = [
    ("006359_female_Asian_20", 1, 20),  # certain: male
    ("004432_female_Asian_30", 1, 30),  # certain: female, and is so already
    ("000020_female_Asian_50", 1, 50),  # certain: swap
    ("001720_female_Asian_40", 1, 40),  # probable: male
    ("000645_male_Asian_40", 0, 40),  # probable: incorrect_mask is worn
    ("000767_male_Asian_40", 0, 40),  # disputed gender
    ("001009_male_Asian_58", 0, 58),  # disputed age
    ("000999_male_Asian_58", 1, 33),  # csv says female, 33
]
NO_ANOMALY = pd.DataFrame(columns=["kind", "path", "detail"])


@pytest.fixture
def photos():
    return _photos(PEOPLE).assign(kind=lambda table: [name.split("/")[-1].split(".")[0] for name in table.photo_id])


@pytest.fixture
def anomalies():
    path = "train/images/000999_male_Asian_58"
    return pd.DataFrame([("csv and folder disagree", path, "…")], columns=["kind", "path", "detail"])


@pytest.fixture
def store(workspace):
    return DecisionStore(workspace, "d")


def _labels(photos, store, person):
    table = effective_labels(photos, store.effective())
    return table[table.person_id == person].label.tolist()


def test_the_published_list_holds_every_id_of_the_task_once():
    ids = [written_id for _, _, group in PUBLISHED for written_id in group]
    assert len(ids) == len(set(ids)) == 12 + 4 + 23
    certain = [written_id for certainty, _, group in PUBLISHED if certainty == "certain" for written_id in group]
    assert len(certain) == 12
    assert "001498-1" in ids  # text, with its suffix


def test_only_people_of_the_data_set_are_proposed_certain_ones_first(photos, anomalies, store):
    fixes = proposed_fixes(photos, anomalies, store.effective())
    found = [(fix.source, fix.certainty, fix.person_id.split("_")[0], fix.state) for fix in fixes]
    assert found == [
        (LIST_NAME, "certain", "000020", "open"),
        (LIST_NAME, "certain", "004432", "in place"),
        (LIST_NAME, "certain", "006359", "open"),
        (LIST_NAME, "probable", "000645", "open"),
        (LIST_NAME, "probable", "001720", "open"),
        (FOLDER_NAME, "disputed", "000999", "open"),
        (LIST_NAME, "disputed", "000767", "open"),
        (LIST_NAME, "disputed", "001009", "open"),
    ]
    assert list_coverage(photos) == (3, 12)
    assert proposed_fixes(_photos().assign(kind=""), NO_ANOMALY, store.effective()) == []


def test_an_id_with_a_suffix_is_another_person(store):
    photos = _photos([("006359-1_female_Asian_20", 1, 20)]).assign(kind="")
    assert proposed_fixes(photos, NO_ANOMALY, store.effective()) == []


def test_an_id_that_stands_for_two_people_is_never_certain(store):
    photos = _photos([("006359_female_Asian_20", 1, 20), ("006359_female_Asian_25", 1, 25)]).assign(kind="")
    fixes = proposed_fixes(photos, NO_ANOMALY, store.effective())
    assert [fix.certainty for fix in fixes] == ["disputed", "disputed"]
    assert accept_certain(fixes, who="ann") == []


def test_all_certain_ones_are_one_batch_undone_in_one_step(photos, store):
    before = _labels(photos, store, "000020_female_Asian_50")
    decisions = accept_certain(proposed_fixes(photos, NO_ANOMALY, store.effective()), who="ann")
    store.append(decisions)
    assert _labels(photos, store, "006359_female_Asian_20") == [0, 0, 0, 0, 0, 6, 12]
    assert before == [4, 4, 4, 4, 4, 10, 16]
    assert _labels(photos, store, "000020_female_Asian_50") == [4, 4, 4, 4, 4, 16, 10]  # swapped
    assert {decision.queue for decision in decisions} == {QUEUE}
    states = {fix.person_id[:6]: fix.state for fix in proposed_fixes(photos, NO_ANOMALY, store.effective())}
    assert (states["006359"], states["000020"], states["001720"]) == ("accepted", "accepted", "open")
    assert accept_certain(proposed_fixes(photos, NO_ANOMALY, store.effective()), who="ann") == []
    assert store.undo_batch(decisions[0].batch_id, who="ann") == 3
    assert _labels(photos, store, "000020_female_Asian_50") == before


def test_the_others_are_decided_one_by_one_and_a_rejection_is_kept(photos, anomalies, store):
    def now():
        return proposed_fixes(photos, anomalies, store.effective())

    store.append(decide_fix(now(), f"{LIST_NAME}/000645_male_Asian_40", accept=True, who="ann"))
    assert _labels(photos, store, "000645_male_Asian_40")[5] == 1  # worn, male, 30-59
    store.append(decide_fix(now(), f"{LIST_NAME}/000767_male_Asian_40", accept=False, who="ann"))
    store.append(decide_fix(now(), f"{FOLDER_NAME}/000999_male_Asian_58", accept=True, who="bob"))
    assert _labels(photos, store, "000999_male_Asian_58") == [1, 1, 1, 1, 1, 7, 13]
    states = {fix.fix_id: fix.state for fix in now()}
    assert states[f"{LIST_NAME}/000767_male_Asian_40"] == "rejected"
    with pytest.raises(DecisionError, match="is rejected; undo that decision first"):
        decide_fix(now(), f"{LIST_NAME}/000767_male_Asian_40", accept=True, who="ann")
    with pytest.raises(DecisionError, match="names no right value"):
        decide_fix(now(), f"{LIST_NAME}/001009_male_Asian_58", accept=True, who="ann")
    given = decide_fix(now(), f"{LIST_NAME}/001009_male_Asian_58", accept=True, who="ann", values={"age_years": 61})
    store.append(given)
    assert (given[0].kind, given[0].origin) == ("relabel", "changed")
    assert _labels(photos, store, "001009_male_Asian_58")[0] == 2
    with pytest.raises(DecisionError, match="does not exist"):
        decide_fix(now(), "ghost", accept=True, who="ann")
