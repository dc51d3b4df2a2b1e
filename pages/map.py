"""All photos in the plane, those that a network sees as alike together: look for islands, strays and twins."""

import streamlit as st

from core.curation.map_columns import COLOURINGS, NONE
from core.service import start_map
from core.storage.groupings import list_groupings
from core.taxonomy import CLASS_NAMES
from ui.address import in_address
from ui.chosen import photo_pages, send_to_queues
from ui.map_data import map_data
from ui.photo_map import chosen_rows, map_component
from ui.run_jobs import job_panel
from ui.run_picker import pick_run
from ui.session import current

desk = current()
st.title("Map")
st.caption(
    "Every photo as its network sees it: what lies together looks alike to it. Draw round points to see their "
    "photos; distances between islands and their sizes mean nothing."
)
run = pick_run()
if run is None:
    st.stop()
if not (run.path / "map.json").exists():
    features = "" if (run.path / "features.json").exists() else "First its network looks at every photo once more. "
    st.info(
        f"{run.run_id} has no map yet. {features}The layout takes about half a minute for 25,200 photos on two free "
        "cores, and is kept with the run."
    )
    job_panel(run, kind="map", button="Make the map", start=lambda: start_map(desk.workspace, run))
    st.stop()

names = list_groupings(desk.workspace, dataset_id=desk.index.dataset_id)
with st.container(horizontal=True, vertical_alignment="bottom"):
    taken_over = in_address("by", COLOURINGS, default="class")
    by = st.segmented_control("coloured by", COLOURINGS, required=True, key="by", on_change=taken_over)
    grouping = ""
    if names:
        grouping = st.selectbox(
            "evaluation people", ["", *names], index=1, key="grouping", bind="query-params", width=220,
            format_func=lambda name: name or "not grouped",
        )  # fmt: skip
data = map_data(run, grouping or "")
map_component(run, data, by=by, grouping=grouping or "")
found = data.photo_map
st.caption(
    f"{len(found.photo_ids):,} photos, {found.about['method']}, by the network of fold {found.fold}: it was trained "
    "on the train people of the other folds, and parts their classes too well (colour by split)."
)
if data.is_older_than_features:
    st.warning(f"The run's features were made anew since. Make the map again: python -m core map --run {run.run_id}")

rows = chosen_rows(data, by)
if rows is None:
    st.info("No photo is chosen. Draw round points with ⬚ Box or ◌ Lasso, or press a colour of the legend.")
    st.stop()
st.subheader(f"{len(rows):,} photos chosen", anchor=False)
if len(rows):
    ids = found.photo_ids[rows].tolist()
    send_to_queues(ids, run_id=run.run_id, chosen_by=["by", "area", "only"])
    captions = []
    for label, said in zip(data.columns["label"].codes[rows], data.columns["said"].codes[rows], strict=True):
        words = [CLASS_NAMES[label]] if label != NONE else []
        words += [f"said {CLASS_NAMES[said]}"] if said not in (NONE, label) else []
        captions.append(", ".join(words))
    photo_pages(ids, captions, run=run, key=f"{by}-{hash(tuple(rows.tolist()))}")
