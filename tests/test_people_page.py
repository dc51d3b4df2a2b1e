"""The page People in a real browser: groups are confirmed, split, merged and moved by keys and by mouse."""

import json

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from core.dataset.index import load_index
from core.storage.decisions import DecisionStore
from core.storage.group_decisions import by_group
from core.storage.groupings import open_grouping, save_grouping
from tests.serving import browsing, free_port, served, start

PEOPLE = 4


@pytest.fixture(scope="module")
def desk(demo_dir, trained_run):
    """Address, workspace and data set; the grouping ``keys`` has groups 0 to 3, the least sure first."""
    workspace = trained_run[0]
    index = load_index(demo_dir, workspace)
    with served(demo_dir, workspace.root) as url:
        yield url, workspace, index


@pytest.fixture(scope="module")
def page():
    with browsing() as page:
        page.set_viewport_size({"width": 1440, "height": 1600})  # several groups above the key card
        page.add_init_script("localStorage.setItem('maskdesk.reviewer', 'ada')")
        yield page


class _Groups:
    """A grouping of its own for each test: four groups of six, five, four and three photos, and single ones."""

    def __init__(self, workspace, index, name):
        self.workspace, self.dataset_id, self.name = workspace, index.dataset_id, name
        self.ids = index.photos.photo_id[index.photos.split == "eval"].tolist()
        sizes = [6, 5, 4, 3] + [1] * (len(self.ids) - 18)
        group = np.repeat(np.arange(len(sizes)), sizes)
        confidence = np.where(group < PEOPLE, 0.5 + group / 10, np.nan)
        vectors = np.random.default_rng(len(name)).normal(size=(len(self.ids), 8)) + np.eye(8)[group % 2] * 4
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        table = pd.DataFrame({"photo_id": self.ids, "group": [f"{name}{one}" for one in group]})
        save_grouping(workspace, name, table.assign(confidence=confidence), dataset_id=self.dataset_id,
                      origin="a test", about={}, vectors=vectors.astype(np.float32))  # fmt: skip

    def now(self):
        return open_grouping(self.workspace, self.name, dataset_id=self.dataset_id)

    def members(self, group):
        table = self.now().table
        return table.photo_id[table.group == f"{self.name}{group}"].tolist()

    def rows(self):
        rows = DecisionStore(self.workspace, self.dataset_id).all()
        undone = rows[rows.kind == "undo"].undoes
        about = rows[rows.grouping == self.now().key]
        return about, rows[rows.undoes.isin(about.decision_id)], undone


def _open(page, desk, name):
    groups = _Groups(*desk[1:], name)
    page.goto(f"{desk[0]}/people?grouping={name}", wait_until="domcontentloaded")
    expect(page.locator(".lot.here")).to_have_attribute("data-group", f"{name}0", timeout=60_000)
    return groups


def _saved(page, count):
    expect(page.locator(".saves")).to_have_text(f"{count} saved", timeout=30_000)


def test_keys_confirm_split_mark_move_merge_and_undo(desk, page):
    groups = _open(page, desk, "k")
    page.keyboard.press("a")
    expect(page.locator(".lot.here")).to_have_attribute("data-group", "k1")
    _saved(page, 1)
    assert by_group(groups.now().table).confirmed["k0"]
    assert set(groups.now().table.set_index("photo_id").confidence[groups.members(0)]) == {1.0}

    first = page.locator(".shot.cursor").get_attribute("data-photo")
    page.keyboard.press("s")  # the photo at the cursor leaves
    _saved(page, 2)
    assert first not in groups.members(1)
    assert len(groups.members(1)) == 4

    moving = page.locator(".shot.cursor").get_attribute("data-photo")
    page.keyboard.press("Space")
    expect(page.locator(".shot.marked")).to_have_count(1)
    while page.locator(".lot.here").get_attribute("data-group") != "k3":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("m")
    _saved(page, 3)
    assert moving in groups.members(3)

    partner = page.locator(".partner").first.get_attribute("data-partner")
    theirs = groups.now().table.groupby("group").photo_id.agg(list)[partner]
    page.keyboard.press("1")
    _saved(page, 4)
    assert set(theirs) <= set(groups.members(3))
    page.keyboard.press("Backspace")
    _saved(page, 5)
    assert not set(theirs) & set(groups.members(3))

    about, undos, _ = groups.rows()
    assert set(about.who) == {"ada"}
    assert about.kind.tolist()[:7] == ["confirm"] * 6 + ["group"]
    assert about.group_before.tolist()[6] == "k1"
    assert len(undos) == len(theirs)
    assert DecisionStore(groups.workspace, groups.dataset_id).effective().empty


def test_a_group_whose_confirmation_is_taken_back_stands_where_it_stood(desk, page):
    _open(page, desk, "back")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("a")
    _saved(page, 1)
    expect(page.locator(".lot").nth(1)).to_have_attribute("data-group", "back2")
    page.keyboard.press("Backspace")
    _saved(page, 2)
    expect(page.locator(".lot").nth(1)).to_have_attribute("data-group", "back1")


def test_the_mouse_marks_drags_confirms_and_merges(desk, page):
    groups = _open(page, desk, "mouse")
    lots = page.locator(".lot")
    photo = groups.members(1)[0]
    page.locator(f".shot[data-photo='{photo}']").drag_to(lots.nth(0))
    _saved(page, 1)
    assert photo in groups.members(0)
    assert len(groups.members(0)) == 7

    marked = groups.members(1)[:2]
    for one in marked:
        page.locator(f".shot[data-photo='{one}']").click()
    expect(page.locator(".shot.marked")).to_have_count(2)
    page.locator("button[data-key=s]").click()
    _saved(page, 2)
    assert groups.now().table.set_index("photo_id").group[marked].nunique() == 1
    assert not set(marked) & set(groups.members(1))

    lots.filter(has=page.locator(f"[data-photo='{photo}']")).get_by_role("button", name="confirm").click()
    _saved(page, 3)
    assert by_group(groups.now().table).confirmed["mouse0"]
    page.locator("button[data-key=backspace]").click()
    _saved(page, 4)
    assert not by_group(groups.now().table).confirmed["mouse0"]


def test_a_group_of_more_than_seven_photos_is_refused_in_words(desk, page):
    groups = _open(page, desk, "over")
    page.keyboard.press("Shift+Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("m")
    expect(page.locator(".said")).to_have_text("11 photos: a person has 7; split some off first")
    assert groups.rows()[0].empty


def test_a_killed_server_and_a_reload_lose_no_key(demo_dir, desk, page):
    _, workspace, index = desk
    port = free_port()
    server = start(demo_dir, workspace.root, port=port)
    try:
        groups = _open(page, (f"http://127.0.0.1:{port}", workspace, index), "kill")
        page.keyboard.press("a")
        _saved(page, 1)
        server.kill()
        server.wait(10)
        page.keyboard.press("s")
        page.keyboard.press("a")
        page.keyboard.press("Backspace")
        expect(page.locator(".saves")).to_contain_text("3 on the way", timeout=10_000)
        server = start(demo_dir, workspace.root, port=port)
        page.reload(wait_until="domcontentloaded")
        page.locator(".lot.here").wait_for(timeout=60_000)
        expect(page.locator(".saves")).not_to_contain_text("on the way", timeout=60_000)
        about, undos, _ = groups.rows()
        assert about.nonce.is_unique
        assert about.kind.tolist()[:7] == ["confirm"] * 6 + ["group"]
        assert len(undos) == len(about) - 7 > 0
        lines = DecisionStore(workspace, index.dataset_id).mirror.read_text().splitlines()
        assert {json.loads(line)["decision_id"] for line in lines} >= set(about.decision_id) | set(undos.decision_id)
    finally:
        server.kill()
        server.wait(10)
