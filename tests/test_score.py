"""Scoring against a truth file, matched by ImageID."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from core.errors import SubmissionError
from core.evaluation.uncertainty import macro_f1_interval
from core.submission.score import score_submission


@pytest.fixture
def files(tmp_path):
    """Paths of a submission and a truth file of 90 photos, and their frames."""
    rng = np.random.default_rng(0)
    truth = pd.DataFrame({"ImageID": [f"{i}.jpg" for i in range(90)], "ans": rng.integers(18, size=90)})
    guess = np.where(rng.random(90) < 0.7, truth.ans, rng.integers(18, size=90))
    return tmp_path, truth.assign(ans=guess), truth


def _score(files, submission=None, truth=None):
    folder, good_submission, good_truth = files
    paths = folder / "submission.csv", folder / "truth.csv"
    for path, frame in zip(
        paths,
        (good_submission if submission is None else submission, good_truth if truth is None else truth),
        strict=True,
    ):
        frame.to_csv(path, index=False)
    return score_submission(*paths)


def test_the_scores_are_scikit_learns_over_all_18_classes(files):
    _, submission, truth = files
    scores = _score(files)
    rules = {"labels": range(18), "average": "macro", "zero_division": 0}
    assert scores["macro_f1"] == pytest.approx(f1_score(truth.ans, submission.ans, **rules))
    assert scores["accuracy"] == pytest.approx((truth.ans == submission.ans).mean())
    assert scores["axis_accuracy"]["mask"] == pytest.approx((truth.ans // 6 == submission.ans // 6).mean())
    assert (scores["rows"], scores["rows_without_truth"]) == (90, 0)
    assert "macro_f1_low" not in scores


def test_rows_are_matched_by_imageid_and_other_columns_left_alone(files):
    _, submission, truth = files
    shuffled = submission.sample(frac=1, random_state=1)
    wide = truth.assign(age=3, gender="male")[["age", "ans", "gender", "ImageID"]]
    assert _score(files, shuffled, wide) == _score(files)


def test_a_truth_with_persons_gives_an_interval_by_person(files):
    _, submission, truth = files
    person = np.repeat([f"p{i}" for i in range(15)], 6)
    scores = _score(files, truth=truth.assign(person=person))
    expected = macro_f1_interval(truth.ans, submission.ans, person)
    assert (scores["macro_f1_low"], scores["macro_f1_high"]) == expected


def test_a_truth_of_a_part_scores_that_part(files):
    _, submission, truth = files
    scores = _score(files, truth=truth[:30])
    assert (scores["rows"], scores["rows_without_truth"]) == (30, 60)
    assert scores["accuracy"] == pytest.approx((truth.ans[:30] == submission.ans[:30]).mean())


def test_missing_imageids_are_named(files):
    _, submission, _ = files
    with pytest.raises(
        SubmissionError, match=r"lacks 2 of the 90 ImageIDs in truth\.csv, first 4\.jpg, 7\.jpg; score"
    ):
        _score(files, submission=submission.drop(index=[4, 7]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.rename(columns={"ans": "label"}), "has no column ans but 'ImageID,label'"),
        (lambda frame: frame[:0], "has a header but no row"),
        (lambda frame: pd.concat([frame, frame[:1]]), r"holds '0\.jpg' more than once"),
        (lambda frame: frame.assign(ans=frame.ans.astype(float)), r"ans '\d+\.0' of 0\.jpg is no class"),
        (lambda frame: frame.assign(ans=18), r"ans '18' of 0\.jpg is no class; give whole numbers 0\.\.17"),
        (lambda frame: frame.assign(ans=-1), r"ans '-1' of 0\.jpg is no class"),
    ],
)
def test_broken_submissions_and_truths_are_refused_by_file_and_value(files, change, message):
    _, submission, truth = files
    with pytest.raises(SubmissionError, match=r"submission\.csv.* " + message):
        _score(files, submission=change(submission))
    with pytest.raises(SubmissionError, match=r"truth\.csv.* " + message):
        _score(files, truth=change(truth))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SubmissionError, match=r"truth\.csv does not exist; check the path"):
        score_submission(tmp_path / "no.csv", tmp_path / "truth.csv")
