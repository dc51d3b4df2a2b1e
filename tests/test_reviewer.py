"""The reviewer's name: asked for once, remembered by the browser, never taken from a link."""

import socket
import subprocess
import sys

import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from tests.serving import ROOT, _wait_for, browsing

PAGE = """
import streamlit as st
from ui.reviewer import reviewer
st.title('Page')
st.markdown(f'hello {reviewer()}')
"""


def _texts(app):
    return [element.value for element in app.markdown]


def test_the_page_waits_for_a_name_and_then_goes_on():
    app = AppTest.from_string(PAGE).run()
    assert not app.exception
    assert not any("hello" in text for text in _texts(app))
    app.text_input[0].set_value("  Ann   Lee ")
    app.button[0].click().run()
    assert "hello Ann Lee" in _texts(app)
    assert app.sidebar.text[0].value == "Reviewing as Ann Lee"
    app.sidebar.button[0].click().run()
    assert not any("hello" in text for text in _texts(app))


@pytest.mark.parametrize("nothing", ["", "   ", "\t"])
def test_an_empty_name_is_asked_for_again(nothing):
    app = AppTest.from_string(PAGE).run()
    app.text_input[0].set_value(nothing)
    app.button[0].click().run()
    assert len(app.text_input) == 1
    assert not any("hello" in text for text in _texts(app))


def test_markup_in_a_name_stays_text():
    app = AppTest.from_string(PAGE)
    app.session_state["reviewer"] = "**<b>x</b>**"
    app.run()
    assert app.sidebar.text[0].value == "Reviewing as **<b>x</b>**"


def test_the_name_survives_a_reload_stays_out_of_the_address_and_the_cookies_and_takes_no_room(tmp_path):
    script = tmp_path / "page.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{PAGE}", encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/_stcore/health", server)
        with browsing() as page:
            page.goto(address, wait_until="domcontentloaded")
            page.get_by_label("your name").fill("Ann")
            page.get_by_role("button", name="Start").click()
            expect(page.get_by_text("hello Ann")).to_be_visible(timeout=20_000)
            page.reload(wait_until="domcontentloaded")
            expect(page.get_by_text("hello Ann")).to_be_visible(timeout=20_000)
            assert "Ann" not in page.url
            assert not any("Ann" in cookie["value"] for cookie in page.context.cookies())
            page.get_by_role("button", name="Somebody else").click()
            expect(page.get_by_label("your name")).to_be_visible(timeout=20_000)
            page.reload(wait_until="domcontentloaded")
            expect(page.get_by_label("your name")).to_be_visible(timeout=20_000)
            page.set_viewport_size({"width": 420, "height": 800})
            assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth - main.clientWidth") == 0
    finally:
        server.terminate()
        server.wait(10)
