"""A csv made elsewhere, checked like our own and noted in the ledger."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.dataset.index import Index
from core.errors import SubmissionError
from core.evaluation.expected_score import ExpectedScore
from core.files import write_atomic, write_json
from core.storage.decisions import DecisionStore
from core.storage.submissions import SubmissionLedger
from core.submission.assemble import best_runs, rows_of
from core.submission.checks import check_submission
from core.submission.deciding import vote
from core.submission.expectation import Belief
from core.submission.export import refuse_red, rounded
from core.submission.finding import Finding
from core.submission.recipe import make_recipe
from core.submission.references import answers_of, references_for
from core.taxonomy import NUM_CLASSES
from core.workspace import Workspace

_JUDGES = 6


def belief_of_runs(workspace: Workspace, index: Index) -> Belief | None:
    """What the best runs together hold for true of the evaluation photos; None where there are none."""
    rows = rows_of(index, DecisionStore(workspace, index.dataset_id).effective())
    names = best_runs(workspace, index.dataset_id)[:_JUDGES]
    return vote(workspace, rows, make_recipe(members=names)).belief if names else None


def expected_of(index: Index, content: Path | bytes, belief: Belief | None) -> ExpectedScore | None:
    """The score to expect of a file; None without a belief, or where its rows cannot be read."""
    ids = index.photos.photo_id[index.photos.split == "eval"].tolist()
    try:
        return belief.expected(answers_of(content, ids)) if belief else None
    except SubmissionError:
        return None


def gate_file(
    workspace: Workspace, index: Index, content: Path | bytes, *, belief: Belief | None = None
) -> list[Finding]:
    """Every finding on a file made elsewhere, compared with the data set's runs and earlier files.

    Args:
        belief: gives the class mix that the file is compared with.
    """
    rows = rows_of(index, DecisionStore(workspace, index.dataset_id).effective())
    info = pd.DataFrame({"ImageID": rows.evaluation_ids})
    references = references_for(workspace, rows)
    return check_submission(content, info, references=references, mix=belief.steady_mix if belief else None)


def import_submission(
    workspace: Workspace,
    index: Index,
    content: bytes,
    *,
    file_name: str,
    comment: str = "",
    override: str = "",
    belief: Belief | None = None,
) -> dict[str, Any]:
    """Keep a file made elsewhere, byte for byte, with its findings and a row in the ledger.

    Args:
        file_name: as it was called; the kept file's name starts with it.
        override: why a file with a red finding is kept all the same.
        belief: by which it is expected to score.
    Returns:
        The manifest, with ``path``.
    Raises:
        SubmissionError: a red finding without words that override it; nothing is kept.
    """
    findings = gate_file(workspace, index, content, belief=belief)
    refuse_red(findings, override)
    digest = hashlib.sha256(content).hexdigest()
    stem = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in Path(file_name).stem)[:60].lstrip(
        ".-"
    )
    path = workspace.submissions / f"{stem or 'file'}-{digest[:8]}.csv"
    ids = index.photos.photo_id[index.photos.split == "eval"].tolist()
    try:
        counts = np.bincount(answers_of(content, ids), minlength=NUM_CLASSES).tolist()
    except SubmissionError:  # overridden: not even its rows can be read
        counts = []
    expected = expected_of(index, content, belief)
    manifest: dict[str, Any] = {
        "sha256": digest,
        "rows": len(ids),
        "variant": "made elsewhere",
        "dataset_id": index.dataset_id,
        "imported_from": file_name,
        "expected": None if expected is None else rounded(asdict(expected)),
        "class_counts": counts,
        "findings": [asdict(finding) for finding in findings],
        "override": override,
        "comment": comment,
        "file_name": path.name,
    }
    write_json(path.with_suffix(".manifest.json"), manifest)
    write_atomic(path, lambda file: file.write(content))
    SubmissionLedger(workspace, index.dataset_id).add(path.name, manifest)
    return {"path": str(path), **manifest}
