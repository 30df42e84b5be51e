"""A collection as it sounds through a phone in a room: every track degraded."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from typing import NamedTuple

from lildata_utils.crate.degradation import degrade
from lildata_utils.errors import LilDataError
from lildata_utils.files import written_beside
from lildata_utils.parallel import Workers, map_unordered
from lildata_utils.sound import audio


class _Job(NamedTuple):
    source: Path
    out: Path
    seed: int

    def __str__(self) -> str:
        return str(self.out)


def degrade_collection(
    source: str | Path, out: str | Path, seed: int = 0, workers: Workers = 1
) -> Iterator[tuple[int, int]]:
    """Degrade every track of a collection into ``OUT/<genre>/<same name>.flac`` (notebook 03).

    What is there is not made again, and any ``tracks.csv`` is copied.

    Parameters
    ----------
    source : str or Path
        A folder with a folder a genre, as `lildata crate` writes it: FLAC.
    out : str or Path
        Folder, made if missing.
    seed : int
        With a track's name, it draws what happens to the track.
    workers : int or str
        See `parallel.map_unordered`.

    Yields
    ------
    done, total : int
        Tracks.

    Raises
    ------
    LilDataError
        If there are no tracks.
    """
    source, out = Path(source), Path(out)
    tracks = sorted(source.glob("*/*.flac"))
    if not tracks:
        raise LilDataError(f"{source} has no tracks: expected <genre>/<track>.flac")
    for table in source.glob("*/tracks.csv"):
        with written_beside(out / table.relative_to(source)) as beside:
            copyfile(table, beside)
    jobs = []
    for track in tracks:
        name = track.relative_to(source)
        if not (out / name).is_file():
            jobs.append(_Job(track, out / name, seed + zlib.crc32(name.as_posix().encode())))
    done = len(tracks) - len(jobs)
    yield done, len(tracks)
    for ended in map_unordered(_write, jobs, workers, shared=out):
        if ended is not None:
            done += 1
            yield done, len(tracks)


def _write(job: _Job) -> None:
    audio.write(job.out, degrade(audio.read(job.source), job.seed))
