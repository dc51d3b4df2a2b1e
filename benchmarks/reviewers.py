"""Several scripted reviewers at once: are all decisions there, once, and was no card given to two people?

    python -m benchmarks.reviewers [--reviewers 8] [--decisions 200] [--before 25000]

Each reviewer is a process. It reads what is undecided, leases five cards, decides them one by one, and goes on.
Prints one JSON object; times are milliseconds, medians and 95th percentiles.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from core.storage.decision_record import Decision
from core.storage.decisions import DecisionStore
from core.storage.leases import Leases
from core.workspace import Workspace

QUEUE, DATASET = "pseudo_labels", "benchmark"
_AT_ONCE = 5
_LEASE_S = 600  # longer than the run: whoever is given a card keeps it


def review(root: Path, who: str, count: int, cards: list[str], told: Any) -> None:
    """One reviewer's work; puts (who, cards given, times) into ``told``, or the error."""
    store, leases = DecisionStore(Workspace(root), DATASET), Leases(Workspace(root), DATASET)
    times: dict[str, list[float]] = defaultdict(list)
    given: list[str] = []

    def timed(name: str, call: Any) -> Any:
        start = time.perf_counter()
        result = call()
        times[name].append(1000 * (time.perf_counter() - start))
        return result

    try:
        done = 0
        while done < count:
            decided = set(timed("look_ms", store.effective).target)
            undecided = [card for card in cards if card not in decided]
            wanted = min(_AT_ONCE, count - done)
            taken = timed(
                "take_ms", lambda u=undecided, n=wanted: leases.take(QUEUE, who, u, count=n, seconds=_LEASE_S)
            )
            given += taken
            for card in taken:
                decision = Decision(who=who, kind="accept", target=card, proposal=4, confidence=0.9, queue=QUEUE)
                done += timed("commit_ms", partial(store.append, [decision]))
        told.put((who, given, dict(times), ""))
    except Exception as error:
        told.put((who, given, dict(times), repr(error)))


def measure(reviewers: int, decisions: int, before: int) -> dict[str, Any]:
    """The numbers that ``main`` prints."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        store = DecisionStore(Workspace(root), DATASET)
        old = [Decision(who="before", kind="accept", target=f"old{place}", proposal=1) for place in range(before)]
        store.append(old)
        cards = [f"{place:040x}.jpg" for place in range(reviewers * decisions)]
        context = multiprocessing.get_context("spawn")
        told = context.Queue()
        people = [
            context.Process(target=review, args=(root, f"reviewer{n}", decisions, cards, told))
            for n in range(reviewers)
        ]
        start = time.perf_counter()
        for person in people:
            person.start()
        answers = [told.get() for _ in people]
        seconds = time.perf_counter() - start
        for person in people:
            person.join()
        rows = store.all()
        rows = rows[rows.queue == QUEUE]
        given = Counter(card for _, cards_given, _, _ in answers for card in cards_given)
        mirrored = sum(1 for _ in store.mirror.open("rb"))
    result: dict[str, Any] = {
        "reviewers": reviewers,
        "decisions_each": decisions,
        "rows_before": before,
        "rows": len(rows),
        "mirror_lines": mirrored - before,
        "errors": [error for *_, error in answers if error],
        "cards_given_to_two": sum(count > 1 for count in given.values()),
        "cards_decided_twice": int(rows.target.duplicated().sum()),
        "seconds": round(seconds, 1),
    }
    for name in ("look_ms", "take_ms", "commit_ms"):
        measured = [value for _, _, times, _ in answers for value in times.get(name, [])]
        result[name] = {f"p{p}": round(float(np.percentile(measured, p)), 1) for p in (50, 95)} if measured else None
    return result


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviewers", type=int, default=8)
    parser.add_argument("--decisions", type=int, default=200, help="of each reviewer")
    parser.add_argument("--before", type=int, default=25_000, help="decisions that are there already")
    options = parser.parse_args()
    print(json.dumps(measure(options.reviewers, options.decisions, options.before)))


if __name__ == "__main__":
    main()
