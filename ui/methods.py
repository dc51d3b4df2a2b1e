"""All methods over the same members side by side, as voted and corrected: which one to take."""

import streamlit as st

from core.submission.combine import Ballot
from core.submission.overview import Way, best_way
from core.submission.recipe import METHODS, Recipe
from ui.ensembles import methods_of

_SCORES = {"macro_f1": "macro F1", "at_mix": "at the evaluation mix", "corrected": "corrected to it"}


def show_methods(recipe: Recipe, ballot: Ballot) -> None:
    """The table, the best way in words, and a button that takes it."""
    if len(ballot.members) < 2 or not len(ballot.labels):
        st.info("Methods are compared over two members at least, on people that all of them predicted out-of-fold.")
        return
    table, size = methods_of(recipe, ballot), len(ballot.members)
    member, ensemble = best_way(table[:size]), best_way(table[size:])
    if member is None or ensemble is None:
        st.warning("No steady evaluation mix is known, so only the scores of people like the train people are shown.")
    elif ensemble.score > member.score:
        st.markdown(f"Best at the evaluation mix: **{ensemble}**. Best member: {member}.")
        if st.button("Use it", on_click=_take, args=(ensemble,)):
            st.rerun()
    else:
        st.markdown(f"No method beats the best member at the evaluation mix, **{member}**. Best method: {ensemble}.")
    shown = table[["name", *_SCORES]].dropna(axis=1, how="all")
    made_of = shown.name.map(lambda name: METHODS.get(name, "a member alone"))
    st.dataframe(
        shown.assign(about=made_of), hide_index=True, height="content", alt="Members and all methods, out-of-fold",
        column_config={name: st.column_config.NumberColumn(words, format="%.4f") for name, words in _SCORES.items()},
    )  # fmt: skip
    st.caption(
        "Of people that no part has seen. Corrected: to the mix that both estimates give on average, and decided for "
        "macro F1. Held-out people are seen by one network of a member, evaluation photos by those of all its folds: "
        "there an ensemble gains less than here."
    )


def _take(way: Way) -> None:
    st.session_state["method"] = way.name
    st.session_state["prior"] = "both" if way.corrected else "none"
