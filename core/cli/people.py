"""Verbs about people among the evaluation photos: ``people``, ``groups``, ``groups-import``, ``groups-export``."""

from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from core.cli.options import NewFile, Settings, common_options, pass_settings, progress
from core.dataset.duplicates import NEAR, photo_pairs
from core.dataset.images import build_image_cache
from core.errors import DecisionError
from core.files import write_text
from core.people.finding import PIXELS, find_odd_photos, find_people
from core.people.odd_photos import ODD
from core.people.ways import METRICS, Embedding, ways_of
from core.storage.findings import save_finding
from core.storage.group_decisions import group_counts
from core.storage.groupings import (
    Grouping,
    list_groupings,
    open_grouping,
    read_groups_csv,
    require_name,
    save_grouping,
    to_csv,
)
from core.storage.runs import open_run


@click.command()
@click.option("--run", "run_id", required=True, help="The run whose masks are used.")
@click.option("--name", default="found", show_default=True, help="The grouping's name; must be new.")
@click.option(
    "--metric",
    type=click.Choice(list(METRICS)),
    default="whitened",
    show_default=True,
    help="How likeness is learned; best: both, and the one that finds more of the train people held out.",
)
@common_options
@pass_settings
def people(settings: Settings, run_id: str, name: str, metric: str) -> None:
    """Find which evaluation photos show one person, and keep that as a named grouping."""
    require_name(name)
    workspace, index = settings.open_workspace(), settings.load_index()
    run = open_run(workspace, run_id)
    if name in list_groupings(workspace, dataset_id=index.dataset_id):
        raise DecisionError(f"grouping {name!r} exists already; choose another --name")
    ways = ways_of(metric, train_head=_train_head)
    grouping = find_people(workspace, index, run, name=name, ways=ways, on_progress=progress("decoding photos"))
    settings.finish({"name": name, **grouping.about}, _told(grouping))


def _told(grouping: Grouping) -> str:
    about = grouping.about
    lines = [
        f"{about['groups']:,} groups of {len(grouping.table):,} photos by the {about['metric']} metric, "
        f"{about['seconds']:.0f} s. On {about['quality']['people']:,} train people held out:"
    ]
    lines += [
        f"{way}: {quality['pair_precision']:.2%} of the pairs in a group are one person, "
        f"{quality['pair_recall']:.2%} of a person's pairs are in one group (pair F1 {quality['pair_f1']:.2%}), "
        f"{quality['perfect_groups']:.1%} of the people are found whole; fitted in {quality['seconds']:.0f} s"
        for way, quality in about["tried"].items()
    ]
    return "\n".join(lines)


def _train_head(features: NDArray[np.float32], person_ids: NDArray[Any]) -> Embedding:
    from core.training.contrastive import train_head

    return train_head(features, person_ids, on_progress=progress("training the head, epochs"))


@click.command()
@common_options
@pass_settings
def groups(settings: Settings) -> None:
    """List the groupings of the data set, newest first."""
    workspace, index = settings.open_workspace(), settings.load_index()
    names = list_groupings(workspace, dataset_id=index.dataset_id)
    opened = [open_grouping(workspace, name, dataset_id=index.dataset_id) for name in names]
    rows = [{"name": one.name, "key": one.key, **one.about, **group_counts(one.table)} for one in opened]
    lines = [
        f"{row['name']:24s} {row['created_at'][:16]}  {row['groups']:,} groups, {row['confirmed']:,} confirmed, "
        f"{row['in_work']:,} changed and not confirmed; {row['origin']}"
        for row in rows
    ]
    settings.finish(
        {"groupings": rows}, "\n".join(lines) or "No groupings yet. Find one with: python -m core people --run RUN"
    )


@click.command("groups-import")
@click.option("--file", type=click.Path(path_type=Path), required=True, help="csv with ImageID and group.")
@click.option("--name", required=True, help="The grouping's name; must be new.")
@common_options
@pass_settings
def groups_import(settings: Settings, file: Path, name: str) -> None:
    """Keep the groups of a csv file as a named grouping."""
    workspace, index = settings.open_workspace(), settings.load_index()
    table = read_groups_csv(file, index.photos.photo_id[index.photos.split == "eval"].tolist())
    about = {"groups": int(table.group.nunique()), "file": file.name}
    save_grouping(
        workspace, name, table, dataset_id=index.dataset_id, origin=f"imported from {file.name}", about=about
    )
    settings.finish(
        {"name": name, "photos": len(table), **about}, f"{len(table):,} photos in {about['groups']:,} groups"
    )


@click.command("groups-export")
@click.option("--name", required=True)
@click.option("--out", type=NewFile(), required=True, help="The csv file.")
@click.option("--as-found", is_flag=True, help="Without what people corrected.")
@common_options
@pass_settings
def groups_export(settings: Settings, name: str, out: Path, as_found: bool) -> None:
    """Write a grouping, as people corrected it, as csv with ImageID, group and confidence."""
    workspace, index = settings.open_workspace(), settings.load_index()
    grouping = open_grouping(workspace, name, dataset_id=index.dataset_id, as_found=as_found)
    if out.resolve().is_relative_to(index.data_dir):
        raise DecisionError(f"{out} lies in the data set, which is only ever read; choose another place")
    try:
        write_text(out, to_csv(grouping.table))
    except OSError as error:
        raise DecisionError(f"{out} cannot be written: {error.strerror}; choose another place") from None
    decided = int((grouping.table.decided != "").sum())
    settings.finish(
        {"name": name, "out": str(out), "photos": len(grouping.table), "decided": decided},
        f"{len(grouping.table):,} photos, the group of {decided:,} decided by hand",
    )


@click.command()
@click.option("--bits", type=click.IntRange(0, 64), default=NEAR, show_default=True, help="Of 256, that may differ.")
@common_options
@pass_settings
def duplicates(settings: Settings, bits: int) -> None:
    """Find pairs of photos that are nearly the same picture, by perceptual hash; the page People shows them."""
    workspace, index = settings.open_workspace(), settings.load_index()
    cache = build_image_cache(index, PIXELS, workspace, on_progress=progress("decoding photos"))
    photos = index.photos[cache.decoded]
    pairs = photo_pairs(
        index.data_dir, photos, cache.pixels[cache.decoded], most=bits, on_progress=progress("hashing photos")
    )
    about = {"fingerprint": index.fingerprint, "bits": bits, "photos": len(photos)}
    save_finding(workspace, index.dataset_id, "duplicates", pairs, about=about)
    counts = {str(where): int(count) for where, count in pairs["where"].value_counts().items()}
    told = ", ".join(f"{count:,} {where}" for where, count in counts.items()) or "none"
    settings.finish(
        {**about, "pairs": len(pairs), "same_file": int(pairs.same_file.sum()), "where": counts},
        f"{len(pairs):,} pairs among {len(photos):,} photos ({told}); {int(pairs.same_file.sum()):,} are one file",
    )


@click.command("odd-photos")
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True, help="How many to list.")
@common_options
@pass_settings
def odd_photos(settings: Settings, count: int) -> None:
    """Find train photos that look like somebody else's, by a metric from other train people."""
    workspace, index = settings.open_workspace(), settings.load_index()
    table = find_odd_photos(workspace, index, on_progress=progress("decoding photos"))
    odd = table[table.fits < ODD]
    lines = [f"{len(odd):,} of {len(table):,} train photos fit another person better"]
    if len(odd):
        lines.append(odd.head(count).to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    settings.finish(
        {"photos": len(table), "odd": len(odd), "people": int(odd.person_id.nunique()),
         "rows": odd.head(count).to_dict("records")},
        "\n".join(lines),
    )  # fmt: skip


VERBS = (people, groups, groups_import, groups_export, duplicates, odd_photos)
