"""A table of experiments: every row trained with several seeds, on the same music, judged alike.

`run` trains what is not there yet, so a stopped sweep goes on where it was; `sweep_tables` reports
whatever is done (notebook 03).
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from lildata_utils.clips import dataset, prepare
from lildata_utils.clips.degraded import degrade_collection
from lildata_utils.clips.settings import SPLITS
from lildata_utils.crate.collection import write_collection
from lildata_utils.crate.settings import Collection
from lildata_utils.errors import LilDataError
from lildata_utils.files import read_json, write_json, write_text
from lildata_utils.genre.plan import Music, Plan, Row
from lildata_utils.genre.sweep_tables import (
    ANSWERS_FILE,
    RESULT_FILE,
    contrasts,
    results,
    right,
    run_folder,
    table,
)
from lildata_utils.learning.settings import Training
from lildata_utils.machine import machine, usable_cores
from lildata_utils.parallel import Workers, apart, map_unordered

if TYPE_CHECKING:
    from lildata_utils.learning.fit import TrainingStep

TABLE_FILE = "table.csv"
REPORT_FILE = "report.json"


class SweepStep(NamedTuple):
    """Where a sweep stands: the training, from 1, of how many, and its row and seed (notebook 03).

    `training` says where that training stands; None when it is done and its result is on disk.
    """

    number: int
    runs: int
    row: Row
    seed: int
    training: "TrainingStep | None"


class _Job(NamedTuple):
    number: int
    folder: Path
    row: Row
    seed: int
    clips: dataset.Dataset
    music: Music

    def __str__(self) -> str:
        return str(self.folder)


def run(plan: Plan, out: str | Path, workers: Workers = 1) -> Iterator[SweepStep]:
    """Do all trainings of a plan that are not done yet (notebook 03).

    Each has a process of its own: TensorFlow keeps some hundred megabytes of every network that it
    has trained.

    Parameters
    ----------
    plan : Plan
        Rows may be added later; those that are done stay.
    out : str or Path
        Gets the music, the data sets, a run folder for every row and seed, ``table.csv`` and
        ``report.json`` (see `sweep_tables.table`), which are written anew after every training, on
        a cluster after the last.
    workers : int or str
        The address of a Dask cluster trains as many at a time as it has workers; here it is one at
        a time, since one uses all cores.

    Yields
    ------
    SweepStep
        After every step of a training (not of those on a cluster), and after each training.

    Raises
    ------
    LilDataError
        If a training fails, or a row with the same name was done with other settings.
    """
    out, far = Path(out), list[_Job]()
    for number, (row, seed) in enumerate(plan.runs, 1):
        folder = run_folder(row, seed, out)
        if not _is_done(folder, row, plan.music):
            job = _Job(number, folder, row, seed, _clips(plan.music, row, out, workers), plan.music)
            if isinstance(workers, str):
                far.append(job)
                continue
            for step in apart(_train, job):
                yield SweepStep(number, len(plan.runs), row, seed, step)
            _write_tables(plan, out)
        yield SweepStep(number, len(plan.runs), row, seed, None)
    failed = []
    for job, error in filter(None, map_unordered(_train_far, far, workers, shared=out)):
        if error is None:
            yield SweepStep(job.number, len(plan.runs), job.row, job.seed, None)
        else:
            failed.append(f"{job}: {error}")
    if failed:
        raise LilDataError("; ".join(failed))
    if far:
        _write_tables(plan, out)


def _train_far(job: _Job) -> LilDataError | None:
    try:
        for _ in apart(_train, job):
            pass
    except LilDataError as error:
        return error
    return None


def _write_tables(plan: Plan, out: Path) -> None:
    rows = table(plan, out)
    write_text(out / TABLE_FILE, rows.to_csv(index=False))
    write_json(out / REPORT_FILE, _report(plan, out, rows))


def _clips(music: Music, row: Row, out: Path, workers: Workers) -> dataset.Dataset:
    """Open the data set that a row wants; render, degrade and prepare what is not there yet."""
    workers = workers if isinstance(workers, str) else usable_cores()
    if music.folder is not None:
        source = Path(music.folder)
    else:
        source = out / "music"
        collection = Collection(music.tracks, music.seconds, seed=music.seed)
        for _ in write_collection(source, collection, workers):
            pass
    if row.degraded:
        for _ in degrade_collection(source, out / "music-degraded", music.seed, workers):
            pass
        source = out / "music-degraded"
    folder = out / f"dataset-{row.split}{'-degraded' if row.degraded else ''}"
    for _ in prepare.prepare(
        source, folder, row.split, workers, seed=music.seed, fractions=music.fractions
    ):
        pass
    return dataset.load(folder)


def _train(job: _Job) -> "Iterator[TrainingStep]":
    """Train a row with a seed, judge the kept network, and write both down."""
    from lildata_utils.genre.predict import predict
    from lildata_utils.learning import runs
    from lildata_utils.learning.fit import fit
    from lildata_utils.learning.history import peaked
    from lildata_utils.learning.recipes import RECIPES

    _, folder, row, seed, clips, music = job
    recipe = RECIPES[row.network]
    thinned = clips.share("train", row.share, seed)
    training = Training(row.epochs, row.batch_size, row.learning_rate, seed)
    yield from fit(folder, recipe, thinned, training, recipe.settings.made_of(row.options))
    done = runs.load_run(folder)
    # All clips, also those that did not train: the table of answers is the same for every row.
    labels = predict(done.model, clips).argmax(axis=1)
    said = clips.clips[["id", "genre", "artist", "track", "split"]].assign(
        answer=[clips.genres[label] for label in labels]
    )
    said.loc[(said["split"] == "train") & ~said["id"].isin(thinned.clips["id"]), "split"] = "unused"
    write_text(folder / ANSWERS_FILE, said.to_csv(index=False))
    hits = (said["answer"] == said["genre"]).groupby(said["split"]).mean()
    kept = len(done.history) if recipe.keeps_last else peaked(done.history).epoch
    result = {
        "name": row.name,
        "question": row.question,
        "network": row.network,
        "seed": seed,
        "running": float(done.history.loc[done.history["epoch"] == kept, "accuracy"].iloc[0]),
        **{split: float(hits[split]) for split in SPLITS},
        "epoch": kept,
        "parameters": int(done.model.count_params()),
        "learning": int(sum(np.prod(w.shape) for w in done.model.trainable_weights)),
        "clips": int((said["split"] == "train").sum()),
        "seconds": float(done.history["seconds"].sum()),
    }
    write_json(
        folder / RESULT_FILE,
        {
            "result": result,
            "row": _as_json(row),
            "music": asdict(music) | {"folder": None},
            "data": done.data,
            "settings": done.settings,
            "environment": done.environment,
        },
    )
    # It is large, and nothing goes on from it.
    (folder / runs.CHECKPOINT_FILE).unlink(missing_ok=True)


def _as_json(row: Row) -> dict[str, Any]:
    """Write down what decides a row's trainings; its name and its question don't."""
    about = asdict(row)
    for name in ("name", "question", "seeds"):
        del about[name]
    about["options"] = {
        name: list(value) if isinstance(value, list | tuple) else value
        for name, value in row.options.items()
    }
    return about


def _is_done(folder: Path, row: Row, music: Music) -> bool:
    path = folder / RESULT_FILE
    if not path.is_file():
        return False
    there = read_json(path)
    expected = {
        "row": _as_json(row),
        "music": asdict(music) | {"folder": None, "fractions": list(music.fractions)},
    }
    for part, wanted in expected.items():
        for name, value in wanted.items():
            if there[part].get(name) != value:
                raise LilDataError(
                    f"{folder} was done with {name} {there[part].get(name)!r} instead of "
                    f"{value!r}: choose another folder or another name, or delete it"
                )
    return True


def _report(plan: Plan, out: Path, rows: pd.DataFrame) -> dict[str, Any]:
    """Gather what a reader of the table must know."""
    one = read_json(run_folder(*plan.runs[0], out) / RESULT_FILE)
    return {
        "music": asdict(plan.music) | {"folder": None},
        "genres": one["data"]["genres"],
        "clips": {split: _count(plan, out, split) for split in SPLITS},
        "machine": machine(),
        "environment": one["environment"],
        "seconds": float(results(plan, out)["seconds"].sum()),
        "rows": [{"name": row.name, "seeds": list(row.seeds)} | _as_json(row) for row in plan.rows],
        "table": rows.to_dict("records"),
        "contrasts": contrasts(plan, out).to_dict("records"),
    }


def _count(plan: Plan, out: Path, split: str) -> int:
    return len(right(plan.rows[0], out, split)[0])
