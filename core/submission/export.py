"""From runs to a checked file: csv as the organisers ask for it, its manifest, a row in the ledger."""

import csv
import hashlib
import io
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from core.dataset.index import Index
from core.errors import RunError, SubmissionError
from core.files import write_json, write_text
from core.storage.runs import Run
from core.storage.submissions import SubmissionLedger
from core.submission.checks import Finding, check_submission
from core.submission.ensemble import hard_vote, soft_vote
from core.submission.text_table import HEADER
from core.taxonomy import NUM_CLASSES, FloatArray, IntArray
from core.workspace import PROJECT, Workspace

Vote = Literal["soft", "hard"]


@dataclass(frozen=True)
class Draft:
    """A submission as it would be written.

    Attributes:
        labels: (N,) class of each evaluation photo, in info.csv's order.
        text: the csv file.
        findings: what the checks say; a red one stands in the way of writing.
        origin: what each run brought: run_id, label_revision, pseudo_labels, macro_f1, logits_sha256.
    """

    labels: IntArray
    text: str
    findings: list[Finding]
    origin: list[dict[str, Any]]

    @property
    def is_blocked(self) -> bool:
        """Whether a check is red."""
        return any(finding.level == "red" for finding in self.findings)

    @property
    def class_counts(self) -> list[int]:
        """Photos of each of the 18 classes."""
        counts: list[int] = np.bincount(self.labels, minlength=NUM_CLASSES).tolist()
        return counts


def draft_submission(index: Index, runs: Sequence[Run], *, vote: Vote = "soft") -> Draft:
    """The vote of some runs with all its findings; writes nothing.

    Args:
        runs: finished runs on this data set.
        vote: ``soft``: mean probability; ``hard``: the class most runs choose.
    Raises:
        SubmissionError: no run, or one twice.
        RunError: a run is unfinished or does not fit the data set.
    """
    wanted = index.photos.loc[index.photos.split == "eval", "photo_id"].tolist()
    logits = [_evaluation_logits(run, index.dataset_id, wanted) for run in _different(runs)]
    labels = hard_vote(logits) if vote == "hard" else soft_vote(logits).argmax(axis=1)
    text = submission_text(wanted, labels)
    findings = check_submission(text.encode(), pd.DataFrame({"ImageID": wanted}), predictions=labels)
    origin = [_origin(run, member) for run, member in zip(runs, logits, strict=True)]
    return Draft(labels, text, findings, origin)


def write_submission(
    workspace: Workspace,
    index: Index,
    runs: Sequence[Run],
    *,
    out: Path | None = None,
    vote: Vote = "soft",
    comment: str = "",
) -> dict[str, Any]:
    """Write the vote of some runs, if no check is red. The same runs give the same bytes.

    Args:
        runs: finished runs on this data set.
        out: the csv file; by default one in the workspace, named after the runs. The manifest gets the
            same name with ``.manifest.json``.
        vote: ``soft``: mean probability; ``hard``: the class most runs choose.
        comment: the user's own words, kept with the file.
    Returns:
        The manifest, with ``path`` and ``manifest_path``.
    Raises:
        SubmissionError: a red finding (nothing is written), or a place that cannot be written to.
        RunError: a run is unfinished or does not fit the data set.
    """
    draft = draft_submission(index, runs, vote=vote)
    _refuse_red(draft.findings)
    digest = hashlib.sha256(draft.text.encode()).hexdigest()
    out = _place(workspace, index, out, f"{'+'.join(run.run_id for run in runs)[:60]}-{vote}-{digest[:8]}.csv")
    manifest: dict[str, Any] = {
        "file_name": out.name,
        "sha256": digest,
        "rows": len(draft.labels),
        "dataset_id": index.dataset_id,
        "vote": vote,
        "runs": draft.origin,
        "class_counts": draft.class_counts,
        "findings": [asdict(finding) for finding in draft.findings],
        "code_version": code_version(),
        "comment": comment,
    }
    manifest_path = out.with_suffix(".manifest.json")
    try:
        write_json(manifest_path, manifest)
        write_text(out, draft.text)  # last: a csv file always has its manifest
    except OSError as error:
        raise SubmissionError(f"{out} cannot be written: {error.strerror}; choose another place") from None
    listed = out.name if out.parent == workspace.submissions else str(out)
    origin = {"vote": vote, "runs": manifest["runs"], "code_version": manifest["code_version"]}
    ledger = SubmissionLedger(workspace, index.dataset_id)
    ledger.add(listed, digest, len(draft.labels), origin, manifest["findings"], comment)
    return {"path": str(out), "manifest_path": str(manifest_path), **manifest}


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


def _different(runs: Sequence[Run]) -> Sequence[Run]:
    names = [run.run_id for run in runs]
    if not names:
        raise SubmissionError("there is no run to export; choose at least one")
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise SubmissionError(f"run {twice[0]} is given {names.count(twice[0])} times; give each run once")
    return runs


def _evaluation_logits(run: Run, dataset_id: str, wanted: list[str]) -> FloatArray:
    """A run's evaluation logits in info.csv's order; refuses a run of other photos."""
    made_for = run.manifest["dataset_id"]
    if made_for != dataset_id:
        raise RunError(
            f"run {run.run_id} was made for data set {made_for}, this one is {dataset_id}; choose another run"
        )
    if run.result() is None:
        raise RunError(f"run {run.run_id} is unfinished; go on with it first: resume --run {run.run_id}")
    predictions = run.evaluation()
    if predictions.photo_ids.tolist() == wanted:
        return predictions.logits
    if len(predictions.photo_ids) != len(wanted) or set(predictions.photo_ids.tolist()) != set(wanted):
        missing = sorted(set(wanted) - set(predictions.photo_ids.tolist()))
        example = f", such as {missing[0]}" if missing else ""
        raise RunError(
            f"run {run.run_id} predicts {len(predictions.photo_ids):,} photos and leaves out {len(missing):,}"
            f" of the {len(wanted):,} in info.csv{example}; train it again"
        )
    return predictions.logits[predictions.rows_of(np.array(wanted))]


def _refuse_red(findings: list[Finding]) -> None:
    red = [finding for finding in findings if finding.level == "red"]
    if red:
        told = "; ".join(f"{finding.check}: {finding.saw} ({finding.cause})" for finding in red)
        raise SubmissionError(f"nothing was written, the checks found: {told}")


def _place(workspace: Workspace, index: Index, out: Path | None, default_name: str) -> Path:
    if out is None:
        return workspace.submissions / default_name
    out = out.expanduser().resolve()
    if out.suffix.lower() != ".csv":
        raise SubmissionError(f"{out.name} does not end in .csv; give a name such as submission.csv")
    if out.is_relative_to(index.data_dir):
        raise SubmissionError(f"{out} lies in the data set, which is only ever read; choose another place")
    return out


def _origin(run: Run, logits: FloatArray) -> dict[str, Any]:
    result = run.result() or {}
    return {
        "run_id": run.run_id,
        "label_revision": run.manifest["label_revision"],
        "pseudo_labels": run.config.data.pseudo_labels,
        "macro_f1": result.get("macro_f1"),
        "logits_sha256": hashlib.sha256(np.ascontiguousarray(logits).tobytes()).hexdigest(),
    }
