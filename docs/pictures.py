"""Take the screenshots of docs/pictures again.

    python -m docs.pictures --workspace DIR

Needs a demo data set (``make run`` draws it) and a workspace with a finished run on it; only drawn people may be
shown. Each page is opened in a headless browser, waited for until it is quiet, and kept as a JPEG of 1200 pixels
in width.
"""

import argparse
import io
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Page, expect

from core.workspace import DEFAULT_DATA, DEFAULT_WORKSPACE
from tests.app_pages import app_pages
from tests.serving import browsing, served

OUT = Path(__file__).resolve().parent / "pictures"
PAGES = app_pages()
WIDTH, QUALITY = 1200, 80
HEIGHTS = {"errors": 1750, "history": 800, "fixes": 800}
"""Of the browser window, pixels; 1,200 for the other pages."""


def main() -> None:
    """Open each page and keep its picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--workspace", type=Path, default=DEFAULT_WORKSPACE)
    parser.add_argument("--only", nargs="*", choices=list(PAGES), default=list(PAGES))
    arguments = parser.parse_args()
    with served(arguments.data, arguments.workspace) as address, browsing() as page:
        page.add_init_script("localStorage.setItem('maskdesk.reviewer', 'ada')")
        for name in arguments.only:
            page.set_viewport_size({"width": 1440, "height": HEIGHTS.get(name, 1200)})
            _open(page, address, name)
            _keep(page.screenshot(), OUT / f"{name}.jpg")


def _open(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{'' if name == 'overview' else name}", wait_until="domcontentloaded")
    expect(page.get_by_role("heading", name=PAGES[name], exact=True)).to_be_visible(timeout=120_000)
    _wait_until_quiet(page)
    if name == "errors":
        _choose_the_largest_confusion(page)


def _choose_the_largest_confusion(page: Page) -> None:
    names = page.evaluate("""() => {
        const {data, layout} = document.querySelector('.st-key-matrix-area .js-plotly-plot');
        const cells = data[0].text.flatMap((row, t) => [...row].map((text, p) => [t === p ? 0 : Number(text), t, p]));
        return cells.sort((one, other) => other[0] - one[0])[0].slice(1).map(place => layout.yaxis.ticktext[place]);
    }""")
    page.goto(f"{page.url}&{urlencode(dict(zip(('true', 'predicted'), names, strict=True)))}")
    expect(page.locator("figure img").first).to_be_visible(timeout=60_000)
    _wait_until_quiet(page)


def _wait_until_quiet(page: Page) -> None:
    """No rerun under way, no grey bar left, every photo in view loaded."""
    for pending in ("stStatusWidget", "stSkeleton"):
        expect(page.get_by_test_id(pending)).to_have_count(0, timeout=120_000)
    page.wait_for_function(
        """() => [...document.images]
            .filter(photo => photo.getBoundingClientRect().top < innerHeight)
            .every(photo => photo.complete && photo.naturalHeight > 0)""",
        timeout=120_000,
    )
    page.wait_for_timeout(4000)  # plotly and the widgets draw after the rerun has ended
    page.add_style_tag(content="[data-testid=stIconEmoji] { visibility: hidden }")  # boxes where a font lacks them


def _keep(screenshot: bytes, path: Path) -> None:
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    height = round(picture.height * WIDTH / picture.width)
    path.parent.mkdir(exist_ok=True)
    picture.resize((WIDTH, height), Image.Resampling.LANCZOS).save(path, quality=QUALITY, optimize=True)
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
