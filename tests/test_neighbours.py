"""Nearest train photos of the two competing classes: against scikit-learn, on random vectors."""

import numpy as np
import pandas as pd
from sklearn.metrics.pairwise import cosine_similarity

from core.curation.neighbours import competing_classes, nearest_of_two_classes
from core.storage.features import Features


def _made(seed=0, people=30, photos=4):
    rng = np.random.default_rng(seed)
    train = pd.DataFrame(
        {
            "photo_id": [f"p{i // photos}/{i % photos}" for i in range(people * photos)],
            "person_id": [f"p{i // photos}" for i in range(people * photos)],
            "label": rng.integers(0, 3, size=people * photos),
        }
    )
    ids = [*train.photo_id, "x.jpg", "y.jpg"]
    return train, Features(np.array(ids), rng.normal(size=(len(ids), 8)).astype(np.float16), fold=0)


def test_the_nearest_of_each_class_are_those_of_scikit_learn_one_a_person():
    train, features = _made()
    told = nearest_of_two_classes(features, train, ["x.jpg"], np.array([[2, 0]]))["x.jpg"]
    likeness = cosine_similarity(features.vectors[[-2]], features.vectors[:-2])[0]
    assert [row["label"] for row in told] == [2, 0]
    for row in told:
        ranked = train.assign(likeness=likeness)[train.label == row["label"]].sort_values("likeness", ascending=False)
        assert row["photo_ids"] == ranked.drop_duplicates("person_id").photo_id.head(3).tolist()


def test_a_train_photo_is_not_shown_its_own_person():
    train, features = _made()
    rows = nearest_of_two_classes(features, train, ["p3/1"], np.array([[0, 1]]))["p3/1"]
    assert not [name for row in rows for name in row["photo_ids"] if name.startswith("p3/")]


def test_a_photo_without_a_vector_has_no_neighbours():
    train, features = _made()
    assert nearest_of_two_classes(features, train, ["gone.jpg"], np.array([[0, 1]])) == {}


def test_a_doubted_label_competes_with_what_is_seen_and_otherwise_the_second_best_does():
    pred_probs = np.array([[0.5, 0.3, 0.1, 0.1]] * 3)
    seen = np.zeros(3, dtype=np.int64)
    assert competing_classes(seen, pred_probs, np.array([3, 0, -1])).tolist() == [[0, 3], [0, 1], [0, 1]]
    seen += 1  # the run says otherwise than the calibrated probabilities
    assert competing_classes(seen, pred_probs, np.array([3, 1, -1])).tolist() == [[1, 3], [1, 0], [1, 0]]
