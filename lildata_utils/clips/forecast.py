"""What a preparation will find and need, told before the work begins."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lildata_utils.clips.shards import IMAGE_BYTES, expected_clips, finished_record
from lildata_utils.clips.sources import (
    Skipped,
    check_apart,
    drop_duplicates,
    find_sources,
    genre_folders,
    share_limit,
)
from lildata_utils.files import readable
from lildata_utils.machine import free_bytes, usable_cores
from lildata_utils.parallel import Workers
from lildata_utils.sound.audio import AudioError, info
from lildata_utils.sound.spectrogram import CLIP_S

# Of one process: benchmarks/prepare.py measured 132 of two, MP3 on an AMD EPYC (docs/results/).
CLIPS_A_SECOND = 66
# So many times the clips of another genre are called uneven.
UNEVEN = 2


@dataclass(frozen=True)
class Expected:
    """What a genre will give (notebook 01)."""

    files: int
    hours: float  # Of music, in whole clips
    clips: int  # Of them those that are taken; fewer under a limit


@dataclass(frozen=True)
class Forecast:
    """What `prepare` will do, as far as the files' headers tell (notebook 01)."""

    genres: dict[str, Expected]
    clips_there: int  # From an earlier run
    seconds: float  # At `CLIPS_A_SECOND`; a cluster is taken for this machine
    bytes_needed: int
    bytes_free: int
    left_out: list[Skipped]
    notes: list[str]


def forecast(
    source: str | Path, out: str | Path, workers: Workers | None = None, limit: int | None = None
) -> Forecast:
    """Look at the music below a folder as `prepare` would, and write nothing (notebook 01)."""
    source, out = Path(source), Path(out)
    check_apart(source, out)
    found, left_out = find_sources(source)
    files, duplicates = drop_duplicates(found)
    whole = {file.path: expected_clips(file) for file in files}
    all_clips, taken, there = Counter[str](), Counter[str](), 0
    for file in files:
        all_clips[file.genre] += whole[file.path]
        if not whole[file.path]:
            duplicates.append(Skipped(file.file, None, _reason(file.path)))
    for file in files if limit is None else share_limit(files, limit):
        record = finished_record(file, out)
        expected = whole[file.path] if file.limit is None else min(whole[file.path], file.limit)
        clips = len(record.starts_s) if record else expected
        taken[file.genre] += clips
        there += clips if record else 0
    genres = {
        genre: Expected(n, all_clips[genre] * CLIP_S / 3600, taken[genre])
        for genre, n in Counter(file.genre for file in found).items()
    }
    coming = taken.total() - there
    processes = workers if isinstance(workers, int) else usable_cores()
    clips_of = {genre: expected.clips for genre, expected in genres.items()}
    return Forecast(
        genres=genres,
        clips_there=there,
        seconds=coming / CLIPS_A_SECOND / processes,
        bytes_needed=coming * IMAGE_BYTES,
        bytes_free=free_bytes(out),
        left_out=left_out + duplicates,
        notes=remarks(source, clips_of) + _uneven(clips_of),
    )


def remarks(source: Path, clips: Mapping[str, int]) -> list[str]:
    """Say which genres are missing, given the clips of those that have files (notebook 01)."""
    names = [readable(folder.name) for folder in genre_folders(source)]
    notes = [f"genre {name}: its folder is empty" for name in names if name not in clips]
    notes += [f"genre {name}: no usable clip" for name in clips if not clips[name]]
    heard = [name for name in clips if clips[name]]
    if len(heard) == 1:
        notes.append(f"genre {heard[0]} is alone: there is nothing to tell it from")
    return notes


def _reason(path: Path) -> str:
    try:
        return f"too short: {info(path).duration_s:.1f} s, a clip needs {CLIP_S:.0f} s"
    except AudioError as error:
        return error.reason


def _uneven(clips: Mapping[str, int]) -> list[str]:
    heard = Counter({name: n for name, n in clips.items() if n}).most_common()
    if not heard or heard[0][1] < UNEVEN * heard[-1][1]:
        return []
    (most, n_most), (least, n_least) = heard[0], heard[-1]
    return [
        f"uneven: {most} has {n_most / n_least:.1f} times the clips of {least}; "
        f"--limit {n_least} would take as many of each"
    ]
