"""How far are the judges to be trusted? Artists whom nobody learned, as they are, and worn.

Renders two collections of the crate whose seeds no other network has, lets the judges learn one,
and tests them on the other: as it is, through picture and inversion, with noise, through a codec.
A killed run goes on where it was. The judges that come with the course, and the report from which
`make tables` fills docs/results/judges.md:

    python experiments/judges.py OUT --judges data/pretrained/judges --report .../judges.json
"""

import argparse
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.crate.collection import write_collection
from lildata_utils.crate.settings import Collection
from lildata_utils.files import file_size, write_json, written_beside
from lildata_utils.genre.judges import bench
from lildata_utils.genre.judges.features import Heard, hear
from lildata_utils.genre.judges.lessons import Lessons, find_tracks, listen
from lildata_utils.genre.judges.settings import Learning
from lildata_utils.machine import machine, usable_cores

LEARNED = Collection(tracks=96, duration_s=40.0, seed=777)
TESTED = Collection(tracks=8, duration_s=40.0, seed=999)
TESTED_CLIPS = 5  # a track


def rendered(folder: Path, collection: Collection) -> Path:
    """Render a collection, or what is missing of it."""
    for step in write_collection(folder, collection, usable_cores()):
        print(f"\r{folder}: {step.done} of {step.total} tracks", end="", file=sys.stderr)
    print(file=sys.stderr)
    return folder


def lessons(path: Path, music: Path, learning: bool, clips: int | None = None) -> Lessons:
    """Hear a collection, once: the next time it is read."""
    if not path.is_file():
        for heard in listen(music, learning, clips, workers=usable_cores()):
            print(f"\r{music}: {heard.done} of {heard.tracks} heard", end="", file=sys.stderr)
        print(file=sys.stderr)
        keep(path, heard.finished)
    with np.load(path) as arrays:
        return Lessons(
            tuple(arrays["genres"].tolist()),
            Heard(arrays["bands"], arrays["statistics"], arrays["rhythm"]),
            arrays["labels"],
            arrays["tracks"],
            arrays["conditions"],
        )


def keep(path: Path, heard: Lessons) -> None:
    """Write lessons down."""
    with written_beside(path) as beside:
        np.savez(
            beside,
            **vars(heard.heard),
            **{name: getattr(heard, name) for name in ("labels", "tracks", "conditions")},
            genres=np.array(heard.genres),
        )


def clips_a_second(music: Path) -> float:
    """Time what the judges hear of a track, on one core; the transform has threads of its own."""
    _, tracks = find_tracks(music, ())
    clips = np.stack(list(tracks[0].clips()))
    hear(clips)
    start = time.process_time()
    hear(clips)
    return len(clips) / (time.process_time() - start)


def main() -> None:
    """Render, listen, teach, examine; print the rows, write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="gets the music and what is heard of it")
    parser.add_argument("--judges", type=Path, help="where they go (default OUT/judges)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="(default OUT/report.json)")
    options = parser.parse_args()
    out, folder = options.out, options.judges or options.out / "judges"

    learned = rendered(out / "train", LEARNED)
    if not (folder / bench.ABOUT_FILE).is_file():
        known = lessons(out / "learned.npz", learned, learning=True)
        start = time.process_time()
        for taught in bench.teach(known, Learning(), source=describe(LEARNED)):
            print(f"\rlearning: {taught.step} of {taught.steps}", end="", file=sys.stderr)
        print(file=sys.stderr)
        taught.finished.about["processor_seconds"] = round(time.process_time() - start)
        bench.save(taught.finished, folder)
    judges = bench.load_judges(folder)
    tested = rendered(out / "test", TESTED)
    unknown = lessons(out / "tested.npz", tested, learning=False, clips=TESTED_CLIPS)
    rows = bench.examine(judges, unknown)
    for row in rows:
        low, high = row["interval95"]
        print(f"{row['judge']:14}{row['condition']:24}{row['accuracy']:.1%} ({low:.1%}-{high:.1%})")
    report: dict[str, Any] = {
        "command": shlex.join(["python", *sys.argv]),
        "machine": machine(),
        "data": {
            "learned": judges.about,
            "tested": describe(TESTED),
            "clips": rows[0]["clips"],
            "tracks": rows[0]["tracks"],
        },
        "seeds": {"learned": LEARNED.seed, "tested": TESTED.seed, "training": Learning().seed},
        "settings": judges.about["settings"],
        "megabytes": sum(file_size(path) for path in folder.iterdir()) / 1e6,
        "features": {
            name: getattr(unknown.heard, name).shape[1] for name in ("statistics", "rhythm")
        },
        "clips_a_second": clips_a_second(tested),
        "rows": rows,
    }
    path = options.report or out / "report.json"
    write_json(path, report)
    print(f"{path}: for docs/results/reports/ and `make tables`")


def describe(collection: Collection) -> str:
    """Give the command that renders a collection."""
    return (
        f"lildata crate --tracks {collection.tracks} --seconds {collection.duration_s:g} "
        f"--seed {collection.seed}"
    )


if __name__ == "__main__":
    main()
