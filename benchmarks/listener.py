"""Train and ask the listener and Lil Data, by turns, on the same clips: clips a second of each.

An epoch is all that a user waits for: training, validation, keeping the best weights, a checkpoint.
The first epoch of each, in which TensorFlow compiles, is not counted. The listener learns all its
layers here; one that starts from the crate hears every clip once, as if it were asked.

    python benchmarks/listener.py DATASET [--epochs 6] [--report FILE]
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import report

from lildata_utils.clips import dataset
from lildata_utils.genre.predict import predict
from lildata_utils.learning.fit import fit
from lildata_utils.learning.recipes import LIL_DATA, LISTENER
from lildata_utils.learning.runs import load_run
from lildata_utils.learning.settings import Training
from lildata_utils.machine import machine
from lildata_utils.networks.settings import RANDOM, LilDataSettings, ListenerSettings

NETWORKS = {
    "Lil Data": (LIL_DATA, LilDataSettings()),
    "listener": (LISTENER, ListenerSettings(start=RANDOM)),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path, help="what `lildata prepare` wrote")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument(
        "--rounds", type=int, default=5, help="of asking, of which the median counts"
    )
    report.add_option(parser)
    options = parser.parse_args()
    clips = dataset.load(options.dataset)
    train, test = clips.select("train"), clips.select("test")
    counts = f"{len(train)} train, {len(clips.select('validation'))} validation, {len(test)} test"
    print(f"{machine()}\n{options.dataset}: {counts}", flush=True)

    with tempfile.TemporaryDirectory() as temporary:
        folders = {name: Path(temporary) / name for name in NETWORKS}
        turns = {
            name: fit(folders[name], recipe, clips, Training(options.epochs), settings)
            for name, (recipe, settings) in NETWORKS.items()
        }
        for _ in range(options.epochs):
            for steps in turns.values():
                next(step for step in steps if step.history is not None)
        for steps in turns.values():
            list(steps)
        runs = {name: load_run(folder) for name, folder in folders.items()}
        models = {name: run.model for name, run in runs.items()}
    speeds: dict[str, Any] = {}
    for name, run in runs.items():
        speeds[f"training {name}"] = len(train) / run.history["seconds"].to_numpy()[1:]
    for number in range(options.rounds + 1):
        for name, model in models.items():
            started = time.perf_counter()
            predict(model, test)
            if number:
                told = speeds.setdefault(f"asking {name}", [])
                told.append(len(test) / (time.perf_counter() - started))
    rows = []
    for what in ("training", "asking"):
        usual, here = (float(np.median(speeds[f"{what} {name}"])) for name in NETWORKS)
        name = f"{what}, clips a second"
        rows.append(report.compared(name, usual, here, here / usual))
    for row in rows:
        print(f"{row['name']:55}{row['usual']:8.0f}{row['here']:8.0f}{row['ratio']:8.2f}")
    report.write(
        options.report,
        rows,
        data={"music": str(options.dataset.name), "clips": counts},
        settings={"epochs": options.epochs, "rounds": options.rounds},
        seeds=[0],
    )


if __name__ == "__main__":
    main()
