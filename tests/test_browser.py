"""The main path in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.serving import browsing, served


@pytest.fixture(scope="module")
def address(demo_dir, trained_run):
    with served(demo_dir, trained_run[0].root) as url:
        yield url


def test_a_cell_of_the_matrix_opens_the_photos_behind_it(address):
    with browsing() as page:
        page.goto(f"{address}/errors", wait_until="domcontentloaded")
        expect(page.get_by_role("heading", name="Errors")).to_be_visible(timeout=90_000)
        cells = page.locator(".bars").first.locator(".point path")
        expect(cells).to_have_count(18 * 18, timeout=90_000)
        page.wait_for_timeout(300)
        hot = page.evaluate("""() => [...document.querySelectorAll('.js-plotly-plot')][0].data[0].text
            .flatMap((row, i) => row.map((t, j) => t ? i * 18 + j : -1)).filter(k => k >= 0)[0]""")
        cells.nth(hot).click(force=True)
        expect(page).to_have_url(re.compile("true=.+predicted=|predicted=.+true="), timeout=90_000)
        photo = page.locator("figure img").first
        expect(photo).to_be_visible(timeout=90_000)
        page.wait_for_function("() => document.querySelector('figure img').naturalHeight === 256", timeout=90_000)


def test_every_page_is_reached_by_its_own_address_and_shows_no_error(address):
    with browsing() as page:
        for path, title in {"": "Overview", "train": "Train", "runs": "Runs", "errors": "Errors",
                            "pseudo_labels": "Pseudo labels", "submissions": "Submissions"}.items():  # fmt: skip
            page.goto(f"{address}/{path}", wait_until="domcontentloaded")
            expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=90_000)
            expect(page.locator("[data-testid=stException], [data-testid=stAlertContentError]")).to_have_count(0)
