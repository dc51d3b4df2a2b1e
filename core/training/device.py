"""Where the training runs, and how numbers are kept there."""

import contextlib
import os
import platform
from contextlib import AbstractContextManager

import torch

from core.errors import ConfigError


def choose_device(name: str) -> torch.device:
    """The device of a config: ``auto`` is the first GPU when there is one, else the CPU.

    Also makes the arithmetic repeatable, so that a resumed training ends in the same logits.

    Raises:
        ConfigError: a GPU was asked for and there is none.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"device {name}: torch {torch.__version__} sees no GPU; set device=cpu or auto")
    if name.startswith("cuda") and torch.cuda.device_count() == 1:
        name = "cuda"  # a job sees its own GPU alone, whatever its number is outside
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """The device in words, such as ``NVIDIA H100`` or ``CPU, 2 threads (x86_64)``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads ({platform.machine()})"


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """bf16 on a GPU, float32 on a CPU."""
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return contextlib.nullcontext()
