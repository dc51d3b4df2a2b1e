"""From an ensemble to a checked file: csv as the organisers ask for it, its manifest, a row in the ledger."""

import csv
import hashlib
import io
import json
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.curation.labels import effective_labels
from core.curation.limits import Limit, restrict
from core.dataset.index import Index
from core.errors import SubmissionError
from core.evaluation.expected_score import ExpectedScore
from core.files import write_json, write_text
from core.storage.decisions import DecisionStore
from core.storage.submissions import SubmissionLedger
from core.submission.checks import check_submission
from core.submission.combine import Ballot, Combined
from core.submission.deciding import Effect, Voted, decide, vote
from core.submission.expectation import Belief
from core.submission.finding import Finding, is_blocked
from core.submission.members import Rows
from core.submission.recipe import Recipe
from core.submission.references import references_for
from core.submission.rules import check_limits
from core.submission.text_table import HEADER
from core.taxonomy import NUM_CLASSES, IntArray
from core.workspace import PROJECT, Workspace


@dataclass(frozen=True)
class Draft:
    """A submission as it would be written.

    Attributes:
        labels: (E,) class of each evaluation photo, in info.csv's order.
        text: the csv file.
        findings: what the checks say; a red one stands in the way of writing.
        decisions: decisions that stand in it, one a photo: photo_id, label, queue, who, run_id. Empty for a
            file of models alone.
        label_revision: number of the newest decision that was looked at.
        belief: what the evaluation photos probably are; None where no person is predicted out-of-fold.
        limits: how far decisions about ``evaluation`` and ``train`` photos may count.
        effect: what corrections and rule change in the votes; None where there are none.
        inference: the corrections and the groups that were used; None where there are none.
        expected: macro F1 to expect, by that belief.
    """

    recipe: Recipe
    ballot: Ballot = field(repr=False)
    combined: Combined = field(repr=False)
    labels: IntArray = field(repr=False)
    text: str = field(repr=False)
    findings: list[Finding]
    decisions: list[dict[str, Any]] = field(repr=False)
    label_revision: int
    belief: Belief | None = field(repr=False)
    expected: ExpectedScore | None
    effect: Effect | None
    inference: dict[str, Any] | None = field(repr=False)
    limits: dict[str, Limit]

    @property
    def is_blocked(self) -> bool:
        """Whether a check is red."""
        return is_blocked(self.findings)

    @property
    def class_counts(self) -> list[int]:
        """Photos of each of the 18 classes."""
        counts: list[int] = np.bincount(self.labels, minlength=NUM_CLASSES).tolist()
        return counts

    @property
    def sha256(self) -> str:
        """Of the csv file."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def draft_submission(
    workspace: Workspace,
    index: Index,
    recipe: Recipe,
    *,
    with_decisions: bool = False,
    limit: Limit = "all",
    train_limit: Limit = "all",
    voted: Voted | None = None,
) -> Draft:
    """The file that a recipe gives, with all its findings; writes nothing.

    Args:
        with_decisions: accepted and relabelled evaluation photos get the label that was decided, whatever the
            vote. Some competitions forbid that; a file of models alone leaves every decision out.
        limit: how far decisions about evaluation photos may count, in the file and in the members' trainings. Below
            ``all`` a grouping is taken as found: its corrections were made by hand.
        train_limit: how far those about train photos may, in the members' trainings.
        voted: the members' votes, where they are at hand.
    Raises:
        SubmissionError: a member does not exist or rests on labels beyond a limit, or the method cannot be.
        RunError: a run is unfinished or does not fit the data set.
    """
    store = DecisionStore(workspace, index.dataset_id)
    decided = restrict(index.photos, store.effective(), train="all", evaluation=limit)
    photos = effective_labels(index.photos, decided)
    rows = Rows.of(index, photos.label.to_numpy(dtype=np.int64))
    votes = voted or vote(workspace, rows, recipe)
    ballot = votes.ballot
    check_limits([member.origin for member in ballot.members], evaluation=limit, train=train_limit)
    found = decide(workspace, votes, recipe, as_found=limit != "all")
    belief, labels, decisions = found.belief, found.labels, list[dict[str, Any]]()
    if with_decisions:
        standing = photos.label.to_numpy(dtype=np.int64)[rows.evaluation]
        labels = np.where(standing >= 0, standing, labels)
        decisions = _decisions_used(decided, rows.evaluation_ids, standing)
    text = submission_text(rows.evaluation_ids, labels)
    info = pd.DataFrame({"ImageID": rows.evaluation_ids})
    findings = check_submission(
        text.encode(),
        info,
        references=references_for(workspace, rows, ballot.members),
        mix=belief.steady_mix if belief else None,
    )
    expected = None if belief is None else belief.expected(labels)
    return Draft(
        recipe, ballot, votes.combined, labels, text, findings, decisions, store.revision(), belief, expected,
        found.effect, found.inference, {"evaluation": limit, "train": train_limit},
    )  # fmt: skip


def write_submission(
    workspace: Workspace,
    index: Index,
    draft: Draft,
    *,
    out: Path | None = None,
    comment: str = "",
    override: str = "",
) -> dict[str, Any]:
    """Write a draft with its manifest and a row in the ledger. The same inputs give the same bytes.

    Args:
        out: the csv file; by default one in the workspace, named after its members. The manifest gets the same
            name with ``.manifest.json``.
        comment: the user's own words, kept with the file.
        override: why a file with a red finding is written all the same; kept with it.
    Returns:
        The manifest, with ``path`` and ``manifest_path``.
    Raises:
        SubmissionError: a red finding without words that override it, or a place that cannot be written to;
            nothing is written.
    """
    refuse_red(draft.findings, override)
    out = _place(workspace, index, out, _default_name(draft))
    manifest = manifest_of(draft, override=override, comment=comment) | {"file_name": out.name}
    manifest_path = out.with_suffix(".manifest.json")
    try:
        write_json(manifest_path, manifest)
        write_text(out, draft.text)  # last: a csv file always has its manifest
    except OSError as error:
        raise SubmissionError(f"{out} cannot be written: {error.strerror}; choose another place") from None
    ledger, is_inside = SubmissionLedger(workspace, index.dataset_id), out.parent == workspace.submissions
    if not is_inside:
        write_text(ledger.copy_of(draft.sha256), draft.text)
    ledger.add(out.name if is_inside else str(out), manifest)
    return {"path": str(out), "manifest_path": str(manifest_path), **manifest}


def manifest_of(draft: Draft, *, override: str = "", comment: str = "") -> dict[str, Any]:
    """Everything a file was made of and what was known about it; no time and no place, so that it can be compared."""
    inputs = {
        "dataset_id": draft.ballot.rows.dataset_id,
        "recipe": draft.recipe.model_dump(mode="json"),
        "members": [member.origin for member in draft.ballot.members],
        "inference": draft.inference,
        "decisions": draft.decisions,
        "limits": draft.limits,
    }
    return {
        "sha256": draft.sha256,
        "rows": len(draft.labels),
        "variant": "with decisions" if draft.decisions else "models alone",
        **inputs,
        "inputs_sha256": hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest(),
        "weights": draft.combined.weights.round(6).tolist(),
        "label_revision": draft.label_revision,
        "expected": None if draft.expected is None else rounded(asdict(draft.expected)),
        "effect": effect_told(draft.effect),
        "class_counts": draft.class_counts,
        "findings": [asdict(finding) for finding in draft.findings],
        "override": override,
        "code_version": code_version(),
        "comment": comment,
    }


def submission_text(photo_ids: Sequence[str], labels: IntArray) -> str:
    """The csv file: header ``ImageID,ans``, a row a photo, lines end with LF.

    >>> submission_text(["a.jpg", "b.jpg"], np.array([17, 0]))
    'ImageID,ans\\na.jpg,17\\nb.jpg,0\\n'
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(zip(photo_ids, labels.tolist(), strict=True))
    return file.getvalue()


def code_version() -> str:
    """The commit this code is at, with ``-dirty`` when changed; the project's version outside git."""
    if (PROJECT / ".git").exists():
        command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty", "--abbrev=12"]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            pass
    return str(tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def refuse_red(findings: list[Finding], override: str) -> None:
    """Let a file pass that has no red finding, or words that override it.

    Raises:
        SubmissionError: tells every red finding.
    """
    red = [finding for finding in findings if finding.level == "red"]
    if red and not override.strip():
        told = "; ".join(finding.words for finding in red)
        raise SubmissionError(f"nothing was written, the checks found: {told}")


def _decisions_used(decided: pd.DataFrame, evaluation_ids: list[str], standing: IntArray) -> list[dict[str, Any]]:
    """The last decision about each evaluation photo whose label stands in the file."""
    told = ["kind", "origin", "queue", "who", "run_id"]
    last: dict[str, dict[str, Any]] = {
        row["target"]: {name: row[name] for name in told}
        for row in decided[["target", *told]].to_dict("records")  # oldest first: a later one takes its place
    }
    return [
        {"photo_id": photo_id, "label": label, **last.get(photo_id, {})}
        for photo_id, label in zip(evaluation_ids, standing.tolist(), strict=True)
        if label >= 0
    ]


def effect_told(effect: Effect | None) -> dict[str, Any] | None:
    """Photos and people that corrections and rule change, and the scores to expect, for a manifest."""
    if effect is None:
        return None
    told = {"photos": len(effect.changes.rows), "people": effect.changes.people}
    return told | {"before": rounded(asdict(effect.before)), "after": rounded(asdict(effect.after))}


def rounded(numbers: dict[str, float]) -> dict[str, float]:
    """Scores as a manifest tells them."""
    return {name: round(number, 5) for name, number in numbers.items()}


def _default_name(draft: Draft) -> str:
    names = "+".join(member.name.partition(":")[2] for member in draft.ballot.members)[:60]
    decided = "-decided" if draft.decisions else ""
    return f"{names}-{draft.recipe.method}{decided}-{draft.sha256[:8]}.csv"


def _place(workspace: Workspace, index: Index, out: Path | None, default_name: str) -> Path:
    if out is None:
        return workspace.submissions / default_name
    out = out.expanduser().resolve()
    if out.suffix.lower() != ".csv":
        raise SubmissionError(f"{out.name} does not end in .csv; give a name such as submission.csv")
    if out.is_relative_to(index.data_dir):
        raise SubmissionError(f"{out} lies in the data set, which is only ever read; choose another place")
    return out
