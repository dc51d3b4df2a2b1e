"""Seconds for all label-quality scores of 18,900 photos, and how far they are from cleanlab's.

    python -m benchmarks.label_quality

Made-up probabilities from a seed; the median of 30. Prints one JSON object.
"""

import json
import time

import numpy as np
from cleanlab.rank import get_label_quality_scores

from core.curation.label_issues import confident_issues
from core.curation.label_quality import mistakenness, normalized_margin, self_confidence

PHOTOS = 18_900
REPEATS = 30


def main() -> None:
    """Score, compare, print."""
    rng = np.random.default_rng(0)
    pred_probs = rng.dirichlet(np.full(18, 0.1), size=PHOTOS)
    labels = np.where(rng.random(PHOTOS) < 0.9, pred_probs.argmax(1), rng.integers(18, size=PHOTOS))
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for score in (self_confidence, normalized_margin, mistakenness, confident_issues):
            score(labels, pred_probs)
        seconds.append(time.perf_counter() - start)
    apart = {}
    for score in (self_confidence, normalized_margin):
        theirs = get_label_quality_scores(labels, pred_probs, method=score.__name__)
        apart[score.__name__] = float(np.abs(score(labels, pred_probs) - theirs).max())
    middle, late = (round(float(value), 4) for value in np.quantile(seconds, [0.5, 0.95]))
    told = {"photos": PHOTOS, "seconds": middle, "seconds_p95": late, "largest_difference_from_cleanlab": apart}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
