"""Label revisions to choose from: what each is called, and the select boxes of History and Train."""

import streamlit as st

from core.storage.decisions import DecisionStore
from core.storage.revision_names import RevisionNames
from core.storage.runs import list_runs
from ui.session import current

_NEWEST = "now"  # a word that no revision can have as its name


def revision_words(store: DecisionStore) -> dict[int, str]:
    """What the revisions that somebody may mean are called: the first, the newest, those of runs and with a name."""
    workspace, newest = current().workspace, store.revision()
    words = {0: "0 · the data set as it came", newest: f"{newest} · now"}
    for run in list_runs(workspace, store.dataset_id):
        if not run.damage():
            number = int(run.manifest["label_revision"])
            words[number] = f"{words.get(number, number)} · run {run.run_id}"
    for number, name in RevisionNames(workspace, store.dataset_id).list()[["revision", "name"]].to_numpy().tolist():
        words[number] = f"{words.get(number, number)} · {name}"
    return words


def pick_revision(name: str, words: dict[int, str], default: int) -> int:
    """A select box over revisions; its number is in the address."""
    wanted = st.query_params.get(name, str(default))
    numbers = sorted({*words, int(wanted)} if wanted.isdigit() and int(wanted) <= max(words) else words)
    start = numbers.index(int(wanted)) if wanted.isdigit() and int(wanted) in numbers else numbers.index(default)
    chosen = st.selectbox(name, numbers, start, format_func=lambda number: words.get(number, str(number)), key=name)
    st.query_params[name] = str(chosen)
    return int(chosen or 0)


def pick_trained_revision(store: DecisionStore) -> int | None:
    """A select box of label revisions for a training, newest first; None, its default: the newest at the start.

    Nothing is asked while nothing is decided. Another choice than the newest stands in the address, which may
    hold a revision's name, too.

    Raises:
        DecisionError: the address names a revision that does not exist; the box is there to choose another.
    """
    newest, asked = store.revision(), st.query_params.get("revision", _NEWEST)
    if not newest and asked == _NEWEST:
        return None
    words = {str(number): said for number, said in sorted(revision_words(store).items(), reverse=True)}
    named = [text for text in words if words[text] != f"{newest} · now"]
    choices = list(dict.fromkeys([_NEWEST, *named, asked]))
    chosen = st.selectbox(
        "label revision",
        choices,
        choices.index(asked),
        format_func=lambda text: f"newest ({newest})" if text == _NEWEST else words.get(text, text),
        key="revision",
        width=420,
        help="Train on the labels as they were then: later decisions do not count. History shows what differs.",
    )
    if chosen == _NEWEST:
        st.query_params.pop("revision", None)
        return None
    st.query_params["revision"] = chosen
    return RevisionNames(current().workspace, store.dataset_id).resolve(chosen, newest=newest)
