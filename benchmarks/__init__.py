"""Runnable measurements; benchmarks/RESULTS.md keeps what they said."""

import core.training  # noqa: F401  before torch, whose waiting threads it sends to sleep
