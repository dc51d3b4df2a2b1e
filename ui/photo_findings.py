"""What searches over all photos found, drawn: near duplicates, and train photos that look like somebody else."""

import pandas as pd
import streamlit as st

from core.jobs.queue import JobQueue
from core.people.odd_photos import ODD, odd_reasons
from core.storage.findings import Finding, open_finding
from ui.gallery import photo_grid
from ui.job_status import watch_jobs
from ui.paging import page_of
from ui.session import current

_PAIRS = 12
_ODD = 10


def show_duplicates() -> None:
    """Pairs of photos that are nearly the same picture, by where the two lie."""
    st.caption(
        "Pairs of photos, of train people and of evaluation, that are one file or nearly one picture. Two train "
        "people who share one may be one person; a pair of evaluation photos shows one person."
    )
    found = _found("duplicates", "Find near duplicates")
    if found is None:
        return
    pairs = found.table
    if pairs.empty:
        st.success(f"None of {found.about['photos']:,} photos has a near duplicate.")
        return
    counts = pairs["where"].value_counts()
    words = {"all": f"all {len(pairs):,}"} | {where: f"{where} {count:,}" for where, count in counts.items()}
    where = st.segmented_control(
        "which pairs", list(words), default="all", required=True, key="pairs", bind="query-params",
        format_func=lambda one: words.get(one, one),
    )  # fmt: skip
    chosen = pairs if where not in counts.index else pairs[pairs["where"] == where]
    shown = chosen.iloc[page_of(len(chosen), _PAIRS, key=f"pairs-{where}")]
    columns = st.columns(3)
    for place, pair in enumerate(shown.to_dict("records")):
        with columns[place % 3], st.container(border=True):
            alike = "one file twice" if pair["same_file"] else f"{pair['bits']} of 256 bits differ"
            st.caption(f"{pair['where']} · {alike}")
            photos = [str(pair["first"]), str(pair["second"])]
            photo_grid(photos, photos, width=110)


def show_odd_photos() -> None:
    """Train photos that fit another person better than their own folder, beside that folder."""
    st.caption(
        "Train photos that look more like another person's than like their own folder's, by a metric learned from "
        "other people. Some are only taken differently, some lie in the wrong folder. Label issues names them too."
    )
    found = _found("odd_photos", "Find odd train photos")
    if found is None:
        return
    odd = found.table[found.table.fits < ODD]
    st.markdown(f"**{len(odd):,}** of {len(found.table):,} train photos, of {odd.person_id.nunique():,} people.")
    photos = current().index.photos
    train = photos[photos.split == "train"].set_index("photo_id")
    for row in odd.iloc[page_of(len(odd), _ODD, key="odd")].to_dict("records"):
        with st.container(border=True):
            st.markdown(
                f"**{row['person_id']}**: {odd_reasons(pd.DataFrame([row]), train.kind)[row['person_id']][0]}"
            )
            own = train[train.person_id == row["person_id"]]
            rest = own.index[own.index != row["photo_id"]]
            other = train.index[train.person_id == row["nearest"]][:3]
            captions = ["this photo", *own.kind[rest], *[f"{row['nearest']}" for _ in other]]
            photo_grid([row["photo_id"], *rest, *other], captions, width=100)


def _found(name: str, label: str) -> Finding | None:
    """The kept finding, with a button that searches (again) as a job."""
    desk = current()
    found = open_finding(desk.workspace, desk.index.dataset_id, name)
    stale = found is not None and found.about["fingerprint"] != desk.index.fingerprint
    if found is None:
        st.info("Nobody has searched yet. Press the button; it takes a minute or two for 25,000 photos.")
    elif stale:
        st.warning("The data set has changed since this search. Search again.")
    if (found is None or stale) and st.button(label, type="primary", key=f"search-{name}"):
        command = ["--data", str(desk.data_dir), "--workspace", str(desk.workspace.root), name.replace("_", "-")]
        JobQueue(desk.workspace).submit(command, kind=name, title=label, device="cpu")
        st.rerun()
    watch_jobs(desk.workspace, kind=name)
    return found
