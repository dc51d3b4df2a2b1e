"""Who decided what, drawn: how far reviewers agree, where labels come from, decisions as files."""

import tempfile
from pathlib import Path

import pandas as pd
import streamlit as st

from core.curation.agreement import AXES, agreement, disagreements, kappa_words, vote_words
from core.curation.labels import ORIGIN_WORDS
from core.curation.origins import origins
from core.storage.decision_files import Merge, read_decisions, write_decisions
from core.storage.decisions import DecisionStore
from ui.gallery import photo_grid
from ui.links import link_to
from ui.session import current

_SHOWN = 20


def show_work(store: DecisionStore) -> None:
    """Decisions of each reviewer, and how far each two agree."""
    photos, decided = current().index.photos, store.effective()
    by_reviewer = decided.groupby("who").agg(
        decisions=("row", "size"), cards=("target", "nunique"), seconds=("seconds", "median")
    )
    st.dataframe(
        by_reviewer.reset_index().rename(columns={"seconds": "seconds a decision (median)"}),
        hide_index=True,
        alt="decisions of each reviewer",
        column_config={"seconds a decision (median)": st.column_config.NumberColumn(format="%.1f")},
    )
    table = agreement(photos, decided)
    if table.empty:
        st.info("No two reviewers decided the same card yet, so there is no agreement to show.")
    else:
        st.markdown(
            "**Agreement** about cards that two reviewers decided: Cohen's kappa with its 95 % interval, 1 is full, "
            "0 is chance."
        )
        columns = {"first": table["first"], "second": table["second"], "whole labels": table.label_cards.astype(int)}
        for axis in (*AXES, "label"):
            columns[axis.replace("_", " ")] = [kappa_words(row, axis) for row in table.to_dict("records")]
        columns["same label"] = table.label_same
        config = {"same label": st.column_config.NumberColumn(format="percent")}
        st.dataframe(pd.DataFrame(columns), hide_index=True, column_config=config, alt="agreement of reviewers")


def show_disagreements(store: DecisionStore) -> None:
    """Cards about which reviewers differ, with each vote."""
    photos = current().index.photos
    torn = disagreements(photos, store.effective())
    if torn.empty:
        return
    st.markdown(f"**{len(torn):,} cards** about which reviewers differ; a decision in that queue settles one.")
    link_to("disagreements", "Settle them on Disagreements", **{"with": "reviewers"})
    for card in torn.head(_SHOWN).to_dict("records"):
        own = photos[photos.person_id == card["target"]] if card["unit"] == "person" else None
        shown = [card["target"]] if own is None else own.photo_id.tolist()[-2:]
        with st.container(border=True):
            left, right = st.columns([1, 2])
            with left:
                photo_grid(shown, [""] * len(shown))
            for vote in card["votes"]:
                right.text(vote_words(vote))


def show_origins(store: DecisionStore) -> None:
    """How many labels people had a hand in, train and evaluation apart."""
    table = origins(current().index.photos, store.effective())
    wide = table.pivot(index="origin", columns="split", values="photos").reindex(ORIGIN_WORDS)
    wide.index = pd.Index([ORIGIN_WORDS[name] for name in wide.index], name="label")
    st.markdown("**Where labels come from.** `data.train_decisions` and `data.pseudo_labels` limit a training.")
    st.dataframe(wide[["train", "eval"]].reset_index(), hide_index=True, placeholder="", alt="photos by origin")


def show_files(store: DecisionStore) -> None:
    """Decisions as files: to other workspaces, and from them."""
    left, right = st.columns(2)
    with left:
        st.markdown("**Export** all decisions, undone ones too.")
        for ending, kind in (("csv", "text/csv"), ("jsonl", "application/jsonl")):
            st.download_button(
                f"Download .{ending}",
                lambda ending=ending: _as_bytes(store, ending),
                f"decisions-{store.revision()}.{ending}",
                kind,
                on_click="ignore",
                key=f"export-{ending}",
            )
    with right:
        given = st.file_uploader("Import decisions of another workspace", ["csv", "jsonl"], key="import")
        if given is not None and st.button("Merge", type="primary", help="The same decisions again add nothing."):
            st.session_state["merged"] = _merge(store, given.name, given.getvalue())
            st.rerun()  # what stands above tells of them, too
        if merged := st.session_state.pop("merged", None):
            _tell(merged)


def _as_bytes(store: DecisionStore, ending: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"decisions.{ending}"
        write_decisions(path, store.all())
        return path.read_bytes()


def _merge(store: DecisionStore, name: str, content: bytes) -> Merge:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(name).name
        path.write_bytes(content)
        return store.merge(read_decisions(path, store.dataset_id))


def _tell(merge: Merge) -> None:
    st.success(f"{len(merge.new):,} decisions are new, {merge.known:,} were known.")
    if merge.conflicts:
        rows = [
            (decision_id, field, str(here), str(there))
            for decision_id, fields in merge.conflicts
            for field, (here, there) in fields.items()
        ]
        st.warning(f"{len(merge.conflicts):,} have the id of another decision here; what is here stays.")
        st.dataframe(pd.DataFrame(rows, columns=["decision", "field", "here", "in the file"]), hide_index=True)
