"""The settings on the page Train: what a field shows is what would be trained, or nothing can be started."""

import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from core.config import allowed, load_config, parse_value, setting_fields
from core.errors import ConfigError
from core.storage.runs import list_runs
from tests.serving import browsing, served, wait_until_idle
from tests.test_pages import ROOT

NUMBERS = [key for key in setting_fields() if "number" in allowed(key)]


@pytest.fixture
def app(desk, monkeypatch):
    monkeypatch.setattr("core.jobs.queue.ensure_dispatcher", lambda workspace: None)
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
    return app.switch_page(str(ROOT / "pages" / "train.py")).run()


def _field(app, key):
    return app.text_input(key=f"train:fast:{key}")


def _start(app):
    return [button for button in app.button if button.label == "Start"]


def test_a_fresh_form_holds_the_presets_own_settings(app):
    assert not app.error
    assert [field.value for field in app.text_input if field.key.endswith((".epochs", ".lr", ".rotate"))] == [
        "6", "0.002", "8",
    ]  # fmt: skip
    assert not any("Differs from" in text.value for text in app.markdown)
    assert len(_start(app)) == 1


def test_a_number_that_cannot_be_is_told_at_its_field_and_nothing_can_be_started(app):
    for key in NUMBERS:
        _field(app, key).set_value("1e999")
    app.run()
    assert not app.exception
    told = [text.value for text in app.markdown if text.value.startswith(":small[:red[")]
    assert sorted(told) == sorted(f":small[:red[Give {allowed(key)}.]]" for key in NUMBERS)
    assert all(f"setting {key} = '1e999': give {allowed(key)}" in app.error[0].value for key in NUMBERS)
    assert _start(app) == []


@pytest.mark.parametrize(("text", "epochs"), [("7", 7), (" 8 ", 8), ("9.0", 9)])
def test_what_a_field_shows_is_trained(app, workspace, text, epochs):
    for wrong in ("0", "501", "1.5", "", "many"):
        _field(app, "optim.epochs").set_value(wrong).run()
        assert _start(app) == []
    _field(app, "optim.epochs").set_value(text).run()
    _start(app)[0].click().run()
    assert not app.error
    assert [run.config.optim.epochs for run in list_runs(workspace)] == [epochs]


def test_a_setting_that_may_be_left_out_is_none_where_its_field_is_empty(app):
    _field(app, "data.leave_out_from").set_value("56").run()
    assert "leave_out_from and leave_out_to go together" in app.error[0].value
    _field(app, "data.leave_out_from").set_value(" ").run()
    assert not app.error


@pytest.mark.parametrize("preset", ["default", "fast", "seed"])
def test_every_setting_of_a_preset_is_read_from_its_own_text(preset):
    for section, values in load_config(preset).model_dump().items():
        for name, value in values.items() if isinstance(values, dict) else [("", values)]:
            key = f"{section}.{name}".strip(".")
            assert parse_value(key, None if value is None else str(value)) == value


@pytest.mark.parametrize(
    ("key", "text"), [("optim.epochs", "0"), ("optim.lr", "0"), ("model.dropout", "1"), ("device", "tpu")]
)
def test_a_value_out_of_range_is_told_what_it_may_be(key, text):
    with pytest.raises(ConfigError) as refused:
        parse_value(key, text)
    assert str(refused.value) == f"setting {key} = {text!r}: give {allowed(key)}"


def test_in_a_browser_start_goes_where_the_screen_shows_a_number_out_of_range(demo_dir, workspace):
    with served(demo_dir, workspace.root) as url, browsing() as page:
        page.goto(f"{url}/train", wait_until="domcontentloaded")
        epochs, start = (
            page.get_by_label("epochs", exact=True).first,
            page.get_by_role("button", name="Start", exact=True),
        )
        expect(start).to_be_visible()
        for text, times in (("7", 1), ("0", 0), ("99999999999999999999", 0), ("2", 1)):
            epochs.fill(text)
            epochs.press("Enter")
            expect(start).to_have_count(times)
            wait_until_idle(page)
            assert epochs.input_value() == text
        expect(page.get_by_text("optim.epochs: 6 → 2")).to_be_visible()
