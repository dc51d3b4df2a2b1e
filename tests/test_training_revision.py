"""A training from an earlier label revision: in the core, on the command line and on the page Train."""

import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from core.cli import cli
from core.config import load_config
from core.errors import DecisionError
from core.jobs.queue import JobQueue
from core.service import create_training_run, plan_training, resume_run, start_run
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.revision_names import RevisionNames
from core.storage.runs import list_runs, open_run
from tests.test_pages import ROOT

FAST = load_config("fast", settings=["data.pseudo_labels=accepted"])


@pytest.fixture(autouse=True)
def nothing_is_trained(monkeypatch):
    monkeypatch.setattr("core.jobs.queue.ensure_dispatcher", lambda workspace: None)


@pytest.fixture
def person(index):
    return index.photos.person_id[index.photos.split == "train"].iloc[0]


@pytest.fixture
def decided(workspace, index, person):
    """Revision 1, "first evening": the other gender; 2: an evaluation photo accepted; 3: revision 1 taken back."""
    store = DecisionStore(workspace, index.dataset_id)
    gender = int(index.photos.gender[index.photos.person_id == person].iloc[0])
    swap = Decision(who="ann", kind="relabel", unit="person", target=person, gender=1 - gender)
    store.append([swap])
    RevisionNames(workspace, index.dataset_id).add("first evening", 1, newest=1, who="ann")
    photo = index.photos.photo_id[index.photos.split == "eval"].iloc[0]
    store.append([Decision(who="ann", kind="accept", target=photo, proposal=7)])
    store.undo_batch(swap.batch_id, who="ann")
    return gender


def _genders(run, person):
    """Genders of a person's photos as the run's table has them; a label is 6 mask + 3 gender + age."""
    photos = run.train_photos()
    return {label // 3 % 2 for label in photos.label[photos.person_id == person]}


@pytest.mark.parametrize(
    ("revision", "changed", "pseudo"), [(0, 0, 0), (1, 1, 0), (2, 1, 1), (3, 0, 1), (None, 0, 1)]
)
def test_a_run_has_the_labels_of_its_revision_whatever_was_decided_later(
    workspace, index, person, decided, revision, changed, pseudo
):
    plan = plan_training(workspace, index, FAST, revision=revision)
    run = create_training_run(workspace, index, "then", FAST, revision=revision)
    assert _genders(run, person) == {(decided + changed) % 2}
    assert (run.train_photos().source == "pseudo_label").sum() == plan.pseudo_labels == pseudo
    recorded = 3 if revision is None else revision
    assert open_run(workspace, "then").manifest["label_revision"] == plan.label_revision == recorded


def test_a_resumed_run_keeps_the_revision_that_it_began_with(workspace, index, person, decided):
    run, job = start_run(workspace, index, "then", FAST, revision=1)
    JobQueue(workspace).stop(job.job_id)
    DecisionStore(workspace, index.dataset_id).append([Decision(who="bob", kind="skip", target="later")])
    resume_run(workspace, run)
    again = open_run(workspace, "then")
    assert again.manifest["label_revision"] == 1
    assert _genders(again, person) == {1 - decided}


@pytest.mark.parametrize("revision", [-1, 4])
def test_a_revision_that_does_not_exist_is_refused_and_leaves_no_run(workspace, index, decided, revision):
    words = f"label revision {revision} does not exist, the newest is 3; choose one from 0 to 3"
    with pytest.raises(DecisionError, match=words):
        plan_training(workspace, index, FAST, revision=revision)
    with pytest.raises(DecisionError, match=words):
        start_run(workspace, index, "then", FAST, revision=revision)
    assert list_runs(workspace) == []


@pytest.fixture
def train(desk):
    def call(*more):
        words = ["train", "--name", "then", "--preset", "fast", "--detach", *more]
        assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0

    return call


@pytest.mark.parametrize(
    ("given", "recorded"),
    [(["--revision", "first evening"], 1), (["--revision", "2"], 2), (["--revision", "now"], 3), ([], 3)],
)
def test_the_command_line_takes_a_revision_by_number_or_name(train, workspace, decided, given, recorded):
    train(*given)
    assert open_run(workspace, "then").manifest["label_revision"] == recorded


@pytest.mark.parametrize("text", ["4", "-1", "second evening", "²"])
def test_the_command_line_refuses_a_revision_that_does_not_exist_and_names_those_that_do(
    train, workspace, decided, text
):
    with pytest.raises(DecisionError) as refused:
        train("--revision", text)
    assert f"revision {text!r} does not exist; there are 0 to 3, now, and first evening" in str(refused.value)
    assert list_runs(workspace) == []


@pytest.fixture
def page(desk):
    def open_page(**query):
        app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
        for name, value in query.items():
            app.query_params[name] = value
        app.switch_page(str(ROOT / "pages" / "train.py")).run()
        assert list(app.exception) == []
        return app

    return open_page


def _box(app):
    return [box for box in app.selectbox if box.key == "revision"]


def _start(app):
    return [button for button in app.button if button.label == "Start"]


def test_without_a_decision_the_page_asks_for_no_revision(page):
    app = page()
    assert _box(app) == []
    assert "--revision" not in app.code[0].value


def test_the_page_trains_on_the_chosen_revision_and_shows_the_same_command(page, workspace, person, decided):
    app = page()
    assert _box(app)[0].value == "now"
    assert "--revision" not in app.code[0].value
    assert _box(app)[0].options == ["newest (3)", "1 · first evening", "0 · the data set as it came"]
    _box(app)[0].set_value("1").run()
    assert "labels of revision 1" in app.markdown[0].value
    assert "--revision 1" in app.code[0].value
    assert app.query_params["revision"] == "1"
    _start(app)[0].click().run()
    assert list(app.error) == []
    [run] = list_runs(workspace)
    assert run.manifest["label_revision"] == 1
    assert _genders(run, person) == {1 - decided}


def test_a_link_may_name_a_revision_and_one_that_does_not_exist_is_refused_until_another_is_chosen(page, decided):
    assert "--revision 1" in page(revision="first evening").code[0].value
    app = page(revision="99")
    assert "revision '99' does not exist; there are 0 to 3, now, and first evening" in app.error[0].value
    assert _start(app) == []
    _box(app)[0].set_value("now").run()
    assert list(app.error) == []
    assert len(_start(app)) == 1
    assert "revision" not in app.query_params
