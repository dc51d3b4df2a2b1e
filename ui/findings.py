"""What the checks of a submission found, and what the file says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.taxonomy import AGE_BANDS, GENDERS, MASKS, encode

_MARKS = {"red": "🟥", "yellow": "🟨", "ok": "🟩"}
_ORDER = list(_MARKS)


def show_findings(findings: Sequence[Mapping[str, Any]]) -> None:
    """Each check with what it saw and the likely cause, the worst first."""
    lines = []
    for one in sorted(findings, key=lambda one: _ORDER.index(one["level"])):
        cause = f" — likely cause: {_plain(one['cause'])}" if one["cause"] and one["level"] != "ok" else ""
        lines.append(f"{_MARKS[one['level']]} **{one['check']}** {_plain(one['saw'])}{cause}")
    st.markdown("  \n".join(lines))


def class_counts(counts: Sequence[int]) -> pd.DataFrame:
    """(18,) photos by class as a table: mask by gender and age, with sums."""
    mask, gender, age = np.meshgrid(range(len(MASKS)), range(len(GENDERS)), range(len(AGE_BANDS)), indexing="ij")
    values = np.asarray(counts)[encode(mask, gender, age)].reshape(len(MASKS), -1)
    columns = [f"{name} {band}" for name in GENDERS for band in AGE_BANDS]
    table = pd.DataFrame(values, index=list(MASKS), columns=columns)
    table["all"] = table.sum(axis=1)
    table.loc["all"] = table.sum()
    return table


def _plain(text: str) -> str:
    """Text from a file, so that markdown leaves it alone."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]()#+-!|<>~$:" else letter for letter in text)
