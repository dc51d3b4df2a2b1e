"""Queues are filters over one table: members, limits, orders and counts."""

import numpy as np
import pytest

from core.curation.queues import NAMES, Filters, counts, queue_counts, queue_rows
from core.errors import DecisionError
from core.storage.decision_record import Decision
from core.taxonomy import CLASS_NAMES
from tests.test_review_table import made_up, read


@pytest.fixture(scope="module")
def made():
    return made_up(wrong=(7, 31))


@pytest.fixture(scope="module")
def table(made):
    return read(made, "person")


def test_pseudo_labels_are_evaluation_people_and_label_issues_train_people(table):
    assert set(queue_rows(table, "pseudo_labels", Filters()).split) == {"eval"}
    issues = queue_rows(table, "label_issues", Filters(), order="wrong")
    assert set(issues.split) == {"train"}
    assert set(issues.target.iloc[:2]) == {"p007", "p031"}
    assert (issues.wrong >= 0.05).all()
    assert len(queue_rows(table, "label_issues", Filters(issue="all"))) == 60


def test_the_age_boundary_queue_holds_who_is_near_in_years_or_in_doubt(table):
    near = queue_rows(table, "age_boundary", Filters(near_years=2, near_share=0.3))
    bands = table.cells.reshape(-1, 2, 3).sum(1)
    second = np.sort(bands, axis=1)[:, -2]
    expected = ((table.units.age >= 58) & (table.units.age <= 61)) | (second >= 0.3)
    assert set(near.target) == set(table.units.target[expected])
    few = queue_rows(table, "age_boundary", Filters(near_years=0, near_share=0.5))
    assert few.empty


@pytest.mark.parametrize(
    ("order", "ascending"),
    [("gain", False), ("wrong", False), ("entropy", False), ("margin", True), ("confidence", True)],
)
def test_each_order_puts_the_most_doubtful_first(table, order, ascending):
    rows = queue_rows(table, "label_issues", Filters(issue="all"), order=order)
    values = rows[order].to_numpy()
    assert (np.diff(values) >= 0).all() if ascending else (np.diff(values) <= 0).all()


def test_random_order_follows_the_seed_and_stays_when_others_are_decided(made, table):
    first = queue_rows(table, "pseudo_labels", Filters(), order="random", seed=3).target.tolist()
    assert first == queue_rows(table, "pseudo_labels", Filters(), order="random", seed=3).target.tolist()
    assert first != queue_rows(table, "pseudo_labels", Filters(), order="random", seed=4).target.tolist()
    gone = [f"{first[0]}-{kind}.jpg" for kind in ("normal",)]
    photos = [name for name, group in made[3].items() if group == first[0]]
    assert gone[0] in photos
    rejects = [Decision(who="kim", kind="reject", target=name, queue="pseudo_labels") for name in photos]
    after = queue_rows(read(made, "person", *rejects), "pseudo_labels", Filters(), order="random", seed=3)
    assert after.target.tolist() == first[1:]


def test_filters_limit_by_axis_class_fold_confidence_and_text(table):
    every = Filters(state="all", issue="all")
    units = queue_rows(table, "label_issues", every)

    def targets(**limits):
        return set(queue_rows(table, "label_issues", Filters(state="all", issue="all", **limits)).target)

    assert targets(axis="gender") == set(units.target[units.axis == "gender"])
    shown = table.photos[(table.photos.split == "train")]
    has = shown[(shown.label == 17) | (shown.proposal == 17)].person_id
    assert targets(label=17) == set(has) != set(units.target), CLASS_NAMES[17]
    assert targets(least=0.5, most=0.9) == set(units.target[units.confidence.between(0.5, 0.9)])
    assert targets(text="P00 mask1") == {f"p00{digit}" for digit in range(10)}
    assert targets(fold=3) == set()
    assert targets(picked=frozenset({"p001"})) == {"p001"}


def test_counts_tell_every_state_and_the_undecided_leave_out_what_was_put_off(made):
    decisions = [
        Decision(who="kim", kind="reject", unit="person", target="p007", queue="label_issues"),
        Decision(who="kim", kind="skip", unit="person", target="p031", queue="label_issues"),
    ]
    table = read(made, "person", *decisions)
    told = counts(table, "label_issues", Filters(issue="all"))
    assert (told["reject"], told["skip"], told["undecided"], told["all"]) == (1, 1, 58, 60)
    assert "p031" not in set(queue_rows(table, "label_issues", Filters()).target)
    assert queue_rows(table, "label_issues", Filters(state="skip")).target.tolist() == ["p031"]
    found = queue_counts(table)
    assert list(found) == list(NAMES)
    assert found["pseudo_labels"] == 20


def test_wrong_names_are_refused_with_those_that_exist(table):
    with pytest.raises(DecisionError, match="pseudo_labels, age_boundary"):
        queue_rows(table, "nothing", Filters())
    with pytest.raises(DecisionError, match="use one of gain"):
        queue_rows(table, "pseudo_labels", Filters(), order="size")
    with pytest.raises(DecisionError, match="does not belong"):
        queue_rows(table, "pseudo_labels", Filters(), order="disagreement")
    with pytest.raises(DecisionError, match="undecided"):
        Filters(state="done")
