"""How well do the networks do on a folder of music? All seeds, all baselines, one table.

For every seed the tracks are dealt anew: ``lildata prepare``, ``lildata train softmax`` and
``cnn``, ``lildata test``, and the MFCC baseline; the table is filled from the reports. A killed
run goes on where it was.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

from lildata_utils.clips import dataset
from lildata_utils.files import read_json
from lildata_utils.genre.evaluation import evaluate, mfcc_baseline
from lildata_utils.learning.training import load_run
from lildata_utils.machine import machine


def lildata(*arguments: object) -> None:
    """Run the command line, and stop where it fails."""
    command = [sys.executable, "-m", "lildata_utils.cli.main", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=sys.stderr)


def row(name: str, reports: list[dict], seconds: list[float]) -> str:
    """Lay out a line of the table: mean over the seeds, and each seed with its interval."""
    accuracy = [report["accuracy"] for report in reports]
    tracks = [report["track_accuracy"] for report in reports]
    each = "; ".join(
        f"{report['accuracy']:.1%} ({report['interval95'][0]:.0%} to {report['interval95'][1]:.0%})"
        for report in reports
    )
    took = f"{np.mean(seconds):.0f} s" if seconds else ""
    return f"| {name} | {np.mean(accuracy):.1%} | {each} | {np.mean(tracks):.1%} | {took} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder with a folder per genre")
    parser.add_argument("out", type=Path, help="gets a data set and two runs for every seed")
    parser.add_argument("--seeds", type=int, default=3, help="how many (default 3)")
    parser.add_argument("--epochs", type=int, default=20, help="(default 20)")
    parser.add_argument("--split", choices=("track", "clip"), default="track")
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
        for name, probabilities in {"majority": majority, "MFCC": mfcc}.items():
            report = evaluate(probabilities, test)
            reports.setdefault(name, []).append(vars(report))
        for network in ("softmax", "cnn"):
            run = folder / network
            options_of_run = ("--out", run, "--epochs", options.epochs, "--seed", seed)
            lildata("train", network, data, *options_of_run)
            lildata("test", run, data)
            reports.setdefault(network, []).append(read_json(run / "reports/test/report.json"))
            seconds.setdefault(network, []).append(load_run(run).history["seconds"].sum())

    sizes = [(report["clips"], report["tracks"]) for report in reports["cnn"]]
    print(f"{len(clips)} clips of {len(clips.genres)} genres; split by {options.split};")
    print(f"tested on {', '.join(f'{c} clips of {t} tracks' for c, t in sizes)} (a seed each);")
    print(f"{options.epochs} epochs; {machine()}\n")
    print("| | clips, mean | clips, each seed (95 % interval) | tracks, mean | training |")
    print("|---|---|---|---|---|")
    for name, of_name in reports.items():
        print(row(name, of_name, seconds.get(name, [])))


if __name__ == "__main__":
    main()
