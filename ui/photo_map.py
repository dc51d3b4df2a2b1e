"""The map of photos on a page. The points go to the browser once, by their own route; here go a few words."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.curation.map_columns import NONE
from core.evaluation.projection import inside
from core.storage.runs import Run
from core.taxonomy import CLASS_NAMES
from ui.map_data import MapData

_FOLDER = Path(__file__).resolve().parent / "components" / "map"
_SCRIPTS = ("points.js", "scatter.js", "map.js", "gestures.js")
"""One module in the browser: each file uses those before it."""

_component = st.components.v2.component(
    "maskdesk_map",
    html='<div class="map"></div>',
    css=(_FOLDER / "map.css").read_text(encoding="utf-8"),
    js="\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS),
)
_AREA = 10_000
"""Corners of an area stand in the address in ten-thousandths of the map."""

_COLOURS = ("#3b8bba", "#e0803b", "#4fa66a", "#c9558c", "#8b74c9", "#b9a32c")
_CLASS_COLOURS = (
    "#9ecae8", "#3b8bba", "#1d4f78", "#f4b5cf", "#d4568f", "#7f1f52",
    "#bfe3c2", "#4fa66a", "#1f6a3a", "#f8cfa0", "#e0803b", "#8f4310",
    "#d3c8f0", "#8b74c9", "#4b3690", "#efe39a", "#b9a32c", "#6f5f08",
)  # fmt: skip
"""Lighter is younger; a hue for each mask and gender."""

_MEANING = {
    "error": ("#8a8f98", "#e0803b", "#8b74c9", "#3b8bba", "#d9605a", "#5f6b85"),
    "split": ("#3b8bba", "#4fa66a", "#e0803b", "#b9a32c"),
    "decision": ("#8a8f98", "#4fa66a", "#3b8bba", "#d9605a", "#b9a32c"),
    "class": _CLASS_COLOURS,
}


def map_component(run: Run, data: MapData, *, by: str, grouping: str) -> None:
    """Mount the map; what is chosen on it is put into the address (``area``, ``only``)."""
    column = data.columns[by]
    key = f"map-{run.run_id}"

    def take() -> None:
        choice = st.session_state[key].get("choice") or {}
        area, focus = str(choice.get("area", "")), choice.get("focus", -1)
        only = column.names[focus] if isinstance(focus, int) and 0 <= focus < len(column.names) else ""
        for name, value in (("area", area), ("only", only)):
            if value:
                st.query_params[name] = value
            elif name in st.query_params:
                del st.query_params[name]

    people = len(np.unique(column.codes[column.codes != NONE])) if not column.names else 0
    _component(
        key=key,
        data={
            "base": f"/api/map/{quote(run.run_id)}/{{part}}?grouping={quote(grouping)}",
            "places": data.places_version, "columns": data.columns_version, "by": by,
            "legend": _legend(by, column.names, column.codes),
            "many": f"{people:,} people, a colour each; grey: not grouped." if people else "",
            "classes": list(CLASS_NAMES), "area": st.query_params.get("area", ""), "focus": _focus(column.names),
        },
        default={"choice": None},
        on_choice_change=take,
    )  # fmt: skip


def chosen_rows(data: MapData, by: str) -> NDArray[np.intp] | None:
    """Rows of the photos that the address names; None where it names none."""
    area, focus = st.query_params.get("area", ""), _focus(data.columns[by].names)
    if not area and focus < 0:
        return None
    chosen = np.ones(len(data.photo_map.photo_ids), dtype=bool)
    if area:
        corners = _corners(area)
        places = np.round(data.photo_map.places.astype(np.float64) * 65535) / 65535  # as the browser has them
        chosen &= inside(places, corners) if len(corners) > 2 else True
    if focus >= 0:
        chosen &= data.columns[by].codes == focus
    return np.flatnonzero(chosen)


def _focus(names: tuple[str, ...]) -> int:
    only = st.query_params.get("only", "")
    return names.index(only) if only in names else -1


def _corners(area: str) -> NDArray[np.float64]:
    """The corners in an address, (M, 2); none when it is no area."""
    try:
        return np.array([[int(part) for part in pair.split("-")] for pair in area.split("_")]).reshape(-1, 2) / _AREA
    except ValueError:
        return np.empty((0, 2))


def _legend(by: str, names: tuple[str, ...], codes: NDArray[np.uint16]) -> list[dict[str, Any]]:
    counts = np.bincount(codes[codes != NONE], minlength=len(names))
    colours = _MEANING.get(by, _COLOURS)
    return [{"name": name, "colour": colour, "count": int(count)}
            for name, colour, count in zip(names, colours, counts, strict=False)]  # fmt: skip
