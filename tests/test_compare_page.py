"""The page Compare and the verb ``compare``: with none, one and two runs, and filters from the address."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from core.cli import cli
from core.curation.run_pair import pair_runs
from core.storage.decisions import DecisionStore
from core.taxonomy import CLASS_NAMES
from tests.synthetic import write_run

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def pair(desk, index):
    runs = [write_run(desk, index, name, seed=seed) for seed, name in enumerate(("old", "new"))]
    return pair_runs(*runs, index.photos, DecisionStore(desk, index.dataset_id).effective())


def _open(**query):
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60).run()
    app.switch_page(str(ROOT / "pages" / "compare.py"))
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert [error.value for error in [*app.exception, *app.error]] == []
    return app


def _words(app):
    return " ".join(str(element.value) for element in [*app.markdown, *app.caption, *app.info])


def test_one_run_alone_is_told_what_to_do_next(desk, index):
    write_run(desk, index, "only")
    assert "Only only is finished. Train another run" in _words(_open())


def test_the_older_run_comes_first_and_the_numbers_are_the_cores(pair):
    app = _open()
    assert (app.selectbox(key="run").value, app.selectbox(key="with").value) == ("old", "new")
    gain = pair.scores.iloc[0]
    assert app.metric[2].value == f"{gain.difference:+.4f}"
    words = _words(app)
    assert f"{pair.num_people} people, {len(pair.labels)} photos that both predicted" in words
    assert f"**{pair.test.first}** people speak for the first" in words
    assert f"{len(pair.fixed)} photos: old has them wrong, new right" in words


def test_runs_and_filters_come_from_the_address_and_narrow_the_photos(pair):
    label = CLASS_NAMES[int(pair.labels[pair.broken[0]])]
    app = _open(run="old", **{"with": "new", "which": "broken", "class": label})
    expected = int((pair.labels[pair.broken] == CLASS_NAMES.index(label)).sum())
    assert f"{expected} photos: old has them right, new wrong" in _words(app)
    app = _open(run="new", **{"with": "old", "which": "broken"})
    assert f"{len(pair.fixed)} photos: new has them right, old wrong" in _words(app)


def test_disagreements_take_over_what_was_compared(pair):
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60)
    app.session_state["reviewer"] = "kim"
    app.run()
    app.switch_page(str(ROOT / "pages" / "disagreements.py"))
    for name, value in {"run": "old", "with": "new", "which": "fixed", "unit": "photo"}.items():
        app.query_params[name] = value
    app.run()
    assert [error.value for error in [*app.exception, *app.error]] == []
    states = next(control for control in app.button_group if control.key == "state").options
    assert f"to decide {len(pair.fixed)}" in states


def test_the_verb_prints_the_same_numbers(pair, demo_dir, desk):
    command = ["--data", str(demo_dir), "--workspace", str(desk.root), "compare", "--run", "old", "--with", "new"]
    done = CliRunner().invoke(cli, [*command, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output.splitlines()[-1])
    assert told["scores"][0]["difference"] == pytest.approx(pair.scores.difference[0])
    assert (told["people"], told["people_left_out"]) == (pair.num_people, 0)
    assert told["mcnemar_exact"] == pair.test.exact
    assert "McNemar by person" in CliRunner().invoke(cli, command).output
