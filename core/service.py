"""Starting runs and going on with them: where labels, folds, the run folder and the queue meet.

Used by the command line and by the Train page; imports no torch. The training itself is the verb
``train-run`` in a child process (see ``core.jobs``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.config import TrainConfig, settle_model
from core.curation.labels import training_table
from core.dataset.index import Index
from core.errors import ConfigError, DecisionError, RunError
from core.jobs.queue import ALIVE, Job, JobQueue
from core.jobs.slots import CPU, find_slots, fitting_slots
from core.storage.decisions import DecisionStore
from core.storage.runs import Run, create_run, list_runs
from core.workspace import Workspace


@dataclass(frozen=True)
class TrainingPlan:
    """What a training would do, before it is started.

    Attributes:
        photos: photos that at least one fold trains on, accepted pseudo labels among them.
        left_out: photos that only score, because their age is left out.
        label_revision: the state of the labels that it trains on.
        seconds: expected time, None when no earlier run tells; ``like`` is the run it was scaled from.
    """

    people: int
    photos: int
    pseudo_labels: int
    left_out: int
    folds: int
    label_revision: int
    seconds: float | None
    like: str


def plan_training(
    workspace: Workspace,
    index: Index,
    config: TrainConfig,
    folds: Sequence[int] | None = None,
    *,
    revision: int | None = None,
) -> TrainingPlan:
    """What ``start_run`` would train; raises as ``create_training_run``, and writes nothing."""
    config, chosen = _settled(config), _chosen_folds(config, folds)
    revision, decisions = _decided(DecisionStore(workspace, index.dataset_id), revision)
    table = training_table(index.photos, decisions, config.data, config.seed)
    seconds, like = _expected_seconds(workspace, config, len(table), len(chosen))
    return TrainingPlan(
        people=int(table.person_id[table.fold >= 0].nunique()),
        photos=int((table.target >= 0).sum()),
        pseudo_labels=int((table.source == "pseudo_label").sum()),
        left_out=int((table.target < 0).sum()),
        folds=len(chosen),
        label_revision=revision,
        seconds=seconds,
        like=like,
    )


def create_training_run(
    workspace: Workspace,
    index: Index,
    name: str,
    config: TrainConfig,
    *,
    folds: Sequence[int] | None = None,
    revision: int | None = None,
) -> Run:
    """A new run folder with its labels and folds fixed, ready to be trained.

    Args:
        name: becomes the ``run_id``; must be new in the workspace.
        config: ``model.name = "auto"`` becomes the network of the device that the run is queued for.
        folds: which of ``config.data.folds`` to train; all when None.
        revision: the label revision to train on, whatever was decided since; the newest when None.
    Raises:
        ConfigError: a fold does not exist.
        DecisionError: there is no such revision.
        RunError: the name is taken.
        DatasetError: too few people to train on.
    """
    config, chosen = _settled(config), _chosen_folds(config, folds)
    revision, decisions = _decided(DecisionStore(workspace, index.dataset_id), revision)
    return create_run(
        workspace,
        name,
        config,
        dataset_id=index.dataset_id,
        data_dir=index.data_dir,
        train_photos=training_table(index.photos, decisions, config.data, config.seed),
        eval_ids=index.photos.loc[index.photos.split == "eval", "photo_id"].tolist(),
        label_revision=revision,
        folds_to_run=chosen,
    )


def start_run(
    workspace: Workspace,
    index: Index,
    name: str,
    config: TrainConfig,
    folds: Sequence[int] | None = None,
    *,
    revision: int | None = None,
) -> tuple[Run, Job]:
    """Create a run and put its training into the queue; raises as ``create_training_run``."""
    run = create_training_run(workspace, index, name, config, folds=folds, revision=revision)
    return run, _submit(workspace, run)


def resume_run(workspace: Workspace, run: Run) -> Job:
    """Queue an unfinished run again; it goes on from its last whole epoch, with the labels that it began with.

    Raises:
        RunError: the run is finished, or a job is already at work on it.
    """
    if run.state() == "finished":
        raise RunError(f"run {run.run_id} is finished; start a new one with another name")
    return _submit(workspace, run)


def start_features(workspace: Workspace, run: Run) -> Job:
    """Queue the export of a finished run's features (``Run.features``).

    Raises:
        RunError: the run is unfinished, or a job is already at work on it.
    """
    _require_finished(run)
    return _submit(workspace, run, verb="features-run", kind="features")


def start_gradcam(workspace: Workspace, run: Run, photo_ids: Sequence[str]) -> Job:
    """Queue Grad-CAM maps of some photos (``core.storage.heatmaps``).

    Raises:
        RunError: no photo is named, one was not predicted, the run is unfinished, or a job is already at work on it.
    """
    if not photo_ids:
        raise RunError("no photo is named; give at least one photo_id, as in train/images below the data set")
    _require_finished(run)
    unknown = sorted({*photo_ids} - {*run.oof().photo_ids.tolist(), *run.evaluation().photo_ids.tolist()})
    if unknown:
        raise RunError(f"run {run.run_id} predicted no photo {unknown[0]!r}; give photo_ids of its data set")
    named = [f"--photo={photo_id}" for photo_id in photo_ids]
    return _submit(workspace, run, verb="gradcam-run", kind="gradcam", more=named)


def start_map(workspace: Workspace, run: Run) -> Job:
    """Queue the layout of a finished run's map (``Run.photo_map``), its features before where there are none.

    Raises:
        RunError: the run is unfinished, or a job is already at work on it.
    """
    _require_finished(run)
    return _submit(workspace, run, verb="map-run", kind="map")


def _require_finished(run: Run) -> None:
    if run.state() != "finished":
        raise RunError(f"run {run.run_id} is {run.state()}; finish it first: resume --run {run.run_id}")


def _submit(
    workspace: Workspace, run: Run, *, verb: str = "train-run", kind: str = "train", more: Sequence[str] = ()
) -> Job:
    queue = JobQueue(workspace)
    for job in queue.of_run(run.run_id):
        if job.state in ALIVE:
            raise RunError(f"run {run.run_id} is already {job.state} as job {job.job_id}; wait for it or stop it")
    data_dir = str(run.manifest["data_dir"])
    return queue.submit(
        ["--data", data_dir, "--workspace", str(workspace.root), verb, run.run_id, *more],
        kind=kind,
        title=f"{kind} {run.run_id}",
        device=run.config.device,
        run_id=run.run_id,
    )


def _settled(config: TrainConfig) -> TrainConfig:
    return settle_model(config, gpu=CPU not in fitting_slots(config.device, find_slots()))


def _decided(store: DecisionStore, revision: int | None) -> tuple[int, pd.DataFrame]:
    """A label revision's number, the newest for None, and the decisions that stood then."""
    newest = store.revision()
    chosen = newest if revision is None else revision
    if not 0 <= chosen <= newest:
        raise DecisionError(
            f"label revision {chosen} does not exist, the newest is {newest}; choose one from 0 to {newest} "
            "(revision list names them), or none for the newest"
        )
    return chosen, store.effective(at_revision=chosen)


def _chosen_folds(config: TrainConfig, folds: Sequence[int] | None) -> list[int]:
    chosen = sorted(set(range(config.data.folds) if folds is None else folds))
    if not chosen or chosen[0] < 0 or chosen[-1] >= config.data.folds:
        raise ConfigError(
            f"folds {','.join(map(str, chosen)) or 'none'}: choose from 0..{config.data.folds - 1} "
            "(setting data.folds), or all"
        )
    return chosen


def _expected_seconds(workspace: Workspace, config: TrainConfig, photos: int, folds: int) -> tuple[float | None, str]:
    """The time of the newest finished run of the same network, scaled by photos, epochs, folds and pixels."""

    def work(run_config: TrainConfig, run_photos: int, run_folds: int) -> float:
        pixels = run_config.image.height * run_config.image.width
        share = 1 - 1 / run_config.data.folds  # of the photos that a fold trains on
        return run_photos * share * run_config.optim.epochs * run_folds * pixels

    for run in list_runs(workspace):
        result = run.result()
        same_device = config.device == "auto" or config.device.split(":")[0] == (result or {}).get("device")
        if result and not run.damage() and run.config.model.name == config.model.name and same_device:
            done = work(run.config, run.manifest.get("train_photos", photos), len(run.manifest["folds_to_run"]))
            return result["seconds"] * work(config, photos, folds) / done, run.run_id
    return None, ""
