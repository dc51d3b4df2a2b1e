"""A good file passes; each way to break it is found, with its cause."""

import numpy as np
import pandas as pd
import pytest

from core.errors import RunError
from core.submission.accidents import TEXT_ORDER
from core.submission.checks import check_submission
from core.submission.likeness import Reference
from core.taxonomy import PHOTO_KINDS, decode, encode, mask_of_kind

PEOPLE = 60


def _good(seed=0, people=PEOPLE):
    """info.csv's ids and true classes, in a shuffled order as the organisers give it."""
    rng = np.random.default_rng(seed)
    masks = np.tile([mask_of_kind(kind) for kind in PHOTO_KINDS], people)
    gender, age = (np.repeat(rng.integers(size, size=people), 7) for size in (2, 3))
    labels = rng.permutation(encode(masks, gender, age))
    ids = [f"{rng.integers(2**62):040x}.jpg" for _ in labels]
    return pd.DataFrame({"ImageID": pd.Series(ids, dtype=object), "ans": labels})


def _noisy(labels, seed=1, right=0.9):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(labels)) < right, labels, rng.integers(18, size=len(labels)))


GOOD = _good()
INFO = GOOD.assign(ans=0)


def _text(frame, **options):
    return frame.to_csv(index=False, lineterminator="\n", **options)


def _levels(submission, **options):
    found = check_submission(submission, INFO, **options)
    return {(finding.check, finding.level) for finding in found}, found


def _one(found, level):
    matching = [finding for finding in found if finding.level == level]
    assert len(matching) == 1, found
    return matching[0]


@pytest.mark.parametrize("seed", range(10))
def test_a_good_file_has_neither_red_nor_yellow_findings(tmp_path, seed):
    frame = _good(seed)
    path = tmp_path / "good.csv"
    path.write_text(_text(frame))
    references = [Reference("run a", _noisy(frame.ans.to_numpy(), seed))]
    for submission in (path, path.read_bytes(), frame):
        found = check_submission(submission, frame.assign(ans=0), references=references)
        assert {finding.level for finding in found} == {"ok"}
        assert [finding.check for finding in found] == [
            "file", "columns", "rows", "ids", "order", "classes", "constant column", "mask counts",
            "shifted rows", "class table", "agreement with runs",
        ]  # fmt: skip


def _floats():
    return GOOD.assign(ans=GOOD.ans.astype(float))


def _gap():
    frame = _floats()
    frame.loc[5, "ans"] = np.nan
    return frame


def _with(row, value):
    frame = GOOD.astype(object)
    frame.loc[row, "ans"] = value
    return frame


BROKEN = {
    "first row lost": (_text(GOOD[1:]), "rows", "419 instead of 420", "taken for a header"),
    "photo missing": (
        _text(GOOD.drop(index=7)),
        "ids", f"1 ImageIDs missing, first '{GOOD.ImageID[7]}'", "skipped",
    ),
    "photo twice": (
        _text(pd.concat([GOOD, GOOD[3:4]])),
        "ids", "1 ImageIDs more than once", "appended twice",
    ),
    "photo unknown": (
        _text(_with(2, 1).replace(GOOD.ImageID[2], "new.jpg")),
        "ids", "not in info.csv, first 'new", "another data set",
    ),
    "train photos": (
        _text(GOOD.assign(ImageID="000001_female_Asian_45/mask1.jpg")),
        "ids", "not in info.csv", "train set",
    ),
    "paths": (
        _text(GOOD.assign(ImageID="eval/images/" + GOOD.ImageID)),
        "ids", "420 ImageIDs not in", "paths were written",
    ),
    "no ending": (
        _text(GOOD.assign(ImageID=GOOD.ImageID.str[:-4])),
        "ids", "420 ImageIDs not in", "ending was cut off",
    ),
    "sorted": (_text(GOOD.sort_values("ImageID")), "order", "row 1 is", "sorted by name"),
    "shuffled": (_text(GOOD.sample(frac=1, random_state=0)), "order", "info.csv has", "shuffled"),
    "index column": (
        GOOD.to_csv(),
        "columns", "',ImageID,ans' instead of 'ImageID,ans'", "to_csv without index=False",
    ),
    "extra column": (_text(GOOD.assign(sure=1)), "columns", "'ImageID,ans,sure'", "columns too many"),
    "wrong order of columns": (_text(GOOD[["ans", "ImageID"]]), "columns", "'ans,ImageID'", "wrong order"),
    "no header": (
        _text(GOOD, header=False),
        "columns", "instead of 'ImageID,ans'", "header line is missing",
    ),
    "other names": (
        _text(GOOD.rename(columns={"ans": "label"})),
        "columns", "'ImageID,label'", "not a submission",
    ),
    "probabilities": (
        _text(GOOD[["ImageID"]].assign(**{f"p{label}": 1 / 18 for label in range(18)})),
        "columns", "'ImageID,p0,", "holds 18 probabilities a photo: write the class of the largest as ans",
    ),
    "probabilities alone": (
        _text(pd.DataFrame({f"p{label}": [1 / 18] * len(GOOD) for label in range(18)})),
        "columns", "'p0,p1,", "ensemble --add",
    ),
    "spelling": (_text(GOOD.rename(columns=str.lower)), "columns", "'imageid,ans'", "spelt differently"),
    "semicolons": (_text(GOOD, sep=";"), "columns", "'ImageID;ans'", "another separator"),
    "floats": (_text(_floats()), "classes", "420 are no whole number, first ", "floats"),
    "a gap": (_text(_gap()), "classes", "are no whole number", "floats"),
    "an empty answer": (
        _text(_with(4, "")),
        "classes", "1 are no whole number, first '' in row 5", "join left gaps",
    ),
    "nan as text": (
        _text(_with(4, "nan")),
        "classes", "1 are no whole number, first 'nan'", "join left gaps",
    ),
    "words": (
        _text(_with(0, "worn, male, <30")),
        "classes", "first 'worn, male, <30' in row 1", "class names",
    ),
    "18": (_text(GOOD.assign(ans=GOOD.ans + 1)), "classes", r"outside 0..17, first 18", "counted from 1"),
    "-1": (_text(_with(9, -1)), "classes", "1 lie outside 0..17, first -1 in row 10", "without a label"),
    "99": (_text(_with(9, 99)), "classes", "first 99 in row 10", "wrong class table"),
    "untouched": (_text(INFO), "constant column", "every row is class 0", "untouched sample file"),
    "constant": (
        _text(GOOD.assign(ans=4)),
        "constant column", "every row is class 4", "one class for every photo",
    ),
    "byte order mark": ("\ufeff" + _text(GOOD), "file", "byte order mark", "spreadsheet"),
    "torn line": (_text(GOOD)[:-30], "file", "1 lines have not 2 cells, first line 421", "torn"),
    "only a header": ("ImageID,ans\n", "rows", "0 instead of 420", "cut off"),
    "nothing": ("", "file", "is empty", ""),
    "another encoding": ("ImageID,ans\n\udcff,1\n", "file", "not in UTF-8 (byte 0xff in line 2)", ""),
}  # fmt: skip


MISUSED = {
    "spaces before ids": (" " + GOOD.ImageID, None, "spaces stand before or behind ImageIDs"),
    "capital letters": (GOOD.ImageID.str.upper(), None, "small letters were made capital"),
    "numbers of a spreadsheet": (
        GOOD.ImageID.where(GOOD.index != 3, "1.23E+15"),
        None,
        "a spreadsheet took ImageIDs for numbers",
    ),
    "spaces before classes": (None, " " + GOOD.ans.astype(str), "spaces stand before or behind the numbers"),
}


@pytest.mark.parametrize("how", MISUSED)
def test_what_editors_do_to_cells_is_named(how):
    ids, answers, cause = MISUSED[how]
    frame = GOOD.astype(object)
    frame = frame if ids is None else frame.assign(ImageID=ids)
    frame = frame if answers is None else frame.assign(ans=answers)
    assert cause in {finding.cause for finding in _levels(frame)[1] if finding.level == "red"}


def test_what_is_no_csv_at_all_is_named_by_its_first_bytes():
    text = _text(GOOD)
    for content, saw in (
        (text.encode("utf-16"), "not in UTF-8 but in UTF-16"),
        (b"PK\x03\x04\xff" + text.encode(), "a spreadsheet's workbook or a zip file"),
        (text.encode() + "가,0\n".encode("cp949"), "in line 422), perhaps in cp949"),
        (text.replace(",", ',"', 1).encode(), "a quote is never closed"),
    ):
        assert saw in _one(_levels(content)[1], "red").saw


def test_cells_written_otherwise_than_the_organisers_do_are_a_warning():
    quoted = "".join(f'"{one}","{label}"\n' for one, label in zip(GOOD.ImageID, GOOD.ans, strict=True))
    for content, check in (
        ("ImageID,ans\n" + quoted, "file"),
        (_text(GOOD).replace("\n", "\r"), "file"),
        (_text(GOOD.assign(ans=GOOD.ans.map("{:02}".format))), "classes"),
    ):
        assert _one(_levels(content.encode())[1], "yellow").check == check


def test_a_last_row_that_is_missing_was_not_taken_for_a_header():
    found = next(one for one in _levels(_text(GOOD[:-1]).encode())[1] if one.check == "rows")
    assert "cut off" in found.cause


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_has_a_red_finding_that_says_what_was_seen_and_why(kind):
    text, check, saw, cause = BROKEN[kind]
    found = check_submission(text.encode("utf-8", "surrogateescape"), INFO)
    red = [finding for finding in found if finding.level == "red" and finding.check == check]
    assert any(saw in finding.saw and cause in finding.cause for finding in red), found


def test_one_thing_that_is_broken_gives_one_red_finding():
    for kind in ("sorted", "index column", "floats", "18", "untouched", "byte order mark", "no header"):
        found = check_submission(BROKEN[kind][0].encode(), INFO)
        assert sum(finding.level == "red" for finding in found) == 1, (kind, found)


def test_a_missing_file_is_a_red_finding(tmp_path):
    (finding,) = check_submission(tmp_path / "no.csv", INFO)
    assert (finding.level, finding.check) == ("red", "file")
    assert "does not exist" in finding.saw


def test_a_frame_is_checked_as_it_would_be_written():
    levels, found = _levels(_gap())
    assert ("classes", "red") in levels
    assert "first '" in _one(found, "red").saw
    assert {level for _, level in _levels(GOOD)[0]} == {"ok"}


def test_windows_line_ends_are_a_warning_only():
    found = check_submission(_text(GOOD).replace("\n", "\r\n").encode(), INFO)
    assert _one(found, "yellow").saw == "lines end with CR LF"


def test_mask_counts_far_from_five_one_one_are_a_warning():
    frame = GOOD.assign(ans=np.where(GOOD.ans >= 12, GOOD.ans - 12, GOOD.ans))
    warning = next(finding for finding in _levels(frame)[1] if finding.check == "mask counts")
    assert warning.level == "yellow"
    assert warning.saw == "worn 360, incorrect 60, normal 0; 300 / 60 / 60 expected (5 / 1 / 1 a person)"
    few_off = GOOD.assign(ans=GOOD.ans.where(GOOD.index >= 15, GOOD.ans % 6))
    assert ("mask counts", "ok") in _levels(few_off)[0]


def _run(right=0.9, seed=1):
    return Reference("run a", _noisy(GOOD.ans.to_numpy(), seed, right))


def _red(answers, *references, **options):
    found = check_submission(GOOD.assign(ans=answers), INFO, references=references or [_run()], **options)
    return _one(found, "red")


@pytest.mark.parametrize("right", [0.9, 0.5])
@pytest.mark.parametrize(
    ("rows", "saw"),
    [(1, "answers stand 1 row too low"), (-3, "answers stand 3 rows too high"), (200, "200 rows too")],
)
def test_rows_that_are_shifted_are_seen_by_a_runs_predictions(right, rows, saw):
    found = _red(np.roll(GOOD.ans, rows), _run(right))
    assert (found.check, saw in found.saw) == ("shifted rows", True)
    assert "joined by position" in found.cause


def test_answers_in_reverse_or_sorted_order_are_seen_by_a_runs_predictions():
    by_name = GOOD.sort_values("ImageID").ans.to_numpy()
    for answers, saw in ((GOOD.ans.to_numpy()[::-1], "reverse order"), (by_name, "sorted ImageIDs")):
        assert saw in _red(answers).saw


def test_a_row_lost_in_the_middle_is_seen_where_it_was_lost():
    good = _good(people=300)
    answers = good.ans.to_numpy().copy()
    answers[1000:-1] = answers[1001:]
    reference = Reference("run a", _noisy(good.ans.to_numpy(), right=0.6))
    found = _one(check_submission(good.assign(ans=answers), good, references=[reference]), "red")
    assert "row 1,001 on answers stand 1 row too high" in found.saw or "row 801 on" in found.saw


def test_classes_in_text_order_are_seen_by_a_runs_predictions():
    assert TEXT_ORDER.tolist() == [0, 1, 10, 11, 12, 13, 14, 15, 16, 17, 2, 3, 4, 5, 6, 7, 8, 9]
    for answers in (np.argsort(TEXT_ORDER)[GOOD.ans], TEXT_ORDER[GOOD.ans]):
        found = _red(answers)
        assert found.check == "class table"
        assert "text order 0, 1, 10, 11" in found.saw


def test_axes_in_another_order_or_with_swapped_values_are_named():
    mask, gender, age = decode(GOOD.ans.to_numpy())
    wrong = (
        (gender * 9 + mask * 3 + age, "numbered by gender, then mask, then age"),
        (encode(mask, 1 - gender, age), "gender is numbered otherwise: male as female, female as male"),
        (encode(np.array([0, 2, 1])[mask], gender, age), "mask is numbered otherwise: incorrect as normal"),
        (encode(mask, gender, 2 - age), "age is numbered otherwise: <30 as >=60"),
    )
    for answers, saw in wrong:
        found = _red(answers)
        assert found.check == "class table"
        assert saw in found.saw


def test_answers_of_other_photos_and_a_lost_axis_are_red():
    assert _red(np.random.default_rng(0).permutation(GOOD.ans)).check == "agreement"
    found = check_submission(GOOD.assign(ans=GOOD.ans % 6), INFO, references=[_run()])
    assert "mask axis" in {finding.check for finding in found if finding.level == "red"}


@pytest.mark.parametrize("axis", ["mask", "gender", "age"])
def test_an_axis_in_other_rows_is_red_where_others_agree_on_it(axis):
    parts = dict(zip(("mask", "gender", "age"), decode(GOOD.ans.to_numpy()), strict=True))
    runs = [_run(0.8, 1), _run(0.7, 2)]
    for moved in (np.roll(parts[axis], 1), np.random.default_rng(0).permutation(parts[axis])):
        found = _red(encode(**(parts | {axis: moved})), *runs)
        assert (found.check, "another order of rows" in found.cause) == (f"{axis} axis", True)


def test_few_rows_say_nothing_of_an_axis():
    few = _good(people=6)
    mask, gender, age = decode(few.ans.to_numpy())
    answers = encode(mask, np.where(np.arange(42) % 3 == 0, 1 - gender, gender), age)
    found = check_submission(few.assign(ans=answers), few, references=[Reference("run a", few.ans.to_numpy())] * 2)
    assert "red" not in {finding.level for finding in found}


def test_an_axis_that_nobody_knows_is_no_accident_though_answers_are_at_chance():
    mask, gender, age = decode(GOOD.ans.to_numpy())
    rng = np.random.default_rng(0)
    runs = [Reference(f"run {n}", encode(mask, gender, rng.permutation(age)), score=0.4) for n in range(3)]
    found = check_submission(GOOD.assign(ans=encode(mask, gender, rng.permutation(age))), INFO, references=runs)
    assert "red" not in {finding.level for finding in found}


@pytest.mark.parametrize("right", [0.9, 0.5])
def test_a_part_of_the_rows_that_holds_other_answers_is_named(right):
    good = _good(people=400)
    answers, half, fifth = good.ans.to_numpy(), 1400, 2240
    runs = [Reference(f"run {n}", _noisy(answers, n, right)) for n in range(3)]
    shuffled = np.concatenate([answers[:half], np.random.default_rng(0).permutation(answers[half:])])
    one_class = np.where(np.arange(2800) < fifth, answers, 0)
    for broken, saw in ((shuffled, "rows 1,601 to 2,800"), (one_class, "to 2,800")):
        found = check_submission(good.assign(ans=broken), good, references=runs)
        one = next(one for one in found if one.check == "rows that stand apart")
        assert one.level == "red"
        assert saw in one.saw


def test_every_second_row_elsewhere_is_seen_by_the_masks_that_others_agree_on():
    good = _good(people=400)
    answers = good.ans.to_numpy()
    runs = [Reference(f"run {n}", _noisy(answers, n, 0.97)) for n in range(2)]
    mixed = answers.copy()
    mixed[::2] = np.random.default_rng(0).permutation(mixed[::2])
    found = {one.check: one for one in check_submission(good.assign(ans=mixed), good, references=runs)}
    assert found["masks"].level == "yellow"
    assert "of the masks agree with the most alike, two others agree on 9" in found["masks"].saw
    for fine, references in ((_noisy(answers, 9, 0.93), runs), (mixed, runs[:1])):  # one alone: who is right?
        assert "masks" not in {
            one.check for one in check_submission(good.assign(ans=fine), good, references=references)
        }


@pytest.mark.parametrize("seed", range(10))
def test_a_weak_or_different_run_is_no_accident(seed):
    frame = _good(seed)
    for right in (0.15, 0.3, 0.6):
        references = [
            Reference(f"run {n}", _noisy(frame.ans.to_numpy(), seed * 10 + n, right), score=right / 2)
            for n in range(3)
        ]
        answers = _noisy(frame.ans.to_numpy(), seed + 500, 0.5)
        found = check_submission(frame.assign(ans=answers), frame, references=references)
        assert "red" not in {finding.level for finding in found}, (right, found)


def test_runs_that_know_no_age_are_no_accident_though_they_never_agree_on_it():
    mask, gender, _ = decode(GOOD.ans.to_numpy())
    always_young = Reference("run a", encode(mask, gender, np.zeros_like(mask)))
    found = check_submission(
        GOOD.assign(ans=encode(mask, gender, np.ones_like(mask))), INFO, references=[always_young]
    )
    assert "red" not in {finding.level for finding in found}


def test_a_file_is_compared_with_the_estimated_mix_of_groups():
    mix = np.bincount(GOOD.ans % 6, minlength=6) / len(GOOD)
    assert ("class mix", "ok") in _levels(GOOD, mix=mix)[0]
    older = GOOD.assign(ans=np.where(GOOD.ans % 3 == 0, GOOD.ans + 2, GOOD.ans))
    found = [finding for finding in _levels(older, mix=mix)[1] if finding.check == "class mix"]
    assert found[0].level == "yellow"
    assert "of the people would have to change group" in found[0].saw


def test_the_same_answers_as_an_earlier_file_are_a_warning():
    earlier = Reference("submission 3", GOOD.ans.to_numpy(), "earlier")
    found = check_submission(GOOD, INFO, references=[_run(), earlier])
    assert "the same answers as submission 3" in _one(found, "yellow").saw


def test_references_of_other_photos_are_refused():
    with pytest.raises(RunError, match="predictions has 3 rows but info has 420"):
        check_submission(GOOD, INFO, references=[Reference("run a", np.zeros(3, dtype=int))])
