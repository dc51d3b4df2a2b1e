"""How fast the screens are, in headless Chromium: first screen, page change, cell of the matrix to its photos.

``python -m benchmarks.screens --data DIR --workspace DIR`` prints one JSON object as its last line; times in
milliseconds, medians and 95th percentiles of ``--repeats``. The server is up and has been visited once; each first
screen is a browser without any cache. The workspace needs a finished run. It writes thumbnails there.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from tests.serving import FLAGS, chromium, served

_DRAWN = """title => {
    const app = document.querySelector('[data-testid=stApp]');
    return app?.dataset.testScriptState === 'notRunning' && document.querySelector('h1')?.innerText.trim() === title
        && !document.querySelector('[data-testid=stSkeleton], [data-testid=stAppSkeleton], [data-stale=true]')
        && [...document.querySelectorAll('.stPlotlyChart')].every(chart => chart.querySelector('.main-svg'));
}"""
_PHOTOS = """heading => {
    const photos = [...document.querySelectorAll('figure img')];
    return [...document.querySelectorAll('h5')].some(one => one.innerText.startsWith(heading)) && photos.length > 0
        && !document.querySelector('figure')?.closest('[data-stale=true]')
        && photos.every(photo => photo.complete && photo.naturalHeight > 0);
}"""
_TIMEOUT = 60_000


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--workspace", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--repeats", type=click.IntRange(2), default=10, show_default=True)
def main(data: Path, workspace: Path, repeats: int) -> None:
    """Print how fast the screens are as one JSON object."""
    with served(data, workspace) as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=FLAGS)
        first_screen(browser, address)
        firsts = [first_screen(browser, address) for _ in range(repeats)]
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(address)
        report = {
            "repeats": repeats,
            "first_screen_ms": _spread([ms for ms, _ in firsts]),
            "first_screen_mb": round(max(mb for _, mb in firsts), 2),
            "page_change_ms": page_changes(page, repeats),
            "cell_to_photos_ms": _spread(cells_to_photos(page, address, repeats)),
        }
        browser.close()
    print(json.dumps(report))


def first_screen(browser: Browser, address: str) -> tuple[float, float]:
    """Milliseconds until the default page is drawn in a fresh browser, and MB that came, WebSocket included."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    received = [0]
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    network.on(
        "Network.webSocketFrameReceived",
        lambda event: received.append(len(event["response"]["payloadData"]) * 3 // 4),
    )
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(_DRAWN, arg="Overview", timeout=_TIMEOUT)
    took = time.perf_counter() - started
    page.wait_for_timeout(500)
    context.close()
    return took * 1000, sum(received) / 1e6


def page_changes(page: Page, repeats: int) -> dict[str, dict[str, float]]:
    """Spread of each page's time from the click on its link until it is drawn; the first visit is left out."""
    page.wait_for_function(_DRAWN, arg="Overview", timeout=_TIMEOUT)
    titles = [link.inner_text().split("\n")[-1].strip() for link in page.get_by_test_id("stSidebarNavLink").all()]
    times: dict[str, list[float]] = {title: [] for title in titles}
    for _ in range(repeats + 1):
        for title in [*titles[1:], titles[0]]:
            link = page.get_by_test_id("stSidebarNavLink").filter(has_text=title).first
            times[title].append(_timed(link.click, lambda title=title: _wait(page, _DRAWN, title)))
    return {title: _spread(found[1:]) for title, found in times.items()}


def cells_to_photos(page: Page, address: str, repeats: int) -> list[float]:
    """Milliseconds from the click on a cell until its page of photos is complete; another cell each time."""
    page.goto(f"{address}/errors")
    _wait(page, _DRAWN, "Errors")
    names, counts = page.evaluate("""() => {
        const matrix = document.querySelector('.st-key-matrix-area .js-plotly-plot');
        return [matrix.layout.yaxis.ticktext, matrix.data[0].text.map(row => [...row])];
    }""")
    filled = [(t, p) for t, row in enumerate(counts) for p, text in enumerate(row) if text and t != p]
    times = []
    for true, predicted in filled[: repeats + 1]:
        cells = page.locator(".st-key-matrix-area .point path")
        cell = cells.nth(true * len(names) + predicted)
        cell.scroll_into_view_if_needed()
        box = cell.bounding_box()  # found before the clock starts: looking for a cell is no part of a click
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        heading = f"{names[true]} → {names[predicted]}"
        times.append(_timed(lambda x=x, y=y: page.mouse.click(x, y), lambda h=heading: _wait(page, _PHOTOS, h)))
        _wait(page, _DRAWN, "Errors")
    return times[1:]


def _wait(page: Page, condition: str, argument: str) -> None:
    page.wait_for_function(condition, arg=argument, timeout=_TIMEOUT)


def _timed(act: Callable[[], Any], wait: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    wait()
    return (time.perf_counter() - started) * 1000


def _spread(values: list[float]) -> dict[str, float]:
    return {"p50": round(float(np.median(values)), 1), "p95": round(float(np.percentile(values, 95)), 1)}


if __name__ == "__main__":
    main()
