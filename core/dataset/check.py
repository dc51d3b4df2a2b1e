"""The report on a data set: how many of what, and what is odd, with the files."""

from typing import Any

from core.dataset.index import Index
from core.taxonomy import NUM_CLASSES, PHOTO_KINDS

_EXAMPLES = 20


def check_report(index: Index) -> dict[str, Any]:
    """Counts per split, class and photo kind, and the anomalies by kind.

    Returns:
        photos, train_photos, eval_photos, people, unreadable (counts); classes: 18 counts of train photos;
        kinds: photo kind -> count; dataset_id; anomalies: kind -> {count, examples (paths), details}.
    """
    photos = index.photos
    train = photos[photos.split == "train"]
    kinds = train.kind.value_counts()
    anomalies = {
        str(kind): {
            "count": len(group),
            "examples": group.path.head(_EXAMPLES).tolist(),
            "details": group.detail.head(_EXAMPLES).tolist(),
        }
        for kind, group in index.anomalies.groupby("kind", sort=True)
    }
    return {
        "photos": len(photos),
        "train_photos": len(train),
        "eval_photos": len(photos) - len(train),
        "people": int(train.person_id.nunique()),
        "unreadable": int((~photos.readable).sum()),
        "dataset_id": index.dataset_id,
        "data_dir": str(index.data_dir),
        "classes": train.label.value_counts().reindex(range(NUM_CLASSES), fill_value=0).tolist(),
        "kinds": {kind: int(kinds.get(kind, 0)) for kind in PHOTO_KINDS},
        "anomalies": anomalies,
    }
