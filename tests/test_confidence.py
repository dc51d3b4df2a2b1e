"""The confidence histogram against numpy, and the page that shows a range's photos."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.errors import RunError
from core.evaluation.confidence import confidence_histogram, confidence_of, in_range, values_on
from core.taxonomy import AXES, decode_axis
from tests.synthetic import draw_people, write_run

ROOT = Path(__file__).resolve().parent.parent


def test_the_histogram_is_numpys():
    rng = np.random.default_rng(0)
    confidence, right = rng.random(2000), rng.random(2000) < 0.7
    confidence[:3] = 0.0, 0.5, 1.0
    table = confidence_histogram(confidence, right, n_bins=20)
    edges = np.arange(21) / 20
    np.testing.assert_array_equal(table.right, np.histogram(confidence[right], bins=edges)[0])
    np.testing.assert_array_equal(table.wrong, np.histogram(confidence[~right], bins=edges)[0])
    chosen = in_range(confidence, 0.25, 0.5)
    assert chosen.sum() == (table.right + table.wrong)[5:10].sum()
    assert in_range(confidence, 0.0, 1.0).all()


def test_confidence_on_an_axis_sums_its_classes():
    probs = draw_people(0, 30).true_probs
    for axis, names in AXES.items():
        of = decode_axis(np.arange(18), axis)
        sums = np.stack([probs[:, of == value].sum(axis=1) for value in range(len(names))], axis=1)
        confidence, value = confidence_of(probs, axis)
        np.testing.assert_allclose(confidence, sums.max(axis=1))
        np.testing.assert_array_equal(value, sums.argmax(axis=1))
    assert values_on(np.array([17]), "age").tolist() == [2]
    assert values_on(np.array([17])).tolist() == [17]


def test_what_is_no_probability_is_refused():
    with pytest.raises(RunError, match="goes from 0.500 to 1.500"):
        confidence_histogram([0.5, 1.5], [True, True])
    with pytest.raises(RunError, match="2 rows but is_right has 1"):
        confidence_histogram([0.5, 0.5], [True])


def test_a_range_in_the_address_shows_its_photos_and_the_way_to_a_queue(desk, index):
    write_run(desk, index, "first")
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=120).run()
    app.switch_page(str(ROOT / "pages" / "confidence.py")).run()
    assert [error.value for error in [*app.exception, *app.error]] == []
    assert "No range is chosen" in app.info[0].value
    app.slider(key="sure").set_value((0.0, 0.98)).run()
    assert [error.value for error in [*app.exception, *app.error]] == []
    assert "photos from 0% to 98%" in app.subheader[0].value
    count = int(app.subheader[0].value.split()[0])
    assert any(button.label == f"Review the labels of {count} train photos" for button in app.button)
    app.query_params["photos"] = "evaluation"
    app.run()
    assert [error.value for error in [*app.exception, *app.error]] == []
