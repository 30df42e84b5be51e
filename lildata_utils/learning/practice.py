"""Trainings without epochs: as many steps as are wanted on music without end (notebook 08).

What a step learns depends on the seed and its number only, so a stopped training goes on exactly.
"""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lildata_utils.backend import deterministic
from lildata_utils.errors import LilDataError
from lildata_utils.files import check_zip, write_json, written_beside

CHECKPOINT_S = 60.0
# Steps of which the history has the means.
ROW = 50


class Learner(Protocol):
    """What learns: one step at a time (notebook 08)."""

    @property
    def state(self) -> list[Any]:
        """All variables that a step changes."""
        ...

    def step(self, number: int) -> dict[str, float]:
        """Learn; what it says of the losses goes into the history."""
        ...


@dataclass(frozen=True)
class Practice:
    """Where a training stands (notebook 08)."""

    step: int
    steps: int
    figures: dict[str, float]  # Of this step


def practise(path: Path, learner: Learner, steps: int) -> Iterator[Practice]:
    """Train for so many steps in all, with those done already; go on from `path` (notebook 08).

    Every minute, and at the end, all is written to `path` (.npz), and the history beside it
    (.json): means over 50 steps, and processor seconds.

    Raises
    ------
    LilDataError
        If the checkpoint is broken or of another network, or a loss is no number.
    """
    rows = _restore(path, learner)
    done = int(rows[-1]["step"]) if rows else 0
    sums: dict[str, float] = {}
    since, saved, spent = 0, time.monotonic(), time.process_time()
    for number in range(done + 1, steps + 1):
        with deterministic():
            figures = learner.step(number)
        if not all(map(math.isfinite, figures.values())):
            raise LilDataError(
                f"{path}: the training has diverged in step {number} ({figures}): try another seed"
            )
        since += 1
        sums = {name: sums.get(name, 0.0) + value for name, value in figures.items()}
        last, late = number == steps, time.monotonic() - saved > CHECKPOINT_S
        if number % ROW == 0 or last or late:
            means = {name: total / since for name, total in sums.items()}
            seconds = time.process_time() - spent
            rows.append({"step": number, **means, "processor_seconds": seconds})
            sums, since, spent = {}, 0, time.process_time()
        if last or late:
            _save(path, learner, rows)
            saved = time.monotonic()
        yield Practice(number, steps, figures)


def _save(path: Path, learner: Learner, rows: list[dict[str, float]]) -> None:
    arrays = {str(number): variable.numpy() for number, variable in enumerate(learner.state)}
    with written_beside(path) as beside:
        np.savez(beside, history=np.array(json.dumps(rows)), **arrays)
    write_json(path.with_suffix(".json"), rows)


def _restore(path: Path, learner: Learner) -> list[dict[str, float]]:
    if not path.is_file():
        return []
    try:
        check_zip(path)
        with np.load(path, allow_pickle=False) as arrays:
            for number, variable in enumerate(learner.state):
                variable.assign(arrays[str(number)])
            rows: list[dict[str, float]] = json.loads(str(arrays["history"]))
            return rows
    # numpy and zipfile raise whatever their parts raise on a broken file.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise LilDataError(f"{path} can't be read ({reason}): delete it to begin anew") from None
