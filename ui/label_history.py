"""How labels came to be, drawn: one photo's or person's decisions, and what differs between two revisions."""

import pandas as pd
import streamlit as st

from core.curation.history import difference_counts, label_differences, timeline
from core.curation.labels import ORIGIN_WORDS, effective_labels
from core.storage.decisions import DecisionStore
from core.storage.revision_names import RevisionNames
from core.taxonomy import class_name
from ui.gallery import photo_grid
from ui.reviewer import ask_reviewer
from ui.revisions import pick_revision, revision_words
from ui.session import current
from ui.times import clock

_SHOWN = 24
_NEWEST = 300
_ROW, _TALLEST = 36, 576  # pixels of the table of decisions


def label_words(label: int) -> str:
    """A class in words; ``no label`` for -1."""
    return class_name(label) if label >= 0 else "no label"


def show_recent(store: DecisionStore) -> None:
    """The newest decisions; choosing a row puts its photo or person into the field ``target``."""
    rows = store.all().tail(_NEWEST).iloc[::-1].reset_index(drop=True)

    def choose() -> None:
        chosen = st.session_state["recent"]["selection"]["rows"]
        if chosen:
            st.session_state["target"] = str(rows.target[chosen[0]])

    table = pd.DataFrame(
        {
            "when": [clock(moment) for moment in rows.created_at],
            "who": rows.who,
            "kind": rows.kind,
            "of": rows.target,
            "queue": rows.queue.str.replace("_", " "),
            "why": rows.why,
        }
    )
    st.caption(f"The newest decisions, up to {_NEWEST}. Choose one to see all that happened to its photo or person.")
    st.dataframe(
        table, hide_index=True, on_select=choose, selection_mode="single-row", key="recent", alt="newest decisions",
        height=min(_TALLEST, _ROW * (len(table) + 1)),
    )  # fmt: skip


def show_timeline(store: DecisionStore, target: str, who: str) -> None:
    """The photos of a photo_id or person_id with their labels now, and every decision; ``who`` may take it back.

    ``who`` is "" where nobody has said so: whoever decides is asked.
    """
    photos = current().index.photos
    own = photos[photos.person_id == target]
    own = photos[photos.photo_id == target] if own.empty else own
    if own.empty:
        st.warning(f"{target} is neither a photo nor a person of this data set.")
        return
    labelled = effective_labels(own, store.effective())
    captions = [
        f"{row.kind or row.photo_id[:10]}: {label_words(row.label)}"
        + (f" ({ORIGIN_WORDS[row.origin]})" if row.origin else "")
        for row in labelled.itertuples()
    ]
    photo_grid(own.photo_id.tolist(), captions)
    table = timeline(photos, store.all(), target)
    if table.empty:
        st.info(f"Nothing was decided about {target} yet. Start in one of the queues.")
    for row in table.to_dict("records"):
        with st.container(border=True):
            _show_row(store, row, who)


def _show_row(store: DecisionStore, row: dict[str, object], who: str) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    with left:
        st.text(f"{row['row']} · {clock(str(row['created_at']))} · {row['who']} · {row['kind']} ({row['unit']})")
        confidence = f"confidence {row['confidence']:.0%}" if row["confidence"] == row["confidence"] else ""
        seconds = f"{row['seconds']:.1f} s" if row["seconds"] == row["seconds"] else ""
        group = f"person {row['group_before'] or 'alone'} → {row['group_id']}" if row["group_id"] else ""
        facts = [str(row["queue"]).replace("_", " "), group, row["run_id"], confidence, seconds, row["why"]]
        if told := " · ".join(str(fact) for fact in facts if fact):
            st.text(told)
        counts = pd.Series([f"{label_words(old)} → {label_words(new)}" for _, old, new in row["changes"]])  # type: ignore
        for words, count in counts.value_counts().items():
            st.text(f"{count} photo{'s' * (count != 1)}: {words}")
        if counts.empty:
            st.caption("no label changed")
    if not row["stands"]:
        right.badge("taken back", color="gray")
        return
    label = "Bring back" if row["kind"] == "undo" else "Take back"
    if right.button(label, key=f"undo-{row['row']}", help="With all other decisions of the same click"):
        if not who:
            ask_reviewer()
            return
        store.undo_batch(str(row["batch_id"]), who=who)
        st.rerun()


def show_revisions(store: DecisionStore, who: str) -> None:
    """Two revisions to choose, what differs between them, and a form that names the newest."""
    names, newest = RevisionNames(current().workspace, store.dataset_id), store.revision()
    known, words = names.list(), revision_words(store)
    left, right = st.columns(2)
    with left:
        first = pick_revision("from", words, 0)
    with right:
        second = pick_revision("to", words, newest)
    _show_differences(store, first, second)
    with st.expander("Give the newest revision a name"), st.form("name-revision", border=False):
        name, why = st.text_input("name", max_chars=60), st.text_input("why (optional)")
        named = st.form_submit_button("Name it")
        if named and not who:
            ask_reviewer()
        elif named:
            names.add(name, newest, newest=newest, who=who, why=why)
            st.rerun()
    if len(known):
        shown = known.assign(created_at=known.created_at.map(clock)).rename(columns={"created_at": "named"})
        st.dataframe(shown, hide_index=True, alt="named revisions")


def _show_differences(store: DecisionStore, first: int, second: int) -> None:
    found = label_differences(current().index.photos, store.effective(first), store.effective(second))
    if found.empty:
        st.info(
            f"No label differs between revisions {first} and {second}. Start with revision 0 to see all decisions."
        )
        return
    train = found[found.split == "train"]
    st.markdown(
        f"**{len(found):,} photos** differ: {len(train):,} of {train.person_id.nunique():,} train people, "
        f"{len(found) - len(train):,} evaluation photos."
    )
    counts = difference_counts(found)
    pairs = counts[["label_before", "label_after"]].to_numpy().tolist()
    chosen = st.selectbox(
        "from which label to which",
        range(-1, len(pairs)),
        format_func=lambda k: (
            "all"
            if k < 0
            else f"{label_words(pairs[k][0])} → {label_words(pairs[k][1])}: {counts.photos[k]:,} photos"
        ),
        key=f"pair-{first}-{second}",
    )
    if chosen is not None and chosen >= 0:
        found = found[(found.label_before == pairs[chosen][0]) & (found.label_after == pairs[chosen][1])]
    pages = -(-len(found) // _SHOWN)
    page = (
        int(st.number_input(f"page, of {pages}", 1, pages, key=f"page-{first}-{second}-{chosen}")) if pages > 1 else 1
    )
    shown = found.iloc[(page - 1) * _SHOWN : page * _SHOWN]
    captions = [
        f"{row.person_id or row.photo_id[:10]} {row.kind}: {label_words(row.label_before)} → "
        f"{label_words(row.label_after)}"
        + (
            f", {row.age_before} → {row.age_after} years"
            if row.age_before != row.age_after and row.age_after >= 0
            else ""
        )
        for row in shown.itertuples()
    ]
    photo_grid(shown.photo_id.tolist(), captions)
