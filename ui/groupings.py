"""Groupings of evaluation photos on the screen: the forms that make one, and what one changes."""

import hashlib
import tempfile
from pathlib import Path

import pandas as pd
import streamlit as st

from core.curation.labels import effective_labels
from core.errors import LabelingError
from core.jobs.queue import JobQueue
from core.people.effect import PoolingEffect, Singles, single_predictions
from core.people.ways import METRICS
from core.storage.decisions import DecisionStore
from core.storage.groupings import Grouping, read_groups_csv, save_grouping
from core.storage.runs import Run
from ui.session import current

_METRIC_HELP = (
    "How it is learned from the train people which photos are alike: by whitening, or by a contrastive head, a small "
    "network that takes some minutes. Best fits both and uses the one that finds more on train people held out."
)


def find_form(run: Run, taken: list[str]) -> None:
    """A name, a metric and a button that queues ``python -m core people``."""
    desk = current()
    suggestion = next(f"people-{number}" for number in range(1, len(taken) + 2) if f"people-{number}" not in taken)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("name", placeholder=suggestion, key=f"grouping-name-{len(taken)}").strip() or suggestion
        metric = st.selectbox("metric", list(METRICS), key=f"grouping-metric-{len(taken)}", help=_METRIC_HELP)
        if st.button("Find people", type="primary", key=f"find-{len(taken)}"):
            command = ["--data", str(desk.data_dir), "--workspace", str(desk.workspace.root), "people"]
            command += ["--run", run.run_id, "--name", name, "--metric", metric]
            JobQueue(desk.workspace).submit(command, kind="people", title=f"people {name}", device="cpu")
            st.rerun()


def import_form(taken: list[str]) -> None:
    """A csv file with ``ImageID`` and ``group`` becomes a grouping."""
    desk = current()
    uploaded = st.file_uploader("or a csv file with ImageID and group", type="csv", key=f"groups-{len(taken)}")
    if uploaded is None:
        return
    photos = desk.index.photos
    name = Path(uploaded.name).stem
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "groups.csv"
        path.write_bytes(uploaded.getvalue())
        try:
            table = read_groups_csv(path, photos.photo_id[photos.split == "eval"].tolist())
            origin = f"imported from {uploaded.name}"
            save_grouping(desk.workspace, name, table, dataset_id=desk.index.dataset_id, origin=origin, about={})
        except LabelingError as problem:
            st.error(str(problem).replace(str(path), uploaded.name))
            return
    st.rerun()


def pooled(run: Run, grouping: Grouping) -> PoolingEffect:
    """What pooling over the grouping changes; kept for the last few groupings, as corrected, and label revisions."""
    desk = current()
    decided = DecisionStore(desk.workspace, desk.index.dataset_id).effective()
    labels = hashlib.sha256("".join(decided.decision_id).encode()).hexdigest()
    return _pooled(run, grouping, labels, decided)


_BY_NAME = {
    Run: lambda run: (str(run.path), run.manifest["created_at"]),
    Grouping: lambda grouping: grouping.identity,
}


@st.cache_resource(max_entries=4, hash_funcs=_BY_NAME, show_spinner=False)
def _pooled(run: Run, grouping: Grouping, labels: str, _decided: pd.DataFrame) -> PoolingEffect:
    return _single(run, labels, _decided).pooled_over(grouping)


@st.cache_resource(max_entries=4, hash_funcs=_BY_NAME, show_spinner="Pooling the photos of each person")
def _single(run: Run, labels: str, _decided: pd.DataFrame) -> Singles:
    del labels  # only the key
    photos = effective_labels(current().index.photos, _decided)
    return single_predictions(run, photos)
