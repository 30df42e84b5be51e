"""A songbook: whole tracks of the crate in bands, from which the networks of tokens learn.

A songbook is a folder with ``<genre>/<number>.npy``, uint8, shape (columns, 192), a file a track.
The crate writes as many as are wanted; a batch of training takes stretches of them by lot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lildata_utils.crate.composing import compose
from lildata_utils.crate.rendering import render
from lildata_utils.crate.settings import Collection
from lildata_utils.errors import LilDataError
from lildata_utils.files import written_beside
from lildata_utils.parallel import Workers, map_unordered
from lildata_utils.sound.bands import BANDS, to_bands
from lildata_utils.sound.spectrogram import Image

_Song = tuple[str, int]


@dataclass(frozen=True)
class Songbook:
    """Tracks in bands, in memory (notebook 08)."""

    genres: tuple[str, ...]
    songs: tuple[Image, ...]  # Each of shape (columns, 192)
    labels: NDArray[np.int64]  # The genre of each

    def stretches(
        self, count: int, columns: int, rng: np.random.Generator, whole: int = 1
    ) -> tuple[Image, NDArray[np.int64]]:
        """Take stretches by lot: genre, then track, then place (notebook 08).

        Parameters
        ----------
        count, columns : int
            How many, how long.
        rng : numpy.random.Generator
        whole : int
            Places are multiples of so many columns.

        Returns
        -------
        ndarray of uint8, shape (count, columns, 192); ndarray of int64, shape (count,)
            The stretches, and their genres.
        """
        labels = rng.integers(len(self.genres), size=count)
        songs = [int(rng.choice(np.flatnonzero(self.labels == label))) for label in labels]
        lengths = [len(self.songs[song]) - columns for song in songs]
        places = [int(rng.integers(length // whole + 1)) * whole for length in lengths]
        taken = zip(songs, places, strict=True)
        return np.stack(
            [self.songs[song][place : place + columns] for song, place in taken]
        ), labels


def write_songbook(
    folder: Path, collection: Collection, workers: Workers = 1
) -> Iterator[tuple[int, int]]:
    """Render what a songbook lacks of a collection's tracks (notebook 08).

    Yields
    ------
    done, total : int
        Tracks.
    """
    songs = [(genre, k) for k in range(collection.tracks) for genre in collection.genres]
    missing = [song for song in songs if not _path(folder, song).is_file()]
    done = len(songs) - len(missing)
    yield done, len(songs)
    write = partial(_write, folder=folder, collection=collection)
    for ended in map_unordered(write, missing, workers, shared=folder):
        if ended is not None:
            done += 1
            yield done, len(songs)


def read_songbook(folder: Path, collection: Collection) -> Songbook:
    """Open a collection's tracks in a songbook (notebook 08).

    Raises
    ------
    LilDataError
        If one is missing or broken.
    """
    songs, labels = [], []
    for label, genre in enumerate(collection.genres):
        for number in range(collection.tracks):
            path = _path(folder, (genre, number))
            try:
                song = np.load(path, allow_pickle=False)
                assert song.dtype == np.uint8 and song.shape[1:] == (BANDS,)
            # Whatever numpy raises on broken files.
            except Exception as error:
                raise LilDataError(
                    f"{path} can't be read as a track in bands ({error}): delete it, then train "
                    "again, and it is rendered anew"
                ) from None
            songs.append(song)
            labels.append(label)
    return Songbook(collection.genres, tuple(songs), np.array(labels))


def _path(folder: Path, song: _Song) -> Path:
    genre, number = song
    return folder / genre / f"{number}.npy"


def _write(song: _Song, folder: Path, collection: Collection) -> None:
    track = compose(*song, collection.seed, collection.duration_s)
    with written_beside(_path(folder, song)) as beside:
        np.save(beside, to_bands(render(track)))
