"""Photos that were chosen somewhere, kept under a short name, so that an address can carry them to a queue."""

import hashlib
import re
from collections.abc import Sequence

from core.errors import DecisionError
from core.files import private_folder, write_text
from core.workspace import Workspace

_NAME = re.compile(r"[0-9a-f]{12}")


def keep_selection(workspace: Workspace, photo_ids: Sequence[str]) -> str:
    """The name of a selection; the same photos have the same name, whatever their order."""
    content = "\n".join(sorted(set(photo_ids)))
    name = hashlib.sha256(content.encode()).hexdigest()[:12]
    write_text(private_folder(workspace.selections) / f"{name}.txt", content)
    return name


def read_selection(workspace: Workspace, name: str) -> frozenset[str]:
    """The photos of a selection.

    Raises:
        DecisionError: there is none of that name.
    """
    path = workspace.selections / f"{name}.txt"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise DecisionError(f"selection {name!r} is not in this workspace; choose the photos again, on Map say")
    return frozenset(path.read_text(encoding="utf-8").splitlines())
