"""Music and data sets: `lildata crate` and `lildata prepare`."""

import argparse
from pathlib import Path

from lildata_utils.cli.options import add_seed, add_settings, add_workers, chosen, whole
from lildata_utils.cli.output import Add, bar, follow
from lildata_utils.clips.settings import RULES
from lildata_utils.crate.settings import Collection


def add_commands(add: Add) -> None:
    """Add the commands of this module (README)."""
    sub = add("crate", _crate, "compose and render music of eight genres")
    sub.add_argument("out", type=Path, metavar="OUT", help="folder that gets a folder per genre")
    add_settings(sub, Collection)
    add_workers(sub)

    sub = add("prepare", _prepare, "cut folders of music into clips and draw their spectrograms")
    sub.add_argument("source", type=Path, metavar="SOURCE", help="folder with a folder per genre")
    sub.add_argument("out", type=Path, metavar="OUT", help="folder that becomes the data set")
    sub.add_argument(
        "--split",
        choices=RULES,
        default=RULES[0],
        help="by track, or artist where known (default); by clip, as the paper, which flatters",
    )
    sub.add_argument("--limit", type=whole(1), metavar="N", help="at most N clips a genre")
    add_seed(sub)
    add_workers(sub)


def _crate(options: argparse.Namespace) -> int:
    from lildata_utils.crate.collection import write_collection
    from lildata_utils.machine import usable_cores

    rendered = 0
    collection, workers = chosen(options, Collection), options.workers or usable_cores()
    with bar("file") as shown:
        for step in write_collection(options.out, collection, workers):
            rendered += step.rendered
            follow(shown, step.done, step.total)
    print(f"{options.out}: {step.total} files, {step.total - rendered} of them already there")
    return 0


def _prepare(options: argparse.Namespace) -> int:
    from lildata_utils.clips.dataset import DESCRIPTION, SKIPPED
    from lildata_utils.clips.prepare import prepare
    from lildata_utils.files import read_json

    with bar("clip") as shown:
        for progress in prepare(
            options.source,
            options.out,
            split=options.split,
            workers=options.workers,
            seed=options.seed,
            limit=options.limit,
        ):
            follow(shown, progress.clips, progress.clips_in_all)
    description = read_json(options.out / DESCRIPTION)
    for genre, counts in description["counts"].items():
        print(f"{genre:16}" + "  ".join(f"{count:6} {split}" for split, count in counts.items()))
    for note in description["notes"]:
        print(f"note: {note}")
    print(
        f"{options.out}: {progress.clips} clips of {progress.files - progress.files_reused} files"
    )
    if progress.files_reused:
        print(f"{progress.files_reused} files were there from an earlier run")
    if progress.left_out:
        print(f"{progress.left_out} files or clips left out: {options.out / SKIPPED} says why")
    return 0
