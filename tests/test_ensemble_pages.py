"""The pages Ensemble and Submissions: every method, a saved ensemble, a file, its score, a second file."""

import json
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from benchmarks.drawn_runs import draw_run
from core.curation.limits import LIMITS
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.groupings import save_grouping
from core.storage.submissions import SubmissionLedger
from core.submission.ensemble import TIES
from core.submission.export import draft_submission
from core.submission.recipe import METHODS, list_recipes, make_recipe, open_recipe
from core.taxonomy import encode
from tests.synthetic import trained_on
from ui.findings import class_counts

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def open_page(demo_dir, index, workspace, monkeypatch):
    rng = np.random.default_rng(0)
    train = index.photos.label >= 0
    guessed = encode(rng.choice(3, len(train), p=[5 / 7, 1 / 7, 1 / 7]), rng.integers(2, size=len(train)), 1)
    truth = np.where(train, index.photos.label, guessed)
    for seed, name in enumerate(["one", "two", "three"]):
        draw_run(workspace, index, truth, name, seed=seed, dataset_id=index.dataset_id)
    monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(workspace.root))

    def go(page, **address):
        app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
        for name, value in address.items():
            app.query_params[name] = value
        return app.switch_page(str(ROOT / "pages" / f"{page}.py")).run()

    return go


def _sound(app):
    assert [error.value for error in [*app.exception, *app.error]] == []
    return app


def test_every_method_draws_with_a_score_of_unseen_people(open_page, workspace):
    app = _sound(open_page("ensemble"))
    assert set(app.multiselect(key="members").value) == {"run:one", "run:two", "run:three"}
    for method in METHODS:
        _sound(app.selectbox(key="method").set_value(method).run())
        scores = {metric.label: metric.value for metric in app.metric}
        assert 0.1 < float(scores["macro F1, out-of-fold"]) <= 1
        assert scores["people that count"] == "9"
    app.text_input(key="save-name").set_value("by-axis").run()
    _sound(next(button for button in app.button if button.label == "Save").click().run())
    assert list_recipes(workspace) == ["by-axis"]
    assert open_recipe(workspace, "by-axis").method == "axes"


def test_a_saved_ensemble_is_what_its_link_submits_and_no_choice_strays_to_another_page(open_page):
    app = _sound(open_page("ensemble"))
    app.multiselect(key="members").set_value(["run:one", "run:two"]).run()
    app.selectbox(key="method").set_value("axes").run()
    app.text_input(key="save-name").set_value("both").run()
    _sound(next(button for button in app.button if button.label == "Save").click().run())
    link = next(one.proto for one in app.get("page_link") if one.proto.label.startswith("Make a submission of both"))
    app.query_params.clear()
    app.query_params.update(dict(parse_qsl(link.query_string)))
    _sound(app.switch_page(str(ROOT / "pages" / "submissions.py")).run())
    assert app.multiselect(key="made-from").value == ["ensemble:both"]
    _sound(app.switch_page(str(ROOT / "pages" / "shift.py")).run())
    assert app.selectbox(key="calibrated-by").value == "bias"


def test_a_file_is_written_scored_and_compared_with_another(open_page, workspace, index):
    told = workspace.runs / "two" / "result.json"
    told.write_text(json.dumps(json.loads(told.read_text()) | {"macro_f1_low": 0.99}))
    app = _sound(open_page("submissions"))
    assert app.multiselect(key="made-from").value == ["run:two"]
    assert "expected macro F1" in {metric.label for metric in app.metric}
    ledger = SubmissionLedger(workspace, index.dataset_id)
    for members in (["run:one"], ["run:one", "run:two", "run:three"]):
        app.multiselect(key="made-from").set_value(members).run()
        _sound(next(button for button in app.button if button.label == "Write").click().run())
        assert "Written:" in app.success[0].value
    assert len(ledger.list()) == 2
    app.session_state["reviewer"] = "Ann"
    app.number_input(key="score-0").set_value(61.0).run()
    next(button for button in app.button if button.label == "Enter the score").click().run()
    assert [error.value for error in app.error] == ["score 61.0 is outside 0..1; give macro F1, such as 0.7648"]
    app.number_input(key="score-0").set_value(0.61).run()
    _sound(next(button for button in app.button if button.label == "Enter the score").click().run())
    assert ledger.list().public.tolist()[0] == 0.61
    assert ledger.reports(2).who.tolist() == ["Ann"]
    told = next(element.value for element in app.markdown if "photos** change" in element.value)
    assert "By what is chosen above, expected gain" in told  # each file of the ledger was expected by its own members
    assert any("Reported scores: 1." in caption.value for caption in app.caption)


def test_the_same_file_twice_is_told_in_words_and_classes_are_told_in_four_columns(open_page, workspace):
    app = _sound(open_page("submissions"))
    for _ in range(2):
        app.multiselect(key="made-from").set_value(["run:one"]).run()
        _sound(next(button for button in app.button if button.label == "Write").click().run())
    assert "Submissions 1 and 2 hold the same answers." in {note.value for note in app.info}
    assert class_counts(range(18)).loc["male <30"].tolist() == [0, 6, 12, 18]


def test_a_file_made_elsewhere_is_kept_once_and_the_field_is_empty_again(open_page, workspace, index):
    app = _sound(open_page("submissions"))
    ids = index.photos.photo_id[index.photos.split == "eval"]
    content = "ImageID,ans\n" + "".join(f"{one},{place % 18}\n" for place, one in enumerate(ids))
    app.file_uploader[0].set_value(("mine.csv", content.encode(), "text/csv")).run()
    for words in [field for field in app.text_input if field.label == "why it is kept all the same"]:
        words.set_value("for the test").run()
    _sound(next(button for button in app.button if button.label == "Keep it in the ledger").click().run())
    assert SubmissionLedger(workspace, index.dataset_id).list().file_name.str.startswith("mine").tolist() == [True]
    assert not [button for button in app.button if button.label == "Keep it in the ledger"]


def test_a_file_that_is_gone_is_told_at_its_entry_and_left_out_of_comparisons(open_page, workspace, index):
    ledger = SubmissionLedger(workspace, index.dataset_id)
    for members in (["run:one"], ["run:two"], ["run:three"]):
        app = _sound(open_page("submissions"))
        app.multiselect(key="made-from").set_value(members).run()
        _sound(next(button for button in app.button if button.label == "Write").click().run())
    (workspace.submissions / ledger.list().file_name[0]).unlink()
    app = _sound(open_page("submissions"))
    assert [note.value for note in app.warning] == []
    assert any("is gone; put it back, or write it again" in note.value for note in app.info)
    table = next(one.value for one in app.dataframe if "problem" in one.value)
    assert [bool(words) for words in table.problem] == [True, False, False]
    assert table.agreement.notna().tolist() == [False, True, True]
    assert any(note.value.startswith("Left out of comparisons: submission 3: ") for note in app.caption)
    assert app.selectbox(key="diff-from-2").options == ["2", "1"]
    (workspace.submissions / ledger.list().file_name[1]).unlink()
    app = _sound(open_page("submissions"))
    assert not any(head.value == "What changes between two files" for head in app.subheader)


def _group_all(workspace, index):
    ids = index.photos.photo_id[index.photos.split == "eval"].tolist()
    table = pd.DataFrame(
        {"photo_id": ids, "group": [str(place // 7) for place in range(len(ids))], "confidence": 0.9}
    )
    save_grouping(workspace, "by-sevens", table, dataset_id=index.dataset_id, origin="a test", about={})


def test_corrections_are_switched_on_in_the_address_with_their_effect_before_the_file(open_page, workspace, index):
    _group_all(workspace, index)
    app = _sound(open_page("submissions"))
    assert not any("The corrections change" in element.value for element in _sound(app).markdown)
    app = _sound(open_page("submissions", grouping="by-sevens", prior="as EM estimates"))
    assert any("The corrections change" in element.value for element in app.markdown)
    assert any("forbid using which test photos show one person" in element.value for element in app.caption)
    _sound(next(button for button in app.button if button.label == "Write").click().run())
    made = SubmissionLedger(workspace, index.dataset_id).list().origin[0]
    assert (made["recipe"]["prior"], made["inference"]["grouping"]["name"]) == ("em", "by-sevens")


def test_a_file_is_limited_by_who_decided_and_its_manifest_tells_the_limits(open_page, workspace, index):
    ids = index.photos.photo_id[index.photos.split == "eval"].tolist()
    store = DecisionStore(workspace, index.dataset_id)
    store.append([Decision(who="ann", kind="accept", target=ids[0], proposal=3, origin="model")])
    store.append([Decision(who="ann", kind="accept", target=ids[1], proposal=4)])
    store.append([Decision(who="ann", kind="relabel", target=ids[2], mask=1, gender=0, age_band=0)])
    app = _sound(open_page("submissions"))
    assert [app.selectbox(key=key).value for key in ("limit", "train-limit")] == ["all", "all"]
    _sound(app.toggle(key="with-decisions").set_value(True).run())
    for limit, count in (("all", 3), ("unchanged", 2), ("model", 1), ("none", 0)):
        _sound(app.selectbox(key="limit").set_value(limit).run())
        assert any(caption.value.startswith(f"{count} decided photos") for caption in app.caption)
    _sound(app.selectbox(key="limit").set_value("unchanged").run())
    _sound(app.selectbox(key="train-limit").set_value("model").run())
    _sound(next(button for button in app.button if button.label == "Write").click().run())
    made = SubmissionLedger(workspace, index.dataset_id).list().iloc[0]
    assert made.origin["limits"] == {"evaluation": "unchanged", "train": "model"}
    assert {row["photo_id"] for row in made.origin["decisions"]} == set(ids[:2])
    recipe = make_recipe(members=made.origin["recipe"]["members"])
    how = {"with_decisions": True, "limit": "unchanged", "train_limit": "model"}
    assert draft_submission(workspace, index, recipe, **how).sha256 == made.sha256


def test_a_run_trained_beyond_the_limit_is_refused_in_words_and_no_file_can_be_written(open_page, workspace):
    trained_on(workspace, "one", label_revision=3, evaluation=1, pseudo_labels="accepted")
    app = open_page("submissions", **{"made-from": "run:one"}, limit=LIMITS["model"])
    assert [error.value.split(";")[0] for error in app.error] == [
        "run one was trained with data.pseudo_labels = accepted, beyond the limit model"
    ]
    assert "Write" not in {button.label for button in app.button}


def test_a_saved_ensembles_corrections_hold_until_they_are_left_out(open_page, workspace, index):
    _group_all(workspace, index)
    app = _sound(open_page("ensemble"))
    app.selectbox(key="prior").set_value("em").run()
    _sound(app.selectbox(key="grouping").set_value("by-sevens").run())
    assert any("The corrections change" in element.value for element in app.markdown)
    app.text_input(key="save-name").set_value("joined").run()
    _sound(next(button for button in app.button if button.label == "Save").click().run())
    app = _sound(open_page("submissions"))
    _sound(app.multiselect(key="made-from").set_value(["ensemble:joined"]).run())
    assert [app.selectbox(key=f"saved-{key}").value for key in ("prior", "grouping", "decide")] == ["as saved"] * 3
    assert any("The corrections change" in element.value for element in app.markdown)
    for key, value in (("prior", "none"), ("grouping", ""), ("decide", "most_probable")):
        app.selectbox(key=f"saved-{key}").set_value(value).run()
    assert not any("The corrections change" in element.value for element in _sound(app).markdown)


def test_every_tab_about_the_members_draws_and_the_rehearsal_says_what_luck_decides(open_page):
    app = _sound(open_page("ensemble"))
    for name in ("Agreement", "Errors in common", "Classes", "Rehearsal"):
        app.session_state["about-members"] = name
        _sound(app.run())
    costs = {metric.label: float(metric.value) for metric in app.metric if "public" in metric.label}
    assert set(costs) == {"public and private half may differ by", "choosing by the public score costs"}
    assert all(0 <= cost < 1 for cost in costs.values())
    assert any("people decide it" in element.value for element in app.markdown)
    played = next(one.value for one in app.dataframe if "best_rank" in one.value).name.tolist()
    assert {"this ensemble", "this ensemble, corrected", "run:one"} < set(played)
    assert sum(name.endswith(", corrected") for name in played) == 2  # the ensemble's and the best member's


def test_all_methods_are_compared_and_the_best_way_is_taken_by_one_click(open_page):
    app = _sound(open_page("ensemble"))
    app.session_state["about-members"] = "Methods"
    _sound(app.run())
    told = next(one.value for one in app.dataframe if "about" in one.value).set_index("name")
    assert told.index.tolist()[3:] == list(METHODS)
    if not (take := [button for button in app.button if button.label == "Use it"]):
        assert any(
            "No method beats" in one.value or "No steady" in one.value for one in [*app.markdown, *app.warning]
        )
        return
    best = told.loc[list(METHODS), ["at_mix", "corrected"]].stack().idxmax()
    _sound(take[0].click().run())
    assert app.selectbox(key="method").value == best[0]
    assert app.selectbox(key="prior").value == ("both" if best[1] == "corrected" else "none")


def test_ties_weights_and_the_members_of_an_axis_are_read_from_the_address(open_page):
    by_axis = "axes: mask, gender and age from members of their own"
    app = _sound(open_page("ensemble", method=by_axis, **{"axis-age": "run:two"}))
    assert app.multiselect(key="axis-age").value == ["run:two"]
    assert app.multiselect(key="axis-mask").value == []
    app = _sound(open_page("ensemble", **{"by-hand": "true", "weights": "3,0,1"}))
    weights = next(one.value for one in app.dataframe if "adds" in one.value).set_index("name").weight
    assert [weights[name] for name in app.multiselect(key="members").value] == [0.75, 0, 0.25]
    app = _sound(
        open_page("ensemble", **{"by-hand": "true", "weights": "3,nan,-1"})
    )  # no weights: as if none were there
    assert app.query_params["weights"] == "1,1,1"
    app = _sound(open_page("ensemble", method="hard: the class most members choose", ties=TIES["axis"]))
    assert app.session_state["ties"] == "axis"


def test_where_the_estimates_of_the_mix_disagree_no_score_is_weighed_to_it(open_page, monkeypatch):
    monkeypatch.setattr("core.evaluation.shift.STEADY", -1.0)
    app = _sound(open_page("ensemble"))
    assert {metric.label: metric.value for metric in app.metric}["at the evaluation mix"] == "unknown"
    assert any("its two estimates by the best member disagree" in one.value for one in app.caption)
    app.session_state["about-members"] = "Methods"
    assert any("No steady evaluation mix" in one.value for one in _sound(app.run()).warning)
    assert not [button for button in app.button if button.label == "Use it"]


def test_one_member_alone_is_compared_with_nobody(open_page):
    app = _sound(open_page("ensemble", members="run:one"))
    for name in ("Agreement", "Errors in common"):
        app.session_state["about-members"] = name
        _sound(app.run())
        assert any("nobody to be compared with" in element.value for element in app.info)
    app.session_state["about-members"] = "Methods"
    assert any("over two members at least" in element.value for element in _sound(app.run()).info)
