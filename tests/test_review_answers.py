"""What the server answers to the review component's outbox, without a browser (review_page.py)."""

import json

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from core.storage.decisions import DecisionStore
from tests.serving import ROOT


@pytest.fixture
def session(demo_dir, workspace, monkeypatch):
    """Opens new sessions of the page without a browser."""
    monkeypatch.setenv("MASKDESK_DATA", str(demo_dir))
    monkeypatch.setenv("MASKDESK_WORKSPACE", str(workspace.root))
    return lambda: AppTest.from_file(str(ROOT / "tests" / "review_page.py"), default_timeout=60)


def _send(app, component, batches, attempt):
    """Run the page as if the browser had sent an outbox; the answer to it."""
    states = WidgetStates()
    outbox = {"attempt": attempt, "batches": batches}
    states.widgets.add(id=component, json_value=json.dumps({"outbox": outbox}))
    app._run(states)
    assert [error.value for error in app.exception] == []
    return json.loads(app.main[1].proto.json)


def test_what_a_new_session_and_an_old_one_receive_is_saved_answered_and_leaves_the_cards(session, workspace, index):
    component = session().run().main[1].proto.id
    target = index.photos.photo_id[index.photos.split == "eval"].min()
    item = {"nonce": "nonce-0001", "unit": "photo", "target": target, "kind": "reject"}
    batch = {"batch": "batch-0001", "at": 1, "queue": "photos", "items": [item], "who": "ada"}
    app = session()
    data = _send(app, component, [batch], 7)  # the first run of a session calls no callback
    assert (data["answer"]["attempt"], data["answer"]["acknowledged"]) == (7, ["batch-0001"])
    assert data["answer"]["last"] == "batch-0001"
    assert target not in {card["target"] for card in data["cards"]}
    data = _send(app, component, [batch, {"batch": "batch-0002", "undo": "batch-0001"}], 8)
    assert (data["answer"]["attempt"], data["answer"]["last"]) == (8, None)
    assert target in {card["target"] for card in data["cards"]}
    assert DecisionStore(workspace, index.dataset_id).all().kind.tolist() == ["reject", "undo"]


def test_a_message_that_makes_no_sense_is_answered_and_saves_nothing(session, workspace, index):
    app = session()
    component = app.run().main[1].proto.id
    data = _send(app, component, [{"batch": "forged-001", "items": [{"target": ["x"], "unit": 3}]}, "nonsense"], 9)
    assert list(data["answer"]["refused"]) == ["forged-001"]
    assert _send(app, component, "nonsense", 10)["answer"]["acknowledged"] == []
    assert DecisionStore(workspace, index.dataset_id).all().empty
