"""Which pages the app has, read from ui/main.py without running it."""

import ast
from pathlib import Path

MAIN = Path(__file__).resolve().parent.parent / "ui" / "main.py"


def app_pages() -> dict[str, str]:
    """File name of each page without its ending -> its title, in the order of the navigation."""
    for node in ast.parse(MAIN.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["PAGES"]:
            steps: dict[str, dict[str, str]] = ast.literal_eval(node.value)
            return {name: title for pages in steps.values() for name, title in pages.items()}
    raise AssertionError(f"{MAIN} has no PAGES")
