"""Work in the background: a queue in SQLite, a detached dispatcher, one child process a device."""

from core.jobs.child import stop_requested

__all__ = ["stop_requested"]
