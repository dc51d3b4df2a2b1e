"""Tables that the pages and the command line show alike: ensembles compared, and the ledger with its estimates."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from core.dataset.index import Index
from core.errors import LabelingError
from core.evaluation.metrics import Float64Array, accuracy, macro_f1, weighted_macro_f1
from core.evaluation.uncertainty import macro_f1_draws
from core.storage.submissions import SubmissionLedger
from core.submission.assemble import member_names
from core.submission.combine import Ballot, Combined
from core.submission.expectation import oof_probabilities
from core.submission.held_out import corrected_classes
from core.submission.recipe import Recipe, make_recipe
from core.submission.references import kept_answers
from core.submission.scored import LEAST_SCORED, estimate_scores
from core.taxonomy import IntArray
from core.workspace import Workspace

_DRAWS = 500
_ENDS = (0.025, 0.975)
_COMPARED = ("macro_f1", "low", "high", "accuracy", "gain", "gain_low", "gain_high",
             "at_mix", "at_mix_gain", "at_mix_gain_low", "at_mix_gain_high", "corrected")  # fmt: skip

DrawnScores = Callable[[IntArray], Float64Array]


def compare_recipes(
    ballot: Ballot, combined: Sequence[Combined], *, mix: Float64Array | None = None, corrected: bool = False
) -> pd.DataFrame:
    """Members and ensembles on the people that all members predicted out-of-fold, the best member first.

    Args:
        mix: (6,) of the evaluation people, such as ``evaluation_mix``; None where nothing steady is known.
        corrected: whether each is corrected to the mix as well; about a second each.
    Returns:
        name, macro_f1, low, high (95 %, by person), accuracy, gain over the best member with gain_low and
        gain_high (paired: the same draws of people); at_mix and at_mix_gain: macro F1 with people weighed to the mix,
        and over the member that is best so, for ensembles with at_mix_gain_low and at_mix_gain_high; corrected: that
        score of what would be submitted corrected. NaN where no person is shared, or nothing was given or asked for.
    """
    names = [member.name for member in ballot.members] + [one.recipe.method for one in combined]
    table = pd.DataFrame({"name": names}).reindex(columns=["name", *_COMPARED])
    if not len(ballot.labels):
        return table
    labels, size = ballot.labels, len(ballot.members)
    guesses = [member.classes[ballot.shared] for member in ballot.members] + [one.oof_labels for one in combined]
    table["macro_f1"] = [*ballot.member_scores, *(macro_f1(labels, one.oof_labels) for one in combined)]
    table["accuracy"] = [accuracy(labels, guess) for guess in guesses]
    draws = macro_f1_draws(labels, guesses, ballot.person_ids, draws=_DRAWS)
    best = int(ballot.member_scores.argmax())
    table["gain"] = table.macro_f1 - table.macro_f1[best]
    table[["low", "high"]] = np.quantile(draws, _ENDS, axis=1).T
    table[["gain_low", "gain_high"]] = np.quantile(draws - draws[best], _ENDS, axis=1).T
    if mix is not None:
        weights = ballot.weights(mix)
        table["at_mix"] = [weighted_macro_f1(labels, guess, weights) for guess in guesses]
        best = int(table.at_mix[:size].argmax())
        table["at_mix_gain"] = table.at_mix - table.at_mix[best]
        if combined:
            some = [guesses[best], *guesses[size:]]
            draws = macro_f1_draws(labels, some, ballot.person_ids, weights=weights, draws=_DRAWS)
            ends = np.quantile(draws[1:] - draws[0], _ENDS, axis=1).T
            table.loc[size:, ["at_mix_gain_low", "at_mix_gain_high"]] = ends
        if corrected:
            told = [member.pred_probs[ballot.shared] for member in ballot.members]
            told += [oof_probabilities(ballot, one) for one in combined]
            decided = (corrected_classes(ballot, pred_probs, mix) for pred_probs in told)
            table["corrected"] = [weighted_macro_f1(labels, guess, weights) for guess in decided]
    members = table[:size].sort_values("macro_f1", ascending=False, kind="stable")
    return pd.concat([members, table[size:]], ignore_index=True)


class Way(NamedTuple):
    """A prediction as it would be submitted, with its macro F1 at the evaluation mix."""

    name: str
    corrected: bool
    score: float

    def __str__(self) -> str:
        return f"{self.name}{', corrected' if self.corrected else ''} ({self.score:.4f})"


def best_way(table: pd.DataFrame) -> Way | None:
    """The highest score at the mix in rows of ``compare_recipes``, voted or corrected; None where none is known."""
    ways = [
        Way(str(name), corrected, float(score))
        for corrected, column in ((False, "at_mix"), (True, "corrected"))
        for name, score in zip(table.name, table[column], strict=True)
    ]
    return max((way for way in ways if not np.isnan(way.score)), key=lambda way: way.score, default=None)


def common_recipe(workspace: Workspace, index: Index) -> Recipe | None:
    """All members of the ledger's files that are still there, for one belief to judge every file by.

    None while too few scores are reported for an estimate, and where no member is left.
    """
    table = SubmissionLedger(workspace, index.dataset_id).list()
    used = {name for origin in table.origin for name in (origin.get("recipe") or {}).get("members", ())}
    there = [name for name in member_names(workspace, index.dataset_id) if name in used]
    return make_recipe(members=there) if there and table.public.notna().sum() >= LEAST_SCORED else None


def ledger_table(workspace: Workspace, index: Index, drawn_scores: DrawnScores | None = None) -> pd.DataFrame:
    """Every file, newest first, with what was expected, reported, and what scored files let expect.

    Args:
        drawn_scores: (D,) scores of (E,) classes in drawn truths of the public half, by which all files are expected
            alike, such as those of ``common_recipe``; without it each is expected as when it was written.
    Returns:
        number, created_at, file_name, variant, made_of, expected, low, high, public, private, estimate and
        estimate_error (from five reported scores on; of a scored file: from the others; the error is at least that of
        leaving one out), agreement (with the best scored or expected file), comment, problem (why a file cannot be
        read, "" where it can).
    """
    table = SubmissionLedger(workspace, index.dataset_id).list()
    read = [_answers(workspace, index, row) for row in table.itertuples()]
    answers = [one if isinstance(one, np.ndarray) else None for one in read]
    expected = [origin.get("expected") or {} for origin in table.origin]
    recipes = [origin.get("recipe") for origin in table.origin]
    shown = pd.DataFrame(
        {
            "number": table.number,
            "created_at": table.created_at,
            "file_name": table.file_name,
            "variant": [origin.get("variant", "") for origin in table.origin],
            "made_of": [f"{r['method']}: {', '.join(r['members'])}" if r else "" for r in recipes],
            **{name: [one.get(key, np.nan) for one in expected]
               for name, key in (("expected", "mean"), ("low", "low"), ("high", "high"))},
            "public": table.public,
            "private": table.private,
        }
    )  # fmt: skip
    worth = shown.public.fillna(shown.expected).fillna(-1).to_numpy(dtype=float)
    worth = np.where([one is None for one in answers], -np.inf, worth)  # one that is gone compares with nothing
    best = answers[int(worth.argmax())] if len(shown) else None
    shown["agreement"] = [np.nan if one is None or best is None else float((one == best).mean()) for one in answers]
    shown["estimate"], shown["estimate_error"] = _estimates(shown, answers, drawn_scores)
    shown["comment"] = table.comment
    shown["problem"] = ["" if isinstance(one, np.ndarray) else one for one in read]
    return shown


def _estimates(
    shown: pd.DataFrame, answers: Sequence[IntArray | None], drawn_scores: DrawnScores | None
) -> tuple[Float64Array, Float64Array]:
    there = [place for place, classes in enumerate(answers) if classes is not None]
    files = [classes for classes in answers if classes is not None]
    means, errors = np.full((2, len(shown)), np.nan)
    reported = shown.public.iloc[there].to_numpy(dtype=np.float64)
    if np.isfinite(reported).sum() < LEAST_SCORED:
        return means, errors
    drawn = None if drawn_scores is None else np.stack([drawn_scores(one) for one in files], axis=1)
    found = estimate_scores(files, reported.tolist(), expected=shown.expected.iloc[there].tolist(), drawn=drawn)
    means[there], errors[there] = found.mean, found.deviation
    return means, errors


def _answers(workspace: Workspace, index: Index, row: object) -> IntArray | str:
    """(E,) classes of a file, or why it cannot be read: gone, changed, or kept though it never could."""
    ids = index.photos.photo_id[index.photos.split == "eval"].tolist()
    try:
        return kept_answers(SubmissionLedger(workspace, index.dataset_id), row, ids)
    except LabelingError as problem:
        return str(problem)
