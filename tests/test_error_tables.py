"""Where macro F1 is lost, against predictions that are mended photo by photo."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from core.errors import RunError
from core.evaluation import metrics
from core.evaluation.error_tables import (
    VIEWS,
    age_errors,
    axis_losses,
    class_losses,
    confidences,
    fold_scores,
    margins,
    part_losses,
)
from core.taxonomy import AXES, age_band, decode, decode_axis, encode


def _oracle(labels, predictions):
    return f1_score(labels, predictions, labels=range(18), average="macro", zero_division=0)


@pytest.fixture
def drawn():
    """300 people of seven photos: labels, predictions of which 40 % are wrong, ages, people, kinds."""
    rng = np.random.default_rng(5)
    ages = rng.integers(18, 61, size=300)
    gender = rng.integers(2, size=300)
    mask = np.tile([0, 0, 0, 0, 0, 1, 2], 300)
    labels = encode(mask, gender.repeat(7), age_band(ages).repeat(7))
    predictions = np.where(rng.random(2100) < 0.4, rng.integers(18, size=2100), labels)
    return pd.DataFrame(
        {
            "label": labels,
            "predicted": predictions,
            "age": ages.repeat(7),
            "person": np.repeat([f"p{i}" for i in range(300)], 7),
            "kind": np.tile(["mask1", "mask2", "mask3", "mask4", "mask5", "incorrect_mask", "normal"], 300),
            "fold": np.repeat(np.arange(300) % 3, 7),
        }
    )


def test_the_class_table_is_scikit_learns_and_lost_is_what_mending_the_class_gains(drawn):
    table = class_losses(metrics.confusion_matrix(drawn.label, drawn.predicted))
    precision, recall, f1, support = precision_recall_fscore_support(
        drawn.label, drawn.predicted, labels=range(18), zero_division=0
    )
    for name, oracle in {"precision": precision, "recall": recall, "f1": f1, "support": support}.items():
        assert table[name].tolist() == pytest.approx(oracle.tolist())
    for label in range(18):
        concerned = (drawn.label == label) | (drawn.predicted == label)
        mended = np.where(concerned, drawn.label, drawn.predicted)
        f1_mended = f1_score(drawn.label, mended, labels=[label], average="macro")
        assert f1_mended == 1
        gain = _oracle(drawn.label, mended) - _oracle(drawn.label, drawn.predicted)
        assert table.f1_lost[label] == pytest.approx(gain)
        assert gain >= (1 - table.f1[label]) / 18 - 1e-12


def test_a_class_that_never_occurs_loses_what_its_wrong_predictions_cost_the_others():
    table = class_losses(metrics.confusion_matrix([0, 0, 1, 1], [0, 2, 1, 1]))
    assert table.f1_lost[2] == pytest.approx((1 - 2 / 3) / 18)
    assert table.f1_lost[17] == 0


def test_lost_by_axis_is_what_the_true_value_of_that_axis_gains(drawn):
    table = axis_losses(metrics.confusion_matrix(drawn.label, drawn.predicted)).set_index("axis")
    true, said = decode(drawn.label), decode(drawn.predicted)
    for place, axis in enumerate(AXES):
        mended = encode(*(true[one] if one == place else said[one] for one in range(3)))
        gain = _oracle(drawn.label, mended) - _oracle(drawn.label, drawn.predicted)
        assert table.f1_lost[axis] == pytest.approx(gain)
        assert table.accuracy[axis] == pytest.approx(accuracy_score(true[place], said[place]))


def test_lost_by_photo_kind_is_what_the_truth_of_these_photos_gains_among_all(drawn):
    table = part_losses(drawn.label, drawn.predicted, drawn.kind, drawn.person).set_index("part")
    assert set(table.index) == set(drawn.kind)
    for kind in table.index:
        is_kind = (drawn.kind == kind).to_numpy()
        mended = np.where(is_kind, drawn.label, drawn.predicted)
        gain = _oracle(drawn.label, mended) - _oracle(drawn.label, drawn.predicted)
        right = (drawn.label == drawn.predicted)[is_kind]
        interval = binomtest(int(right.sum()), 300).proportion_ci(method="wilson")
        assert table.f1_lost[kind] == pytest.approx(gain)
        assert table.accuracy[kind] == right.mean()
        assert (table.low[kind], table.high[kind]) == pytest.approx((interval.low, interval.high))
        for axis in AXES:
            assert table.at[kind, axis] == accuracy_score(
                decode_axis(drawn.label[is_kind], axis), decode_axis(drawn.predicted[is_kind], axis)
            )


def test_each_fold_has_its_own_macro_f1_within_its_interval(drawn):
    table = fold_scores(drawn.label, drawn.predicted, drawn.fold, drawn.person)
    assert table.fold.tolist() == [0, 1, 2]
    for row in table.itertuples():
        photos = drawn[drawn.fold == row.fold]
        assert row.macro_f1 == pytest.approx(_oracle(photos.label, photos.predicted))
        assert row.low < row.macro_f1 < row.high
        assert (row.photos, row.people) == (len(photos), photos.person.nunique())


def test_age_errors_count_each_exact_age_by_side(drawn):
    table = age_errors(drawn.label, drawn.predicted, drawn.age, drawn.person)
    assert table.age.tolist() == sorted(set(drawn.age))
    for row in table.itertuples():
        photos = drawn[drawn.age == row.age]
        young = sum(p % 3 < t % 3 for t, p in zip(photos.label, photos.predicted, strict=True))
        old = sum(p % 3 > t % 3 for t, p in zip(photos.label, photos.predicted, strict=True))
        assert (row.too_young, row.too_old) == pytest.approx((young / len(photos), old / len(photos)))
        assert row.low <= row.wrong <= row.high
        assert (row.people, row.photos) == (photos.person.nunique(), len(photos))
    assert not table[table.age < 30].too_young.any()
    assert not table[table.age >= 60].too_old.any()


def test_an_unknown_age_is_left_out():
    assert age_errors([0, 1], [1, 1], [-1, 40], ["a", "b"]).age.tolist() == [40]
    assert age_errors([0], [1], [-1], ["a"]).empty


@pytest.mark.parametrize("name", VIEWS)
def test_a_coarser_matrix_is_the_matrix_of_coarser_classes(name, drawn):
    view = VIEWS[name]
    expected = confusion_matrix(view.group[drawn.label], view.group[drawn.predicted], labels=range(len(view.names)))
    found = view.matrix(metrics.confusion_matrix(drawn.label, drawn.predicted))
    assert found.tolist() == expected.tolist()


def test_views_name_what_they_take_together():
    assert VIEWS["age × gender"].names[VIEWS["age × gender"].group[10]] == "female, 30-59"
    assert VIEWS["age"].names[VIEWS["age"].group[17]] == ">=60"


def test_confidence_and_margin_compare_the_predicted_class_with_the_likeliest_other():
    pred_probs = np.full((3, 18), 0.01)
    pred_probs[0, [4, 5]] = 0.6, 0.24
    pred_probs[1, [4, 5]] = 0.24, 0.6
    pred_probs[2, [4, 5]] = 0.42, 0.42
    assert confidences(pred_probs, [4, 4, 4]).tolist() == [0.6, 0.24, 0.42]
    assert margins(pred_probs, [4, 4, 4]).tolist() == pytest.approx([0.36, -0.36, 0])


def test_tables_of_different_photos_are_refused():
    with pytest.raises(RunError, match="2 rows but parts has 1"):
        part_losses([0, 1], [0, 1], ["mask1"], ["a", "b"])
