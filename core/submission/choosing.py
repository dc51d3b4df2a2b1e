"""Which members to take: how alike they are, what each adds, and a suggestion with its reasons."""

from dataclasses import dataclass

import numpy as np

from core.evaluation import comparison
from core.evaluation.metrics import Float64Array, weighted_macro_f1
from core.evaluation.uncertainty import macro_f1_draws
from core.one_thread import on_one_thread
from core.submission.combine import Ballot
from core.taxonomy import AXES, NUM_CLASSES, IntArray, decode_axis

TRADE = 0.02
"""Macro F1 that a suggestion gives up for errors that do not correlate at all instead of wholly."""

_LONGEST = 8
_AS_GOOD = 0.1
"""Macro F1 below the best from which a member's unlike errors are no help by themselves."""
_DRAWS = 200


@on_one_thread
def agreement(ballot: Ballot) -> Float64Array:
    """(M, M) share of the evaluation photos to which two members give one class."""
    one_hot = np.stack([np.eye(NUM_CLASSES, dtype=np.float32)[member.classes[ballot.rows.evaluation]].ravel()
                        for member in ballot.members])  # (M, E * 18)  # fmt: skip
    count = one_hot.shape[1] / NUM_CLASSES
    shares: Float64Array = np.asarray(one_hot @ one_hot.T, dtype=np.float64) / count
    return shares


def error_correlation(ballot: Ballot) -> Float64Array:
    """(M, M) correlation of being wrong on the shared people; members whose errors differ help each other."""
    wrong = [member.classes[ballot.shared] != ballot.labels for member in ballot.members]
    return comparison.error_correlation(wrong)


def class_histograms(ballot: Ballot) -> IntArray:
    """(M, 18) evaluation photos of each class by member."""
    return np.stack([np.bincount(member.classes[ballot.rows.evaluation], minlength=NUM_CLASSES)
                     for member in ballot.members])  # fmt: skip


def axis_disagreement(ballot: Ballot) -> dict[str, float]:
    """Share of the evaluation photos on which not all members say one, by axis."""
    classes = np.stack([member.classes[ballot.rows.evaluation] for member in ballot.members])
    found = {}
    for axis in AXES:
        values = decode_axis(classes.ravel(), axis).reshape(classes.shape)
        found[axis] = float((values != values[0]).any(axis=0).mean())
    return found


def what_each_adds(ballot: Ballot, *, mix: Float64Array | None = None) -> Float64Array:
    """(M,) macro F1 of the equal soft vote less that of the vote without each member, on the shared people.

    Args:
        mix: (6,) that these people are weighed to; as they are when None.
    """
    members = [member.pred_probs[ballot.shared] for member in ballot.members]
    if len(members) < 2 or not len(ballot.labels):
        return np.full(len(members), np.nan)
    total = np.zeros(members[0].shape, dtype=np.float32)
    for member in members:
        total += member
    weights, rest = ballot.weights(mix), np.empty_like(total)
    votes = [total.argmax(axis=1), *(np.subtract(total, member, out=rest).argmax(axis=1) for member in members)]
    whole, *without = (weighted_macro_f1(ballot.labels, vote, weights) for vote in votes)
    return whole - np.array(without)


@dataclass(frozen=True)
class Step:
    """One member of a suggestion.

    Attributes:
        score: out-of-fold macro F1 of the equal soft vote with it, at the mix that was asked for.
        why: in words.
    """

    name: str
    score: float
    why: str


def suggest(ballot: Ballot, *, mix: Float64Array | None = None, trade: float = TRADE) -> list[Step]:
    """A few members that are good together: score first, then unlike errors.

    Starts with the best member, then adds the one with the highest macro F1 of the vote less ``trade`` times its
    mean error correlation with those taken. Stops when the best addition lowers the score by more than
    what unlike errors may cost; one that is far worse than the best has to raise it.

    Args:
        mix: (6,) that the people are weighed to, such as the evaluation set's; as they are when None.
        trade: macro F1 given up for errors that do not correlate at all instead of wholly; 0 is score alone.
    """
    if not len(ballot.labels):
        return []
    weights, correlation = ballot.weights(mix), error_correlation(ballot)

    def score(guess: IntArray) -> float:
        return weighted_macro_f1(ballot.labels, guess, weights)

    scores = np.array([score(member.classes[ballot.shared]) for member in ballot.members])
    best = int(scores.argmax())
    taken, total = [best], ballot.members[best].pred_probs[ballot.shared].astype(np.float32)
    found = [Step(ballot.members[best].name, float(scores[best]), "the best alone")]
    while len(taken) < min(_LONGEST, len(ballot.members)):
        left = [place for place in range(len(scores)) if place not in taken]
        votes = [(total + ballot.members[place].pred_probs[ballot.shared]).argmax(axis=1) for place in left]
        with_it = np.array([score(vote) for vote in votes])
        alike = correlation[np.ix_(left, taken)].mean(axis=1)
        pick = int((with_it - trade * alike).argmax())
        loss = found[-1].score - with_it[pick]
        spared = trade * (1 - alike[pick]) / 4 if scores[left[pick]] >= scores[best] - _AS_GOOD else 0.0
        if loss > spared or (loss == spared == 0.0) or with_it[pick] < scores[best]:
            break
        before = total.argmax(axis=1)
        both = [before, votes[pick]]
        draws = macro_f1_draws(ballot.labels, both, ballot.person_ids, weights=weights, draws=_DRAWS)
        low, high = np.quantile(draws[1] - draws[0], [0.025, 0.975])
        gain = with_it[pick] - found[-1].score
        told, least, most = map(comparison.signed, (gain, low, high))
        why = f"{told} macro F1 (95 % {least} to {most}); errors correlate {alike[pick]:z.2f} with theirs"
        total += ballot.members[left[pick]].pred_probs[ballot.shared]
        taken.append(left[pick])
        found.append(Step(ballot.members[taken[-1]].name, float(with_it[pick]), why))
    return found
