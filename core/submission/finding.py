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

    @property
    def words(self) -> str:
        """What was looked at and seen, with the cause in brackets where there is one to look for.

        >>> Finding("red", "rows", "419 instead of 420", "cut off").words
        'rows: 419 instead of 420 (cut off)'
        >>> Finding("red", "file", "a.csv does not exist; check the path").words
        'file: a.csv does not exist; check the path'
        """
        return f"{self.check}: {self.saw}" + f" ({self.cause})" * bool(self.cause and self.level != "ok")


def is_blocked(findings: Sequence[Finding]) -> bool:
    """Whether a finding is red."""
    return any(finding.level == "red" for finding in findings)
