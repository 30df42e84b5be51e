"""Test networks and baselines on a folder of music so that every track is tested once.

Five folds by track, three seeds: each deals the folds anew and trains all networks anew. A killed
run goes on where it was. `make tables` fills docs/results/listener.md from the report:

    python experiments/folds.py DATASET OUT --report docs/results/reports/listener.json
"""

import argparse
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lildata_utils.clips import dataset
from lildata_utils.files import write_json, written_beside
from lildata_utils.genre.baselines import mfcc_baseline
from lildata_utils.genre.evaluation import track_numbers, vote
from lildata_utils.genre.intervals import bootstrap_interval
from lildata_utils.genre.predict import predict
from lildata_utils.learning.fit import fit
from lildata_utils.learning.recipes import RECIPES
from lildata_utils.learning.runs import load_run
from lildata_utils.learning.settings import Training
from lildata_utils.machine import machine
from lildata_utils.networks.settings import CRATE, RANDOM

FOLDS = 5
MFCC, LIL_DATA = "MFCC statistics, logistic regression", "Lil Data"
FRESH, STARTED = "listener, from nothing", "listener, from the crate"
NETWORKS = {LIL_DATA: "cnn", FRESH: "listener", STARTED: "listener"}
# Trained with one seed: minutes for each fold.
ONE_SEED = (FRESH,)
# So many training tracks, to see what they are worth; all are about 45.
FEW = (10, 37)
# What is compared, and with what.
CONTRASTS = ((STARTED, LIL_DATA), (STARTED, MFCC), (FRESH, LIL_DATA), (FRESH, MFCC))
Answers = NDArray[np.float32]


def answered(
    path: Path,
    name: str,
    clips: dataset.Dataset,
    fold: int,
    seed: int,
    start: str,
    few: int | None,
) -> tuple[Answers, float]:
    """Train on all folds but one, answer on that; keep both on disk. Give answers and seconds."""
    if not path.is_file():
        dealt = clips.fold(fold, FOLDS, seed)
        train, test = dealt.select("train"), dealt.select("test")
        if few is not None:
            train = of_few_tracks(train, few)
        began = time.perf_counter()
        if name == MFCC:
            probabilities = mfcc_baseline(train, test, seed)
            seconds = time.perf_counter() - began
        else:
            recipe = RECIPES[NETWORKS[name]]
            first = {STARTED: {"start": start}, FRESH: {"start": RANDOM}}.get(name, {})
            settings = recipe.settings.made_of(first)
            for _ in fit(path.with_suffix(""), recipe, train, Training(seed=seed), settings):
                pass
            run = load_run(path.with_suffix(""))
            seconds = float(run.history["seconds"].sum())
            probabilities = predict(run.model, test)
        with written_beside(path) as beside:
            np.savez(beside, probabilities=probabilities, seconds=seconds, ids=test.clips["id"])
    with np.load(path, allow_pickle=False) as kept:
        return kept["probabilities"], float(kept["seconds"])


def of_few_tracks(clips: dataset.Dataset, few: int) -> dataset.Dataset:
    """Keep some tracks of each genre in turn, the first ones of the table."""
    table = clips.clips
    order = table.groupby("genre")["track"].transform(lambda tracks: pd.factorize(tracks)[0])
    genre = table["genre"].map({name: k for k, name in enumerate(clips.genres)})
    keep = order * len(clips.genres) + genre < few
    return replace(clips, clips=table[keep].reset_index(drop=True))


def tested(
    clips: dataset.Dataset, seed: int, out: Path, name: str, start: str, few: int | None = None
) -> dict[str, Any]:
    """Gather a method's answers over all folds of a seed: right by clip and by track."""
    seconds = []
    probabilities = np.zeros((len(clips), len(clips.genres)), np.float32)
    for fold in range(FOLDS):
        folder = "-".join(name.lower().replace(",", "").split())
        tracks = "" if few is None else f"-{few}-tracks"
        path = out / f"{folder}{tracks}" / f"seed-{seed}-fold-{fold}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        answers, took = answered(path, name, clips, fold, seed, start, few)
        probabilities[clips.fold(fold, FOLDS, seed).clips["split"] == "test"] = answers
        seconds.append(took)
    tracks, labels = track_numbers(clips), clips.labels
    right = probabilities.argmax(axis=1) == labels
    of_track = labels[np.unique(tracks, return_index=True)[1]]
    return {
        "right": right.astype(float),
        "tracks_right": (vote(probabilities, tracks).argmax(axis=1) == of_track).astype(float),
        "seconds": float(np.mean(seconds)),
    }


def row(name: str, found: list[dict[str, Any]], tracks: NDArray[np.int64]) -> dict[str, Any]:
    """Sum a method up over its seeds; the interval is over tracks, each with the seeds' mean."""
    right = np.mean([one["right"] for one in found], axis=0)
    tracks_right = np.mean([one["tracks_right"] for one in found], axis=0)
    return {
        "name": name,
        "accuracy": float(right.mean()),
        "interval95": bootstrap_interval(right, tracks),
        "each": [float(one["right"].mean()) for one in found],
        "track_accuracy": float(tracks_right.mean()),
        "track_interval95": bootstrap_interval(tracks_right, np.arange(len(tracks_right))),
        "seconds": float(np.mean([one["seconds"] for one in found])),
    }


def mean_gain(plus: list[dict[str, Any]], minus: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Subtract clip by clip, seed by seed as far as both have it; give the mean of the seeds."""
    pairs = zip(plus, minus, strict=False)
    return np.mean([one["right"] - other["right"] for one, other in pairs], axis=0)


def main() -> None:
    """Train and test, print the rows, write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path, help="made by `lildata prepare`")
    parser.add_argument("out", type=Path, help="gets the runs and the answers")
    parser.add_argument(
        "--start", default=CRATE, help="run of a listener (default: the shipped one)"
    )
    parser.add_argument("--seeds", type=int, default=3, help="how many (default 3)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="(default OUT/report.json)")
    options = parser.parse_args()
    clips = dataset.load(options.dataset)
    tracks = track_numbers(clips)
    names = [MFCC, STARTED, LIL_DATA, FRESH]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for seed in range(options.seeds):
        for name in names:
            if seed and name in ONE_SEED:
                continue
            found[name].append(tested(clips, seed, options.out, name, options.start))
            print(f"seed {seed}, {name}: {found[name][-1]['right'].mean():.1%}", flush=True)
    rows = [row(name, found[name], tracks) for name in names]
    fewer = []
    for few in FEW:
        for name in (MFCC, FRESH, STARTED):
            one = [tested(clips, 0, options.out, name, options.start, few)]
            fewer.append(row(name, one, tracks) | {"train_tracks": few})
            print(f"{few} tracks, {name}: {fewer[-1]['accuracy']:.1%}", flush=True)
    contrasts = [
        {
            "plus": plus,
            "minus": minus,
            "difference": float(gain.mean()),
            "interval95": bootstrap_interval(gain, tracks),
        }
        for plus, minus in CONTRASTS
        for gain in (mean_gain(found[plus], found[minus]),)
    ]
    for line in rows:
        low, high = line["interval95"]
        print(f"{line['name']}: clips {line['accuracy']:.1%} ({low:.1%} to {high:.1%}), ", end="")
        print(f"tracks {line['track_accuracy']:.1%}, {line['seconds']:.0f} s a training")
    for line in contrasts:
        low, high = line["interval95"]
        print(
            f"{line['plus']} - {line['minus']}: {line['difference']:+.1%} ({low:+.1%}, {high:+.1%})"
        )
    content = {
        "command": shlex.join(["python", *sys.argv]),
        "machine": machine(),
        "data": {
            "clips": len(clips),
            "tracks": int(tracks.max()) + 1,
            "genres": list(clips.genres),
        },
        "settings": {
            name: {"recipe": r, "epochs": RECIPES[r].epochs} for name, r in NETWORKS.items()
        },
        "folds": FOLDS,
        "seeds": list(range(options.seeds)),
        "rows": rows,
        "contrasts": contrasts,
        "few_tracks": fewer,
    }
    path = options.report or options.out / "report.json"
    write_json(path, content)
    print(path)


if __name__ == "__main__":
    main()
