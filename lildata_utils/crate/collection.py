"""The crate on disk: a folder a genre, a file a track or a mix, and what is in them as tables."""

import csv
import errno
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import soundfile

from lildata_utils.crate.artists import Track, artist_number
from lildata_utils.crate.composing import compose, meet, title
from lildata_utils.crate.covers import cover
from lildata_utils.crate.mixes import plan_mix, render_mix
from lildata_utils.crate.rendering import render
from lildata_utils.crate.settings import Collection
from lildata_utils.crate.waves import Waveform
from lildata_utils.errors import LilDataError
from lildata_utils.files import write_text, written_beside
from lildata_utils.genres import MUSIC
from lildata_utils.parallel import Workers, map_unordered
from lildata_utils.sound.audio import WRITE_BLOCK
from lildata_utils.sound.settings import MIME_TYPES
from lildata_utils.sound.spectrogram import SAMPLE_RATE

# Encoders pad a little; a page of OGG or a frame of FLAC that is missing is longer.
SHORTEST_LOSS_S = 0.1

# Part of every file's comment: raise it when the music changes, and old files are made anew.
VERSION = 1
MIX_S = 3600.0


@dataclass(frozen=True)
class CrateStep:
    """A file of the collection is there (notebook 01)."""

    # Files so far, files in all.
    done: int
    total: int
    path: Path
    music_s: float  # Its length in seconds
    rendered: bool  # False if it was there before


@dataclass(frozen=True)
class _Job:
    path: Path
    genre: str
    numbers: tuple[int, ...]
    collection: Collection
    cover: str | None = None  # The genre in which the track is played again

    def __str__(self) -> str:
        return str(self.path)

    @property
    def comment(self) -> str:
        """What the file is made from; a file with the same comment is not made again."""
        first, last = self.numbers[0], self.numbers[-1]
        numbers = f"{first}-{last}" if self.collection.mixes else f"{first}"
        duration_s, seed = self.collection.duration_s, self.collection.seed
        length = "own length" if duration_s is None else f"{duration_s:g} s"
        played = f", played as {self.cover}" if self.cover else ""
        return f"lildata crate {VERSION}: {self.genre} {numbers}, seed {seed}, {length}{played}"

    def composed(self) -> Track:
        """Compose the job's track, the first one of a mix."""
        track = compose(
            self.genre, self.numbers[0], self.collection.seed, self.collection.duration_s
        )
        return cover(track, self.cover) if self.cover else track


def write_collection(
    out: str | Path, collection: Collection = Collection(), workers: Workers = 1
) -> Iterator[CrateStep]:
    """Render a collection: ``OUT/<genre>/<Artist - Title>.flac`` and ``tracks.csv`` (notebook 01).

    Mixes become ``OUT/<genre>/Mix 01.flac``, with a track list ``Mix 01.tracks.csv`` beside each.
    A cover is ``OUT/<genre>/<Artist - Title> as <other>.flac``, aligned to the sample with its
    original, and stands in ``covers.csv``.
    A run that was killed is completed by the same call; files that are there are kept. Any
    `workers`, see `parallel.map_unordered`, write the same bytes.

    Yields
    ------
    CrateStep
        One for every file, as they are finished.

    Raises
    ------
    LilDataError
        If a genre's folder holds sound of another collection.
    """
    plan = _mix_jobs if collection.mixes else _track_jobs
    jobs = [job for genre in collection.genres for job in plan(Path(out) / genre, collection)]
    _refuse_strangers(jobs)
    # What is there is found without starting processes.
    there = {
        job: music_s
        for job in jobs
        if (music_s := _length_if_same(job.path, job.comment)) is not None
    }
    for done, (job, music_s) in enumerate(there.items(), start=1):
        yield CrateStep(done, len(jobs), job.path, music_s, rendered=False)
    done = len(there)
    missing = [job for job in jobs if job not in there]
    for ended in map_unordered(_write, missing, workers, shared=Path(out)):
        if ended is not None:
            job, music_s = ended
            done += 1
            yield CrateStep(done, len(jobs), job.path, music_s, rendered=True)
    if not collection.mixes:
        for genre in collection.genres:
            own = [job for job in jobs if job.genre == genre]
            tracks = [_row(job) for job in own if job.cover is None]
            write_text(Path(out) / genre / "tracks.csv", _table(tracks))
            if covers := [_cover_row(job) for job in own if job.cover is not None]:
                write_text(Path(out) / genre / "covers.csv", _table(covers))


def _track_jobs(folder: Path, collection: Collection) -> list[_Job]:
    genre, seed = folder.name, collection.seed
    jobs = []
    for number in range(collection.tracks):
        artist = meet(genre, artist_number(number), seed).name
        name = f"{artist} - {title(genre, number, seed)}"
        jobs.append(_Job(folder / f"{name}.{collection.format}", genre, (number,), collection))
        if collection.covers and genre in MUSIC:
            jobs += [
                _Job(_as(jobs[-1].path, other), genre, (number,), collection, other)
                for other in collection.genres
                if other in MUSIC and other != genre
            ]
    return jobs


def _as(path: Path, genre: str) -> Path:
    return path.with_name(f"{path.stem} as {genre}{path.suffix}")


def _mix_jobs(folder: Path, collection: Collection) -> list[_Job]:
    genre = folder.name
    groups: list[list[int]] = [[]]
    length_s = 0.0
    for number in range(collection.tracks):
        track_s = compose(genre, number, collection.seed, collection.duration_s).duration_s
        if groups[-1] and length_s + track_s > MIX_S:
            groups.append([])
            length_s = 0.0
        groups[-1].append(number)
        length_s += track_s
    return [
        _Job(folder / f"Mix {count:02d}.{collection.format}", genre, tuple(group), collection)
        for count, group in enumerate(groups, start=1)
    ]


def _refuse_strangers(jobs: Sequence[_Job]) -> None:
    """Refuse folders with sound that would be mistaken for a part of the collection."""
    expected = {job.path for job in jobs}
    for folder in sorted({job.path.parent for job in jobs}):
        for path in sorted(folder.glob("*")):
            if path.suffix[1:] in MIME_TYPES and path not in expected and path.name[0] != ".":
                raise LilDataError(
                    f"{path} is not part of this collection (another seed, number of tracks or "
                    "format?): choose an empty folder or remove the file"
                )


def _row(job: _Job) -> dict[str, Any]:
    """Make a track's row of ``tracks.csv``."""
    return {"file": job.path.name, **_described(job.composed()), "seed": job.collection.seed}


def _cover_row(job: _Job) -> dict[str, Any]:
    """Make a pair's row of ``covers.csv``."""
    original = replace(job, cover=None)
    return {
        "original": job.path.name.removesuffix(f" as {job.cover}{job.path.suffix}")
        + job.path.suffix,
        "cover": job.path.name,
        "genre": job.cover,
        **_described(job.composed()),
        "tempo_of_original_bpm": original.composed().tempo_bpm,
        "seed": job.collection.seed,
    }


def _described(track: Track) -> dict[str, Any]:
    return {
        "artist": track.artist.name,
        "title": track.title,
        "tempo_bpm": track.tempo_bpm,
        "key": track.key,
    }


def _write(job: _Job) -> float:
    """Render a job's file; give its length in seconds."""
    if not job.collection.mixes:
        track = job.composed()
        return _write_sound(job, track.artist.name, track.title, [render(track)])
    mix = plan_mix(job.genre, job.numbers, job.collection.seed, job.collection.duration_s)
    # The list first: where the sound is, the list is.
    spans = zip(mix.starts_s, mix.ends_s, mix.tracks, strict=True)
    rows = [
        {"start_s": round(start, 3), "end_s": round(end, 3), **_described(track)}
        for start, end, track in spans
    ]
    write_text(job.path.with_suffix(".tracks.csv"), _table(rows))
    return _write_sound(job, "Various Artists", job.path.stem, render_mix(mix))


def _length_if_same(path: Path, comment: str) -> float | None:
    """Length in seconds of a whole file with a comment, which says what it was made of."""
    try:
        with soundfile.SoundFile(path) as file:
            if file.comment != comment:
                return None
            # A file that somebody cut short still says how long it was.
            file.seek(file.frames - 1)
            return file.frames / file.samplerate if len(file.read(1)) else None
    except soundfile.LibsndfileError:
        return None


def _write_sound(job: _Job, artist: str, title: str, blocks: Iterable[Waveform]) -> float:
    with written_beside(job.path) as beside:
        try:
            with soundfile.SoundFile(beside, "w", SAMPLE_RATE, 1) as file:
                file.comment = job.comment
                file.artist, file.title = artist, title
                for waveform in blocks:
                    for start in range(0, len(waveform), WRITE_BLOCK):
                        file.write(waveform[start : start + WRITE_BLOCK])
                length_s: float = file.frames / SAMPLE_RATE
        except soundfile.LibsndfileError as error:
            raise OSError(errno.EIO, str(error)) from None
        # libsndfile says nothing of a disk that is full when it closes a file.
        if abs((_length_if_same(beside, job.comment) or 0.0) - length_s) > SHORTEST_LOSS_S:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return length_s


def _table(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
