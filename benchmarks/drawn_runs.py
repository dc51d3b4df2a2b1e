"""A data set of drawn people without photos, and finished runs that know their labels more or less well."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from core.config import load_config
from core.dataset.index import Index
from core.dataset.splits import assign_folds
from core.evaluation.metrics import macro_f1
from core.files import write_json
from core.storage.predictions import write_predictions
from core.storage.runs import Run, create_run
from core.taxonomy import PHOTO_KINDS, decode, encode, mask_of_kind

DATASET = "abcdef012345"


def draw_index(folder: Path, *, people: int = 60, evaluation: int = 40, seed: int = 0) -> tuple[Index, np.ndarray]:
    """An index as ``load_index`` gives it, and the true class of its rows, evaluation photos included.

    Evaluation photos lie in a shuffled order, as the organisers' do.
    """
    rng = np.random.default_rng(seed)
    count = people + evaluation
    gender, age = rng.integers(2, size=count), rng.choice([22, 45, 60], p=[0.4, 0.4, 0.2], size=count)
    kinds = np.tile(PHOTO_KINDS, count)
    mask = np.array([mask_of_kind(kind) for kind in kinds])
    person = np.repeat(np.arange(count), 7)
    band = np.searchsorted([30, 60], age, side="right")
    labels = encode(mask, gender[person], band[person])
    train = person < people
    names = np.array([f"{number:06d}_x_{age[number]}" for number in range(count)], dtype=object)[person]
    ids = [f"{name}/{kind}.jpg" if is_train else f"{hashlib.sha1(f'{name}{kind}'.encode()).hexdigest()}.jpg"
           for name, kind, is_train in zip(names, kinds, train, strict=True)]  # fmt: skip
    photos = pd.DataFrame(
        {
            "photo_id": pd.Series(ids, dtype=object),
            "person_id": pd.Series(np.where(train, names, ""), dtype=object),
            "split": pd.Series(np.where(train, "train", "eval"), dtype=object),
            "path": pd.Series(ids, dtype=object),
            "kind": pd.Series(np.where(train, kinds, ""), dtype=object),
            "mask": np.where(train, mask, -1),
            "gender": np.where(train, gender[person], -1),
            "age_band": np.where(train, band[person], -1),
            "age": np.where(train, age[person], -1),
            "label": np.where(train, labels, -1),
            "readable": True,
        }
    )
    order = np.concatenate([np.flatnonzero(train), rng.permutation(np.flatnonzero(~train))])
    return Index(folder, DATASET, photos.iloc[order].reset_index(drop=True), pd.DataFrame(), ""), labels[order]


def draw_run(
    workspace,
    index: Index,
    truth: np.ndarray,
    name: str,
    *,
    strength: float = 2.0,
    seed: int = 0,
    folds: int = 3,
    folds_run: int | None = None,
    finished: bool = True,
    dataset_id: str = DATASET,
) -> Run:
    """A run whose logits know a class the better the greater the strength; a person is known as a whole.

    Args:
        folds_run: how many of the folds were trained; people of the others have no out-of-fold prediction.
    """
    rng = np.random.default_rng(seed)
    photos = index.photos
    _, gender, band = decode(truth)
    known = 0.6 * rng.normal(size=(len(truth), 18)) + 0.8 * rng.normal(size=(len(photos), 1)) * (
        decode(np.arange(18))[2] == band[:, None]
    )
    logits = (strength * np.eye(18)[truth] + 0.5 * strength * (decode(np.arange(18))[0] == decode(truth)[0][:, None])
              + 0.3 * strength * (decode(np.arange(18))[1] == gender[:, None]) + known)  # fmt: skip
    train = photos[photos.split == "train"]
    fold = assign_folds(train.drop_duplicates("person_id"), folds=folds, seed=seed)
    table = train.assign(fold=train.person_id.map(fold), target=train.label, source="original")
    run = create_run(
        workspace, name, load_config(), dataset_id=dataset_id, data_dir=index.data_dir, train_photos=table,
        eval_ids=photos.photo_id[photos.split == "eval"].tolist(), label_revision=0,
        folds_to_run=list(range(folds_run or folds)),
    )  # fmt: skip
    is_train = (photos.split == "train").to_numpy()
    scored = np.zeros(len(photos), dtype=bool)
    scored[is_train] = table.fold.to_numpy() < (folds_run or folds)
    write_predictions(run.path / "oof", photos.photo_id[scored].tolist(), logits[scored])
    write_predictions(run.path / "evaluation", photos.photo_id[~is_train].tolist(), logits[~is_train])
    score = macro_f1(truth[scored], logits[scored].argmax(axis=1))
    if finished:
        write_json(run.path / "result.json", {"macro_f1": score, "seconds": 60.0, "device": "cpu"})
    return run
