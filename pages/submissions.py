"""From an ensemble to a checked file, and the ledger of all files with their scores."""

from dataclasses import asdict

import streamlit as st

from core.errors import LabelingError
from core.storage.submissions import SubmissionLedger
from core.submission.assemble import best_runs, member_names
from core.submission.export import Draft, write_submission
from core.submission.recipe import METHODS, Recipe, make_recipe, open_recipe
from ui.ensembles import draft_of, ledger_of
from ui.findings import class_counts, show_findings
from ui.ledger import enter_score, show_chart, show_difference, show_file, show_table
from ui.links import no_runs_yet
from ui.session import current
from ui.switches import pick_decisions, pick_switches, show_effect
from ui.upload import check_upload

_FITTING_NOTHING = ("soft", "logits", "hard")

desk = current()
st.title("Submissions")
st.caption("Make a file that cannot be wrong, know its score before the upload, and see all earlier ones.")
ledger = SubmissionLedger(desk.workspace, desk.index.dataset_id)


def recipe_from_widgets(names: list[str]) -> Recipe | None:
    """What to make the file from: a saved ensemble, or members that vote."""
    left, middle = st.columns([3, 1], vertical_alignment="bottom")
    best = [*best_runs(desk.workspace, desk.index.dataset_id), *names][:1]
    chosen = left.multiselect(
        "made from", names, best, key="made-from", bind="query-params",
        help="One run or saved ensemble, or several members that vote. At first: the run with the best out-of-fold "
        "macro F1.",
    )  # fmt: skip
    vote = middle.selectbox("vote", _FITTING_NOTHING, format_func=METHODS.get, key="vote", disabled=len(chosen) < 2)
    if not chosen:
        st.info("Choose a run, a saved ensemble, or several members.")
        return None
    is_saved = len(chosen) == 1 and chosen[0].startswith("ensemble:")
    switches = pick_switches(is_saved=is_saved)
    if is_saved:
        return open_recipe(desk.workspace, chosen[0].partition(":")[2]).model_copy(update=switches)
    return make_recipe(members=chosen, method=vote, **switches)


def show_draft(draft: Draft) -> None:
    """Expected score, checks and counts of the file to be."""
    if draft.effect and draft.inference:
        show_effect(draft.effect, draft.inference)
    if draft.expected is not None:
        cells = st.columns(3)
        cells[0].metric("expected macro F1", f"{draft.expected.mean:.3f}")
        cells[1].metric("95 % of the drawn truths", f"{draft.expected.low:.3f} to {draft.expected.high:.3f}")
        cells[2].metric("public and private may differ by", f"{draft.expected.spread:.3f}",
                        help="95 % of random halves differ by less.")  # fmt: skip
    checks, counts = st.columns([3, 2])
    with checks:
        st.markdown("**Checks of the file to be**")
        show_findings([asdict(finding) for finding in draft.findings])
    with counts:
        st.markdown("**What it says**, photos by class")
        st.dataframe(class_counts(draft.class_counts), alt="Photos of each class in the file to be")


def write(draft: Draft) -> None:
    """The words and the button that write the file."""
    number = st.session_state.setdefault("written", 0)
    override = ""
    if draft.is_blocked:
        st.error("A red check stands in the way. If you know better, say why; the words are kept with the file.")
        override = st.text_input("why it is written all the same", key=f"override-{number}", max_chars=500)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        comment = st.text_input("comment, kept with the file", key=f"comment-{number}", width=420, max_chars=500)
        is_held = draft.is_blocked and not override.strip()
        pressed = st.button("Write", type="primary", disabled=is_held, key=f"write-{number}")
    if pressed:
        manifest = write_submission(desk.workspace, desk.index, draft, comment=comment, override=override)
        st.session_state["written"] = number + 1  # other keys: a second click finds no button
        st.session_state["just-written"] = manifest["file_name"]
        st.rerun()


draft = None
names = member_names(desk.workspace, desk.index.dataset_id)
if not names:
    no_runs_yet()
else:
    try:
        recipe = recipe_from_widgets(names)
        if recipe is not None:
            decided, limit, train_limit = pick_decisions()
            draft = draft_of(recipe, with_decisions=decided, limit=limit, train_limit=train_limit)
            if decided:
                st.caption(
                    f"{len(draft.decisions):,} decided photos; each is in the manifest with who, when and why."
                )
            show_draft(draft)
            write(draft)
    except LabelingError as problem:
        st.error(str(problem))
if name := st.session_state.pop("just-written", ""):
    st.success(f"Written: {name}. It is the first in the list below.")

st.subheader("Ledger", anchor=False)
files = ledger.list()
if files.empty:
    st.info("No submission yet. Written files are listed here with what they were made of.")
else:
    table = ledger_of()
    show_table(table)
    enter_score(ledger, table)
    show_chart(table)
    labels = dict(zip(files.number, files.file_name, strict=True))
    chosen = st.selectbox(
        "open one", list(labels), format_func=lambda one: f"{one}: {labels[one]}", key=f"open-file-{len(files)}"
    )
    with st.container(border=True, key=f"submission-{chosen}"):
        show_file(ledger, files[files.number == chosen].iloc[0])
    readable = files[files.number.isin(table.number[table.problem == ""])]
    if len(readable) > 1:
        st.subheader("What changes between two files", anchor=False)
        show_difference(ledger, readable, draft.belief if draft else None)

st.subheader("Check a file made elsewhere", anchor=False)
check_upload(draft.belief if draft else None)
