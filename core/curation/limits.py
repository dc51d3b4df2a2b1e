"""Leaving out decisions that a competition's rules do not allow: as if they had never been made."""

from typing import Literal, get_args

import numpy as np
import pandas as pd

from core.errors import ConfigError
from core.storage.decision_record import ORIGINS

Limit = Literal["none", "model", "unchanged", "all"]
"""How far decisions count: none; those that nobody looked at; also proposals that a person accepted
unchanged, and rejections; all."""

LIMITS: dict[Limit, str] = {
    "all": "all decisions",
    "unchanged": "accepted as proposed: by the model alone or by a person",
    "model": "by the model alone, seen by nobody",
    "none": "none",
}
"""The same in words, the widest first."""

_COUNTING = {"model": ORIGINS[:1], "unchanged": (*ORIGINS[:2], "")}
"""Origins that count; rejections and skips have none."""


def restrict(photos: pd.DataFrame, decisions: pd.DataFrame, *, train: Limit, evaluation: Limit) -> pd.DataFrame:
    """The decisions that count.

    With ``model``, rejections do not count: leaving a photo out because somebody looked at it is a label made
    by hand too. Where a person changed what was accepted in bulk before, the bulk accept counts again.

    Args:
        photos: an index's photos, to tell train from evaluation.
        decisions: those that stand.
        train: for decisions about train people and photos.
        evaluation: for decisions about evaluation photos.
    Raises:
        ConfigError: a limit of another name.
    """
    for limit in (train, evaluation):
        if limit not in get_args(Limit):
            raise ConfigError(f"limit {limit!r} is not one of {', '.join(get_args(Limit))}")
    on_evaluation = decisions.unit == "photo"
    on_evaluation &= decisions.target.isin(photos.photo_id[photos.split == "eval"])
    counts = np.zeros(len(decisions), dtype=bool)
    for limit, here in ((train, ~on_evaluation), (evaluation, on_evaluation)):
        if limit in _COUNTING:
            here &= decisions.origin.isin(_COUNTING[limit])
        if limit != "none":
            counts |= here.to_numpy(dtype=bool)
    return decisions[counts].reset_index(drop=True)
