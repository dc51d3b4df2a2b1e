"""The main path in a real browser."""

import re
import shutil
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from core.curation.judged import judge
from core.storage.predictions import write_predictions
from core.storage.runs import Run, open_run
from core.taxonomy import CLASS_NAMES
from core.workspace import Workspace
from tests.serving import browsing, free_port, served, start, wait_until_idle

expect.set_options(timeout=90_000)
VIOLATION = "Content Security Policy"


@pytest.fixture(scope="module")
def workspace_of_truth(demo_dir, trained_run, tmp_path_factory):
    """A workspace whose one run, ``first``, predicts the evaluation photos right, so that every check passes."""
    workspace = Workspace(tmp_path_factory.mktemp("browser") / "workspace")
    shutil.copytree(trained_run[0].root, workspace.root, ignore=shutil.ignore_patterns("submissions"))
    run = open_run(workspace, trained_run[1])
    truth = pd.read_csv(demo_dir / "truth" / "eval.csv").set_index("ImageID").ans
    ids = run.eval_ids()
    write_predictions(run.path / "evaluation", ids, 6.0 * np.eye(18, dtype=np.float32)[truth[ids]])
    return workspace


@pytest.fixture(scope="module")
def address(demo_dir, workspace_of_truth):
    with served(demo_dir, workspace_of_truth.root) as url:
        yield url


def test_a_cell_of_the_matrix_opens_the_photos_behind_it_and_escape_leaves_it(address):
    with browsing() as page:
        page.goto(f"{address}/errors", wait_until="domcontentloaded")
        cells = page.locator(".st-key-matrix-area .point path")
        expect(cells).to_have_count(18 * 18)
        page.wait_for_timeout(300)
        hot = page.evaluate("""() => document.querySelector('.st-key-matrix-area .js-plotly-plot').data[0].text
            .flatMap((row, i) => [...row].map((t, j) => t ? i * 18 + j : -1)).filter(k => k >= 0)[0]""")
        cells.nth(hot).click(force=True)
        expect(page).to_have_url(re.compile("true=.+&predicted=|predicted=.+&true="), timeout=90_000)
        expect(page.locator("figure img").first).to_be_visible()
        page.wait_for_function("() => document.querySelector('figure img').naturalHeight === 256", timeout=90_000)
        page.reload(wait_until="domcontentloaded")
        expect(page.locator("figure img").first).to_be_visible()
        expect(page.get_by_role("button", name="Leave the cell")).to_be_enabled()
        wait_until_idle(page)
        page.keyboard.press("Escape")
        expect(page.locator("figure img")).to_have_count(0)
        expect(page).not_to_have_url(re.compile("true="))


def test_a_photo_opens_by_keys_has_an_address_and_escape_closes_it_before_the_cell(address, workspace_of_truth):
    oof = judge(open_run(workspace_of_truth, "first"))
    label = int(oof.labels[oof.labels != oof.predictions][0])
    with browsing() as page:
        page.goto(f"{address}/errors?{urlencode({'true': CLASS_NAMES[label]})}", wait_until="domcontentloaded")
        photos = page.locator(".st-key-cell-photos button")
        photos.first.focus()
        page.keyboard.press("ArrowRight")
        expect(photos.nth(1)).to_be_focused()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("by its label")
        opened = photos.nth(1).get_attribute("title")
        assert parse_qs(urlsplit(page.url).query)["photo"] == [opened]
        page.reload(wait_until="domcontentloaded")
        expect(dialog).to_contain_text(opened)
        expect(dialog.get_by_role("button", name="Previous")).to_be_enabled()
        wait_until_idle(page)
        page.keyboard.press("ArrowLeft")
        expect(dialog).to_contain_text(photos.first.get_attribute("title"))
        expect(dialog).not_to_contain_text(opened)
        wait_until_idle(page)
        page.keyboard.press("ArrowRight")
        expect(dialog).to_contain_text(opened)
        others = dialog.locator(".st-key-person-photos button")
        others.first.click()
        expect(dialog).not_to_contain_text(opened)
        expect(others.first).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(page).not_to_have_url(re.compile("photo="))
        expect(page.get_by_role("button", name="Leave the cell")).to_be_enabled()
        wait_until_idle(page)
        page.keyboard.press("Escape")
        expect(photos).to_have_count(0)


def test_what_the_network_looks_at_is_made_by_a_job_and_laid_over_the_photo(address, workspace_of_truth):
    opened = str(judge(open_run(workspace_of_truth, "first")).photo_ids[0])
    with browsing() as page:
        page.goto(f"{address}/errors?{urlencode({'photo': opened})}", wait_until="domcontentloaded")
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Show what the network looks at").click()
        dialog.get_by_role("radio", name="predicted").click(timeout=150_000)
        overlay = dialog.locator("img[src^='data:image/png']")
        expect(overlay).to_be_visible()
        assert overlay.evaluate("picture => picture.naturalHeight") > 0
        expect(page).to_have_url(re.compile("gradcam=predicted"))


def test_every_page_draws_at_its_own_address_without_an_error_or_a_breach_of_the_content_policy(address):
    with browsing() as page:
        breaches = []
        page.on("console", lambda message: breaches.append(message.text) if VIOLATION in message.text else None)
        page.goto(address, wait_until="domcontentloaded")
        links = page.get_by_test_id("stSidebarNavLink")
        expect(links.first).to_be_visible()
        places = {link.get_attribute("href"): link.inner_text().split("\n")[-1].strip() for link in links.all()}
        assert len(places) >= 6
        for path, title in places.items():
            page.goto(f"{address}/{path.rpartition('/')[2]}", wait_until="domcontentloaded")
            expect(page.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible()
            wait_until_idle(page)
            expect(page.locator("[data-testid=stException], [data-testid=stAlertContentError]")).to_have_count(0)
        assert breaches == []


def test_a_submission_is_written_and_downloaded_as_it_lies_on_the_disk(address, workspace_of_truth):
    with browsing() as page:
        page.goto(f"{address}/submissions", wait_until="domcontentloaded")
        page.get_by_role("button", name="Write", exact=True).click()
        expect(page.get_by_text("Written:")).to_be_visible()
        with page.expect_download(timeout=90_000) as coming:
            page.locator("[class*=st-key-get-] button").first.click()
        written = [path.read_bytes() for path in workspace_of_truth.submissions.rglob("*.csv")]
        assert written == [coming.value.path().read_bytes()]


def test_a_run_is_started_stopped_and_resumed_on_the_page_though_the_server_is_killed(
    demo_dir, trained_run, tmp_path
):
    workspace = Workspace(tmp_path / "workspace")
    shutil.copytree(trained_run[0].root, workspace.root)
    port = free_port()
    server = start(demo_dir, workspace.root, port=port)
    try:
        with browsing() as page:
            page.goto(f"http://127.0.0.1:{port}/train?start=run+first", wait_until="domcontentloaded")
            name = page.locator("[class*=st-key-train-name] input")
            name.fill("second")
            name.press("Enter")
            expect(page.get_by_text("second: ")).to_be_visible()
            page.get_by_role("button", name="Start", exact=True).click()
            job = page.locator("[class*=st-key-job-]").first
            job.get_by_role("button", name="Stop").click()
            expect(job).to_contain_text("stopped")
            assert Run(workspace.runs / "second").state() == "unfinished"
            job.get_by_role("button", name="Resume").click()
            expect(job).to_contain_text(re.compile("queued|running"))
            server.kill()
            server.wait()
            server = start(demo_dir, workspace.root, port=port)
            page.goto(f"http://127.0.0.1:{port}/train", wait_until="domcontentloaded")
            expect(job).to_contain_text("finished", timeout=150_000)
            assert Run(workspace.runs / "second").state() == "finished"
            page.goto(f"http://127.0.0.1:{port}/runs", wait_until="domcontentloaded")
            expect(page.get_by_role("heading", name="second", level=3)).to_be_visible()
    finally:
        server.kill()
        server.wait()
