"""The places where jobs run: one slot a GPU, known by its number, and the slot ``cpu``; one job a slot."""

import os
import shutil
import subprocess
from collections.abc import Sequence

CPU = "cpu"


def find_slots() -> list[str]:
    """The slots of this machine, GPUs first; ``CUDA_VISIBLE_DEVICES`` hides GPUs as it does from torch."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")] + [CPU]
    if shutil.which("nvidia-smi"):
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
        gpus = [line for line in listed.stdout.splitlines() if line.startswith("GPU ")]
        return [str(number) for number in range(len(gpus))] + [CPU]
    return [CPU]


def fitting_slots(device: str, slots: Sequence[str]) -> list[str]:
    """The slots that a job for ``device`` may take, the best first; empty when it can never run here.

    >>> fitting_slots("auto", ["0", "1", "cpu"]), fitting_slots("cuda:1", ["0", "1", "cpu"])
    (['0', '1'], ['1'])
    >>> fitting_slots("auto", ["cpu"]), fitting_slots("cuda", ["cpu"])
    (['cpu'], [])
    """
    gpus = [slot for slot in slots if slot != CPU]
    if device == "auto":
        return gpus or [CPU]
    if device == CPU:
        return [CPU]
    number = device.removeprefix("cuda").removeprefix(":")
    return [slot for slot in gpus if number in ("", slot)]
