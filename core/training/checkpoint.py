"""The state of a fold after an epoch: enough to go on as if nothing had happened."""

from pathlib import Path
from typing import Any

import torch

from core.files import write_atomic


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write atomically; a kill leaves the checkpoint of the epoch before."""
    write_atomic(path, lambda file: torch.save(state, file))


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The saved state, None when there is none or it cannot be read (the fold then starts again)."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None
    except Exception as error:  # a damaged file raises whatever its bytes suggest
        print(f"{path} cannot be read ({type(error).__name__}); the fold starts again", flush=True)
        return None
    return state if isinstance(state, dict) else None
