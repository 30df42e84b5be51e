"""The crate on disk: a folder a genre, a file a track or a mix, and what is in them as tables."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from lildata_utils.crate.artists import artist_number
from lildata_utils.crate.composing import compose, meet, title
from lildata_utils.crate.mixes import Mix, plan_mix, render_mix
from lildata_utils.crate.rendering import render
from lildata_utils.crate.waves import SAMPLE_RATE, Waveform
from lildata_utils.errors import LilDataError
from lildata_utils.files import write_text, written_beside
from lildata_utils.genres import GENRES
from lildata_utils.parallel import map_unordered

# Part of every file's comment: raise it when the music changes, and old files are made anew.
VERSION = 1
FORMATS = ("flac", "wav", "ogg", "mp3")
MIX_S = 3600.0
# libsndfile's Vorbis encoder crashes on long arrays.
_BLOCK = 10 * SAMPLE_RATE


@dataclass(frozen=True)
class CrateStep:
    """A file of the collection is there.

    Attributes
    ----------
    done, total : int
        Files so far, files in all.
    path : Path
    music_s : float
        Its length in seconds.
    rendered : bool
        False if it was there before.
    """

    done: int
    total: int
    path: Path
    music_s: float
    rendered: bool


@dataclass(frozen=True)
class _Job:
    path: Path
    genre: str
    numbers: tuple[int, ...]
    seed: int
    duration_s: float | None
    is_mix: bool

    @property
    def comment(self) -> str:
        """What the file is made from; a file with the same comment is not made again."""
        numbers = f"{self.numbers[0]}-{self.numbers[-1]}" if self.is_mix else str(self.numbers[0])
        length = "own length" if self.duration_s is None else f"{self.duration_s:g} s"
        return f"lildata crate {VERSION}: {self.genre} {numbers}, seed {self.seed}, {length}"


def write_collection(
    out: Path,
    tracks: int = 16,
    duration_s: float | None = None,
    genres: Sequence[str] = GENRES,
    seed: int = 0,
    format: str = "flac",
    mixes: bool = False,
    workers: int = 1,
) -> Iterator[CrateStep]:
    """Render a collection: ``OUT/<genre>/<Artist - Title>.flac`` and ``OUT/<genre>/tracks.csv``.

    A run that was killed is completed by the same call; files that are there are kept. Any number
    of workers writes the same bytes.

    Parameters
    ----------
    out : Path
        Folder, made if missing.
    tracks : int
        Tracks a genre. Track `k` is the same in every collection of the same seed.
    duration_s : float or None
        Length of each track; None lets each have its own, 60 to 240 s.
    genres : sequence of str
        Some of `GENRES`.
    seed : int
        0 or more.
    format : str
        ``flac``, ``wav``, ``ogg`` or ``mp3``; mono, 22 050 Hz, 16 bits.
    mixes : bool
        Chain the tracks of a genre to mixes of at most about an hour,
        ``OUT/<genre>/Mix 01.flac``, with a track list ``Mix 01.tracks.csv`` beside each.
    workers : int
        Processes.

    Yields
    ------
    CrateStep
        One for every file, as they are finished.

    Raises
    ------
    LilDataError
        If an argument is out of range, or a genre's folder holds sound of another collection.
    """
    _check(tracks, genres, format, workers)
    plan = _mix_jobs if mixes else _track_jobs
    jobs = [job for genre in genres for job in plan(out, genre, tracks, duration_s, seed, format)]
    _refuse_strangers(jobs)
    done = 0
    # What is there is found without starting processes.
    there = {job: music_s for job in jobs if (music_s := _length_if_same(job)) is not None}
    for job, music_s in there.items():
        done += 1
        yield CrateStep(done, len(jobs), job.path, music_s, rendered=False)
    missing = [job for job in jobs if job not in there]
    for ended in map_unordered(_write, missing, workers):
        if ended is not None:
            job, music_s = ended
            done += 1
            yield CrateStep(done, len(jobs), job.path, music_s, rendered=True)
    if not mixes:
        for genre in genres:
            own = [_row(job) for job in jobs if job.genre == genre]
            write_text(out / genre / "tracks.csv", _table(own))


def _check(tracks: int, genres: Sequence[str], format: str, workers: int) -> None:
    for genre in genres:
        if genre not in GENRES:
            raise LilDataError(f"genre {genre!r} is unknown: expected some of {', '.join(GENRES)}")
    if not genres or len(set(genres)) < len(genres):
        raise LilDataError(f"genres {', '.join(genres)!r}: expected each once, and at least one")
    if tracks < 1:
        raise LilDataError(f"{tracks} tracks a genre: expected 1 or more")
    if format not in FORMATS:
        raise LilDataError(f"format {format!r} is unknown: expected one of {', '.join(FORMATS)}")
    if workers < 1:
        raise LilDataError(f"{workers} workers: expected 1 or more")


def _track_jobs(
    out: Path,
    genre: str,
    tracks: int,
    duration_s: float | None,
    seed: int,
    format: str,
) -> list[_Job]:
    # The first track is composed here, so that wrong arguments are refused before work starts.
    compose(genre, 0, seed, duration_s)
    return [
        _Job(
            out / genre / f"{meet(genre, artist_number(number), seed).name} - "
            f"{title(genre, number, seed)}.{format}",
            genre,
            (number,),
            seed,
            duration_s,
            False,
        )
        for number in range(tracks)
    ]


def _mix_jobs(
    out: Path,
    genre: str,
    tracks: int,
    duration_s: float | None,
    seed: int,
    format: str,
) -> list[_Job]:
    groups: list[list[int]] = [[]]
    length_s = 0.0
    for number in range(tracks):
        track_s = compose(genre, number, seed, duration_s).duration_s
        if groups[-1] and length_s + track_s > MIX_S:
            groups.append([])
            length_s = 0.0
        groups[-1].append(number)
        length_s += track_s
    return [
        _Job(out / genre / f"Mix {count:02d}.{format}", genre, tuple(group), seed, duration_s, True)
        for count, group in enumerate(groups, start=1)
    ]


def _refuse_strangers(jobs: Sequence[_Job]) -> None:
    """Refuse folders with sound that would be mistaken for a part of the collection."""
    expected = {job.path for job in jobs}
    for folder in sorted({job.path.parent for job in jobs}):
        for path in sorted(folder.glob("*")):
            if path.suffix[1:] in FORMATS and path not in expected and path.name[0] != ".":
                raise LilDataError(
                    f"{path} is not part of this collection (another seed, number of tracks or "
                    "format?): choose an empty folder or remove the file"
                )


def _row(job: _Job) -> dict[str, Any]:
    """Make a track's row of ``tracks.csv``."""
    track = compose(job.genre, job.numbers[0], job.seed, job.duration_s)
    return {
        "file": job.path.name,
        "artist": track.artist.name,
        "title": track.title,
        "tempo_bpm": track.tempo_bpm,
        "key": track.key,
        "seed": job.seed,
    }


def _write(job: _Job) -> float:
    """Render a job's file; give its length in seconds."""
    if not job.is_mix:
        track = compose(job.genre, job.numbers[0], job.seed, job.duration_s)
        return _write_sound(job, track.artist.name, track.title, [render(track)])
    mix = plan_mix(job.genre, job.numbers, job.seed, job.duration_s)
    # The list first: where the sound is, the list is.
    write_text(job.path.with_suffix(".tracks.csv"), _table(_track_list(mix)))
    return _write_sound(job, "Various Artists", job.path.stem, render_mix(mix))


def _length_if_same(job: _Job) -> float | None:
    """Length in seconds of the file at the job's path, if it is what the job would write."""
    try:
        with soundfile.SoundFile(job.path) as file:
            if file.comment != job.comment:
                return None
            # A file that somebody cut short still says how long it was.
            file.seek(file.frames - 1)
            return file.frames / file.samplerate if len(file.read(1)) else None
    except soundfile.LibsndfileError:
        return None


def _write_sound(job: _Job, artist: str, title: str, blocks: Iterable[Waveform]) -> float:
    with (
        written_beside(job.path) as beside,
        soundfile.SoundFile(beside, "w", SAMPLE_RATE, 1) as file,
    ):
        file.comment = job.comment
        file.artist, file.title = artist, title
        for waveform in blocks:
            for start in range(0, len(waveform), _BLOCK):
                file.write(waveform[start : start + _BLOCK])
        return file.frames / SAMPLE_RATE


def _track_list(mix: Mix) -> list[dict[str, Any]]:
    return [
        {
            "start_s": round(start, 3),
            "end_s": round(end, 3),
            "artist": track.artist.name,
            "title": track.title,
            "tempo_bpm": track.tempo_bpm,
            "key": track.key,
        }
        for start, end, track in zip(mix.starts_s, mix.ends_s, mix.tracks, strict=True)
    ]


def _table(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
