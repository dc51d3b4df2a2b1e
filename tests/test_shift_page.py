"""The page Shift and the verb ``shift``: with a run, without one, and after a switch."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from core.cli import cli
from core.evaluation.prior import GROUP_NAMES
from tests.synthetic import write_run

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def run(desk, index):
    return write_run(desk, index, "first")


def _open():
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=120).run()
    return app.switch_page(str(ROOT / "pages" / "shift.py")).run()


def _words(app):
    return " ".join(str(element.value) for element in [*app.markdown, *app.caption, *app.metric])


def test_the_page_tells_the_mix_the_calibration_and_what_would_change(run):
    app = _open()
    assert not app.exception
    assert not app.error
    assert "People of 60 and over" in _words(app)
    assert next(metric.label for metric in app.metric) == "photos that change class"
    assert "".join(app.query_params["run"]) == run.run_id


def test_calibration_and_rule_come_from_the_address_and_change_the_numbers(run):
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=120).run()
    app.query_params["calibrated-by"], app.query_params["rule"] = "none", "macro F1"
    app = app.switch_page(str(ROOT / "pages" / "shift.py")).run()
    assert not app.exception
    assert (app.selectbox(key="calibrated-by").value, app.selectbox(key="rule").value) == ("none", "macro F1")
    before = [metric.value for metric in app.metric]
    app.selectbox(key="calibrated-by").select("bias").run()
    assert not app.exception
    assert [metric.value for metric in app.metric] != before


def test_the_verb_prints_groups_intervals_and_expected_scores(run, demo_dir, workspace):
    command = ["--data", str(demo_dir), "--workspace", str(workspace.root), "shift", "--run", "first", "--draws", "3"]
    done = CliRunner().invoke(cli, [*command, "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.output.splitlines()[-1])
    assert [row["group"] for row in result["groups"]] == list(GROUP_NAMES)
    for name in ("train", "predicted", "em", "bbse"):
        assert sum(row[name] for row in result["groups"]) == pytest.approx(1)
    for row in result["groups"]:
        assert row["em_low"] <= row["em"] <= row["em_high"]
        assert row["bbse_low"] <= row["bbse"] <= row["bbse_high"]
    assert result["expected"]["raw"]["low"] <= result["expected"]["raw"]["mean"] <= result["expected"]["raw"]["high"]
    half = [abs(row["em"] - row["bbse"]) / 2 for row in result["groups"]]
    assert result["gap"] == pytest.approx(sum(half))
    assert result["is_steady"] == (result["gap"] <= 0.2)
    assert 0 <= result["photos_changed"] <= result["photos"]
    assert "expected macro F1" in CliRunner().invoke(cli, command).output
