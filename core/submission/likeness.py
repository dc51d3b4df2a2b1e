"""What a file says beside what others say of the same photos: members, runs, earlier files, the estimated mix."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.evaluation.metrics import Float64Array
from core.evaluation.prior import GROUP_NAMES, groups_of, mix_of, total_variation
from core.submission.accidents import (
    CERTAIN,
    Accident,
    chance_of_agreement,
    kappa,
    lost_stretch,
    moved_rows,
    renamed_classes,
)
from core.submission.finding import Finding, is_blocked
from core.taxonomy import AXES, CLASS_NAMES, NUM_CLASSES, IntArray, decode_axis

MIX_TOLERANCE = 0.12
"""Share of people that may be in another group than the estimate has it; good submissions are within 0.07."""

_UNRELATED = 0.03
_LITTLE = 0.2
_KNOWS = 0.15
_LOST = 0.9
_SURELY = 0.6
_SURE_KAPPA = 0.5
_ALIKE = 0.3
_APART = 0.1
_MOST = 12
_JUDGES = 4


@dataclass(frozen=True)
class Reference:
    """Another prediction of the same photos.

    Attributes:
        name: told to the user.
        classes: (N,) in info.csv's order.
        kind: ``member`` of the file, another ``run``, or an ``earlier`` file (the best first).
        score: macro F1 that it had or is expected to have; one below 0.15 accuses nobody.
    """

    name: str
    classes: IntArray = field(repr=False)
    kind: str = "run"
    score: float = 1.0


def check_likeness(classes: IntArray, references: Sequence[Reference], photo_ids: list[str]) -> Iterator[Finding]:
    """Accidents, then agreement with members, runs and earlier files."""
    useful = [one for one in references if (one.classes != one.classes[0]).any()][:_MOST]
    if not useful:
        return
    accidents = list(_check_accidents(classes, useful, photo_ids))
    yield from accidents
    if is_blocked(accidents):
        return  # what else would be seen follows from the accident
    yield from _check_axes(classes, useful)
    yield from _check_stretches(classes, useful)
    yield from _check_masks(classes, useful)
    yield from _check_agreement(classes, useful)
    for one in references:
        if one.kind == "earlier" and np.array_equal(one.classes, classes):
            yield Finding("yellow", "news", f"the same answers as {one.name}", "an upload spent for nothing")
            return


def check_mix(classes: IntArray, mix: Float64Array | None) -> Iterator[Finding]:
    """Gender x age as the file has it against the estimate for the evaluation set, and classes without a photo.

    Args:
        mix: (6,) the estimate; None where there is none to be trusted, and nothing is said.
    """
    absent = [CLASS_NAMES[label] for label in np.flatnonzero(np.bincount(classes, minlength=NUM_CLASSES) == 0)]
    if absent:
        yield Finding(
            "yellow", "classes in use", f"never predicted: {'; '.join(absent)}",
            "a weak model, or a group that is too rare in training; each counts 0 in macro F1",
        )  # fmt: skip
    if mix is None:
        return
    own = mix_of(groups_of(classes))
    distance = total_variation(own, mix)
    group = int(np.argmax(np.abs(own - mix)))
    saw = f"{distance:.0%} of the people would have to change group; most: {GROUP_NAMES[group]} {own[group]:.0%}"
    saw += f", estimated {mix[group]:.0%}"
    cause = "a model that was not corrected by the evaluation prior, or a poor estimate"
    yield Finding("yellow" if distance > MIX_TOLERANCE else "ok", "class mix", saw, cause)


def _check_accidents(classes: IntArray, references: list[Reference], photo_ids: list[str]) -> Iterator[Finding]:
    """Accidents that most judges see: others than the file's own members, where there are any."""
    judges = _judges(references)
    moved = [(moved_rows(classes, one.classes, photo_ids), one.name) for one in judges]
    renamed = [(renamed_classes(classes, one.classes), one.name) for one in judges]
    yield _accident("shifted rows", moved, "answers were joined by position, not by ImageID")
    yield _accident("class table", renamed, "class folders sorted as text, or a table made by hand")


def _judges(references: list[Reference]) -> list[Reference]:
    others = [one for one in references if one.kind != "member"] or references
    return sorted(others, key=lambda one: -one.score)[:_JUDGES]


def _accident(check: str, looks: list[tuple[Accident | None, str]], cause: str) -> Finding:
    found = [(accident.mended, accident, name) for accident, name in looks if accident is not None]
    if 2 * len(found) <= len(looks):
        return Finding("ok", check, "no repair makes the rows agree better")
    _, accident, name = max(found, key=lambda hit: hit[0])
    saw = f"{accident.told}: so read, {accident.mended:.0%} agree with {name}, not {accident.as_is:.0%}"
    return Finding("red", check, saw, cause)


def _check_axes(classes: IntArray, references: list[Reference]) -> Iterator[Finding]:
    """An axis that stands still in the file, or in other rows, though references that know something use it."""
    moved = [axis for axis in AXES if _is_in_other_rows(classes, references, axis)]
    for axis, names in AXES.items():
        values = decode_axis(classes, axis)
        if (values != values[0]).any():
            if axis in moved and len(moved) < len(AXES):
                yield Finding(
                    "red", f"{axis} axis", f"the {axis} agrees with nobody more than chance gives, the rest does",
                    f"the {axis} was predicted in another order of rows, or joined by position",
                )  # fmt: skip
            continue
        able = [one for one in references if one.score >= (_KNOWS if axis == "mask" else 2 * _KNOWS)]
        used = [np.bincount(decode_axis(one.classes, axis)).max() < _LOST * len(classes) for one in able]
        lost = bool(used) and all(used)
        yield Finding(
            "red" if lost else "yellow", f"{axis} axis", f"every photo is {names[values[0]]}",
            f"the {axis} was lost on the way to the class" if lost else "a weak model",
        )  # fmt: skip


def _is_in_other_rows(classes: IntArray, references: list[Reference], axis: str) -> bool:
    """Whether an axis agrees with nobody, though references surely know it.

    They do when two of them agree on it far beyond chance, or when one's score takes all three axes.
    """
    own, *values = (decode_axis(one, axis) for one in (classes, *(one.classes for one in references)))
    (found, _), (known, _) = _nearest(own, values), _most_alike(values)
    known = max(known, _SURE_KAPPA if any(one.score >= _SURELY for one in references) else 0.0)
    chance, spread = chance_of_agreement(own, values[0])
    spread /= max(1 - chance, 1e-9)  # of kappa
    return known > max(_ALIKE, CERTAIN * spread) and found < min(max(4 * spread, _UNRELATED), known / 8)


def _check_stretches(classes: IntArray, references: list[Reference]) -> Iterator[Finding]:
    """Rows in which most judges find nothing of what they find in the others."""
    judges = _judges(references)
    looks = [(lost_stretch(classes, one.classes), one.name) for one in judges]
    found = [(stretch, name) for stretch, name in looks if stretch is not None]
    if 2 * len(found) <= len(looks):
        return
    stretch, name = max(found, key=lambda hit: hit[0].typical)
    saw = f"about rows {stretch.first:,} to {stretch.last:,}: {stretch.share:.0%} agree with {name}, elsewhere"
    yield Finding(
        "red", "rows that stand apart", f"{saw} {stretch.typical:.0%}",
        "one part of the predictions was shuffled, or left at one class",
    )  # fmt: skip


def _check_masks(classes: IntArray, references: list[Reference]) -> Iterator[Finding]:
    """Masks are easy: where others agree on them and the file does not, some of its rows are not in their place."""
    own, *masks = (decode_axis(one, "mask") for one in (classes, *(one.classes for one in references)))
    (found, share), (known, known_share) = _nearest(own, masks), _most_alike(masks)
    if len(masks) > 1 and known - found > _APART:
        saw = f"{share:.1%} of the masks agree with the most alike, two others agree on {known_share:.1%}"
        yield Finding("yellow", "masks", saw, "a part of the rows was shuffled, or a weak model")


def _nearest(own: IntArray, others: Sequence[IntArray]) -> tuple[float, float]:
    """Kappa and share of equal rows with the most alike of the others; zeros where there is none."""
    return max(((kappa(own, other), float((own == other).mean())) for other in others), default=(0.0, 0.0))


def _most_alike(values: Sequence[IntArray]) -> tuple[float, float]:
    """The same of the two that are most alike."""
    return max((_nearest(one, values[:place]) for place, one in enumerate(values) if place), default=(0.0, 0.0))


def _check_agreement(classes: IntArray, references: list[Reference]) -> Iterator[Finding]:
    shares = [float((classes == one.classes).mean()) for one in references]
    near = [share > 0.5 for one, share in zip(references, shares, strict=True) if one.kind == "member"]
    if not any(near) and not any(_is_related(classes, one.classes) for one in references):
        best = int(np.argmax(shares))
        saw = f"{shares[best]:.1%} of the rows agree with {references[best].name}: what chance gives"
        knows = max(one.score for one in references) >= _KNOWS
        yield Finding(
            "red" if knows else "yellow", "agreement", saw,
            "answers of other photos: shuffled, of another data set, or of train rows",
        )  # fmt: skip
        return
    for kind, words in (("member", "members"), ("run", "runs"), ("earlier", "the best earlier file")):
        mine = [(share, one) for share, one in zip(shares, references, strict=True) if one.kind == kind]
        if not mine:
            continue
        mine = mine[:1] if kind == "earlier" else mine
        low, high = min(mine, key=lambda pair: pair[0]), max(mine, key=lambda pair: pair[0])
        saw = f"{low[0]:.1%} ({low[1].name})" + (f" to {high[0]:.1%} ({high[1].name})" if len(mine) > 1 else "")
        little = kappa(classes, high[1].classes) < _LITTLE
        yield Finding("yellow" if little else "ok", f"agreement with {words}", saw, "a weak model, or another task")


def _is_related(classes: IntArray, reference: IntArray) -> bool:
    """Whether mask, gender or age agree beyond chance."""
    for axis in AXES:
        own, other = decode_axis(classes, axis), decode_axis(reference, axis)
        chance, spread = chance_of_agreement(own, other)
        if (own == other).mean() - chance > 4 * spread and kappa(own, other) > _UNRELATED:
            return True
    return False
