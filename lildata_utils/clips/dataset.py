"""A prepared data set on disk: its table of clips, its images, and batches for training.

`clips.prepare` writes what this module reads. Notebook 01 walks through both.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from msgspec import Meta
from numpy.typing import ArrayLike, NDArray

from lildata_utils.clips.settings import SPLITS
from lildata_utils.clips.shards import HEADER_BYTES, IMAGE_BYTES, VERSION
from lildata_utils.clips.splits import GAP, fold_clips
from lildata_utils.errors import LilDataError
from lildata_utils.files import read_as, read_rows
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES, Image

DESCRIPTION = "dataset.json"
CLIPS = "clips.csv"
SKIPPED = "skipped.csv"


@dataclass(frozen=True)
class _Description:
    """What is needed of ``dataset.json``."""

    version: Any = None
    genres: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Clip:
    """A row of ``clips.csv``."""

    id: str
    genre: str
    artist: str
    track: str
    start_s: Annotated[float, Meta(ge=0, le=1e9)]
    peak_db: Annotated[float, Meta(ge=-1000, le=1000)]
    split: Literal[*SPLITS, GAP]  # type: ignore[valid-type]
    # Within the data set's folder: no drive, no way up.
    shard: Annotated[str, Meta(pattern=r"^(?!.*\.\.(/|$))[^/\\:\0][^\\:\0]*$")]
    index: Annotated[int, Meta(ge=0, le=10**9)]


COLUMNS = tuple(field.name for field in fields(_Clip))


@dataclass(frozen=True)
class Dataset:
    """Clips of a prepared data set; images stay on disk until asked for (notebook 01).

    Examples
    --------
    >>> train = load("data/quick/dataset").select("train")  # doctest: +SKIP
    >>> images, labels = next(train.batches(32, seed=0))  # doctest: +SKIP
    """

    folder: Path  # Where `lildata prepare` wrote it
    genres: tuple[str, ...]  # A clip's label is its genre's position here
    clips: pd.DataFrame  # A row a clip, with `COLUMNS`
    # What is learned of the clips in place of their labels, a row a clip, if anything.
    lessons: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Positions of the clips' genres in `genres`, shape (clips,)."""
        return np.array([self.genres.index(genre) for genre in self.clips["genre"]], np.int64)

    @property
    def taught(self) -> NDArray[Any]:
        """What a network learns of each clip: its label, or its lessons."""
        return self.labels if self.lessons is None else self.lessons

    def select(self, split: str | None = None, genres: Sequence[str] | None = None) -> "Dataset":
        """Narrow the data set to a split, to some genres, or to both.

        Parameters
        ----------
        split : {"train", "validation", "test", "all"}, optional
            "all" and None keep all three.
        genres : sequence of str, optional
            The labels of the result count in this order.

        Raises
        ------
        LilDataError
            If a genre is unknown, or no clip is left.
        """
        chosen = tuple(genres) if genres is not None else self.genres
        unknown = [genre for genre in chosen if genre not in self.genres]
        if unknown:
            raise LilDataError(
                f"{self.folder} has no genre {', '.join(unknown)}: it has {', '.join(self.genres)}"
            )
        keep = self.clips["genre"].isin(chosen)
        if split is not None and split != "all":
            keep &= self.clips["split"] == split
        if not keep.any():
            raise LilDataError(
                f"{self.folder} has no clips of split {split!r} in {', '.join(chosen)}: "
                "add tracks to its source and prepare it again"
            )
        return replace(self._only(keep), genres=chosen)

    def at_most(self, seed: int = 0, **counts: int) -> "Dataset":
        """Keep at most so many clips of a split, drawn by lot over all genres.

        Parameters
        ----------
        seed : int
            Another seed draws other clips; a smaller number of one seed is part of a larger one.
        **counts : int
            Clips by split, such as ``train=600, validation=0``; other splits stay whole.

        Raises
        ------
        LilDataError
            If no clip is left.
        """
        ranks = np.random.default_rng(seed).permutation(len(self))
        by_lot = pd.Series(ranks).groupby(self.clips["split"]).rank()
        keep = by_lot <= self.clips["split"].map(counts).fillna(len(self))
        if not keep.any():
            raise LilDataError(f"{self.folder}: no clip is left of {len(self)} by {counts}")
        return self._only(keep)

    def share(self, split: str, share: float, seed: int = 0) -> "Dataset":
        """Keep a share of each genre's clips of a split, drawn by lot; other splits stay whole.

        Parameters
        ----------
        split : {"train", "validation", "test"}
        share : float
            Above 0, up to 1; at least one clip a genre is kept.
        seed : int
            Another seed draws other clips; a smaller share of one seed is part of a larger one.
        """
        keep = self.clips["split"] != split
        rng = np.random.default_rng(seed)
        for genre in self.genres:
            drawn = rng.permutation(self.clips.index[~keep & (self.clips["genre"] == genre)])
            keep[drawn[: max(1, round(share * len(drawn)))]] = True
        return self._only(keep)

    def fold(self, number: int, of: int, seed: int = 0) -> "Dataset":
        """Deal all clips anew to train and test, by track: fold `number` of `of`, from 0.

        See `splits.fold_clips`.
        """
        splits = fold_clips(self.clips, number, of, seed)
        return replace(self, clips=self.clips.assign(split=splits))

    def _only(self, keep: pd.Series) -> "Dataset":
        lessons = None if self.lessons is None else self.lessons[keep.to_numpy()]
        return replace(self, clips=self.clips[keep].reset_index(drop=True), lessons=lessons)

    def images(self, positions: ArrayLike | None = None) -> Image:
        """Read images from the shards.

        Of these rows of `clips`, all of them by default; uint8, shape (n, 631, 631).

        Raises
        ------
        LilDataError
            If a shard is missing or shorter than the table says.
        """
        rows = self.clips if positions is None else self.clips.iloc[np.asarray(positions)]
        images = np.empty((len(rows), N_BINS, N_FRAMES), np.uint8)
        for image, shard, index in zip(images, rows["shard"], rows["index"], strict=True):
            path = self.folder / shard
            try:
                with path.open("rb") as file:
                    file.seek(HEADER_BYTES + int(index) * IMAGE_BYTES)
                    complete = file.readinto(image.data) == IMAGE_BYTES
            except OSError:
                complete = False
            if not complete:
                raise LilDataError(
                    f"{path} is missing or too short: run the same `lildata prepare` again"
                )
        return images

    def batches(
        self, batch_size: int, seed: int | Sequence[int] | None = None
    ) -> Iterator[tuple[Image, NDArray[Any]]]:
        """Go once through all clips; the next batch is read while the last one is worked on.

        Parameters
        ----------
        batch_size : int
            Clips in a batch; the last one may be smaller.
        seed : int or sequence of int, optional
            Shuffles the clips; without it they come in the order of the table.

        Yields
        ------
        images : ndarray of uint8, shape (batch, 631, 631)
        taught : ndarray, shape (batch, ...)
            Labels, int64, or lessons, see `taught`.
        """
        order = np.arange(len(self))
        if seed is not None:
            np.random.default_rng(seed).shuffle(order)
        taught = self.taught
        parts = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
        with ThreadPoolExecutor(1) as reader:
            coming = reader.submit(self.images, parts[0])
            for part, following in zip(parts, [*parts[1:], None], strict=True):
                images = coming.result()
                if following is not None:
                    coming = reader.submit(self.images, following)
                yield images, taught[part]


def load(folder: str | Path) -> Dataset:
    """Open what `lildata prepare` wrote: all clips that belong to a split (notebook 01).

    Raises
    ------
    LilDataError
        If the folder holds no data set, or one that was never finished.
    """
    folder = Path(folder)
    if not (folder / DESCRIPTION).is_file():
        raise LilDataError(
            f"{folder} is no finished data set ({DESCRIPTION} is missing): "
            "run `lildata prepare SOURCE` with this folder as OUT"
        )
    description = read_as(folder / DESCRIPTION, _Description)
    if description.version != VERSION:
        raise LilDataError(
            f"{folder} has version {description.version} of the format, expected {VERSION}: "
            "prepare it again"
        )
    genres = description.genres
    if not genres or len(set(genres)) < len(genres):
        raise LilDataError(f"{folder / DESCRIPTION}, genres: expected one or more, each once")
    rows = map(vars, read_rows(folder / CLIPS, _Clip))
    clips = pd.DataFrame(list(rows), columns=list(COLUMNS))
    if unknown := set(clips["genre"]) - set(genres):
        raise LilDataError(
            f"{folder / CLIPS} has clips of genre {min(unknown)!r}; {DESCRIPTION} names "
            f"{', '.join(genres)}: prepare it again"
        )
    return Dataset(folder, genres, clips[clips["split"] != GAP].reset_index(drop=True))
