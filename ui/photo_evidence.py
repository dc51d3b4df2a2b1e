"""Why a photo is seen as it is: a Grad-CAM overlay, and its nearest neighbours among the train photos."""

import base64
import html
import io
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from core.config import ImageConfig
from core.curation.judged import Judged
from core.curation.neighbours import nearest_of_two_classes
from core.dataset.index import PHOTO_SIZE
from core.service import start_features, start_gradcam
from core.storage.features import Features
from core.storage.heatmaps import read_heatmaps
from core.storage.runs import Run
from core.taxonomy import CLASS_NAMES, IntArray
from ui.gallery import photo_url
from ui.opened_photo import open_photo
from ui.photo_wall import photo_wall
from ui.run_jobs import job_panel
from ui.scored import judged
from ui.session import current

_FRAME = "position:relative;width:100%;max-width:384px;aspect-ratio:3/4;overflow:hidden;border-radius:6px"
_PHOTO = "position:absolute;width:100%;height:100%;object-fit:contain"
_HEAT = (255, 64, 0)
_STRONGEST = 0.65
"""Opacity where a map is at its highest."""


def show_photo(run: Run, whole: Judged, row: int) -> None:
    """The photo large, with what speaks for its prediction or its label laid over it once that is known."""
    photo_id, label, predicted = str(whole.photo_ids[row]), int(whole.labels[row]), int(whole.predictions[row])
    kept = read_heatmaps(run.path, photo_id)
    place = st.empty()
    overlay = ""
    if kept is not None:
        said = predicted if predicted in kept.classes else int(kept.classes[0])  # corrected, another may be likelier
        sides = {"none": -1, "predicted": said} | ({"label": label} if label not in (-1, predicted) else {})
        side = st.segmented_control(
            "Grad-CAM overlay: what speaks for", list(sides), default="none", required=True, key="gradcam",
            bind="query-params",
        )  # fmt: skip
        heat = kept.of(sides.get(side or "none", -1))
        if heat is not None:
            overlay = _overlay(heat / max(float(kept.maps.max()), 1e-12), run.config.image)
            grid = f"{heat.shape[0]} x {heat.shape[1]} cells"
            st.caption(
                f"What speaks for {CLASS_NAMES[sides[side]]}, in {grid}, by a network that never saw the person."
            )
    picture = (
        f'<img src="{html.escape(photo_url(photo_id, 512))}" alt="{html.escape(photo_id)}" style="{_PHOTO}">{overlay}'
    )
    place.html(f'<div style="{_FRAME}">{picture}</div>')
    of_train = f" · {whole.ages[row]} years · fold {whole.folds[row]}"
    st.caption(f"`{photo_id}`{of_train if label >= 0 else ' · evaluation'}")
    if kept is None:
        seven = whole.photo_ids[whole.people == whole.people[row]].tolist()
        job_panel(
            run, kind="gradcam", button="Show what the network looks at (Grad-CAM)",
            start=lambda: start_gradcam(current().workspace, run, seven),
        )  # fmt: skip


def show_neighbours(run: Run, whole: Judged, row: int, competing: IntArray) -> None:
    """The nearest train photos of the two classes that compete for the photo, as the network's features have it.

    Args:
        whole, row: where the photo is; train or evaluation photos.
        competing: (2,) the two classes.
    """
    st.markdown("**Nearest train photos**")
    if not (run.path / "features.json").exists():
        st.caption(f"They need the run's features: `python -m core features --run {run.run_id}`, or")
        job_panel(
            run, kind="features", button="Export the features",
            start=lambda: start_features(current().workspace, run),
        )  # fmt: skip
        return
    photo_id = str(whole.photo_ids[row])
    features = _features(str(run.path), (run.path / "features.json").stat().st_mtime_ns)
    known = judged(run)
    train = pd.DataFrame({"photo_id": known.photo_ids, "person_id": known.people, "label": known.labels})
    near = nearest_of_two_classes(features, train, [photo_id], competing.reshape(1, 2)).get(photo_id, [])
    ages = dict(zip(known.photo_ids.tolist(), known.ages.tolist(), strict=True))
    for place, (column, side) in enumerate(zip(st.columns(2), near, strict=False)):
        with column:
            st.caption(CLASS_NAMES[side["label"]])
            photo_wall(
                side["photo_ids"], [f"{ages[name]} years" for name in side["photo_ids"]],
                key=f"near-{place}", on_open=open_photo, width=70,
            )  # fmt: skip
    st.caption(f"By the network of fold {features.fold}, at most one photo of a person.")


@st.cache_resource(max_entries=2, show_spinner=False)
def _features(path: str, changed_at: int) -> Features:  # noqa: ARG001  part of the key
    return Run(Path(path)).features()


def _overlay(heat: NDArray[np.floating], image: ImageConfig) -> str:
    """A map of 0 to 1 as a picture that lies over the crop the network sees; the browser smooths it.

    A few hundred bytes, so it travels within the page.
    """
    pixels = np.empty((*heat.shape, 4), dtype=np.uint8)
    pixels[..., :3] = _HEAT
    pixels[..., 3] = np.round(255 * _STRONGEST * heat)
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "PNG")
    left, top = 50 * (1 - image.crop_width / PHOTO_SIZE[0]), 50 * (1 - image.crop_height / PHOTO_SIZE[1])
    place = (
        f"position:absolute;left:{left:.3f}%;top:{top:.3f}%;width:{100 - 2 * left:.3f}%;height:{100 - 2 * top:.3f}%"
    )
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}" style="{place}">'
