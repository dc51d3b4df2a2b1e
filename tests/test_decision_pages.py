"""The pages History and Known fixes: what they show, and that their buttons do it."""

import pytest
from streamlit.testing.v1 import AppTest

from core.curation import fixes
from core.curation.labels import effective_labels
from core.storage.decision_files import write_decisions
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.revision_names import RevisionNames
from core.workspace import Workspace
from tests.test_pages import ROOT, _check_sound


@pytest.fixture
def store(workspace, index):
    return DecisionStore(workspace, index.dataset_id)


@pytest.fixture
def people(index):
    train = index.photos[index.photos.split == "train"]
    return train.person_id.unique().tolist()


@pytest.fixture
def opened(desk):
    def open_page(page, who="Ann", **query):
        app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
        app.switch_page(str(ROOT / "pages" / f"{page}.py"))
        app.session_state["reviewer"] = who
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        _check_sound(app)
        return app

    return open_page


def _words(app):
    elements = (*app.text, *app.markdown, *app.caption, *app.info, *app.warning, *app.success)
    return "\n".join(str(element.value) for element in elements)


def test_the_history_of_a_person_shows_each_decision_and_takes_it_back(opened, store, people):
    gender = 1
    store.append([Decision(who="Bob", kind="relabel", unit="person", target=people[0], gender=gender, why="hair")])
    store.append([Decision(who="Bob", kind="relabel", unit="person", target=people[0], gender=1 - gender)])
    app = opened("history", target=people[0])
    assert "Bob · relabel (person)" in _words(app)
    assert "hair" in _words(app)
    assert "5 photos: worn, female" in _words(app)
    next(button for button in app.button if button.label == "Take back").click()
    app.run()
    assert len(store.effective()) == 1
    assert store.all().who.tolist() == ["Bob", "Bob", "Ann"]
    assert any(button.label == "Bring back" for button in app.button)


def test_looking_at_the_history_needs_no_name_and_taking_back_asks_for_it(opened, store, people):
    store.append([Decision(who="Bob", kind="relabel", unit="person", target=people[0], gender=1)])
    for view in ("revisions", "reviewers"):
        app = opened("history", who="", view=view)
        assert not any(field.label == "your name" for field in app.text_input)
    app = opened("history", who="", target=people[0])
    assert "Bob · relabel (person)" in _words(app)
    next(button for button in app.button if button.label == "Take back").click().run()
    next(field for field in app.text_input if field.label == "your name").set_value("Ann")
    next(button for button in app.button if button.label == "Start").click().run()
    assert len(store.effective()) == 1
    next(button for button in app.button if button.label == "Take back").click().run()
    assert store.all().who.tolist() == ["Bob", "Ann"]


def test_an_unknown_target_is_said_to_be_unknown(opened, store, people):
    store.append([Decision(who="Bob", kind="relabel", unit="person", target=people[0], gender=1)])
    assert "nobody is neither a photo nor a person" in _words(opened("history", target="nobody"))
    assert f"Nothing was decided about {people[1]}" in _words(opened("history", target=people[1]))


def test_revisions_show_the_photos_that_differ_and_can_be_named(opened, store, people, workspace, index):
    before = effective_labels(index.photos, store.effective()).set_index("person_id").gender[people[0]].iloc[0]
    store.append([Decision(who="Bob", kind="relabel", unit="person", target=people[0], gender=1 - int(before))])
    app = opened("history", view="revisions")
    assert "**7 photos** differ: 7 of 1 train people, 0 evaluation photos." in _words(app)
    next(field for field in app.text_input if field.label == "name").set_value("first fix")
    next(button for button in app.button if button.label == "Name it").click()
    app.run()
    _check_sound(app)
    assert RevisionNames(workspace, index.dataset_id).list().name.tolist() == ["first fix"]
    assert "named" in app.dataframe[-1].value
    app = opened("history", view="revisions", to="0")
    assert "No label differs" in _words(app)


def test_the_reviewers_view_shows_agreement_both_votes_and_origins(opened, store, index):
    photo = index.photos.photo_id[index.photos.split == "eval"].iloc[0]
    for who, proposal in (("Ann", 3), ("Bob", 4)):
        store.append([Decision(who=who, kind="accept", target=photo, proposal=proposal)])
    app = opened("history", view="reviewers")
    assert "**1 cards** about which reviewers differ" in _words(app)
    assert "Ann: worn, female, <30" in _words(app)
    assert "Bob: worn, female, 30-59" in _words(app)
    tables = [table.value for table in app.dataframe]
    assert tables[1][["first", "second", "whole labels"]].to_numpy().tolist() == [["Ann", "Bob", 1]]
    assert tables[2].set_index("label").loc["accepted by a person", "eval"] == 1


def test_imported_decisions_are_told_on_the_whole_page_and_known_ones_add_nothing(
    opened, store, people, index, tmp_path
):
    other = DecisionStore(Workspace(tmp_path / "other"), index.dataset_id)
    other.append([Decision(who="Bob", kind="relabel", unit="person", target=people[0], gender=1)])
    write_decisions(tmp_path / "theirs.csv", other.all())
    app = opened("history", view="reviewers")
    assert "Nothing is decided yet" in _words(app)
    for told in ("1 decisions are new, 0 were known.", "0 decisions are new, 1 were known."):
        app.file_uploader[0].set_value(("theirs.csv", (tmp_path / "theirs.csv").read_bytes(), "text/csv")).run()
        next(button for button in app.button if button.label == "Merge").click().run()
        assert told in _words(app)
        assert "Nothing is decided yet" not in _words(app)
    assert store.all().who.tolist() == ["Bob"]


def test_certain_fixes_are_accepted_at_once_and_undone_at_once_others_one_by_one(opened, store, people, monkeypatch):
    first, second = (person.split("_")[0] for person in people[:2])
    published = (("certain", "swap", (first,)), ("disputed", "age", (second,)))
    monkeypatch.setattr(fixes, "PUBLISHED", published)
    monkeypatch.setattr("core.curation.fixes.PUBLISHED", published)
    app = opened("fixes")
    assert "certain: 1 open of 1 · probable: 0 open of 0 · disputed: 1 open of 1" in _words(app)
    next(button for button in app.button if button.label == "Accept all 1 certain ones").click()
    app.run()
    _check_sound(app)
    assert store.effective().kind.tolist() == ["accept", "accept"]
    assert store.effective().batch_id.nunique() == 1
    next(button for button in app.button if button.label == "Undo the last step").click()
    app.run()
    assert store.effective().empty
    accept = next(button for button in app.button if button.key == f"accept-published list/{people[1]}")
    assert accept.disabled
    app.number_input[0].set_value(440).run()
    next(button for button in app.button if button.key == accept.key).click().run()
    assert "age_years = 440" in app.error[0].value
    app.number_input[0].set_value(44)
    app.run()
    next(button for button in app.button if button.key == f"accept-published list/{people[1]}").click()
    app.run()
    _check_sound(app)
    assert store.effective()[["kind", "target", "age_years"]].to_numpy().tolist() == [["relabel", people[1], 44.0]]
