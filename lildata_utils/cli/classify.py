"""A network listens to a library: `lildata classify`."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lildata_utils.cli.genre import load_run
from lildata_utils.cli.options import add_cluster
from lildata_utils.cli.output import Add, bar, fail, follow
from lildata_utils.errors import LilDataError
from lildata_utils.networks.settings import CLASSIFIERS

if TYPE_CHECKING:
    from lildata_utils.genre.listening import Verdict
    from lildata_utils.sound.audio import AudioError

ITSELF = "`lildata classify`"


def add_commands(add: Add) -> None:
    """Add the command of this module (README)."""
    words = "tell the genre of music files, every 5 s and as a whole"
    sub = add("classify", _classify, words, "the same command begins anew")
    sub.add_argument("audio", type=Path, nargs="+", metavar="AUDIO", help="music, or folders of it")
    sub.add_argument(
        "--run",
        type=Path,
        metavar="RUN",
        help="ask a network of `lildata train` (default: the listener that comes with it)",
    )
    sub.add_argument("--csv", type=Path, metavar="FILE", help="write a table, a row a file")
    sub.add_argument("--clips", type=Path, metavar="FILE", help="write a table, a row a clip")
    sub.add_argument("--json", action="store_true", help="for machines")
    sub.add_argument("--out", type=Path, metavar="FOLDER", help="draw the genre over time there")
    sub.add_argument(
        "--write-tags",
        action="store_true",
        help="write the genre into the files; a comment keeps the one that was there",
    )
    sub.add_argument(
        "--dry-run", action="store_true", help="with --write-tags: say what would be written"
    )
    add_cluster(sub)


def _classify(options: argparse.Namespace) -> int:
    from lildata_utils.genre import listening

    if options.dry_run and not options.write_tags:
        raise LilDataError("--dry-run says what --write-tags would write: give both")
    if options.csv is not None and options.csv == options.clips:
        raise LilDataError(f"--csv and --clips both name {options.csv}: give each its own")
    files, failed = _find(options.audio)
    pictures = _pictures(files, options.out)
    run = load_run(options.run, CLASSIFIERS) if options.run else listening.load_listener()
    ended: dict[Path, Verdict | AudioError] = {}
    with (
        _table(options.csv, listening.COLUMNS, files) as rows,
        _table(options.clips, listening.CLIP_COLUMNS, files) as clip_rows,
        bar("clip") as shown,
    ):
        for step in listening.classify_files(files, run, options.workers):
            follow(shown, step.clips, step.clips_in_all)
            if step.file is not None and step.ended is not None:
                ended[step.file] = step.ended
                with shown.external_write_mode():
                    failed |= _tell(options, step.ended, pictures.get(step.file))
        # As they were given, and lie in their folders, and not as they ended.
        rows += [listening.as_row(ended[file]) for file in files]
        heard = [one for file in files if not isinstance(one := ended[file], LilDataError)]
        clip_rows += [row for verdict in heard for row in verdict.clip_rows()]
    if options.json:
        print(json.dumps([one.as_json() for one in heard], indent=2, ensure_ascii=False))
    return failed


def _find(given: Sequence[Path]) -> tuple[list[Path], int]:
    """List the music, and say what is none; give the exit status so far, too."""
    from lildata_utils.clips.sources import find_music
    from lildata_utils.learning.runs import RUN_FILE

    for path in given:
        if (path / RUN_FILE).is_file():
            raise LilDataError(f"{path} is a run, not music: name it as --run {path}")
    files, skipped = find_music(given)
    failed = 0
    for one in skipped:
        failed = fail(f"{one.file}: {one.reason}")
    return files, failed


def _pictures(files: Sequence[Path], folder: Path | None) -> dict[Path, Path]:
    """Name the picture of each file, if pictures are wanted; none may be somebody else's."""
    from lildata_utils.files import check_results, picture_names

    if folder is None:
        return {}
    pictures = {file: folder / name for file, name in zip(files, picture_names(files), strict=True)}
    for picture in pictures.values():
        check_results([picture], files, ITSELF, partial(_check_drawn_here, picture))
    return pictures


def _check_drawn_here(picture: Path) -> None:
    with picture.open("rb") as file:
        if ITSELF.encode() not in file.read(1024):
            raise LilDataError("it does not say so")


@contextmanager
def _table(
    path: Path | None, columns: Sequence[str], files: Sequence[Path]
) -> Iterator[list[dict[str, Any]]]:
    """Give a list for rows, which become a table at the end, if one is wanted."""
    rows: list[dict[str, Any]] = []
    if path is None:
        yield rows
        return
    import pandas as pd

    from lildata_utils.files import check_results, read_table, written_beside

    check_results([path], files, ITSELF, partial(read_table, path, columns))
    with written_beside(path) as beside:
        beside.touch()  # what can't be written is told before the work
        yield rows
        table = pd.DataFrame(rows, columns=list(columns))
        table.to_csv(beside, index=False, errors="backslashreplace")


def _tell(options: argparse.Namespace, ended: "Verdict | AudioError", picture: Path | None) -> int:
    """Print and draw what was heard in a file, and write it into its tags, as far as wanted."""
    from lildata_utils.genre.listening import describe

    if isinstance(ended, LilDataError):
        return fail(str(ended))
    for words in ended.damage:
        print(f"{ended.file}: {words}", file=sys.stderr)
    out = sys.stderr if options.json else sys.stdout
    if not options.json:
        print("\n".join(describe(ended)))
    try:
        if picture is not None:
            _draw(ended, picture)
            print(f"{picture}: the genre over time", file=out)
        if options.write_tags:
            print(f"{ended.file}: {_write_tag(ended, options.dry_run)}", file=out)
    except LilDataError as error:
        return fail(str(error))
    return 0


def _draw(verdict: "Verdict", path: Path) -> None:
    from lildata_utils.clips.sources import read_mix_list
    from lildata_utils.files import written_beside
    from lildata_utils.show import learning_figures

    tracks = [(track.start_s, track.title) for track in read_mix_list(verdict.file)]
    figure = learning_figures.genre_over_time(verdict.probabilities, verdict.genres, tracks)
    with written_beside(path) as beside:
        figure.savefig(beside, dpi=150, metadata={"Software": ITSELF})


def _write_tag(verdict: "Verdict", dry_run: bool) -> str:
    """Write the genre into a file's tags; say in words what was, or would be, done."""
    from lildata_utils.genres import genre_label
    from lildata_utils.sound import tags

    if verdict.strange:
        return "no tag, since it is unlike anything that was learned"
    there, genre = tags.read_genre(verdict.file), genre_label(verdict.genre)
    if there == genre:
        return f"its tag is {genre} already"
    if not dry_run:
        tags.write_genre(verdict.file, genre)
    return f"its tag {'would become' if dry_run else 'is now'} {genre} (was: {there or 'none'})"
