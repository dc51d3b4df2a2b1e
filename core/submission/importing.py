"""A csv made elsewhere, checked like our own and noted in the ledger."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.dataset.index import Index
from core.errors import SubmissionError
from core.files import write_atomic, write_json
from core.storage.decisions import DecisionStore
from core.storage.submissions import SubmissionLedger
from core.submission.assemble import rows_of
from core.submission.checks import check_submission
from core.submission.export import refuse_red
from core.submission.finding import Finding
from core.submission.references import answers_of, references_for
from core.taxonomy import NUM_CLASSES
from core.workspace import Workspace


def gate_file(workspace: Workspace, index: Index, content: Path | bytes) -> list[Finding]:
    """Every finding on a file made elsewhere, compared with the data set's runs and earlier files."""
    rows = rows_of(index, DecisionStore(workspace, index.dataset_id).effective())
    info = pd.DataFrame({"ImageID": rows.evaluation_ids})
    return check_submission(content, info, references=references_for(workspace, rows))


def import_submission(
    workspace: Workspace, index: Index, content: bytes, *, file_name: str, comment: str = "", override: str = ""
) -> dict[str, Any]:
    """Keep a file made elsewhere, byte for byte, with its findings and a row in the ledger.

    Args:
        file_name: as it was called; the kept file's name starts with it.
        override: why a file with a red finding is kept all the same.
    Returns:
        The manifest, with ``path``.
    Raises:
        SubmissionError: a red finding without words that override it; nothing is kept.
    """
    findings = gate_file(workspace, index, content)
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
    manifest: dict[str, Any] = {
        "sha256": digest,
        "rows": len(ids),
        "variant": "made elsewhere",
        "dataset_id": index.dataset_id,
        "imported_from": file_name,
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
