"""One check's outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One check's outcome: ``red`` blocks, ``yellow`` warns, ``ok`` passed."""

    level: Literal["red", "yellow", "ok"]
    check: str
    saw: str
    cause: str = ""


def is_blocked(findings: Sequence[Finding]) -> bool:
    """Whether a finding is red."""
    return any(finding.level == "red" for finding in findings)
