"""The command line: verbs that read settings, call the core and print what came out."""

from core.cli import data, decisions, results, submissions, training
from core.cli.options import cli, main

for _verb in (*data.VERBS, *training.VERBS, *results.VERBS, *submissions.VERBS, *decisions.VERBS):
    cli.add_command(_verb)

__all__ = ["cli", "main"]
