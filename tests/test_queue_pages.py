"""The four queue pages: their head, filters, cards, bulk accepts and undo, as Streamlit's own test runs them."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.cli import cli
from core.dataset.index import load_index
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.leases import Leases
from core.workspace import Workspace
from tests.serving import browsing, served
from tests.synthetic import write_run
from ui.review_data import votes

ROOT = Path(__file__).resolve().parent.parent
QUEUES = ("pseudo_labels", "age_boundary", "label_issues", "disagreements")


def _open(page, demo_dir, workspace, monkeypatch, **query):
    monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(workspace.root))
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60)
    app.session_state["reviewer"] = "kim"
    app.run()
    for name, value in query.items():
        app.query_params[name] = value
    app = app.switch_page(str(ROOT / "pages" / f"{page}.py")).run()
    assert [error.value for error in [*app.exception, *app.error]] == []
    return app


def _press(app, start):
    next(button for button in app.button if button.label.startswith(start)).click()
    app.run()
    assert [error.value for error in [*app.exception, *app.error]] == []


def _states(app):
    return next(control for control in app.button_group if control.key == "state").options


def _review(app):
    """What the review component on the page was given."""
    [component] = [one.proto for one in app.get("bidi_component") if one.proto.component_name == "maskdesk_review"]
    return json.loads(component.json)


@pytest.fixture
def store(trained_run, index):
    """Empty again afterwards: the run is shared by all tests."""
    workspace = trained_run[0]
    store = DecisionStore(workspace, index.dataset_id)
    yield store
    for batch in store.effective().batch_id.unique():
        store.undo_batch(batch, who="test")
    (workspace.decisions / "leases.sqlite").unlink(missing_ok=True)


@pytest.mark.parametrize("unit", ["person", "photo"])
@pytest.mark.parametrize("page", QUEUES)
def test_each_queue_draws_by_person_and_by_photo(page, unit, demo_dir, trained_run, store, monkeypatch):
    app = _open(page, demo_dir, trained_run[0], monkeypatch, unit=unit)
    assert len(app.title) == 1
    assert len(_states(app)) == 6


def test_a_bulk_accept_is_one_batch_and_one_step_takes_it_back(demo_dir, trained_run, store, monkeypatch):
    app = _open("pseudo_labels", demo_dir, trained_run[0], monkeypatch, bulk="by confidence", threshold="0.5")
    app.slider(key="threshold").set_value(0.5).run()
    before = len(store.effective())
    label = next(button.label for button in app.button if button.label.startswith("Accept"))
    _press(app, "Accept") if label != "Accept 0" else None
    accepted = store.effective()
    assert len(accepted) - before == int(label.split()[1])
    if len(accepted) > before:
        assert accepted.batch_id.nunique() == 1
        _press(app, "Undo the last batch")
        assert len(store.effective()) == before


def test_people_moved_by_a_boundary_are_relabelled_and_taken_back_in_one_step(
    demo_dir, trained_run, index, store, monkeypatch
):
    app = _open("age_boundary", demo_dir, trained_run[0], monkeypatch)
    app.slider(key="young").set_value(27).run()
    app.slider(key="old").set_value(56).run()
    people = index.photos[index.photos.split == "train"].drop_duplicates("person_id")
    expected = people.age.between(27, 29).sum() + people.age.between(56, 59).sum()
    label = next(button.label for button in app.button if button.label.startswith("Relabel"))
    assert label == f"Relabel {expected} people"
    if expected:
        _press(app, "Relabel")
        assert len(store.effective()) == expected
        _press(app, "Undo the last batch")
        assert store.effective().empty


def test_filters_in_the_address_limit_the_queue(demo_dir, trained_run, index, store, monkeypatch):
    query = {"issue": "all train photos", "text": "normal", "unit": "photo"}
    app = _open("label_issues", demo_dir, trained_run[0], monkeypatch, **query)
    assert app.text_input(key="text").value == "normal"
    assert f"to decide {(index.photos.kind == 'normal').sum()}" in _states(app)


def test_the_line_below_the_controls_says_which_filters_are_on_until_they_are_cleared(
    demo_dir, trained_run, store, monkeypatch
):
    app = _open("age_boundary", demo_dir, trained_run[0], monkeypatch, text="normal", fold="1")
    app.slider(key="confidence").set_value((0.1, 0.9))
    app.selectbox(key="class").set_value(6)
    app.selectbox(key="axis").set_value("age")
    app.button_group(key="state").set_value("accept").run()
    told = (
        "Filters on: accepted, incorrect, male, <30, most in doubt is age, fold 1, “normal”, confidence 0.10 to 0.90"
    )
    assert told in [caption.value[: len(told)] for caption in app.caption]
    _press(app, "Clear filters")
    assert not any("Filters on" in caption.value for caption in app.caption)
    assert set(app.query_params) <= {"run"}
    assert next(button for button in app.button if button.label == "Clear filters").disabled


@pytest.mark.parametrize("page", QUEUES)
def test_switches_for_evaluation_photos_stand_only_where_a_queue_shows_any(
    page, demo_dir, trained_run, store, monkeypatch
):
    app = _open(page, demo_dir, trained_run[0], monkeypatch, prior="as EM estimates")
    keys = {box.key for box in app.selectbox}
    assert ({"prior", "grouping"} <= keys) == (page != "label_issues")
    assert ("fold" in keys) == (page != "pseudo_labels")
    assert ("split" in keys) == (page in ("age_boundary", "disagreements"))
    assert any("Evaluation mix" in caption.value for caption in app.caption) == (page != "label_issues")


def test_on_a_screen_of_900_pixels_cards_begin_in_its_upper_half(demo_dir, trained_run, store):
    with served(demo_dir, trained_run[0].root) as url, browsing() as page:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.add_init_script("localStorage.setItem('maskdesk.reviewer', 'kim')")
        for queue in QUEUES:
            page.goto(f"{url}/{queue}", wait_until="domcontentloaded")
            page.locator(".stage img, .body.empty .stage").first.wait_for()
            assert page.locator(".stage").bounding_box()["y"] < 450, queue
            assert page.locator(".st-key-queue-head").bounding_box()["height"] < 180, queue


def test_what_another_reviewer_holds_is_not_handed_out(demo_dir, trained_run, index, store, monkeypatch):
    held = index.photos[index.photos.split == "train"].person_id.unique().tolist()
    leases = Leases(trained_run[0], index.dataset_id)
    assert leases.take("label_issues", "lee", held, count=100) == held
    app = _open("label_issues", demo_dir, trained_run[0], monkeypatch, issue="all train photos")
    assert "Others are looking" in _review(app)["empty"]


@pytest.mark.parametrize("page", QUEUES)
def test_an_empty_queue_still_takes_what_waits_and_undoes_the_last_decision(
    page, demo_dir, trained_run, index, store, monkeypatch
):
    photo = index.photos.photo_id.iloc[0]
    store.append([Decision(who="kim", kind="reject", target=photo, queue=page, batch_id="the-last-one")])
    shown = _review(_open(page, demo_dir, trained_run[0], monkeypatch, text="no id has these words"))
    assert shown["cards"] == []
    assert "under these filters" in shown["empty"]
    assert shown["answer"]["last"] == "the-last-one"


@pytest.mark.parametrize("alone", [False, True], ids=["about a person", "about one of its photos"])
def test_reviewers_who_disagree_are_a_queue_with_both_votes(alone, demo_dir, trained_run, index, store, monkeypatch):
    photo, person = index.photos[["photo_id", "person_id"]].iloc[0]
    store.append([Decision(who="ann", kind="relabel", unit="person", target=person, gender=0)])
    about = {"target": photo} if alone else {"unit": "person", "target": person}
    store.append([Decision(who="lee", kind="relabel", gender=1, **about)])
    app = _open("disagreements", demo_dir, trained_run[0], monkeypatch, **{"with": "reviewers"})
    app.selectbox(key="with").set_value("reviewers").run()
    assert "to decide 1" in _states(app)
    [card] = _review(app)["cards"]
    assert (card["unit"], card["target"]) == ("person", person)
    kind = str(index.photos.kind.iloc[0])
    assert (f"{kind} · " if alone else "") + "ann: male; lee: female" in card["why"]
    app.button_group(key="unit").set_value("photo").run()
    assert f"to decide {int(alone)}" in _states(app)
    assert any("by person: 1" in info.value for info in app.info) is not alone


def test_the_top_of_a_queue_is_listed_from_the_command_line(demo_dir, trained_run, store, capsys):
    command = ["--data", str(demo_dir), "--workspace", str(trained_run[0].root), "queue", "--run", "first", "--json"]
    cli.main([*command, "--name", "label_issues", "--issue", "all", "--count", "4"], standalone_mode=False)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    wrong = [card["target"] for card in told["cards"]]
    assert len(wrong) == 4
    assert told["counts"]["undecided"] == told["counts"]["all"]
    cli.main([*command, "--name", "pseudo_labels", "--unit", "photo", "--order", "margin"], standalone_mode=False)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["gained"] == {"eval": 0.0, "train": 0.0}
    assert all(card["label"] is not None for card in told["cards"])


def test_what_is_kept_of_a_run_belongs_to_its_own_workspace(demo_dir, tmp_path, monkeypatch):
    told = []
    for seed in (0, 1):
        workspace = Workspace(tmp_path / str(seed))
        run = write_run(workspace, load_index(demo_dir, workspace), "same-name", seed=seed)
        monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
        monkeypatch.setenv("MASKDESK_WORKSPACE", str(workspace.root))
        told.append(votes(run, "folds", run.eval_ids())["fold 0"].tolist())
    assert told[0] != told[1]
