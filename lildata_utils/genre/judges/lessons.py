"""Music for the judges to learn from, or to be tested on: heard as it is, and worn."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lildata_utils.clips import dataset
from lildata_utils.clips.settings import SPLITS
from lildata_utils.clips.sources import find_sources
from lildata_utils.errors import LilDataError
from lildata_utils.genre.judges.conditions import CODEC, CONDITIONS, NOISE, PICTURE, SOUND
from lildata_utils.genre.judges.features import Heard, hear, join
from lildata_utils.parallel import Workers, map_unordered
from lildata_utils.sound import audio
from lildata_utils.sound.clip import SILENCE
from lildata_utils.sound.inversion import invert
from lildata_utils.sound.spectrogram import CLIP_S, Floats, cut_clips

# Inversion costs fifty times what the rest does, and little of it is heard: one clip in so many.
PICTURES_ONE_IN = 24
Item = TypeVar("Item")
# What is heard of a track, and in which conditions.
_Told = tuple[Heard, list[str]]


@dataclass(frozen=True)
class Track:
    """A track of a genre: a file of sound, or a shard of a data set (notebook 07)."""

    label: int
    number: int  # Within the genre
    path: Path
    # Of a shard: which pictures, and their levels. Of a file of sound: none.
    pictures: tuple[tuple[int, float], ...] = ()

    def __str__(self) -> str:
        return str(self.path)

    @property
    def seed(self) -> int:
        """What is done to its clips does not depend on how many tracks other genres have."""
        return self.number + 1000 * self.label

    def clips(self, most: int | None = None) -> Iterator[Floats]:
        """Read clips of 5 s, at most so many, evenly spread; silent ones are left out."""
        if self.pictures:
            images = np.load(self.path, mmap_mode="r")
            for index, peak_db in _spread(self.pictures, most):
                *_, last = invert(np.array(images[index]), peak=10 ** (peak_db / 20))
                yield last.waveform
        else:
            blocks = audio.read_blocks(self.path, tell=lambda _: None)
            loud = [clip for some in cut_clips(blocks) for clip in some if _is_loud(clip)]
            yield from _spread(loud, most)


@dataclass(frozen=True)
class Lessons:
    """Clips as the judges hear them, several times each (notebook 07)."""

    genres: tuple[str, ...]
    heard: Heard
    labels: NDArray[np.int64]
    tracks: NDArray[np.int64]  # From 0 on
    conditions: NDArray[np.str_]  # Of `CONDITIONS`
    left_out: tuple[str, ...] = ()  # Files that could not be heard, and why

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Listening:
    """How many tracks are heard; the lessons after the last one (notebook 07)."""

    done: int
    tracks: int
    lessons: Lessons | None = None

    @property
    def finished(self) -> Lessons:
        """The lessons, after the last track."""
        assert self.lessons is not None
        return self.lessons


def find_tracks(source: str | Path, splits: Sequence[str]) -> tuple[tuple[str, ...], list[Track]]:
    """Find genres and tracks: of these splits of a data set, or of a folder of music (notebook 07).

    Raises
    ------
    LilDataError
        If it is neither, or has fewer than two genres.
    """
    source = Path(source)
    tracks: list[Track] = []
    count: Counter[str] = Counter()

    def add(genre: str, path: Path, pictures: tuple[tuple[int, float], ...] = ()) -> None:
        tracks.append(Track(genres.index(genre), count[genre], path, pictures))
        count[genre] += 1

    if (source / dataset.DESCRIPTION).is_file():
        clips = dataset.load(source)
        genres = clips.genres
        rows = clips.clips[clips.clips["split"].isin(splits)]
        for shard in dict.fromkeys(rows["shard"]):
            of_shard = rows[rows["shard"] == shard]
            pictures = zip(of_shard["index"].tolist(), of_shard["peak_db"].tolist(), strict=True)
            add(of_shard["genre"].iloc[0], source / shard, tuple(pictures))
    else:
        found, _ = find_sources(source)
        genres = tuple(dict.fromkeys(one.genre for one in found))
        for one in found:
            add(one.genre, one.path)
    if len(genres) < 2:
        raise LilDataError(
            f"{source} has {len(genres)} genre(s) with music: judges need two or more to tell apart"
        )
    return genres, tracks


def listen(
    source: str | Path,
    learning: bool,
    clips: int | None = None,
    splits: Sequence[str] = SPLITS,
    workers: Workers = 1,
) -> Iterator[Listening]:
    """Hear the music of a data set or a folder as the judges do (notebook 07).

    Parameters
    ----------
    source : str or Path
        A data set (its pictures become sound first), or a folder with a folder of sound a genre.
    learning : bool
        Each clip as it is and in one of the other conditions; or else in every condition.
    clips : int, optional
        At most so many a track.
    splits : sequence of str
        Of a data set.
    workers : int or str
        See `parallel.map_unordered`.

    Yields
    ------
    Listening
        Track by track.

    Raises
    ------
    LilDataError
        If a genre has no clip.
    """
    genres, tracks = find_tracks(source, splits)
    heard: dict[Track, _Told] = {}
    left_out: list[str] = []
    for ended in map_unordered(partial(_hear, learning=learning, most=clips), tracks, workers):
        if ended is None:
            continue
        track, told = ended
        if isinstance(told, str):
            left_out.append(told)
        else:
            heard[track] = told
        yield Listening(len(heard) + len(left_out), len(tracks))
    known = [track for track in tracks if track in heard]
    if missing := [g for n, g in enumerate(genres) if all(track.label != n for track in known)]:
        why = f" ({left_out[0]})" if left_out else ""
        raise LilDataError(
            f"{source} has no clip of {CLIP_S:.0f} s of {', '.join(missing)}{why}: add music there"
        )
    lengths = [len(heard[track][1]) for track in known]
    lessons = Lessons(
        genres,
        join([heard[track][0] for track in known]),
        np.repeat([track.label for track in known], lengths),
        np.repeat(np.arange(len(known)), lengths),
        np.concatenate([heard[track][1] for track in known]),
        tuple(left_out),
    )
    yield Listening(len(tracks), len(tracks), lessons)


def _hear(track: Track, learning: bool, most: int | None) -> _Told | str:
    heard: list[Heard] = []
    told: list[str] = []
    try:
        for number, clip in enumerate(track.clips(most)):
            place = track.seed + number
            worn = PICTURE if place % PICTURES_ONE_IN == 0 else (NOISE, CODEC)[place % 2]
            now = (SOUND, worn) if learning else tuple(CONDITIONS)
            seed = [track.seed, number]
            sounds = [CONDITIONS[name](clip, np.random.default_rng(seed)) for name in now]
            heard.append(hear(sounds))
            told += now
    except (LilDataError, OSError, ValueError) as error:
        return f"{track}: {error}"
    return (join(heard), told) if told else f"{track}: no clip of {CLIP_S:.0f} s, or only silence"


def _is_loud(clip: Floats) -> bool:
    return bool(np.abs(clip).max() >= SILENCE)


def _spread(items: Sequence[Item], most: int | None) -> Sequence[Item]:
    """Take at most so many, each from the middle of its share."""
    if most is None or len(items) <= most:
        return items
    return [items[int((number + 0.5) * len(items) / most)] for number in range(most)]
