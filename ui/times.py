"""Moments and durations in words."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def clock(moment: float | str) -> str:
    """A moment on the reader's clock, such as ``23 Nov 20:41``.

    Args:
        moment: Unix seconds, or an ISO time with its offset.
    """
    when = datetime.fromisoformat(moment) if isinstance(moment, str) else datetime.fromtimestamp(moment, UTC)
    try:
        zone = ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return f"{when.astimezone(zone):%-d %b %H:%M}"


def duration(seconds: float) -> str:
    """A duration, such as ``45 s``, ``3 min 05 s`` or ``2 h 10 min``.

    >>> duration(185), duration(7800.4)
    ('3 min 05 s', '2 h 10 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
