"""Let networks hear artists of the crate that nobody trained on, and music of another world.

Accuracy beside each other, calibration before and after temperature, and how well "none of these"
tells recordings from the crate. `make tables` fills docs/results/listener.md from the report:

    python experiments/unseen.py LISTENER LIL_DATA UNSEEN RECORDINGS --report unseen.json
"""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.clips import dataset
from lildata_utils.files import write_json
from lildata_utils.genre.doubt import calibration_error, features_and_answers, load_doubt
from lildata_utils.genre.evaluation import evaluate, most_confused_pairs, track_numbers
from lildata_utils.genre.intervals import bootstrap_interval
from lildata_utils.genre.predict import predict
from lildata_utils.learning.runs import Run, load_run
from lildata_utils.machine import machine


def row(name: str, run: Run, clips: dataset.Dataset) -> dict[str, Any]:
    """Test a run, and say what it learned."""
    report = evaluate(predict(run.model, clips), clips)
    return {
        "name": name,
        "train_clips": run.data["train_clips"],
        "settings": run.settings,
        "epochs": len(run.history),
        "seconds": float(run.history["seconds"].sum()),
        "weights": int(run.model.count_params()),
        **{key: getattr(report, key) for key in ("accuracy", "interval95", "track_accuracy")},
        "track_interval95": report.track_interval95,
        "macro_f1": report.macro_f1,
        "recall": {genre: found["recall"] for genre, found in report.per_genre.items()},
        "confused": most_confused_pairs(report, 4),
    }


def separation(near: np.ndarray, far: np.ndarray, tracks: np.ndarray) -> dict[str, Any]:
    """Tell how well strangeness parts two kinds of clips; the interval is over the far tracks."""
    # The share of pairs in which the far clip is the stranger one: the area under the ROC curve.
    beaten = (near[None, :] < far[:, None]).mean(axis=1)
    return {
        "auroc": float(beaten.mean()),
        "interval95": bootstrap_interval(beaten, tracks),
        "near_strange": float((near > 1).mean()),
        "far_strange": float((far > 1).mean()),
    }


def main() -> None:
    """Test, print, write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("listener", type=Path, help="its run, with its doubt")
    parser.add_argument("lil_data", type=Path, help="run of the paper's network on the same clips")
    parser.add_argument("unseen", type=Path, help="data set of artists that neither learned")
    parser.add_argument("recordings", type=Path, help="data set of other music")
    parser.add_argument("--report", type=Path, required=True, metavar="FILE")
    options = parser.parse_args()
    run = load_run(options.listener)
    unseen = dataset.load(options.unseen).select(genres=run.genres)
    recordings = dataset.load(options.recordings)
    doubt = load_doubt(run)
    if doubt is None:
        raise SystemExit(f"{options.listener} has no measure of its doubt")
    rows = [
        row("listener", run, unseen),
        row("Lil Data", load_run(options.lil_data), unseen),
    ]
    features, probabilities = features_and_answers(run.model, unseen)
    far, _ = features_and_answers(run.model, recordings)
    content = {
        "command": shlex.join(["python", *sys.argv]),
        "machine": machine(),
        "data": {
            "clips": len(unseen),
            "tracks": int(track_numbers(unseen).max()) + 1,
            "artists": int(unseen.clips.groupby(["genre", "artist"]).ngroups),
            "recordings": len(recordings),
            "recorded_tracks": int(track_numbers(recordings).max()) + 1,
        },
        "settings": run.settings,
        "seeds": [run.settings["seed"]],
        "rows": rows,
        "calibration": {
            "temperature": doubt.temperature,
            "before": calibration_error(probabilities, unseen.labels),
            "after": calibration_error(doubt.soften(probabilities), unseen.labels),
        },
        "none_of_these": separation(
            doubt.strangeness(features), doubt.strangeness(far), track_numbers(recordings)
        ),
    }
    for line in rows:
        low, high = line["interval95"]
        print(f"{line['name']}: {line['accuracy']:.1%} ({low:.1%} to {high:.1%}), ", end="")
        print(f"tracks {line['track_accuracy']:.1%}; confuses {line['confused']}")
    print(content["calibration"], content["none_of_these"], sep="\n")
    write_json(options.report, content)


if __name__ == "__main__":
    main()
