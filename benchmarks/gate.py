"""Whether the gate stops every kind of broken file and no good one.

``python -m benchmarks.gate [--data DIR --workspace DIR]``: without a workspace, runs are drawn (1,800 evaluation
people are too many for a quick look: ``--people`` says how many). Prints one JSON object:
broken_kinds, caught, good, blocked, and what was missed or blocked.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.drawn_runs import draw_index, draw_run
from core.dataset.index import Index, load_index
from core.storage.decisions import DecisionStore
from core.submission.accidents import TEXT_ORDER
from core.submission.assemble import member_names, open_members, rows_of
from core.submission.checks import check_submission
from core.submission.combine import Ballot, combine
from core.submission.finding import is_blocked
from core.submission.members import Rows
from core.submission.recipe import make_recipe
from core.submission.references import references_for
from core.taxonomy import IntArray, decode, encode
from core.workspace import Workspace

Frame = pd.DataFrame
_GOOD = 0.1
"""Least macro F1 of a run whose files are called good; below it a run hardly knows a mask from a face."""

_STRENGTHS = (0.7, 1.0, 1.5, 2.0, 2.5, 3.0)


def broken_files(good: Frame, train_ids: list[str]) -> dict[str, bytes]:
    """A good file (ImageID, ans), broken in every way that is known."""
    ans, ids = good.ans.to_numpy(), good.ImageID
    mask, gender, age = decode(ans)
    half, rng = len(ans) // 2, np.random.default_rng(1)

    def answers(values: IntArray) -> bytes:
        return _csv(good.assign(ans=values))

    lost = np.concatenate([ans[:half], ans[half + 1 :], ans[-1:]])
    floats = good.assign(ans=good.ans.astype(float))
    return {
        "rows shifted down by one": answers(np.roll(ans, 1)),
        "rows shifted up by seven": answers(np.roll(ans, -7)),
        "a row lost in the middle": answers(lost),
        "answers reversed": answers(ans[::-1]),
        "answers in the order of sorted names": answers(good.sort_values("ImageID").ans.to_numpy()),
        "answers shuffled": answers(np.random.default_rng(0).permutation(ans)),
        "classes in text order": answers(np.argsort(TEXT_ORDER)[ans]),
        "classes in text order, taken back twice": answers(TEXT_ORDER[ans]),
        "gender before mask in the class": answers(gender * 9 + mask * 3 + age),
        "age before gender in the class": answers(mask * 6 + age * 2 + gender),
        "male and female swapped": answers(encode(mask, 1 - gender, age)),
        "incorrect and normal swapped": answers(encode(np.array([0, 2, 1])[mask], gender, age)),
        "age bands reversed": answers(encode(mask, gender, 2 - age)),
        "mask left out of the class": answers(ans % 6),
        "masks in other rows": answers(encode(rng.permutation(mask), gender, age)),
        "genders one row off": answers(encode(mask, np.roll(gender, 1), age)),
        "ages in the order of sorted names": answers(encode(mask, gender, age[ids.argsort()])),
        "second half shuffled": answers(np.concatenate([ans[:half], rng.permutation(ans[half:])])),
        "classes counted from 1": answers(ans + 1),
        "one class for all": answers(np.full_like(ans, 4)),
        "the untouched sample file": answers(np.zeros_like(ans)),
        "first row taken for a header": _csv(good[1:]),
        "file cut off": _csv(good[:half]),
        "last line torn": _csv(good)[:-44],
        "a photo twice": _csv(pd.concat([good, good[5:6]])),
        "a photo twice, another missing": _csv(good.assign(ImageID=ids.where(ids.index != 7, ids[8]))),
        "rows sorted by name": _csv(good.sort_values("ImageID")),
        "rows shuffled": _csv(good.sample(frac=1, random_state=0)),
        "paths instead of names": _csv(good.assign(ImageID="eval/images/" + ids)),
        "file endings cut off": _csv(good.assign(ImageID=ids.str[:-4])),
        "rows of the train set": _csv(good[: len(train_ids)].assign(ImageID=train_ids[: len(good)])),
        "index written too": good.to_csv().encode(),
        "no header": good.to_csv(index=False, header=False).encode(),
        "columns in the wrong order": _csv(good[["ans", "ImageID"]]),
        "another name of a column": _csv(good.rename(columns={"ans": "label"})),
        "semicolons": good.to_csv(index=False, sep=";").encode(),
        "floats": _csv(floats),
        "a gap": _csv(floats.assign(ans=floats.ans.where(floats.index != 3))),
        "class names instead of numbers": _csv(good.assign(ans="worn")),
        "byte order mark": b"\xef\xbb\xbf" + _csv(good),
        "nothing in it": b"",
    }


def good_files(
    workspace: Workspace, index: Index, rows: Rows, count: int
) -> list[tuple[str, IntArray, tuple[str, ...]]]:
    """Name, classes and members of good files: runs and ensembles of every method, jittered as other seeds would."""
    rng = np.random.default_rng(1)
    names = [name for name in member_names(workspace, index.dataset_id) if name.startswith("run:")]
    opened = open_members(workspace, rows, names)
    members = {member.name: member for member in opened if (member.origin["macro_f1"] or 0) >= _GOOD}
    names = list(members)
    found = []
    for number in range(count):
        chosen = tuple(rng.choice(names, size=rng.integers(1, len(names) + 1), replace=False).tolist())
        method = ("soft", "logits", "hard", "axes", "greedy")[number % 5]
        weights = rng.dirichlet(np.ones(len(chosen))).tolist() if number % 5 < 3 else []
        recipe = make_recipe(members=chosen, method=method, weights=weights, folds=2)
        combined = combine(Ballot(rows, tuple(members[name] for name in chosen)), recipe)
        logits = np.log(np.maximum(combined.pred_probs, 1e-6)) + rng.normal(
            size=(len(combined.labels), 18)
        ) * rng.choice([0.0, 0.3, 0.8])
        logits += np.tile(rng.normal(size=6) * rng.choice([0.0, 0.7]), 3)  # another prior
        own = chosen if number % 2 else ()  # the others come from elsewhere
        found.append((f"{method} of {len(chosen)}", logits.argmax(axis=1), own))
    return found


def main() -> None:
    """Make the files, gate them, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--good", type=int, default=200)
    given = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        if given.workspace is None:
            workspace = Workspace(Path(folder))
            index, truth = draw_index(Path(folder) / "data", people=200, evaluation=given.people)
            for seed, strength in enumerate(_STRENGTHS):
                draw_run(workspace, index, truth, f"strength-{strength}", strength=strength, seed=seed)
        else:
            workspace, index = Workspace(given.workspace), load_index(given.data, Workspace(given.workspace))
        print(
            json.dumps(measure(workspace, index, given.good) | {"seconds": round(time.perf_counter() - started, 1)})
        )


def measure(workspace: Workspace, index: Index, count: int) -> dict[str, object]:
    """Counts of broken kinds and good files, and what went wrong with which."""
    rows = rows_of(index, DecisionStore(workspace, index.dataset_id).effective())
    info = pd.DataFrame({"ImageID": pd.Series(rows.evaluation_ids, dtype=object)})
    others = references_for(workspace, rows)
    best = max(others, key=lambda one: one.score)
    members = {name: member for name in member_names(workspace, index.dataset_id)
               for member in open_members(workspace, rows, [name])}  # fmt: skip

    def gate(content: bytes, own: tuple[str, ...] = ()) -> bool:
        references = references_for(workspace, rows, [members[name] for name in own]) if own else others
        return is_blocked(check_submission(content, info, references=references))

    jitter = np.random.default_rng(2).random(len(info)) < 0.02  # the good file is no copy of a run's
    good = info.assign(ans=np.where(jitter, np.roll(best.classes, 3), best.classes))
    made = broken_files(good, index.photos.photo_id[index.photos.split == "train"].tolist())
    # Where info.csv is sorted by name, sorting by name breaks nothing.
    kinds = {kind: content for kind, content in made.items() if content != _csv(good)}
    missed = [kind for kind, content in kinds.items() if not gate(content)]
    files = good_files(workspace, index, rows, count)
    blocked = [name for name, classes, own in files if gate(_csv(info.assign(ans=classes)), own)]
    return {
        "broken_kinds": len(kinds), "caught": len(kinds) - len(missed), "good": len(files), "blocked": len(blocked),
        "missed_kinds": missed, "blocked_files": blocked, "runs": len(members), "rows": len(info),
    }  # fmt: skip


def _csv(frame: Frame) -> bytes:
    return frame.to_csv(index=False, lineterminator="\n").encode()


if __name__ == "__main__":
    main()
