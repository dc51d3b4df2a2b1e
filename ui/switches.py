"""The corrections that a page can switch on, and what they change, shown before anything rests on them."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.curation.limits import LIMITS, Limit
from core.curation.review_effect import ReviewEffect
from core.people.changes import Changes
from core.people.inference import FORBIDDEN, PRIORS, Inference
from core.storage.groupings import list_groupings
from core.submission.deciding import Effect
from core.submission.recipe import DECIDE
from ui.session import current

_TRAIN_LIMIT_HELP = "A run that was trained on labels beyond this is refused. The manifest tells the limit."
_LIMIT_HELP = f"Others neither enter the file nor correct a grouping. {_TRAIN_LIMIT_HELP}"

AS_SAVED = "as saved"
"""The first choice of each switch where an ensemble was saved with its own."""

_PRIOR_HELP = (
    "Mix of gender and age that probabilities are corrected to; the page Shift shows the estimates. Out-of-fold "
    "scores stay those of the train people."
)
_GROUPING_HELP = (
    "A grouping from the page People: gender and age are pooled over a person's photos, masks follow five worn, one "
    f"incorrect, one not worn. {FORBIDDEN}"
)


def pick_prior(place: DeltaGenerator, *, is_saved: bool = False, first: str = "none") -> str:
    """The mix to correct to."""
    words = {str(name): told for name, told in PRIORS.items()}
    return _switch(place, "evaluation mix", "prior", words, is_saved=is_saved, first=first, help=_PRIOR_HELP)


def pick_grouping(place: DeltaGenerator, *, is_saved: bool = False, first: str = "") -> str:
    """The grouping whose persons are pooled, "" for none."""
    desk = current()
    names = list_groupings(desk.workspace, dataset_id=desk.index.dataset_id)
    words = {"": "not grouped: photo by photo"} | {name: name for name in names}
    return _switch(place, "evaluation people", "grouping", words, is_saved=is_saved, first=first, help=_GROUPING_HELP)


def pick_switches(*, is_saved: bool) -> dict[str, str]:
    """Both and the rule of deciding, as settings of a recipe; what stays as it was saved is left out."""
    left, middle, right = st.columns(3)
    rules = {str(name): told for name, told in DECIDE.items()}
    found = {
        "prior": pick_prior(left, is_saved=is_saved),
        "grouping": pick_grouping(middle, is_saved=is_saved),
        "decide": _switch(right, "decide for", "decide", rules, is_saved=is_saved, first="auto", help=None),
    }
    return {name: value for name, value in found.items() if value != AS_SAVED}


def pick_decisions() -> tuple[bool, Limit, Limit]:
    """Whether decided photos override the vote, and how far decisions about evaluation and train photos may count."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        overrides = st.toggle(
            "decided photos override the vote", key="with-decisions", width="content",
            help="Accepted and relabelled evaluation photos. Some competitions forbid it.",
        )  # fmt: skip
        evaluation = _limit("limit", "decisions about evaluation photos that may count", _LIMIT_HELP)
        train = _limit("train-limit", "decisions about train photos that may count", _TRAIN_LIMIT_HELP)
    return overrides, evaluation, train


def _limit(key: str, label: str, help: str) -> Limit:
    return st.selectbox(
        label, list(LIMITS), format_func=lambda one: LIMITS[one], key=key, bind="query-params", width=350, help=help
    )


def _switch(
    place: DeltaGenerator,
    label: str,
    key: str,
    words: dict[str, str],
    *,
    is_saved: bool,
    first: str,
    help: str | None,
) -> str:
    """A choice that the address keeps."""
    if is_saved:
        words, first, key = {AS_SAVED: "as the ensemble was saved"} | words, AS_SAVED, f"saved-{key}"
    options = list(words)
    return str(
        place.selectbox(
            label, options, index=options.index(first), format_func=lambda one: words.get(one, one), key=key,
            bind="query-params", help=help,
        )
    )  # fmt: skip


def make_inference(prior: str, grouping: str) -> Inference:
    """What was picked, as one switch."""
    return Inference(next(name for name in PRIORS if name == prior), grouping)


def effect_words(effect: ReviewEffect, inference: Inference) -> str:
    """What a queue's proposals rest on, in one line."""
    by = f"people as grouped in {inference.grouping}" if inference.grouping else "photo by photo"
    score = f"expected macro F1 {effect.before:.3f} → {effect.after:.3f}"
    return f"Evaluation mix {PRIORS[inference.prior]}, {by}: {score}" + f". {FORBIDDEN}" * bool(inference.grouping)


def show_review_effect(effect: ReviewEffect, inference: Inference) -> None:
    """The same of a queue's proposals: what the corrections change in what the run says."""
    changes = effect.changes
    people = "" if not inference.grouping or changes.people is None else f" of {changes.people:,} people"
    st.caption(
        f"These change the run's class of {len(changes.rows):,} evaluation photos{people}; expected macro F1 "
        f"{effect.before:.3f} before, {effect.after:.3f} after."
    )
    if len(changes.moves):
        with st.expander("From which class to which"):
            _moves(changes)


def _moves(changes: Changes) -> None:
    st.dataframe(
        changes.moves[["from_name", "to_name", "photos", "people"]], hide_index=True, height=260,
        alt="Photos and people by class before and after",
        column_config={"from_name": "before", "to_name": "corrected"},
    )  # fmt: skip


def show_effect(effect: Effect, told: dict[str, Any]) -> None:
    """How many photos and people move, from which class to which, and the expected score before and after.

    Args:
        told: what the manifest will say of the corrections (``Decided.inference``).
    """
    changes, before, after = effect.changes, effect.before, effect.after
    people = "" if changes.people is None else f" of **{changes.people:,} people**"
    axes = ", ".join(f"{axis} {photos:,}" for axis, photos in changes.by_axis.items())
    st.markdown(
        f"The corrections change **{len(changes.rows):,} photos**{people} ({axes}). Expected macro F1 "
        f"**{before.mean:.3f}** as voted, **{after.mean:.3f}** corrected ({after.low:.3f} to {after.high:.3f}); "
        f"better in {changes.wins:.0%} of the drawn truths."
    )
    if after.mean < before.mean:
        st.warning("Corrected, this is expected to score less than the votes as they are. Leave a correction out.")
    if grouping := told["grouping"]:
        st.caption(
            f"{grouping['photos']:,} photos of {grouping['groups']:,} groups, {grouping['origin']}. {FORBIDDEN} "
            "The manifest names the grouping."
        )
    if len(changes.moves):
        with st.expander("From which class to which"):
            _moves(changes)
