"""The verb ``errors``: where a run's macro F1 is lost."""

from typing import Any

import click
import pandas as pd

from core.cli.options import Settings, common_options, pass_settings
from core.curation.judged import error_tables, judge
from core.evaluation.error_tables import VIEWS
from core.evaluation.metrics import accuracy, macro_f1
from core.evaluation.uncertainty import macro_f1_interval
from core.storage.runs import open_run


@click.command()
@click.option("--run", "run_id", required=True)
@common_options
@pass_settings
def errors(settings: Settings, run_id: str) -> None:
    """Where a run's macro F1 is lost: by axis, class, exact age, photo kind and fold; with all matrices in --json."""
    judged = judge(open_run(settings.open_workspace(), run_id))
    tables = vars(error_tables(judged))
    photos = judged.labels, judged.predictions
    score, (low, high) = macro_f1(*photos), macro_f1_interval(*photos, judged.people)
    result: dict[str, Any] = {
        "run_id": run_id,
        "photos": len(judged.labels),
        "macro_f1": score,
        "macro_f1_low": low,
        "macro_f1_high": high,
        "accuracy": accuracy(*photos),
        **{name: table.to_dict("records") for name, table in tables.items()},
        "matrices": {
            name: {"names": view.names, "photos": view.matrix(judged.confusion).tolist()}
            for name, view in VIEWS.items()
        },
    }
    headline = f"macro F1 {score:.4f} (95 % {low:.3f} to {high:.3f}, by person), accuracy {result['accuracy']:.4f}"
    settings.finish(result, "\n\n".join([headline, *(_told(table) for table in tables.values())]))


def _told(table: pd.DataFrame) -> str:
    return table.to_string(index=False, float_format=lambda value: f"{value:.3f}")


VERBS = (errors,)
