"""Judges of genre who share nothing with any painter: `lildata judges train`, `test` and `hear`."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lildata_utils.cli.options import add_settings, add_workers, chosen, whole
from lildata_utils.cli.output import Add, bar, fail, follow
from lildata_utils.clips.settings import SPLITS, TEST, TRAIN, VALIDATION
from lildata_utils.errors import LilDataError
from lildata_utils.genre.judges.settings import Learning

if TYPE_CHECKING:
    from lildata_utils.genre.judges.bench import Judges
    from lildata_utils.genre.judges.lessons import Lessons

SOURCE = "a data set made by `lildata prepare`, or a folder with a folder of music a genre"


def add_commands(add: Add) -> None:
    """Add the commands of this module (README)."""
    sub = add(
        "judges",
        _hear,  # or another one: each says so below
        "let three judges of genre, who share nothing with any painter, learn, and hear them",
        "nothing was written: run the same again",
    )
    commands = sub.add_subparsers(title="commands", required=True, metavar="COMMAND")

    one = commands.add_parser("train", help="let three judges learn genres from music")
    one.set_defaults(command=_train)
    one.add_argument("source", type=Path, metavar="SOURCE", help=f"{SOURCE}; only read")
    one.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="gets the judges")
    add_settings(one, Learning)
    add_workers(one)

    one = commands.add_parser("test", help="how often they are right: as it is, and worn")
    one.set_defaults(command=_test)
    one.add_argument("source", type=Path, metavar="SOURCE", help=SOURCE)
    _add_judges(one)
    one.add_argument("--split", choices=(*SPLITS, "all"), default=TEST, help=f"(default {TEST})")
    one.add_argument("--clips", type=whole(1), metavar="N", help="at most, a track (default: all)")
    one.add_argument("--report", type=Path, metavar="FILE", help="write all figures there, as JSON")
    add_workers(one)

    one = commands.add_parser("hear", help="the verdict on music files, and each judge's own")
    one.set_defaults(command=_hear)
    one.add_argument("audio", type=Path, nargs="+", metavar="AUDIO", help="music files")
    _add_judges(one)
    one.add_argument("--json", action="store_true", help="for machines")


def _add_judges(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--judges",
        type=Path,
        metavar="FOLDER",
        help="made by `lildata judges train` (default: those of the crate's genres)",
    )


def _train(options: argparse.Namespace) -> int:
    from lildata_utils.clips.sources import check_apart
    from lildata_utils.genre.judges import bench

    learning = chosen(options, Learning)
    check_apart(options.source, options.out)
    bench.check_folder(options.out)
    lessons = _listen(options, (TRAIN, VALIDATION), learning=True)
    with bar("step") as shown:
        for taught in bench.teach(lessons, learning, source=str(options.source)):
            follow(shown, taught.step, taught.steps)
    bench.save(taught.finished, options.out)
    about = taught.finished.about
    print(f"{options.out}: {about['clips']} clips of {about['tracks']} tracks were heard")
    return 0


def _test(options: argparse.Namespace) -> int:
    from lildata_utils.files import write_json
    from lildata_utils.genre.judges.bench import examine
    from lildata_utils.machine import machine

    judges = _judges(options.judges)
    splits = SPLITS if options.split == "all" else (options.split,)
    rows = examine(judges, _listen(options, splits, learning=False))
    for row in rows:
        print(f"{row['judge']:14}{row['condition']:24}{row['accuracy']:6.1%} of {row['clips']}")
    if options.report is not None:
        write_json(
            options.report, {"source": str(options.source), "machine": machine(), "rows": rows}
        )
        print(f"{options.report}: with intervals over tracks")
    return 0


def _listen(options: argparse.Namespace, splits: tuple[str, ...], learning: bool) -> "Lessons":
    from lildata_utils.genre.judges.lessons import listen
    from lildata_utils.machine import usable_cores

    clips = getattr(options, "clips", None)
    workers = options.workers or usable_cores()
    with bar("track") as shown:
        for heard in listen(options.source, learning, clips, splits, workers):
            follow(shown, heard.done, heard.tracks)
    for words in heard.finished.left_out:
        print(f"left out: {words}", file=sys.stderr)
    return heard.finished


def _hear(options: argparse.Namespace) -> int:
    from lildata_utils.genre.judges.bench import JUDGES, VERDICT, hear_file

    judges = _judges(options.judges)
    failed, results = 0, []
    for audio in options.audio:
        try:
            heard = hear_file(judges, audio)
        except LilDataError as error:
            failed = fail(str(error))
            continue
        results.append({"file": str(audio)} | heard)
        if not options.json:
            each = ", ".join(f"{name} {heard[name]}" for name in JUDGES)
            print(f"{audio}: {heard[VERDICT] or 'no two agree'} ({each})")
    if options.json:
        print(json.dumps(results, indent=2, ensure_ascii=False))
    return failed


def _judges(folder: Path | None) -> "Judges":
    from lildata_utils.genre.judges.bench import SHIPPED, load_judges

    return load_judges(folder or SHIPPED)
