"""Verbs about decisions: ``history``, ``revision``, ``fixes``, ``agreement``, and files of decisions."""

import getpass
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import pandas as pd

from core.cli.options import NewFile, Settings, common_options, pass_settings
from core.curation.agreement import AXES, agreement, disagreements, kappa_words, vote_words
from core.curation.fixes import Fix, accept_certain, decide_fix, list_coverage, proposed_fixes
from core.curation.history import difference_counts, label_differences, timeline
from core.curation.origins import origins
from core.dataset.index import Index
from core.errors import DecisionError
from core.storage.decision_files import read_decisions, write_decisions
from core.storage.decisions import DecisionStore
from core.storage.revision_names import RevisionNames
from core.taxonomy import GENDERS, class_name

who_option = click.option(
    "--who", default=getpass.getuser, help="Whose decision it is.", show_default="your user name"
)


def _open(settings: Settings) -> tuple[Index, DecisionStore]:
    index = settings.load_index()
    return index, DecisionStore(settings.open_workspace(), index.dataset_id)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON, with null where nothing is."""
    found: list[dict[str, Any]] = json.loads(table.to_json(orient="records", force_ascii=False))
    return found


def _label(label: int) -> str:
    return class_name(label) if label >= 0 else "no label"


@click.command()
@click.option("--photo", help="A photo_id.")
@click.option("--person", help="A person_id: the folder's name.")
@common_options
@pass_settings
def history(settings: Settings, photo: str | None, person: str | None) -> None:
    """Everything that was decided about a photo or a person, and what it changed."""
    if (photo is None) == (person is None):
        raise DecisionError("give either --photo or --person")
    index, store = _open(settings)
    kind, target = ("photo", str(photo)) if person is None else ("person", person)
    known = [name for name in index.photos[f"{kind}_id"].unique() if name]
    if target not in known:
        raise DecisionError(f"{kind} {target!r} is not in {index.data_dir}; give a {kind}_id such as {known[0]}")
    table = timeline(index.photos, store.all(), target)
    lines = []
    for row in table.to_dict("records"):
        state = "" if row["stands"] else ", taken back"
        why = f": {row['why']}" if row["why"] else ""
        place = f"{row['queue'] or 'no queue'}{state}"
        lines.append(f"{row['row']}  {row['created_at']}  {row['who']}  {row['kind']} ({place}){why}")
        lines += [f"    {changed}: {_label(old)} -> {_label(new)}" for changed, old, new in row["changes"]]
    settings.finish(
        {"target": target, "rows": _records(table)}, "\n".join(lines) or f"nothing was decided about {target}"
    )


@click.group()
def revision() -> None:
    """Label revisions: states of the labels that runs record, by number or by a name."""


@revision.command("name")
@click.argument("name")
@click.option("--revision", "number", type=int, help="Its number.  [default: the newest]")
@click.option("--why", default="")
@who_option
@common_options
@pass_settings
def revision_name(settings: Settings, name: str, number: int | None, why: str, who: str) -> None:
    """Give a revision a name; a name never changes its meaning."""
    index, store = _open(settings)
    newest = store.revision()
    chosen = newest if number is None else number
    RevisionNames(settings.open_workspace(), index.dataset_id).add(name, chosen, newest=newest, who=who, why=why)
    settings.finish({"name": name, "revision": chosen}, f"revision {chosen} is called {name!r}")


@revision.command("list")
@common_options
@pass_settings
def revision_list(settings: Settings) -> None:
    """The newest revision, and all names."""
    index, store = _open(settings)
    names = RevisionNames(settings.open_workspace(), index.dataset_id).list()
    lines = [f"newest: {store.revision()}"]
    lines += [f"{row['revision']:6d}  {row['name']}  ({row['who']}, {row['created_at']})" for row in _records(names)]
    settings.finish({"newest": store.revision(), "names": _records(names)}, "\n".join(lines))


@revision.command("diff")
@click.argument("before")
@click.argument("after", default="now")
@common_options
@pass_settings
def revision_diff(settings: Settings, before: str, after: str) -> None:
    """What differs between two revisions, each a number, a name, or now; 0 is the data set as it came."""
    index, store = _open(settings)
    names, newest = RevisionNames(settings.open_workspace(), index.dataset_id), store.revision()
    first, second = (names.resolve(text, newest=newest) for text in (before, after))
    found = label_differences(index.photos, store.effective(first), store.effective(second))
    counts = difference_counts(found)
    lines = [f"revision {first} to {second}: {len(found):,} photos differ"]
    lines += [f"{photos:6,}  {_label(old)} -> {_label(new)}" for old, new, photos in counts.to_numpy().tolist()]
    result = {"before": first, "after": second, "photos": _records(found), "counts": _records(counts)}
    settings.finish(result, "\n".join(lines))


@click.group()
def fixes() -> None:
    """Known label errors as proposals: the published list of the competition, and folder names."""


def _fixes(settings: Settings) -> tuple[Index, DecisionStore, list[Fix]]:
    index, store = _open(settings)
    return index, store, proposed_fixes(index.photos, index.anomalies, store.effective())


@fixes.command("list")
@common_options
@pass_settings
def fixes_list(settings: Settings) -> None:
    """All proposals for people of this data set, and what was decided about them."""
    index, _, found = _fixes(settings)
    present, all_of_them = list_coverage(index.photos)
    lines = [f"{fix.certainty:9s} {fix.state:9s} {fix.fix_id}: {fix.words}" for fix in found]
    lines.append(f"{present} of the published list's {all_of_them} certain people are in this data set")
    result = {"fixes": [asdict(fix) for fix in found], "certain_present": present, "certain_listed": all_of_them}
    settings.finish(result, "\n".join(lines))


@fixes.command("accept-certain")
@who_option
@common_options
@pass_settings
def fixes_accept_certain(settings: Settings, who: str) -> None:
    """Accept all open certain proposals, as one batch."""
    _, store, found = _fixes(settings)
    _decided(settings, store, accept_certain(found, who=who))


@fixes.command("accept")
@click.argument("fix_id")
@click.option("--age", type=click.IntRange(0, 120), help="The right age in years, where the source names none.")
@click.option("--gender", type=click.Choice(GENDERS), help="Instead of the proposed one.")
@click.option("--why", default="")
@who_option
@common_options
@pass_settings
def fixes_accept(settings: Settings, fix_id: str, age: int | None, gender: str | None, why: str, who: str) -> None:
    """Accept one proposal, as it is or with a value of your own."""
    _, store, found = _fixes(settings)
    values = {} if age is None else {"age_years": age}
    values |= {} if gender is None else {"gender": GENDERS.index(gender)}
    _decided(settings, store, decide_fix(found, fix_id, accept=True, who=who, values=values or None, why=why))


@fixes.command("reject")
@click.argument("fix_id")
@click.option("--why", default="")
@who_option
@common_options
@pass_settings
def fixes_reject(settings: Settings, fix_id: str, why: str, who: str) -> None:
    """Reject one proposal: the label as it is is right."""
    _, store, found = _fixes(settings)
    _decided(settings, store, decide_fix(found, fix_id, accept=False, who=who, why=why))


def _decided(settings: Settings, store: DecisionStore, decisions: list[Any]) -> None:
    added = store.append(decisions) if decisions else 0
    batch = decisions[0].batch_id if decisions else None
    undo = f"; take back with: undo --batch {batch}" if batch else ""
    settings.finish({"decisions": added, "batch_id": batch}, f"{added} decisions{undo}")


@click.command("agreement")
@common_options
@pass_settings
def agreement_verb(settings: Settings) -> None:
    """How far reviewers agree (Cohen's kappa), about what they differ, and where labels come from."""
    index, store = _open(settings)
    decided = store.effective()
    table, torn = agreement(index.photos, decided), disagreements(index.photos, decided)
    lines = []
    for row in table.to_dict("records"):
        kappas = ", ".join(f"{axis.replace('_', ' ')} {kappa_words(row, axis)}" for axis in (*AXES, "label"))
        lines.append(f"{row['first']} and {row['second']}: {row['label_cards']:.0f} whole labels; kappa {kappas}")
    lines = lines or ["no two reviewers decided the same card yet"]
    lines += [
        f"differ about {row['unit']} {row['target']}: {'; '.join(map(vote_words, row['votes']))}"
        for row in _records(torn)
    ]
    counts = origins(index.photos, decided)
    lines += [f"{row.split} photos, {row.origin}: {row.photos:,}" for row in counts.itertuples()]
    result = {"pairs": _records(table), "disagreements": _records(torn), "origins": _records(counts)}
    settings.finish(result, "\n".join(lines))


@click.command("decisions-export")
@click.option("--out", type=NewFile(), required=True, help="A .csv or .jsonl file.")
@common_options
@pass_settings
def decisions_export(settings: Settings, out: Path) -> None:
    """Write all decisions about this data set, undone ones too, for another workspace."""
    _, store = _open(settings)
    count = write_decisions(out, store.all())
    settings.finish({"path": str(out), "decisions": count}, f"{count:,} decisions in {out}")


@click.command("decisions-import")
@click.option("--in", "path", type=click.Path(path_type=Path), required=True, help="From decisions-export.")
@common_options
@pass_settings
def decisions_import(settings: Settings, path: Path) -> None:
    """Add the decisions of another workspace that are not here yet; lists conflicts."""
    index, store = _open(settings)
    decisions = read_decisions(path, index.dataset_id)
    known = {*index.photos.photo_id, *index.photos.person_id}
    unknown = sorted({decision.target for decision in decisions} - known)
    merge = store.merge(decisions)
    torn = disagreements(index.photos, store.effective())
    lines = [f"{len(merge.new):,} new, {merge.known:,} known, {len(merge.conflicts):,} in conflict"]
    for decision_id, fields in merge.conflicts:
        pairs = "; ".join(f"{name} here {here!r}, there {there!r}" for name, (here, there) in fields.items())
        lines.append(f"conflict {decision_id}, what is here stays: {pairs}")
    lines += [f"{len(unknown):,} about photos or people that are not here, such as {unknown[0]}"] if unknown else []
    lines += [f"reviewers differ about {len(torn):,} cards; see: agreement"] if len(torn) else []
    conflicts = [{"decision_id": decision_id, "fields": fields} for decision_id, fields in merge.conflicts]
    result = {"new": len(merge.new), "known": merge.known, "conflicts": conflicts, "unknown_targets": unknown}
    settings.finish(result | {"disagreements": len(torn)}, "\n".join(lines))


VERBS = (history, revision, fixes, agreement_verb, decisions_export, decisions_import)
