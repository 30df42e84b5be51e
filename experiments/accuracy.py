"""How well do the networks do on a folder of music? All seeds, all baselines, one table.

For every seed the tracks are dealt anew: ``lildata prepare``, ``lildata train softmax`` and
``cnn``, ``lildata test``, and the MFCC baseline. A killed run goes on where it was. The report is
what `make tables` fills docs/results/recordings.md and crate.md from:

    python experiments/accuracy.py MUSIC OUT --report docs/results/reports/recordings.json
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.clips import dataset
from lildata_utils.files import read_json, write_json
from lildata_utils.genre.baselines import mfcc_baseline
from lildata_utils.genre.evaluation import evaluate
from lildata_utils.learning.runs import load_run
from lildata_utils.machine import machine

MFCC = "MFCC statistics, logistic regression"
# The networks that are trained, as the table calls them.
NAMES = {"softmax": "softmax benchmark", "cnn": "Lil Data"}


def lildata(*arguments: object) -> None:
    """Run the command line, and stop where it fails."""
    command = [sys.executable, "-m", "lildata_utils", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=sys.stderr)


def row(name: str, reports: list[dict[str, Any]], seconds: list[float]) -> dict[str, Any]:
    """Sum up a method over the seeds: accuracies and their intervals seed by seed, else means."""
    alone = reports[0] if len(reports) == 1 else {}
    # An answer that is always the same has nothing to be uncertain about.
    learned = name != "majority"
    return {
        "name": name,
        "accuracy": [report["accuracy"] for report in reports],
        "interval95": [report["interval95"] for report in reports] if learned else None,
        "track_accuracy": float(np.mean([report["track_accuracy"] for report in reports])),
        "track_interval95": alone.get("track_interval95") if learned else None,
        "macro_f1": float(np.mean([report["macro_f1"] for report in reports])) if learned else None,
        "seconds": float(np.mean(seconds)) if seconds else None,
    }


def main() -> None:
    """Train and test, print the rows, write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder with a folder per genre")
    parser.add_argument("out", type=Path, help="gets a data set and two runs for every seed")
    parser.add_argument("--seeds", type=int, default=3, help="how many (default 3)")
    parser.add_argument("--epochs", type=int, default=20, help="(default 20)")
    parser.add_argument("--split", choices=("track", "clip"), default="track")
    parser.add_argument("--report", type=Path, metavar="FILE", help="(default OUT/report.json)")
    options = parser.parse_args()

    reports: dict[str, list[dict]] = {}
    seconds: dict[str, list[float]] = {}
    for seed in range(options.seeds):
        folder = options.out / f"seed-{seed}"
        data = folder / "dataset"
        lildata("prepare", options.source, data, "--split", options.split, "--seed", seed)
        clips = dataset.load(data)
        test = clips.select("test")
        majority = np.zeros((len(test), len(clips.genres)), np.float32)
        majority[:, np.bincount(clips.select("train").labels).argmax()] = 1
        mfcc = mfcc_baseline(clips.select("train"), test)
        for name, probabilities in {"majority": majority, MFCC: mfcc}.items():
            report = evaluate(probabilities, test)
            reports.setdefault(name, []).append(vars(report))
        for network in NAMES:
            run = folder / network
            options_of_run = ("--out", run, "--epochs", options.epochs, "--seed", seed)
            lildata("train", network, data, *options_of_run)
            lildata("test", run, data)
            reports.setdefault(NAMES[network], []).append(
                read_json(run / "reports/test/report.json")
            )
            trained = load_run(run)
            seconds.setdefault(NAMES[network], []).append(trained.history["seconds"].sum())

    tested = reports[NAMES["cnn"]]
    rows = [row(name, found, seconds.get(name, [])) for name, found in reports.items()]
    for line in rows:
        each = ", ".join(f"{accuracy:.1%}" for accuracy in line["accuracy"])
        print(f"{line['name']}: {each}; tracks {line['track_accuracy']:.1%}")
    content = {
        "command": shlex.join(["python", *sys.argv]),
        "machine": machine(),
        "data": {
            "music": str(options.source),
            "clips": len(clips),
            "tested": [{name: found[name] for name in ("clips", "tracks")} for found in tested],
        },
        "settings": {
            "split": options.split,
            "epochs": options.epochs,
            "batch_size": trained.settings["batch_size"],
        },
        "seeds": list(range(options.seeds)),
        "rows": rows,
    }
    path = options.report or options.out / "report.json"
    write_json(path, content)
    print(f"{path}: for docs/results/reports/ and `make tables`")


if __name__ == "__main__":
    main()
