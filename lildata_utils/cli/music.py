"""Music and data sets: `lildata crate`, `lildata fetch` and `lildata prepare`."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lildata_utils.cli.options import add_seed, add_settings, add_workers, chosen, whole
from lildata_utils.cli.output import Add, bar, follow
from lildata_utils.clips.settings import RULES
from lildata_utils.crate.settings import Collection
from lildata_utils.files import DATA_FOLDER

if TYPE_CHECKING:
    from lildata_utils.clips.fetch import OpenCollection

MB = 10**6


def add_commands(add: Add) -> None:
    """Add the commands of this module (README)."""
    sub = add("crate", _crate, "compose and render music of eight genres")
    sub.add_argument("out", type=Path, metavar="OUT", help="folder that gets a folder per genre")
    add_settings(sub, Collection)
    add_workers(sub)

    sub = add("fetch", _fetch, "download an open collection of music, as folders for prepare")
    sub.add_argument("name", nargs="?", metavar="NAME", help="of a collection (default: list them)")
    sub.add_argument(
        "out", nargs="?", type=Path, metavar="OUT", help=f"folder (default {DATA_FOLDER}/NAME)"
    )
    sub.add_argument("--list", action="store_true", help="list collections, licences and sizes")

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
    sub.add_argument(
        "--dry-run", action="store_true", help="tell what would be done, and write nothing"
    )
    sub.add_argument("--json", action="store_true", help="with --dry-run: tell it as JSON")
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


def _fetch(options: argparse.Namespace) -> int:
    from lildata_utils.clips import fetch

    if options.list or options.name is None:
        for collection in fetch.COLLECTIONS:
            _introduce(collection)
        return 0
    collection = fetch.find_collection(options.name)
    out = options.out or DATA_FOLDER / collection.name
    if not fetch.is_fetched(out):
        _introduce(collection)
        with bar("MB") as shown:
            for done, total in fetch.download(collection, out):
                follow(shown, done // MB, total // MB)
        with bar("track") as shown:
            for done, total in fetch.unpack(collection, out):
                follow(shown, done, total)
    print(f"{out}: {collection.name} is there; next: lildata prepare {out} DATASET")
    return 0


def _introduce(collection: "OpenCollection") -> None:
    size = collection.music.size + collection.tables.size
    print(f"{collection.name}: {collection.what}")
    print(f"  {collection.page}, {size / 1e9:.1f} GB to download, as much again unpacked")
    print(f"  licence: {collection.licence}")


def _prepare(options: argparse.Namespace) -> int:
    if options.dry_run:
        return _dry_run(options)
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


def _dry_run(options: argparse.Namespace) -> int:
    from lildata_utils.clips.forecast import CLIPS_A_SECOND, forecast
    from lildata_utils.machine import check_room

    seen = forecast(options.source, options.out, options.workers, options.limit)
    if options.json:
        print(json.dumps(asdict(seen), ensure_ascii=False))
        return 0
    for name, genre in seen.genres.items():
        print(f"{name:16}{genre.files:6} files {genre.hours:8.1f} h {genre.clips:8} clips")
    for left in seen.left_out:
        print(f"left out: {left.file}: {left.reason}")
    for note in seen.notes:
        print(f"note: {note}")
    print(
        f"{sum(genre.clips for genre in seen.genres.values())} clips, {seen.clips_there} of them "
        f"there; the others take about {seen.seconds / 60:.1f} min, at {CLIPS_A_SECOND} clips a "
        f"second and process, and {seen.bytes_needed / 1e9:.1f} GB of {seen.bytes_free / 1e9:.1f}"
    )
    check_room(options.out, seen.bytes_needed, "the data set")
    print("nothing was written")
    return 0
