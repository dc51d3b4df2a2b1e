"""The run that a page shows stands in its address, and the address decides."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.synthetic import write_run

ROOT = Path(__file__).resolve().parent.parent
PICKING = ("errors", "shift", "people", "label_issues", "age_boundary", "pseudo_labels")


@pytest.fixture
def app(index, desk):
    """The app over two finished runs, ``older`` and ``newest``."""
    for name in ("older", "newest"):
        write_run(desk, index, name)
    return AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()


def _go(app, page, **query):
    app.query_params.clear()
    for name, value in query.items():
        app.query_params[name] = value
    return app.switch_page(str(ROOT / "pages" / f"{page}.py")).run()


def _named(app):
    """The run in the address; the test client gives a text or a list of one."""
    return "".join(app.query_params["run"])


@pytest.mark.parametrize("page", PICKING)
def test_the_newest_run_is_chosen_and_named_in_the_address(page, app):
    _go(app, page)
    assert not app.exception
    assert _named(app) == "newest"


def test_both_runs_of_a_comparison_are_named_in_the_address(app):
    _go(app, "compare")
    assert not app.exception
    assert (_named(app), "".join(app.query_params["with"])) == ("older", "newest")
    _go(app, "errors")
    assert _named(app) == "newest"


def test_the_run_in_the_address_is_shown_and_goes_along_to_the_next_page(app):
    _go(app, "errors", run="older")
    assert app.selectbox(key="run").value == "older"
    _go(app, "overview")
    _go(app, "shift")
    assert app.selectbox(key="run").value == "older"
    assert _named(app) == "older"


def test_a_choice_in_the_box_changes_the_address_and_a_link_changes_the_box(app):
    _go(app, "errors")
    app.selectbox(key="run").select("older").run()
    assert _named(app) == "older"
    _go(app, "errors", run="newest")
    assert app.selectbox(key="run").value == "newest"


def test_a_run_that_does_not_exist_gives_way_to_the_newest(app):
    _go(app, "errors", run="nowhere")
    assert not app.exception
    assert _named(app) == "newest"
    assert "asks for run `nowhere`, which is not here; this is `newest`" in app.toast[0].value
    assert not app.selectbox(key="run").select("older").run().toast


def test_the_page_runs_names_its_runs_too_and_none_when_none_is_chosen(app):
    _go(app, "runs")
    assert app.multiselect(key="runs").value == ["newest"]
    assert "".join(app.query_params["runs"]) == "newest"
    app.multiselect(key="runs").select("older").run()
    assert list(app.query_params["runs"]) == ["newest", "older"]
    app.multiselect(key="runs").set_value([]).run()
    assert "No run is chosen" in app.info[0].value
    _go(app, "runs", runs="older")
    assert app.multiselect(key="runs").value == ["older"]


@pytest.mark.parametrize("page", ["label_issues", "pseudo_labels", "age_boundary", "disagreements"])
def test_a_selection_that_is_gone_is_told_and_the_queue_is_there_without_it(page, app):
    app.session_state["reviewer"] = "kim"
    _go(app, page, picked="0123456789ab")
    assert [error.value for error in [*app.exception, *app.error]] == []
    assert "All photos are shown: selection '0123456789ab' is not in this workspace" in app.warning[0].value


def test_a_state_stands_in_the_address_as_it_is_whatever_its_count(app):
    app.session_state["reviewer"] = "kim"
    _go(app, "pseudo_labels", state="reject")
    assert app.button_group(key="state").value == "reject"
    app.button_group(key="state").set_value("all").run()
    assert "".join(app.query_params["state"]) == "all"
    app.button(key="filters-clear").click().run()
    assert app.button_group(key="state").value == "undecided"
    assert "state" not in app.query_params
