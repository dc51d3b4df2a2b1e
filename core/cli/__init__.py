"""The command line: verbs that read settings, call the core and print what came out."""

from core.cli import (
    analysis,
    data,
    decisions,
    ensembles,
    errors,
    people,
    queues,
    results,
    shift,
    submissions,
    training,
)
from core.cli.options import cli, main

for _room in (data, training, results, errors, analysis, shift, decisions, queues, people, ensembles, submissions):
    for _verb in _room.VERBS:
        cli.add_command(_verb)

__all__ = ["cli", "main"]
