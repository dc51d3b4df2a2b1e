"""Photos that a picture or a comparison chose: a page of them at a time, and the way to the review queues."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.storage.runs import Run
from core.storage.selections import keep_selection
from ui.opened_photo import open_photo, opened_photo, put_behind
from ui.paging import page_of
from ui.photo_dialog import photo_dialog
from ui.photo_wall import photo_wall
from ui.session import current

_PAGE = 24
_PAGES = Path(__file__).resolve().parent.parent / "pages"


def photo_pages(photo_ids: Sequence[str], captions: Sequence[str], *, run: Run, key: str) -> None:
    """A page of photos with captions, and where there are more, a field for the page; each photo opens.

    Args:
        run: what an opened photo is told of.
        key: names the choice; another choice starts at its first page.
    """
    shown = page_of(len(photo_ids), _PAGE, key=f"page-{key}")
    put_behind(photo_ids[shown])
    photo_wall(photo_ids[shown], captions[shown], key=f"photos-{key}", on_open=open_photo)
    if opened_photo():
        photo_dialog(run)


def send_to_queues(photo_ids: Sequence[str], *, run_id: str, chosen_by: Sequence[str] = ()) -> None:
    """Buttons that take the photos to a queue: train photos to Label issues, evaluation photos to Pseudo labels.

    Args:
        chosen_by: what in this page's address says which photos these are. The queue's address takes it along:
            Streamlit puts that address on this page first, and the browser's way back leads there. None that a
            widget is bound to: Streamlit refuses it.
    """
    photos = current().index.photos
    chosen = photos[photos.photo_id.isin(set(photo_ids))]
    train, evaluation = (chosen.photo_id[chosen.split == split].tolist() for split in ("train", "eval"))
    with st.container(horizontal=True):
        if train and st.button(f"Review the labels of {len(train):,} train photos", key="to-label-issues"):
            _go("label_issues", train, chosen_by, run=run_id, unit="photo", issue="all train photos")
        if evaluation and st.button(f"Decide {len(evaluation):,} evaluation photos", key="to-pseudo-labels"):
            _go("pseudo_labels", evaluation, chosen_by, run=run_id, unit="photo")


def _go(page: str, photo_ids: Sequence[str], chosen_by: Sequence[str], **query: str) -> None:
    name = keep_selection(current().workspace, photo_ids)
    here = {key: st.query_params[key] for key in chosen_by if key in st.query_params}
    st.switch_page(str(_PAGES / f"{page}.py"), query_params={**here, **query, "picked": name})
