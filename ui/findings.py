"""What the checks of a submission found, and what the file says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.taxonomy import AGE_BANDS, GENDERS, MASKS, encode

_MARKS = {"red": ":red-badge[red]", "yellow": ":orange-badge[look]", "ok": ":green-badge[ok]"}
_ORDER = list(_MARKS)


def show_findings(findings: Sequence[Mapping[str, Any]]) -> None:
    """Each check with what it saw and the likely cause, the worst first; those that passed are folded."""
    lines: dict[bool, list[str]] = {True: [], False: []}
    for one in sorted(findings, key=lambda one: _ORDER.index(one["level"])):
        is_ok = one["level"] == "ok"
        cause = f" — likely cause: {_plain(one['cause'])}" if one["cause"] and not is_ok else ""
        lines[is_ok].append(f"{_MARKS[one['level']]} **{one['check']}** {_plain(one['saw'])}{cause}")
    st.markdown("  \n".join(lines[False]) or "Nothing stands in the way.")
    if lines[True]:
        with st.expander(f"{len(lines[True])} of {len(findings)} checks passed"):
            st.markdown("  \n".join(lines[True]))


def class_counts(counts: Sequence[int]) -> pd.DataFrame:
    """(18,) photos by class as a table: gender and age by mask, with sums; narrow enough to be seen whole."""
    mask, gender, age = np.meshgrid(range(len(MASKS)), range(len(GENDERS)), range(len(AGE_BANDS)), indexing="ij")
    values = np.asarray(counts)[encode(mask, gender, age)].reshape(len(MASKS), -1)
    columns = [f"{name} {band}" for name in GENDERS for band in AGE_BANDS]
    table = pd.DataFrame(values, index=list(MASKS), columns=columns)
    table["all"] = table.sum(axis=1)
    table.loc["all"] = table.sum()
    return table.T


def _plain(text: str) -> str:
    """Text from a file, so that markdown leaves it alone."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]()#+-!|<>~$:" else letter for letter in text)
