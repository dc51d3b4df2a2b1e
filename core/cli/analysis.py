"""The verb ``compare``: two runs on the people that neither had seen."""

import click

from core.cli.options import Settings, common_options, pass_settings
from core.curation.run_pair import pair_runs
from core.storage.decisions import DecisionStore
from core.storage.runs import open_run


@click.command()
@click.option("--run", "run_id", required=True, help="The run to start from.")
@click.option("--with", "other", required=True, help="The run that may be better.")
@common_options
@pass_settings
def compare(settings: Settings, run_id: str, other: str) -> None:
    """Compare two runs on the people that both predicted out-of-fold."""
    workspace, index = settings.open_workspace(), settings.load_index()
    decisions = DecisionStore(workspace, index.dataset_id).effective()
    pair = pair_runs(open_run(workspace, run_id), open_run(workspace, other), index.photos, decisions)
    gain, test = pair.scores.iloc[0], pair.test
    shown = pair.scores.to_string(index=False, float_format=lambda value: f"{value:.4f}")
    settings.finish(
        {
            "run_id": run_id, "with": other, "people": pair.num_people, "photos": len(pair.labels),
            "people_left_out": pair.left_out, "scores": pair.scores.to_dict("records"),
            "people_for_first": test.first, "people_for_second": test.second, "mcnemar_exact": test.exact,
            "mcnemar_mid_p": test.mid_p, "error_correlation": pair.correlation, "fixed": len(pair.fixed),
            "broken": len(pair.broken),
        },
        f"{pair.num_people:,} people ({len(pair.labels):,} photos) that both predicted; {pair.left_out:,} left out\n"
        f"macro F1 {gain['first']:.4f} to {gain.second:.4f}: {gain.difference:+.4f} (95 % {gain.low:+.4f} to "
        f"{gain.high:+.4f}, by person)\n"
        f"McNemar by person: {test.first:,} for {run_id}, {test.second:,} for {other}, exact p {test.exact:.3g}, "
        f"mid-p {test.mid_p:.3g}\n"
        f"errors correlate {pair.correlation:.3f}; {len(pair.fixed):,} photos fixed, {len(pair.broken):,} broken\n"
        f"{shown}",
    )  # fmt: skip


VERBS = (compare,)
