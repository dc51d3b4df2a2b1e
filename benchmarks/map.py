"""How the map behaves in headless Chromium: first draw, frames while it pans, a box to its photos, bytes of a rerun.

``python -m benchmarks.map --data DIR --workspace DIR --run R`` prints one JSON object as its last line. The run needs
a map. Chromium draws WebGL by software here (SwiftShader): a graphics card draws more frames.
"""

import json
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.machine import machine
from tests.serving import FLAGS, chromium, served

_PAN = """() => new Promise(done => {
    const hosts = [...document.querySelectorAll('*')].filter(one => one.shadowRoot?.querySelector('canvas.points'));
    const stage = hosts[0].shadowRoot.querySelector('.stage');
    const box = stage.getBoundingClientRect();
    const at = (kind, x, y) => stage.dispatchEvent(new PointerEvent(kind,
        { pointerId: 1, clientX: box.left + x, clientY: box.top + y, bubbles: true, button: 0 }));
    stage.setPointerCapture = () => {};
    at('pointerdown', 300, 280);
    const times = [];
    let step = 0;
    const frame = now => {
        times.push(now);
        if (step++ === 120) { at('pointerup', 300, 280); done(times); return; }
        at('pointermove', 300 + 100 * Math.sin(step / 15), 280 + 80 * Math.cos(step / 15));
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
})"""


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--workspace", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--run", "run_id", required=True)
@click.option("--repeats", type=click.IntRange(2), default=5, show_default=True)
def main(data: Path, workspace: Path, run_id: str, repeats: int) -> None:
    """Print how the map behaves as one JSON object."""
    with served(data, workspace) as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 1300})
        http, sockets = _listen(page)
        draws = []
        for _ in range(repeats + 1):
            http.clear()
            started = time.perf_counter()
            page.goto(f"{address}/map?run={run_id}")
            _drawn(page)
            draws.append((time.perf_counter() - started) * 1000)
        points = len(http)
        times = np.diff(page.evaluate(_PAN))
        lassos, bytes_again, points_again = [], [], 0
        for place in range(repeats + 1):
            http.clear()
            sockets.clear()
            lassos.append(_box(page, 40 * place))
            bytes_again.append(sum(sockets))
            points_again += len(http)
        browser.close()
    told: dict[str, Any] = {
        "first_draw_ms": _spread(draws[1:]),
        "point_requests_first": points,
        "frame_ms": _spread(times.tolist()),
        "frames_per_second": round(1000 / float(times.mean()), 1),
        "lasso_to_photos_ms": _spread(lassos[1:]),
        "rerun_bytes": int(np.median(bytes_again)),
        "point_requests_of_reruns": points_again,
        "machine": machine("streamlit"),
    }
    print(json.dumps(told))


def _listen(page: Page) -> tuple[list[str], list[int]]:
    """Requests for points, and bytes that came by the WebSocket."""
    http: list[str] = []
    sockets: list[int] = []
    page.on("request", lambda request: http.append(request.url) if "/api/map/" in request.url else None)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on(
        "Network.webSocketFrameReceived",
        lambda event: sockets.append(len(event["response"]["payloadData"]) * 3 // 4),
    )
    return http, sockets


def _drawn(page: Page) -> None:
    page.locator(".map .status", has_text="photos").wait_for(timeout=60_000)


def _box(page: Page, shift: int) -> float:
    """Milliseconds from letting a box go to its photos being complete."""
    page.get_by_role("button", name="Box").click()
    box = page.locator(".stage").bounding_box()
    assert box is not None
    x, y = box["x"] + 200 + shift, box["y"] + 150
    before = page.locator("h3").all_inner_texts()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y + 110, steps=6)
    started = time.perf_counter()
    page.mouse.up()
    page.wait_for_function(
        """before => { const heads = [...document.querySelectorAll('h3')].map(one => one.innerText);
            const photos = [...document.querySelectorAll('figure img')];
            const seen = photos.filter(one => one.getBoundingClientRect().top < innerHeight);
            return heads.length && heads[0] !== before[0] && photos.length
                && seen.every(one => one.complete && one.naturalHeight > 0); }""",
        arg=before, timeout=60_000,
    )  # fmt: skip
    took = (time.perf_counter() - started) * 1000
    page.wait_for_timeout(700)
    return took


def _spread(values: list[float]) -> dict[str, float]:
    return {"p50": round(float(np.median(values)), 1), "p95": round(float(np.percentile(values, 95)), 1)}


if __name__ == "__main__":
    main()
