"""What was written, what it scored, what it changes; and that nothing broken is ever written unseen."""

import json
import sqlite3

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy.stats import multivariate_normal

from benchmarks.drawn_runs import draw_index, draw_run
from core.cli import cli
from core.cli.options import Settings
from core.errors import LabelingError, SubmissionError
from core.evaluation.metrics import macro_f1
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.submissions import SubmissionLedger
from core.submission.assemble import open_ballot, rows_of
from core.submission.checks import check_submission
from core.submission.combine import combine
from core.submission.deciding import vote
from core.submission.difference import difference
from core.submission.expectation import believe
from core.submission.export import draft_submission, write_submission
from core.submission.finding import is_blocked
from core.submission.importing import belief_of_runs, gate_file, import_submission
from core.submission.overview import common_recipe, ledger_table
from core.submission.recipe import METHODS, make_recipe
from core.submission.references import references_for
from core.submission.scored import _Process, estimate_scores


@pytest.fixture
def desk(workspace, tmp_path):
    index, truth = draw_index(tmp_path / "data")
    for seed, name in enumerate(["one", "two"]):
        draw_run(workspace, index, truth, name, seed=seed, strength=1.5 + seed / 2)
    return workspace, index, truth[(index.photos.split == "eval").to_numpy()]


def _csv(index, classes):
    ids = index.photos.photo_id[index.photos.split == "eval"]
    return pd.DataFrame({"ImageID": ids, "ans": classes}).to_csv(index=False, lineterminator="\n").encode()


def _write(desk, *names, **settings):
    recipe = make_recipe(members=[f"run:{name}" for name in names], **settings)
    return write_submission(*desk[:2], draft_submission(*desk[:2], recipe))


def test_a_reported_score_is_mended_by_another_row_and_none_is_ever_changed(desk):
    workspace, index, _ = desk
    _write(desk, "one")
    ledger = SubmissionLedger(workspace, index.dataset_id)
    ledger.report(1, 0.56, who="ann")
    ledger.report(1, 0.65, who="ann", comment="misread")
    ledger.report(1, 0.61, who="ann", board="private")
    assert ledger.list()[["public", "private"]].iloc[0].tolist() == [0.65, 0.61]
    assert ledger.reports(1).score.tolist() == [0.56, 0.65, 0.61]
    ledger.report(1, None, who="ann")
    assert np.isnan(ledger.list().public.iloc[0])
    with sqlite3.connect(ledger.path) as connection:
        for statement in ("UPDATE scores SET score = 1", "DELETE FROM scores"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    for number, score, board, words in (
        (9, 0.5, "public", "submission 9 is not in the ledger"),
        (1, 76.48, "public", "score 76.48 is outside 0..1"),
        (1, 0.5, "secret", "board 'secret' does not exist"),
    ):
        with pytest.raises(SubmissionError, match=words):
            ledger.report(number, score, who="ann", board=board)


def test_a_ledger_of_the_first_version_is_read_on(desk):
    workspace, index, _ = desk
    made = _write(desk, "one")
    with sqlite3.connect(workspace.submissions / "ledger.sqlite") as connection:
        connection.execute("DROP TABLE scores")
        connection.execute("PRAGMA user_version = 1")
    table = SubmissionLedger(workspace, index.dataset_id).list()
    assert table.sha256.tolist() == [made["sha256"]]
    assert table.public.isna().all()


def test_the_expected_score_is_near_the_true_one_and_lies_in_the_manifest(desk):
    workspace, index, truth = desk
    draft = draft_submission(workspace, index, make_recipe(members=["run:one", "run:two"]))
    true = macro_f1(truth, draft.labels)
    assert draft.expected.mean == pytest.approx(true, abs=0.08)
    assert draft.expected.low < draft.expected.mean < draft.expected.high
    made = write_submission(workspace, index, draft)
    assert made["expected"]["mean"] == pytest.approx(draft.expected.mean, abs=1e-4)


@pytest.mark.parametrize("prior", ["em", "bbse", "both"])
def test_a_prior_corrects_what_is_submitted(desk, prior):
    workspace, index, _ = desk
    draft = draft_submission(workspace, index, make_recipe(members=["run:one"], prior=prior, decide="most_probable"))
    expected = draft.belief.corrected(prior).argmax(1)
    np.testing.assert_array_equal(draft.labels, expected)
    assert (draft.labels != draft.combined.labels).any()


def test_classes_can_be_decided_for_the_highest_expected_score(desk):
    workspace, index, _ = desk
    plain, best = (
        draft_submission(workspace, index, make_recipe(members=["run:one"], prior="em", decide=decide))
        for decide in ("most_probable", "macro_f1")
    )
    assert (plain.labels != best.labels).any()
    assert best.expected.mean > plain.expected.mean - 0.005


def test_leaving_a_file_out_at_once_equals_estimating_it_without_its_score():
    rng = np.random.default_rng(0)
    points, values = rng.random((9, 2)), rng.random(9)
    covariance = np.exp(-np.abs(points[:, None] - points[None]).sum(-1) / 0.5) + 0.05 * np.eye(9)
    process = _Process(covariance, values)
    for out in range(9):
        rest = np.delete(np.arange(9), out)
        alone = _Process(covariance[np.ix_(rest, rest)], values[rest])
        mean, deviation = alone.predict(covariance[rest][:, [out]], covariance[out, [out]])
        assert process.left_out[out] == pytest.approx(values[out] - mean[0])
        inverse = np.linalg.inv(covariance[np.ix_(rest, rest)])
        constant = inverse.sum(0) @ values[rest] / inverse.sum()
        assert mean[0] == pytest.approx(constant + covariance[out, rest] @ inverse @ (values[rest] - constant))
        assert 0 < deviation[0] < 1.5


def test_the_likelihood_is_that_of_contrasts_which_no_constant_moves():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(5, 5))
    values = rng.normal(size=5)
    contrasts = np.eye(5)[:-1] - np.eye(5)[1:]  # (4, 5), each sums to 0

    def both(covariance):
        normal = multivariate_normal(np.zeros(4), contrasts @ covariance @ contrasts.T)
        return _Process(covariance, values).unlikelihood, -2 * normal.logpdf(contrasts @ values)

    ours, theirs = zip(both(root @ root.T + np.eye(5)), both(np.diag(rng.random(5) + 1)), strict=True)
    assert ours[0] - ours[1] == pytest.approx(theirs[0] - theirs[1])


def test_scores_of_like_files_tell_a_new_files_score():
    rng = np.random.default_rng(1)
    truth = rng.integers(18, size=3000)
    wrong = rng.integers(18, size=3000)
    shares = [*np.linspace(0.5, 0.9, 9), 0.73]
    files = [np.where(np.arange(3000) < share * 3000, truth, wrong) for share in shares]
    scores = [macro_f1(truth, file) for file in files]
    found = estimate_scores(files, [*scores[:-1], np.nan])
    assert found.mean[-1] == pytest.approx(scores[-1], abs=0.02)
    assert found.loo_error < 0.03
    assert (found.deviation >= found.loo_error).all()
    with pytest.raises(SubmissionError, match="4 files have a reported score; an estimate from them needs 5"):
        estimate_scores([truth] * 6, [0.5] * 4 + [np.nan] * 2)


def test_what_drawn_truths_have_in_common_mends_the_estimates():
    """Truths differ by how hard three groups of photos are; a file's score says it of the groups it is good at."""
    rng = np.random.default_rng(2)
    drawn = rng.normal(0.5, 0.05, size=(400, 3)) @ rng.dirichlet(np.ones(3), size=16).T  # (D, F)
    scores, drawn = drawn[0] + rng.normal(0, 0.001, 16), drawn[1:]
    files = [rng.integers(18, size=500) for _ in range(16)]
    reported = [*scores[:10], *[np.nan] * 6]
    errors = {
        name: np.abs(estimate_scores(files, reported, **given).mean - scores)
        for name, given in (("drawn", {"drawn": drawn}), ("expected", {"expected": drawn.mean(axis=0)}))
    }
    assert errors["drawn"].max() < 0.01
    assert errors["drawn"].mean() < errors["expected"].mean() / 3


def test_the_ledger_estimates_each_file_from_five_scores_on(desk):
    workspace, index, truth = desk
    ledger = SubmissionLedger(workspace, index.dataset_id)
    for number, (names, method) in enumerate(
        [(("one",), "soft"), (("two",), "soft"), (("one", "two"), "soft"), (("one", "two"), "logits"),
         (("one", "two"), "axes"), (("one", "two"), "stacked")], 1
    ):  # fmt: skip
        _write(desk, *names, method=method)
        if number == 5:
            assert ledger_table(workspace, index).estimate.isna().all()
        if number < 6:
            content = ledger.read(*ledger.list()[["file_name", "sha256"]].iloc[0])
            classes = pd.read_csv(pd.io.common.BytesIO(content)).ans.to_numpy()
            ledger.report(number, round(macro_f1(truth, classes), 4), who="me")
    table = ledger_table(workspace, index)
    assert table.number.tolist() == [6, 5, 4, 3, 2, 1]
    assert table.estimate.notna().all()
    assert (table.estimate - table.public).abs().max() < 0.1
    recipe = common_recipe(workspace, index)
    assert set(recipe.members) == {"run:one", "run:two"}
    rows = rows_of(index, DecisionStore(workspace, index.dataset_id).effective())
    by_belief = ledger_table(workspace, index, vote(workspace, rows, recipe).belief.drawn_scores)
    assert (by_belief.estimate - by_belief.public).abs().max() < 0.1
    assert by_belief.estimate_error[0] < table.estimate_error[0] + 0.01
    assert table.agreement.max() == 1.0
    unlike = _csv(index, np.full(len(truth), 17))
    import_submission(workspace, index, unlike, file_name="unlike.csv", override="a test")
    errors = ledger_table(workspace, index).estimate_error
    assert errors[0] > errors[1:].max() + 0.01  # nobody scored a file like it


def test_a_difference_names_moves_people_and_what_they_are_worth(desk):
    workspace, index, truth = desk
    rows = rows_of(index, DecisionStore(workspace, index.dataset_id).effective())
    recipe = make_recipe(members=["run:one", "run:two"])
    ballot = open_ballot(workspace, rows, recipe)
    belief = believe(ballot, combine(ballot, recipe))
    people = [str(place // 7) for place in range(280)]
    worse = truth.copy()
    worse[:14] = (truth[:14] + 3) % 18
    found = difference(worse, truth, people=people, belief=belief)
    assert found.rows.tolist() == list(range(14))
    assert found.people == 2
    assert found.moves.photos.sum() == 14
    for row in found.moves.itertuples():
        assert row.photos == ((worse == row._1) & (truth == row.to)).sum()
    assert found.by_axis["age"] == 0
    assert found.by_axis["gender"] == 14
    assert found.gain > 0
    assert found.wins > 0.9
    assert difference(truth, truth).moves.empty


def test_a_file_made_elsewhere_is_gated_kept_byte_for_byte_and_listed(desk):
    workspace, index, truth = desk
    content = _csv(index, truth)
    made = import_submission(workspace, index, content, file_name="../friend's best.csv", comment="from ann")
    assert made["file_name"].startswith("friend-s-best-")
    assert (workspace.submissions / made["file_name"]).read_bytes() == content
    broken = _csv(index, np.roll(truth, 1))
    assert is_blocked(gate_file(workspace, index, broken))
    with pytest.raises(SubmissionError, match="shifted rows"):
        import_submission(workspace, index, broken, file_name="b.csv")
    kept = import_submission(workspace, index, b"nonsense", file_name="b.csv", override="to remember it")
    assert kept["class_counts"] == []
    assert ledger_table(workspace, index).variant.tolist() == ["made elsewhere", "made elsewhere"]


def test_a_file_made_elsewhere_is_expected_to_score_like_our_own(desk):
    workspace, index, truth = desk
    belief = belief_of_runs(workspace, index)
    right, wrong = _csv(index, truth), _csv(index, np.where(np.arange(len(truth)) % 2, truth, (truth + 1) % 18))
    for content in (right, wrong):
        import_submission(workspace, index, content, file_name="f.csv", override="a test", belief=belief)
    table = ledger_table(workspace, index)
    assert table.expected[1] > table.expected[0] + 0.2
    assert (table.low < table.expected).all()
    checks = {one.check for one in gate_file(workspace, index, right, belief=belief)}
    assert ("class mix" in checks) == belief.shift.is_steady


def test_a_file_written_elsewhere_is_remembered_though_another_takes_its_place(desk, tmp_path):
    workspace, index, _ = desk
    for name in ("one", "two"):
        draft = draft_submission(workspace, index, make_recipe(members=[f"run:{name}"]))
        write_submission(workspace, index, draft, out=tmp_path / "mine.csv")
    (tmp_path / "mine.csv").unlink()
    assert ledger_table(workspace, index).problem.tolist() == ["", ""]
    assert ledger_table(workspace, index).agreement.min() < 1


@pytest.mark.parametrize("seed", range(4))
def test_no_sequence_of_actions_writes_a_file_the_gate_would_refuse_without_an_override(desk, seed):
    workspace, index, truth = desk
    rng = np.random.default_rng(seed)
    ids = index.photos.photo_id[index.photos.split == "eval"].tolist()
    store = DecisionStore(workspace, index.dataset_id)
    wrong = [lambda a: np.roll(a, 1), lambda a: a % 6, lambda a: np.full_like(a, 3), lambda a: a, lambda a: a[::-1]]
    for _ in range(12):
        action = rng.integers(4)
        override = "I want it" if rng.random() < 0.2 else ""
        try:
            if action == 0:
                members = rng.choice(["run:one", "run:two"], size=rng.integers(1, 3), replace=False).tolist()
                recipe = make_recipe(
                    members=members, method=rng.choice(list(METHODS)), prior=rng.choice(["none", "em"])
                )
                draft = draft_submission(workspace, index, recipe, with_decisions=bool(rng.integers(2)))
                write_submission(workspace, index, draft, override=override)
            elif action == 1:  # decisions, at times one class for everyone
                label = int(rng.integers(18))
                many = ids if rng.random() < 0.3 else rng.choice(ids, 5).tolist()
                store.append([Decision(who="me", kind="accept", target=name, proposal=label) for name in many])
            elif action == 2:
                content = _csv(index, wrong[rng.integers(len(wrong))](truth))
                import_submission(workspace, index, content, file_name="other.csv", override=override)
            else:
                SubmissionLedger(workspace, index.dataset_id).report(int(rng.integers(1, 4)), rng.random(), who="me")
        except LabelingError:
            continue
    rows = rows_of(index, store.effective())
    runs = [one for one in references_for(workspace, rows) if one.kind == "run"]
    info = pd.DataFrame({"ImageID": ids})
    written = list(workspace.submissions.glob("*.csv"))
    listed = SubmissionLedger(workspace, index.dataset_id).list()
    assert {path.name for path in written} == set(listed.file_name)
    for path in written:
        if is_blocked(check_submission(path, info, references=runs)):
            assert json.loads(path.with_suffix(".manifest.json").read_text())["override"] == "I want it"


def test_the_command_line_does_all_of_it(desk, monkeypatch, tmp_path):
    workspace, index, truth = desk
    monkeypatch.setattr(Settings, "load_index", lambda self: index)

    def run(*arguments, fails=False):
        done = CliRunner().invoke(cli, [*map(str, arguments), "--workspace", str(workspace.root), "--json"])
        assert (done.exception is not None) == fails, done.output
        return None if fails else json.loads(done.output.splitlines()[-1], parse_constant=pytest.fail)  # no NaN

    assert run("ensemble")["members"] == ["run:two", "run:one"]
    found = run("ensemble", "--run", "one", "--run", "two", "--all-methods", "--save", "pair")
    assert [row["name"] for row in found["scores"]] == ["run:two", "run:one", *METHODS]
    assert found["people"] == 60
    scores = {row["name"]: max(row["at_mix"], row["corrected"]) for row in found["scores"]}
    assert found["best"]["member"][2] == max(scores["run:one"], scores["run:two"])
    assert found["best"]["ensemble"][2] == max(scores[method] for method in METHODS)
    assert found["weights"] == [0.5, 0.5]  # of the recipe, not of the last method
    run("export", "--from", "pair", "--vote", "hard", fails=True)
    run("ensemble", "--run", "one", "--run", "two", "--weight", 0, "--weight", 0, fails=True)
    assert run("ensemble", "--run", "one", "--calibration", "axes")["recipe"]["calibration"] == "axes"
    assert run("ensemble", "--suggest")["steps"][0]["name"] == "run:two"
    rehearsed = run("ensemble", "--from", "pair", "--rehearse")["rehearsal"]
    assert {row["name"] for row in rehearsed} >= {"this ensemble", "run:one", "run:two"}
    (tmp_path / "friend.csv").write_bytes(_csv(index, truth))
    assert run("ensemble", "--add", tmp_path / "friend.csv")["member"] == "outside:friend"
    first = run("export", "--from", "pair", "--comment", "pair")
    second = run("export", "--run", "one", "--member", "outside:friend", "--vote", "hard", "--ties", "best_member")
    assert second["recipe"]["members"] == ["run:one", "outside:friend"]
    run("export", "--run", "two", "--vote", "axes", "--axis", "age=run:one", fails=True)
    assert run("gate", first["path"])["blocked"] is False
    (tmp_path / "bad.csv").write_bytes(_csv(index, np.roll(truth, 1)))
    run("gate", tmp_path / "bad.csv", fails=True)
    assert run("gate", tmp_path / "bad.csv", "--import", "--override", "to see")["path"]
    listed = run("ledger", "--report", 1, 0.5)["submissions"]
    assert [row["number"] for row in listed] == [3, 2, 1]
    assert listed[2]["public"] == 0.5
    assert run("diff", 1, 2)["photos"] == run("diff", second["path"], first["path"])["photos"] > 0
