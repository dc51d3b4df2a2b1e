"""The review component in a real browser, on a page of its own (review_page.py)."""

import json

import pytest
from playwright.sync_api import expect

from core.dataset.index import load_index
from core.storage.decisions import DecisionStore
from core.workspace import Workspace
from tests.serving import browsing, free_port, served, start

APP = "tests/review_app.py"


@pytest.fixture(scope="module")
def desk(demo_dir, tmp_path_factory):
    """The page's address and its workspace."""
    workspace = Workspace(tmp_path_factory.mktemp("review") / "workspace")
    with served(demo_dir, workspace.root, script=APP) as url:
        yield url, DecisionStore(workspace, load_index(demo_dir, workspace).dataset_id)


@pytest.fixture(scope="module")
def page():
    with browsing() as page:
        yield page


def _open(page, url, who, **query):
    words = "&".join(f"{name}={value}" for name, value in {"who": who, **query}.items())
    page.goto(f"{url}/?{words}", wait_until="domcontentloaded")
    page.locator(".stage img").first.wait_for(timeout=30_000)


def _target(page):
    return page.locator(".stage").get_attribute("data-target")


def _saved(page, count):
    expect(page.locator(".saves")).to_have_text(f"{count} saved", timeout=20_000)


def _rows(store, who):
    rows = store.all()
    return rows[rows.who == who].reset_index(drop=True)


def test_a_key_decides_shows_the_next_card_and_is_saved(desk, page):
    url, store = desk
    _open(page, url, "keys")
    first = _target(page)
    page.keyboard.press("a")
    assert _target(page) != first
    _saved(page, 1)
    row = _rows(store, "keys").iloc[0]
    assert (row.target, row.kind, row.queue, row.unit) == (first, "accept", "photos", "photo")
    assert row.proposal == row["mask"] * 6 + row.gender * 3 + row.age_band
    assert 0 <= row.seconds < 60


KEYS = {"x": ("reject", "", 0), "Space": ("skip", "", 0), "1": ("relabel", "age_band", 0),
        "3": ("relabel", "age_band", 2), "4": ("relabel", "gender", 0), "5": ("relabel", "gender", 1),
        "7": ("relabel", "mask", 0), "9": ("relabel", "mask", 2)}  # fmt: skip


def test_every_key_of_the_key_card_saves_what_it_says(desk, page):
    url, store = desk
    _open(page, url, "card")
    expected = []
    for key, (kind, axis, value) in KEYS.items():
        proposed = page.locator(f".toolbar button[data-key='{key.lower()}'] .effect").inner_text() == "proposed"
        expected.append((_target(page), "accept" if proposed else kind, axis, value))
        page.keyboard.press(key)
    _saved(page, len(KEYS))
    rows = _rows(store, "card")
    for row, (target, kind, axis, value) in zip(rows.to_dict("records"), expected, strict=True):
        assert (row["target"], row["kind"]) == (target, kind)
        if axis:
            assert row[axis] == value
            assert None not in (row["mask"], row["gender"], row["age_band"])  # an evaluation photo's label is whole


def test_two_axes_of_a_card_are_changed_by_shift_and_the_key_that_decides(desk, page):
    url, store = desk
    _open(page, url, "shift")
    first = _target(page)
    page.keyboard.press("Shift+3")
    page.keyboard.press("Shift+9")
    assert _target(page) == first
    page.keyboard.press("5")
    _saved(page, 1)
    row = _rows(store, "shift").iloc[0]
    assert (row["mask"], row.gender, row.age_band) == (2, 1, 2)


def test_a_korean_input_method_changes_no_key(desk, page):
    url, store = desk
    _open(page, url, "korean")
    page.evaluate("""() => document.body.dispatchEvent(new KeyboardEvent("keydown",
        {key: "Process", code: "KeyX", isComposing: true, bubbles: true, composed: true}))""")
    _saved(page, 1)
    assert _rows(store, "korean").kind.tolist() == ["reject"]


def test_keys_typed_into_a_field_decide_nothing(desk, page):
    url, store = desk
    _open(page, url, "typist")
    first = _target(page)
    page.get_by_label("a field of the page").fill("")
    page.get_by_label("a field of the page").press_sequentially("ax1 ")
    page.keyboard.press("Enter")
    page.locator(".reason").press_sequentially("a mask x 1")
    assert _target(page) == first
    page.keyboard.press("Enter")
    page.keyboard.press("x")
    _saved(page, 1)
    assert _rows(store, "typist")[["kind", "why"]].to_numpy().tolist() == [["reject", "a mask x 1"]]


def test_keys_decide_also_while_a_part_of_the_page_that_was_opened_has_the_focus_but_enter_is_its_own(desk, page):
    url, store = desk
    _open(page, url, "opener")
    first = _target(page)
    page.get_by_text("a part to open").click()
    expect(page.get_by_text("a box to tick")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("a box to tick")).not_to_be_visible()
    assert _target(page) == first
    page.keyboard.press("a")
    assert _target(page) != first
    _saved(page, 1)
    page.get_by_label("a field of the page").click()
    page.keyboard.press("x")
    assert _rows(store, "opener").kind.tolist() == ["accept"]


def test_undo_brings_the_card_back_at_once_and_also_after_a_reload(desk, page):
    url, store = desk
    _open(page, url, "undoer")
    first = _target(page)
    page.keyboard.press("a")
    page.keyboard.press("Backspace")
    assert _target(page) == first
    _saved(page, 1)
    page.keyboard.press("x")
    second = _target(page)
    page.keyboard.press("x")
    _saved(page, 3)
    _open(page, url, "undoer")
    page.keyboard.press("Backspace")
    expect(page.locator(".stage")).to_have_attribute("data-target", second, timeout=10_000)
    page.keyboard.press("Backspace")
    expect(page.locator(".stage")).to_have_attribute("data-target", first, timeout=10_000)
    assert _rows(store, "undoer").kind.tolist() == ["accept", "undo", "reject", "reject", "undo", "undo"]
    standing = store.effective()
    assert standing[standing.who == "undoer"].empty


def test_a_card_that_came_back_has_no_place_of_its_own_in_another_list(desk, page):
    url, _ = desk
    _open(page, url, "turner")
    first = _target(page)
    page.keyboard.press("ArrowRight")
    second = _target(page)
    page.keyboard.press("x")
    _saved(page, 1)
    page.keyboard.press("Backspace")
    assert _target(page) == second
    page.get_by_label("a field of the page").fill("another list")
    page.keyboard.press("Enter")
    expect(page.locator(".stage")).to_have_attribute("data-target", first)


def test_a_grid_takes_the_clicked_ones_as_wrong_and_accepts_the_rest_as_one_batch(desk, page):
    url, store = desk
    _open(page, url, "grid", mode="grid", queue="issues")
    expect(page.locator(".tile")).to_have_count(24)
    page.locator(".tile").nth(2).click()
    page.locator(".tile").nth(5).click()
    page.locator(".tile").nth(7).click(modifiers=["Shift"])
    page.keyboard.press("ArrowRight")
    page.keyboard.press("3")
    expect(page.locator(".tile[data-mark=reject]")).to_have_count(4)
    first = _target(page)
    page.keyboard.press("Enter")
    assert _target(page) != first
    _saved(page, 24)
    rows = _rows(store, "grid")
    assert rows.batch_id.nunique() == 1
    assert [place for place, kind in enumerate(rows.kind) if kind == "reject"] == [2, 5, 6, 7]
    assert rows.age_band[8] == 2
    page.keyboard.press("Backspace")
    assert _target(page) == first
    expect(page.locator(".tile[data-mark=reject]")).to_have_count(4)


def test_marks_and_batches_are_taken_back_after_a_reload_as_before_it(desk, page):
    url, store = desk
    _open(page, url, "returner", mode="grid", queue="issues")
    rejected = page.locator(".tile[data-mark=reject]")
    saved = _target(page)
    page.locator(".tile").nth(2).click()
    page.locator(".tile").nth(5).click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    _saved(page, page.locator(".tile").count())
    page.locator(".tile").nth(1).click()
    page.locator(".tile").nth(4).click()
    _open(page, url, "returner", mode="grid", queue="issues")
    expect(rejected).to_have_count(2)
    for left in (1, 0):  # what is not saved is taken back first, mark by mark
        page.keyboard.press("Backspace")
        expect(rejected).to_have_count(left)
    assert len(store.effective().query("who == 'returner'")) == 24
    page.keyboard.press("Backspace")
    expect(page.locator(".stage")).to_have_attribute("data-target", saved, timeout=20_000)
    assert [page.locator(".tile").nth(place).get_attribute("data-mark") for place in range(7)] == [
        "", "", "reject", "", "", "reject", "relabel",
    ]  # fmt: skip
    page.locator(".tile").nth(5).click()  # one of them was meant otherwise
    page.keyboard.press("Enter")
    _saved(page, 24)
    now = store.effective().query("who == 'returner'").reset_index(drop=True)
    assert [place for place, kind in enumerate(now.kind) if kind != "accept"] == [2, 6]
    assert (now.kind[2], now.kind[6], now.age_band[6]) == ("reject", "relabel", 2)


@pytest.mark.parametrize("key", ["Enter", "a", "s"])
def test_accepting_a_card_that_proposes_a_swap_makes_the_swap_as_one_batch(desk, page, key):
    url, store = desk
    who = f"swap-{key}"
    _open(page, url, who, queue="swaps")
    first = _target(page)
    expect(page.locator(".proposal")).to_contain_text("swap normal and incorrect")
    expect(page.locator("button[data-key=a] .effect")).to_have_text("swap normal and incorrect")
    page.keyboard.press(key)
    second = _target(page)
    page.keyboard.press("a")
    third = _target(page)
    page.keyboard.press("a")
    _saved(page, 3 + 3 + 1)
    rows = _rows(store, who)
    assert rows.batch_id.nunique() == 3
    swap = rows[rows.target.str.startswith(f"{first}/")]
    assert sorted(zip(swap.target.str.extract(r"/(.*)\.")[0], swap["mask"], swap.why, strict=True)) == [
        ("incorrect_mask", 2, "seen so"), ("normal", 1, "seen so"),
    ]  # fmt: skip
    assert rows[rows.target == first][["gender", "age_band"]].notna().all(axis=None)  # the rest stays
    assert rows[rows.target == first].kind.tolist() == ["accept"]
    assert (rows.unit[rows.target.str.startswith(second)] == "photo").sum() == 2
    assert rows[rows.target == second][["unit", "gender"]].notna().all(axis=None)
    assert rows[rows.target.str.startswith(third)].unit.tolist() == ["person"]
    for target in (third, second, first):
        page.keyboard.press("Backspace")
        assert _target(page) == target
    expect(page.locator(".saves")).to_have_text("7 saved", timeout=20_000)
    assert store.effective().query("who == @who").empty


def test_enter_on_a_grid_swaps_where_a_swap_is_proposed_unless_the_card_is_marked(desk, page):
    url, store = desk
    _open(page, url, "swapper", queue="swaps", mode="grid")
    first, second = (page.locator(".tile").nth(place) for place in (0, 1))
    expect(first.locator(".caption")).to_contain_text("swap normal and incorrect")
    second.click()
    cards = page.locator(".tile").count()
    page.keyboard.press("Enter")
    _saved(page, cards + 2)  # the swap is two more
    rows = _rows(store, "swapper")
    assert rows.batch_id.nunique() == 1
    assert rows.unit.tolist()[:4] == ["person", "photo", "photo", "person"]
    assert sorted(rows["mask"][1:3]) == [1, 2]
    assert rows.kind[3] == "reject"
    page.keyboard.press("Backspace")
    expect(page.locator(".tile[data-mark=reject]")).to_have_count(1)


def test_a_group_leaves_its_photos_as_decided_unless_all_are(desk, page, demo_dir, workspace):
    url, store = desk
    _open(page, url, "grouper", queue="groups")
    photos = load_index(demo_dir, workspace).photos
    ids = photos.photo_id[photos.split == "eval"].tolist()
    page.keyboard.press("a")
    page.keyboard.press("x")
    _saved(page, 2 + 3)
    assert list(_rows(store, "grouper")[["target", "kind"]].itertuples(index=False, name=None)) == [
        *((one, "accept") for one in ids[1:3]), *((one, "reject") for one in ids[3:6]),
    ]  # fmt: skip


def test_marks_stay_with_their_queue_and_accept_makes_what_its_button_says_all_the_same(desk, page):
    url, store = desk
    _open(page, url, "marker", queue="people", mode="grid")
    page.locator(".tile").nth(0).click()
    expect(page.locator(".tile[data-mark=reject]")).to_have_count(1)
    marked = _target(page)
    _open(page, url, "marker", queue="swaps", mode="grid")
    assert _target(page) == marked
    expect(page.locator(".tile[data-mark=reject]")).to_have_count(0)  # another question
    _open(page, url, "marker", queue="people")
    assert _target(page) == marked
    expect(page.locator("button[data-key=enter] .effect")).to_have_text("the label stays")
    page.keyboard.press("a")
    _saved(page, 1)
    assert _rows(store, "marker").kind.tolist() == ["accept"]


def test_the_mouse_alone_decides_undoes_and_looks_closer(desk, page):
    url, store = desk
    _open(page, url, "mouse", queue="people")
    first = _target(page)
    page.locator(".photo").nth(3).click()
    expect(page.locator(".photo").nth(3)).to_have_attribute("aria-pressed", "true")
    page.locator("button[data-key=p]").click()
    expect(page.locator("dialog[open] img")).to_have_count(7)
    page.get_by_role("button", name="close (esc)").click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator("button[data-key='5']").click()
    assert _target(page) != first
    page.locator("button[data-key=backspace]").click()
    assert _target(page) == first
    page.locator("button[data-key=s]").click()
    _saved(page, 3)
    rows = _rows(store, "mouse")
    assert rows.kind.tolist()[1:] == ["undo", "relabel", "relabel"]
    assert rows.unit.tolist() == ["person", "person", "photo", "photo"]


def test_what_the_server_cannot_take_is_refused_in_words_and_the_rest_goes_on(desk, page):
    url, store = desk
    _open(page, url, "forger")
    page.keyboard.press("a")
    _saved(page, 1)
    page.evaluate("""() => {
        const prefix = Object.keys(localStorage).find((key) => key.includes("marks-")).replace(/marks-.*/, "batch-");
        const item = {nonce: "nonce-0001", unit: "photo", target: "<b>nobody</b>", kind: "reject"};
        localStorage.setItem(prefix + "forged-0001", JSON.stringify({batch: "forged-0001", at: 1, who: "forger",
            queue: "photos", run_id: "", cards: [], items: [item]})); }""")
    _open(page, url, "forger")
    expect(page.locator(".alert")).to_contain_text("no photo '<b>nobody</b>'", timeout=20_000)
    page.keyboard.press("a")
    _saved(page, 1)
    assert page.evaluate("() => Object.keys(localStorage).filter((key) => key.includes('batch')).length") == 0
    assert _rows(store, "forger").kind.tolist() == ["accept", "accept"]


def test_a_killed_server_loses_nothing_and_doubles_nothing(demo_dir, tmp_path, page):
    workspace, port = Workspace(tmp_path / "workspace"), free_port()
    store = DecisionStore(workspace, load_index(demo_dir, workspace).dataset_id)
    server = start(demo_dir, workspace.root, port=port, script=APP)
    try:
        _open(page, f"http://127.0.0.1:{port}", "killer")
        for _ in range(3):
            page.keyboard.press("a")
        _saved(page, 3)
        page.keyboard.press("x")
        server.kill()
        server.wait(10)
        for key in ("a", "a", "Backspace", "x", "1"):
            page.keyboard.press(key)
        expect(page.locator(".saves")).to_contain_text("on the way for", timeout=10_000)
        expect(page.locator(".progress")).to_contain_text("7 of")
        expect(page.locator(".progress")).to_contain_text("2 rejected")
        server = start(demo_dir, workspace.root, port=port, script=APP)
        expect(page.locator(".saves")).not_to_contain_text("on the way", timeout=60_000)
        rows = _rows(store, "killer")
        assert rows.nonce.is_unique
        assert rows.kind.tolist()[:7] == ["accept"] * 3 + ["reject", "accept", "accept", "undo"]
        assert rows.kind.tolist()[7] == "reject"
        assert len(rows) == 9
        assert len(store.effective()) == 7
        lines = [json.loads(line) for line in store.mirror.read_text().splitlines()]
        assert len(lines) == 9
    finally:
        server.kill()
        server.wait(10)


@pytest.mark.parametrize(
    ("gained", "words"), [(0.0123, "+0.012"), (-0.02, "−0.020"), (4e-6, "about 0"), (-4e-6, "about 0"), (0, "0")]
)
def test_a_gain_that_is_as_good_as_zero_has_no_sign(desk, page, gained, words):
    _open(page, desk[0], "gains", gained=gained)
    expect(page.locator(".progress")).to_contain_text(f"gained so far {words} macro F1")
