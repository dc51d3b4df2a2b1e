"""Verbs about what comes out: ``evaluate``, ``accept``, ``undo``, ``export``, ``score``."""

VERBS = ()
