"""The report on a data set: how many of what, and what is odd, with the files."""

from typing import Any

from core.dataset.index import Index
from core.taxonomy import AGE_BANDS, GENDERS, NUM_CLASSES, PHOTO_KINDS


def check_report(index: Index) -> dict[str, Any]:
    """Counts by split, class, person and photo kind, and the anomalies by kind with their files.

    Returns:
        photos, train_photos, eval_photos, people, unreadable (counts); dataset_id; data_dir;
        classes: 18 counts of train photos;
        kinds: photo kind -> count of train photos;
        people_by_group: "male <30" and so on -> count of train people;
        photos_per_person: number of photos -> count of train people who have so many;
        anomalies: kind -> {count, files (paths), details (one a path)}.
    """
    photos = index.photos
    train = photos[photos.split == "train"]
    people = train.drop_duplicates("person_id")
    kinds = train.kind.value_counts()
    groups = people.groupby(["gender", "age_band"]).size()
    per_person = train.person_id.value_counts().value_counts().sort_index(ascending=False)
    return {
        "photos": len(photos),
        "train_photos": len(train),
        "eval_photos": len(photos) - len(train),
        "people": len(people),
        "unreadable": int((~photos.readable).sum()),
        "dataset_id": index.dataset_id,
        "data_dir": str(index.data_dir),
        "classes": train.label.value_counts().reindex(range(NUM_CLASSES), fill_value=0).tolist(),
        "kinds": {kind: int(kinds.get(kind, 0)) for kind in PHOTO_KINDS},
        "people_by_group": {
            f"{gender_name} {band_name}": int(groups.get((gender, band), 0))
            for gender, gender_name in enumerate(GENDERS)
            for band, band_name in enumerate(AGE_BANDS)
        },
        "photos_per_person": {str(number): int(count) for number, count in per_person.items()},
        "anomalies": {
            str(kind): {"count": len(group), "files": group.path.tolist(), "details": group.detail.tolist()}
            for kind, group in index.anomalies.groupby("kind", sort=True)
        },
    }
