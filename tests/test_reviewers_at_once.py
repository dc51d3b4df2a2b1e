"""Several reviewers at once, small: the same measurement as benchmarks.reviewers prints."""

from benchmarks.reviewers import measure


def test_three_reviewers_at_once_lose_nothing_and_are_never_given_the_same_card():
    found = measure(reviewers=3, decisions=20, before=50)
    assert found["errors"] == []
    assert (found["rows"], found["mirror_lines"]) == (60, 60)
    assert (found["cards_given_to_two"], found["cards_decided_twice"]) == (0, 0)
    assert found["commit_ms"]["p95"] > 0
