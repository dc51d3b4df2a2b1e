"""The frame around all pages: navigation, and one place where errors become messages."""

from pathlib import Path

import streamlit as st

from core.errors import LabelingError
from ui.session import current

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "": {"overview": "Overview"},
    "Train": {"train": "Train", "runs": "Runs"},
    "See": {"errors": "Errors", "compare": "Compare", "map": "Map", "confidence": "Confidence", "shift": "Shift"},
    "Fix": {
        "pseudo_labels": "Pseudo labels",
        "age_boundary": "Age boundary",
        "label_issues": "Label issues",
        "disagreements": "Disagreements",
        "fixes": "Known fixes",
        "people": "People",
        "history": "History",
    },
    "Submit": {"ensemble": "Ensemble", "submissions": "Submissions"},
}
"""The loop, step by step: file name and title of each page."""

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 3.25rem; padding-bottom: 3rem; }
[data-testid="stMainBlockContainer"] h1 { padding: 0; }
@media (max-width: 40rem) { [data-testid="stMainBlockContainer"] h1 { font-size: 1.75rem; } }
@media (min-width: 64rem) { [data-testid="stMainBlockContainer"] { padding-left: 3rem; padding-right: 3rem; } }
</style>"""
"""Streamlit leaves a tenth of the screen empty above each title."""

st.set_page_config(page_title="MaskDesk", page_icon="😷", layout="wide")
st.html(_STYLE)
page = st.navigation(
    {
        step: [
            st.Page(ROOT / "pages" / f"{name}.py", title=title, default=name == "overview")
            for name, title in pages.items()
        ]
        for step, pages in PAGES.items()
    },
    expanded=True,
)


def _read_data_set() -> None:
    """Read the data set with a progress bar; afterwards it is at hand."""
    bar = st.empty()
    current(lambda done, total: bar.progress(done / max(total, 1), f"reading photos: {done:,} of {total:,}"))
    bar.empty()


try:
    _read_data_set()
    page.run()
except LabelingError as problem:
    st.error(str(problem))
