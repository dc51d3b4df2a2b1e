"""The map: what its columns say, what the route serves, what the page chooses, and where chosen photos go."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from core.curation.map_columns import COLOURINGS, NONE, map_columns
from core.errors import DecisionError, RunError
from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.features import write_features
from core.storage.maps import read_map, write_map
from core.storage.selections import keep_selection, read_selection
from core.taxonomy import decode
from tests.serving import browsing, served
from tests.synthetic import write_run

expect.set_options(timeout=90_000)
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def run(desk, index):
    """A run with a map: places at random."""
    made = write_run(desk, index, "first")
    ids = [*made.train_photos().photo_id, *made.eval_ids()]
    places = np.random.default_rng(0).random((len(ids), 2))
    write_features(made.path / "features", ids, places, fold=0)
    write_map(made.path / "map", ids, places, fold=0, method="made up", seconds=0.0)
    return made


def _columns(run, index, workspace, **groups):
    decisions = DecisionStore(workspace, index.dataset_id).effective()
    return map_columns(run, run.photo_map(), index.photos, decisions, **groups)


def test_a_map_comes_back_and_places_outside_are_refused(tmp_path):
    write_map(tmp_path / "map", ["a", "b"], np.array([[0, 1], [0.5, 0.25]]), fold=2, method="m")
    found = read_map(tmp_path / "map")
    assert (found.photo_ids.tolist(), found.fold, found.about) == (["a", "b"], 2, {"method": "m"})
    assert found.places.tolist() == [[0, 1], [0.5, 0.25]]
    with pytest.raises(RunError, match="outside 0..1"):
        write_map(tmp_path / "map", ["a"], np.array([[0, 1.5]]), fold=0)


def test_columns_tell_class_error_split_and_person(run, index, desk):
    columns = _columns(run, index, desk)
    assert set(columns) == {*COLOURINGS, "label", "said"}
    oof = run.oof()
    rows = {photo: row for row, photo in enumerate(run.photo_map().photo_ids.tolist())}
    known = index.photos.set_index("photo_id")
    folds = run.train_photos().set_index("photo_id").fold
    for photo, logits in zip(oof.photo_ids.tolist(), oof.logits, strict=True):
        row, label, said = rows[photo], int(known.label[photo]), int(logits.argmax())
        assert (columns["label"].codes[row], columns["said"].codes[row]) == (label, said)
        wrong = [axis for axis, one, other in zip(("mask", "gender", "age"), decode(label), decode(said), strict=True)
                 if one != other]  # fmt: skip
        expected = "right" if not wrong else f"wrong {wrong[0]}" if len(wrong) == 1 else "wrong on several"
        assert columns["error"].names[columns["error"].codes[row]] == expected
        seen = "train, not seen" if folds[photo] == 0 else "train, seen by this network"
        assert columns["split"].names[columns["split"].codes[row]] == seen
    people = columns["person"].codes[[rows[photo] for photo in oof.photo_ids.tolist()]]
    assert len(set(people)) == known.person_id[oof.photo_ids.tolist()].nunique()
    first = rows[run.eval_ids()[0]]
    assert (columns["label"].codes[first], columns["person"].codes[first]) == (NONE, NONE)
    assert columns["class"].codes[first] == columns["said"].codes[first] == run.evaluation().logits[0].argmax()


def test_decisions_and_groups_colour_the_map(run, index, desk):
    photo, person = run.eval_ids()[0], index.photos.person_id.iloc[0]
    DecisionStore(desk, index.dataset_id).append(
        [
            Decision(who="kim", kind="reject", unit="photo", target=photo),
            Decision(who="kim", kind="relabel", unit="person", target=person, gender=1),
        ]
    )
    columns = _columns(run, index, desk, groups=dict.fromkeys(run.eval_ids()[:7], "g1"))
    rows = {photo: row for row, photo in enumerate(run.photo_map().photo_ids.tolist())}
    decision = columns["decision"]
    assert decision.names[decision.codes[rows[photo]]] == "rejected"
    of_person = [rows[one] for one in index.photos.photo_id[index.photos.person_id == person]]
    assert {decision.names[code] for code in decision.codes[of_person]} == {"changed"}
    assert len(set(columns["person"].codes[[rows[one] for one in run.eval_ids()[:7]]])) == 1


def test_the_route_serves_the_points_compressed_and_behind_the_gate(run, index, desk, monkeypatch):
    import app

    client = TestClient(app.app, base_url="http://localhost", client=("127.0.0.1", 1))
    plain = {"accept-encoding": "identity"}
    found = run.photo_map()
    answer = client.get("/api/map/first/places", headers=plain)
    places = np.frombuffer(answer.content, dtype="<u2").reshape(-1, 2)
    np.testing.assert_allclose(places / 65535, found.places, atol=1e-5)
    assert "immutable" in answer.headers["cache-control"]
    assert client.get("/api/map/first/ids").text.split("\n") == found.photo_ids.tolist()
    codes = np.frombuffer(client.get("/api/map/first/class").content, dtype="<u2")
    np.testing.assert_array_equal(codes, _columns(run, index, desk)["class"].codes)
    with client.stream("GET", "/api/map/first/ids", headers={"accept-encoding": "gzip"}) as raw:
        assert gzip.decompress(b"".join(raw.iter_raw())).decode().split("\n") == found.photo_ids.tolist()
    for path in ("first/nothing", "none/places", "..%2Ffirst/places"):
        assert client.get(f"/api/map/{path}").status_code in (400, 404)
    monkeypatch.setenv("MASKDESK_TOKEN", "secret")
    assert client.get("/api/map/first/ids").status_code == 403


def _open(**query):
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60)
    app.session_state["reviewer"] = "kim"
    app.run()
    app.switch_page(str(ROOT / "pages" / "map.py"))
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert [error.value for error in [*app.exception, *app.error]] == []
    return app


def test_a_run_without_a_map_offers_to_make_one(desk, index):
    write_run(desk, index, "first")
    app = _open()
    assert "first has no map yet. First its network looks at every photo once more." in app.info[0].value
    assert app.button[0].label == "Make the map"


def test_an_area_and_a_colour_in_the_address_choose_photos(run, index, desk):
    assert "No photo is chosen" in _open().info[0].value
    area = "0-0_5000-0_5000-10000_0-10000"
    places = run.photo_map().places
    left = places[:, 0] < 0.5
    app = _open(area=area)
    assert app.subheader[0].value == f"{left.sum()} photos chosen"
    normal = _columns(run, index, desk)["mask"].codes == 2
    app = _open(area=area, by="mask", only="normal")
    assert app.subheader[0].value == f"{(left & normal).sum()} photos chosen"
    assert _open(area="nonsense").subheader[0].value == f"{len(places)} photos chosen"


def test_chosen_photos_go_to_a_queue_that_shows_them_alone(run, index, desk):
    train = index.photos.photo_id[index.photos.split == "train"].tolist()[:9]
    name = keep_selection(desk, train)
    assert keep_selection(desk, train[::-1]) == name
    assert read_selection(desk, name) == set(train)
    for wrong in ("0" * 12, "../../etc/passwd"):
        with pytest.raises(DecisionError, match="is not in this workspace"):
            read_selection(desk, wrong)
    app = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60)
    app.session_state["reviewer"] = "kim"
    app.run()
    app.switch_page(str(ROOT / "pages" / "label_issues.py"))
    for key, value in {"unit": "photo", "issue": "all train photos", "picked": name}.items():
        app.query_params[key] = value
    app.run()
    assert [error.value for error in [*app.exception, *app.error]] == []
    states = next(control for control in app.button_group if control.key == "state").options
    assert "to decide 9" in states
    app.button(key="picked-leave").click().run()
    states = next(control for control in app.button_group if control.key == "state").options
    assert f"to decide {(index.photos.split == 'train').sum()}" in states


def test_in_the_browser_a_box_or_a_closed_lasso_chooses_photos_and_fetches_no_points_again(run, demo_dir, desk):
    with served(demo_dir, desk.root) as address, browsing() as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url) if "/api/map/" in request.url else None)
        page.goto(f"{address}/map?run=first", wait_until="domcontentloaded")
        count = len(run.photo_map().photo_ids)
        expect(page.locator(".map .status")).to_have_text(f"{count} photos")
        assert sum("/places" in url for url in asked) == 1
        before = len(asked)
        page.get_by_role("button", name="Box").click()
        stage = page.locator(".stage").bounding_box()
        page.mouse.move(stage["x"] + 2, stage["y"] + 2)
        page.mouse.down()
        page.mouse.move(stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] - 2, steps=4)
        page.mouse.up()
        left = int((run.photo_map().places[:, 0] < 0.5).sum())
        expect(page.get_by_role("heading", name=f"{left} photos chosen")).to_be_visible()
        expect(page).to_have_url(re.compile("area="))
        expect(page.locator("figure img").first).to_be_visible()
        page.get_by_role("button", name="Lasso").click()
        left, top = stage["x"] + 2, stage["y"] + 2
        right, bottom = left + stage["width"] - 4, top + stage["height"] - 4
        page.mouse.move(left, top)
        page.mouse.down()
        for corner in ((left, bottom), (right, bottom), (right, top), (left, top)):  # and back to where it began
            page.mouse.move(*corner)
        page.mouse.up()
        expect(page.get_by_role("heading", name=f"{count} photos chosen")).to_be_visible()
        assert len(asked) == before
        page.get_by_text("error", exact=True).click()
        expect(page.locator(".legend")).to_contain_text("wrong gender")
        assert [url.split("?")[0].rsplit("/", 1)[1] for url in asked[before:]] == ["error"]


def test_the_way_back_from_a_queue_shows_the_map_with_the_same_photos_chosen(run, demo_dir, desk):
    with served(demo_dir, desk.root) as address, browsing() as page:
        page.goto(
            f"{address}/map?run=first&by=split&area=0-0_5000-0_5000-10000_0-10000", wait_until="domcontentloaded"
        )
        left = int((run.photo_map().places[:, 0] < 0.5).sum())
        chosen = page.get_by_role("heading", name=f"{left} photos chosen")
        page.get_by_role("button", name="Review the labels of").click()
        expect(page.get_by_role("heading", name="Label issues")).to_be_visible(timeout=60_000)
        expect(page).to_have_url(re.compile("label_issues.*picked="), timeout=60_000)
        expect(chosen).not_to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name="Map")).to_be_visible(timeout=60_000)
        expect(chosen).to_be_visible(timeout=60_000)
        expect(page.locator(".map .status")).to_contain_text(f"{left} of ")
