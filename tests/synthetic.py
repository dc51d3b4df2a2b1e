"""People whose photos, labels and true probabilities are known: the oracle of the statistics of ISSUE 4.

Each photo shows evidence of age and of gender: the group's own place plus noise that the person's seven
photos share plus noise of the photo. So the true probability of each class is a formula, and the logits of
a network that is over- or underconfident and leans to the oldest band are made from it.
"""

import json
from dataclasses import dataclass

import numpy as np

from core.config import load_config
from core.evaluation.metrics import accuracy, axis_accuracy, macro_f1, probabilities
from core.files import write_json
from core.service import create_training_run
from core.storage.predictions import write_predictions
from core.taxonomy import encode

TRAIN_MIX = np.array([0.20, 0.15, 0.05, 0.27, 0.28, 0.05])
EVAL_MIX = np.array([0.20, 0.26, 0.14, 0.17, 0.14, 0.09])


@dataclass(frozen=True)
class People:
    """``logits`` are the network's; ``true_probs`` hold on people of the mix that ``like`` gave."""

    logits: np.ndarray
    labels: np.ndarray
    people: np.ndarray
    true_probs: np.ndarray


def draw_people(
    seed,
    number,
    mix=TRAIN_MIX,
    *,
    like=TRAIN_MIX,
    temperature=2.0,
    lean=1.0,
    apart=2.0,
    shared=0.6,
):
    """``number`` people of seven photos, their groups drawn from ``mix``.

    Args:
        like: the mix of the people that the network was trained on.
        temperature: above 1, the network is overconfident by that factor.
        lean: added to the log-odds of the oldest band.
        apart: distance of neighbouring age bands, in standard deviations of the noise.
        shared: share of the noise's variance that a person's photos have in common.
    """
    rng = np.random.default_rng(seed)
    group = np.repeat(rng.choice(6, size=number, p=mix), 7)
    people = np.repeat(np.arange(number), 7)
    mask = np.tile([0, 0, 0, 0, 0, 1, 2], number)
    noise = np.sqrt(shared) * rng.normal(size=(number, 2)).repeat(7, axis=0)
    noise += np.sqrt(1 - shared) * rng.normal(size=(len(group), 2))
    places = np.stack([np.arange(6) // 3 * 3.0, np.arange(6) % 3 * apart], axis=1)  # (6, 2) gender, age
    evidence = places[group] + noise
    density = -((evidence[:, None] - places) ** 2).sum(axis=2) / 2 + np.log(like)  # (N, 6)
    log_probs = density - np.logaddexp.reduce(density, axis=1, keepdims=True)
    of_mask = np.where(np.arange(3) == mask[:, None], np.log(0.98), np.log(0.01))
    true_probs = np.exp(of_mask[:, :, None] + log_probs[:, None]).reshape(-1, 18)
    logits = temperature * np.log(true_probs) + lean * (np.arange(18) % 3 == 2)
    shown = np.where(rng.random(len(mask)) < 0.03, rng.integers(3, size=len(mask)), mask)
    labels = encode(shown, group // 3, group % 3)  # 0.97 + 0.03 / 3 = 0.98 of the masks are as they seem
    return People(logits + rng.normal(size=(len(mask), 1)), labels, people, true_probs)


def write_run(workspace, index, name, *, seed=0):
    """A finished run of three folds without a training: logits near the labels, evaluation logits at random."""
    run = create_training_run(workspace, index, name, load_config("fast"))
    rng = np.random.default_rng(seed)
    photos = run.train_photos()
    oof = 3.0 * np.eye(18)[photos.label] + rng.normal(0, 1.5, size=(len(photos), 18))
    write_predictions(run.path / "oof", photos.photo_id.tolist(), oof)
    ids = run.eval_ids()
    seen = 3.0 * np.eye(18)[rng.integers(18, size=len(ids))]
    folds = [seen + rng.normal(0, 1.5, size=seen.shape) for _ in run.manifest["folds_to_run"]]
    for fold, logits in zip(run.manifest["folds_to_run"], folds, strict=True):
        write_predictions(run.fold_path(fold) / "evaluation", ids, logits)
    mean = np.mean([probabilities(logits) for logits in folds], axis=0)
    write_predictions(run.path / "evaluation", ids, np.log(mean))
    guess = oof.argmax(axis=1)
    score = macro_f1(photos.label, guess)
    result = {"macro_f1": score, "macro_f1_low": score - 0.1, "macro_f1_high": score + 0.1}
    result |= {"accuracy": accuracy(photos.label, guess), "axis_accuracy": axis_accuracy(photos.label, guess)}
    write_json(run.path / "result.json", result | {"photos": len(photos), "seconds": 1.0, "per_fold": []})
    return run


def trained_on(workspace, run_id, *, label_revision, train=0, evaluation=0, **settings):
    """Change what a run's files say of its labels: ``data`` settings, revision, photos with a label people made."""
    decided = {"decided_photos": {"train": train, "eval": evaluation}}
    for name, change in (("config", {"data": settings}), ("run", {"label_revision": label_revision} | decided)):
        path = workspace.runs / run_id / f"{name}.json"
        told = json.loads(path.read_text())
        for key, value in change.items():
            told[key] = told[key] | value if isinstance(value, dict) else value
        path.write_text(json.dumps(told))
