"""A trained network listens to music of any length: what it hears every 5 s, and in all.

Files are decoded and drawn side by side, while the network works on what came before, in batches
that are filled across files. Little waits for it, so that hours need no more memory than minutes.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.errors import LilDataError
from lildata_utils.files import LISTENER_RUN, readable
from lildata_utils.genre.doubt import Heard, hear
from lildata_utils.genre.evaluation import vote
from lildata_utils.learning.runs import MODEL_FILE, Run, load_run, shipped_run
from lildata_utils.machine import usable_cores
from lildata_utils.networks.settings import CLASSIFIERS
from lildata_utils.parallel import map_unordered
from lildata_utils.sound.audio import AudioError, info, read_blocks
from lildata_utils.sound.spectrogram import (
    CLIP_S,
    N_BINS,
    N_FRAMES,
    SAMPLE_RATE,
    Floats,
    Image,
    cut_clips,
    to_image,
)

BATCH = 32
# Read from a file at a time, each of half a minute: about a batch.
BLOCKS = 6
# What tables hold of files, and of their clips.
CLIP_COLUMNS = (
    "file",
    "start_s",
    "genre",
    "probability",
    "second",
    "second_probability",
    "strange",
)
COLUMNS = ("file", "seconds", *CLIP_COLUMNS[2:], "damage")


@dataclass(frozen=True)
class Verdict:
    """What a network hears in a file (notebook 00).

    Attributes
    ----------
    file : Path
        The music.
    seconds : float
        Its length.
    genres : tuple of str
        What the columns of `probabilities` stand for.
    probabilities : ndarray of float32, shape (clips, genres)
        A row for every 5 s; what is left at the end of the file is not heard.
    overall : ndarray of float32, shape (genres,)
        The clips' vote.
    strangeness : ndarray of float32, shape (clips,), or None
        Above 1 a clip is unlike anything that was learned; None where the run can't tell.
    damage : tuple of str
        What is wrong with the file: it may end early, for one.
    """

    file: Path
    seconds: float
    genres: tuple[str, ...]
    probabilities: Floats
    overall: Floats
    strangeness: Floats | None = None
    damage: tuple[str, ...] = ()

    @property
    def genre(self) -> str:
        """The genre of the file as a whole."""
        return self.genres[int(self.overall.argmax())]

    @property
    def strange(self) -> bool | None:
        """Whether the file is unlike anything that was learned; None if nobody can tell."""
        return None if self.strangeness is None else bool(np.median(self.strangeness) > 1)

    def best_two(self, clip: int | None = None) -> list[tuple[str, float]]:
        """Name winner and runner-up, of a clip or of the whole, with their probabilities."""
        row = self.overall if clip is None else self.probabilities[clip]
        return [(self.genres[label], float(row[label])) for label in np.argsort(-row)[:2]]

    def spans(self) -> list[tuple[float, float, str, float]]:
        """Join neighbouring clips of one genre: start_s, end_s, genre, mean probability."""
        winners = self.probabilities.argmax(axis=1)
        spans = []
        for label, group in groupby(range(len(winners)), key=lambda clip: int(winners[clip])):
            clips = list(group)
            share = float(self.probabilities[clips, label].mean())
            spans.append((clips[0] * CLIP_S, (clips[-1] + 1) * CLIP_S, self.genres[label], share))
        return spans

    def clip_rows(self) -> Iterator[dict[str, Any]]:
        """Say it clip by clip, in rows of a table with `CLIP_COLUMNS`."""
        for clip in range(len(self.probabilities)):
            strange = None if self.strangeness is None else bool(self.strangeness[clip] > 1)
            yield _row(self.file, self.best_two(clip), strange) | {"start_s": clip * CLIP_S}

    def as_json(self) -> dict[str, Any]:
        """Say the same in what JSON can hold."""

        def named(row: Floats) -> dict[str, float]:
            return {g: round(float(p), 4) for g, p in zip(self.genres, row, strict=True)}

        clips: list[dict[str, Any]] = [
            {
                "start_s": number * CLIP_S,
                "genre": self.genres[row.argmax()],
                "probabilities": named(row),
            }
            for number, row in enumerate(self.probabilities)
        ]
        heard = {
            "file": str(self.file),
            "seconds": round(self.seconds, 1),
            "genre": self.genre,
            "probabilities": named(self.overall),
        }
        if self.strangeness is not None:
            heard["strange"] = self.strange
            for clip, strangeness in zip(clips, self.strangeness, strict=True):
                clip["strangeness"] = round(float(strangeness), 3)
        return heard | {"clips": clips} | ({"damage": list(self.damage)} if self.damage else {})


def as_row(ended: Verdict | AudioError) -> dict[str, Any]:
    """Say in a row of a table with `COLUMNS` what was heard, or why not (notebook 07)."""
    if isinstance(ended, AudioError):
        return {"file": readable(str(ended.path)), "damage": ended.reason}
    about = _row(ended.file, ended.best_two(), ended.strange)
    return about | {"seconds": round(ended.seconds, 1), "damage": "; ".join(ended.damage)}


def _row(file: Path, best: list[tuple[str, float]], strange: bool | None) -> dict[str, Any]:
    (genre, first), (second, less) = best
    shares = {"probability": round(first, 4), "second_probability": round(less, 4)}
    told = "" if strange is None else "yes" if strange else "no"
    return {"file": readable(str(file)), "genre": genre, "second": second, "strange": told} | shares


@dataclass(frozen=True)
class Step:
    """How far listening has come (notebook 07)."""

    clips: int  # Heard so far
    clips_in_all: int  # By the headers of the files that were opened, as if the rest were like them
    # What has just been heard to its end, or can't be.
    file: Path | None = None
    ended: Verdict | AudioError | None = None


@cache
def load_listener() -> Run:
    """Open the network that comes with the package and tells the course's genres (notebook 07).

    Raises
    ------
    LilDataError
        If none comes with this copy.
    """
    run = shipped_run(LISTENER_RUN.name)
    if run is None:
        raise LilDataError("no listener comes with this copy: train one, and name its run")
    return run


def classify_file(path: str | Path, run: Run | None = None) -> Verdict:
    """Let a network listen to a file (notebook 00).

    Parameters
    ----------
    path : str or Path
        Music in any format, of any length: it is read in blocks.
    run : Run, optional
        From `load_run`; by default that of `load_listener`.

    Raises
    ------
    AudioError
        If the file can't be read or is shorter than a clip.

    Examples
    --------
    >>> classify_file("some-mix.mp3").genre  # doctest: +SKIP
    'house'
    """
    (ended,) = (step.ended for step in classify_files([path], run) if step.ended is not None)
    if isinstance(ended, AudioError):
        raise ended
    return ended


def classify_files(
    paths: Iterable[str | Path], run: Run | None = None, cluster: str | None = None
) -> Iterator[Step]:
    """Let a network listen to files; one that can't be heard costs no other (notebook 07).

    Parameters
    ----------
    paths, run
        See `classify_file`; a path that comes twice is heard once.
    cluster : str, optional
        The address of a Dask scheduler whose workers listen, see `parallel.map_unordered`.

    Yields
    ------
    Step
        After each batch, and after each file, in the order in which they end.
    """
    files = list(dict.fromkeys(map(Path, paths)))
    if cluster is not None:
        yield from _on_cluster(files, run, cluster)
        return
    run = run or load_listener()
    if run.network not in CLASSIFIERS:
        raise LilDataError(
            f"{run.folder} is a run of {run.network}: expected one of {', '.join(CLASSIFIERS)}"
        )
    clips = opened = known = 0
    with closing(_read_all(files)) as pieces:
        for batch in _batches(pieces):
            heard = hear(run, np.concatenate([images for _, images in batch]), BATCH)
            at = 0
            for reading, images in batch:
                if not reading.heard:
                    opened, known = opened + 1, known + reading.expected
                clips += len(images)
                in_all = max(clips, known * len(files) // opened)
                reading.add(heard, at, at := at + len(images))
                if not len(images):
                    yield Step(clips, in_all, reading.file, reading.verdict(run.genres))
            yield Step(clips, in_all)


class _Reading:
    """A file that is being read: what its reader knows, and what was heard so far."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.expected = self.samples = 0
        self.damage: list[str] = []
        self.error: AudioError | None = None
        self.heard: list[Heard] = []
        self._pictures = self._draw()

    def next_pictures(self) -> list[Image]:
        """Draw the clips of the next minutes, block by block; none at the end."""
        return list(islice(self._pictures, BLOCKS))

    def _draw(self) -> Iterator[Image]:
        try:
            self.expected = int(info(self.file).duration_s / CLIP_S)
            for clips in cut_clips(self._blocks()):
                yield to_image(clips)[0]
        except AudioError as error:
            self.error = error

    def _blocks(self) -> Iterator[Floats]:
        for block in read_blocks(self.file, tell=self.damage.append):
            self.samples += len(block)
            yield block

    def add(self, heard: Heard, start: int, end: int) -> None:
        """Note the part of a batch that was this file's."""
        strangeness = heard.strangeness
        self.heard.append(
            Heard(
                heard.probabilities[start:end],
                None if strangeness is None else strangeness[start:end],
            )
        )

    def verdict(self, genres: tuple[str, ...]) -> Verdict | AudioError:
        """Sum up what was heard, now that the file has ended."""
        if self.error is not None:
            return self.error
        probabilities = np.concatenate([heard.probabilities for heard in self.heard])
        if not len(probabilities):
            return AudioError(self.file, f"too short: a clip needs {CLIP_S:.0f} s")
        told = [heard.strangeness for heard in self.heard if heard.strangeness is not None]
        return Verdict(
            self.file,
            self.samples / SAMPLE_RATE,
            genres,
            probabilities,
            overall=vote(probabilities, np.zeros(len(probabilities), int))[0],
            strangeness=np.concatenate(told) if told else None,
            damage=tuple(self.damage),
        )


# A file with pictures of its next clips; with none, it has ended.
_Piece = tuple[_Reading, Image]
_END = np.empty((0, N_BINS, N_FRAMES), np.uint8)


def _read_all(files: Sequence[Path]) -> Generator[_Piece, None, None]:
    """Read files side by side, each a few minutes ahead of who takes them."""
    left = map(_Reading, files)
    ahead: dict[Future[list[Image]], _Reading] = {}
    with ThreadPoolExecutor(usable_cores(), "reader") as readers:
        for reading in islice(left, usable_cores()):
            ahead[readers.submit(reading.next_pictures)] = reading
        while ahead:
            done, _ = wait(ahead, return_when=FIRST_COMPLETED)
            for future in done:
                reading = ahead.pop(future)
                pictures = future.result()
                following = reading if pictures else next(left, None)
                if following is not None:
                    ahead[readers.submit(following.next_pictures)] = following
                yield from ((reading, images) for images in pictures or [_END])


def _batches(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Fill batches from as many files as it takes."""
    batch: list[_Piece] = []
    clips = 0
    for reading, images in pieces:
        ended = not len(images)
        while clips + len(images) >= BATCH:
            room = BATCH - clips
            yield [*batch, (reading, images[:room])]
            batch, clips, images = [], 0, images[room:]
        if ended or len(images):
            batch.append((reading, images))
            clips += len(images)
    if batch:
        yield batch


def _on_cluster(files: Sequence[Path], run: Run | None, address: str) -> Iterator[Step]:
    listen = partial(_listen, None if run is None else run.folder)
    clips = ended = 0
    for one in map_unordered(listen, files, address, lost=AudioError):
        if one is not None:
            file, verdict = one
            ended += 1
            clips += 0 if isinstance(verdict, AudioError) else len(verdict.probabilities)
            yield Step(clips, clips * len(files) // ended, file, verdict)


def _listen(folder: Path | None, path: Path) -> Verdict | AudioError:
    try:
        return classify_file(path, None if folder is None else _opened(folder))
    except AudioError as error:
        return error


def _opened(folder: Path) -> Run:
    """Open a run once for many files, and anew when it was trained anew."""
    return _opened_then(folder, (folder / MODEL_FILE).stat().st_mtime_ns)


@lru_cache(1)
def _opened_then(folder: Path, time_ns: int) -> Run:
    return load_run(folder)


def describe(verdict: Verdict) -> Iterator[str]:
    """Say in lines what was heard when, then the verdict on the file (notebook 00).

    Yields
    ------
    str
        Like ``  0:00 -  1:35  house  93%``; at last ``  verdict: house 81%, then trance 9%``.
    """
    yield f"{verdict.file}:"
    for start_s, end_s, genre, share in verdict.spans():
        yield f"  {_clock(start_s)} - {_clock(end_s)}  {genre:14} {share:4.0%}"
    (genre, first), (second, less) = verdict.best_two()
    if verdict.strange:
        yield f"  verdict: unlike anything it learned (nearest: {genre})"
    else:
        yield f"  verdict: {genre} {first:.0%}, then {second} {less:.0%}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:4}:{rest:02}"
