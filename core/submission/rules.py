"""What a competition's rules allow: how far labels that people made may have gone into a submission."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from core.curation.limits import Limit
from core.errors import SubmissionError

_ORDER = {name: place for place, name in enumerate(get_args(Limit))} | {"accepted": get_args(Limit).index("all")}
"""A setting's place; ``pseudo_labels = "accepted"`` counts all decisions."""


def check_limits(origins: Sequence[Mapping[str, Any]], *, evaluation: Limit, train: Limit) -> None:
    """Refuse members that were trained on labels beyond the limits, members of ensembles too.

    A run that no decision reached is within every limit, whatever its settings allow. What files from outside rest on
    is not known: whoever uses them has to know.

    Args:
        origins: of the members, with ``decided_photos``, and ``pseudo_labels`` and ``train_decisions`` as the run's
            settings say.
        evaluation: how far decisions about evaluation photos may count.
        train: how far those about train photos may.
    Raises:
        SubmissionError: names the run and its setting.
    """
    for origin in origins:
        check_limits(origin.get("members", ()), evaluation=evaluation, train=train)
        if origin.get("kind") != "run":
            continue
        for setting, split, limit in (("pseudo_labels", "eval", evaluation), ("train_decisions", "train", train)):
            used = str(origin[setting])
            if origin["decided_photos"].get(split) != 0 and _ORDER[used] > _ORDER[limit]:
                raise SubmissionError(
                    f"run {origin['run_id']} was trained with data.{setting} = {used}, beyond the limit {limit}; "
                    f"choose another run, or train it again with data.{setting} = {limit}"
                )
