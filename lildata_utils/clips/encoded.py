"""What an encoder made of a data set: computed once, kept on disk, read in place of the pictures.

A frozen part of a network gives the same outputs in every epoch of every run. They lie in the data
set's folder, in ``features``, named after the encoder and the pictures that they were made of: they
can't be out of date, and a killed extraction goes on where it was. Notebook 03 trains on them.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.files import remove_leftovers, written_beside
from lildata_utils.sound.spectrogram import Floats, Image

FOLDER = "features"
BATCH_SIZE = 32


class EncodingProgress(NamedTuple):
    """How many shards are done, of how many, and where their outputs are (notebook 03)."""

    done: int
    shards: int
    files: dict[str, Path]


@dataclass(frozen=True)
class EncodedDataset(Dataset):
    """A data set whose clips are an encoder's outputs instead of pictures (notebook 03)."""

    # Where the outputs of each shard's clips are
    files: dict[str, Path] = field(default_factory=dict)

    def images(self, positions: ArrayLike | None = None) -> Any:
        """Read outputs, float32, shape (n, ...); see `Dataset.images`."""
        rows = self.clips if positions is None else self.clips.iloc[np.asarray(positions)]
        shards = {name: np.load(self.files[name], mmap_mode="r") for name in set(rows["shard"])}
        return np.stack([shards[s][i] for s, i in zip(rows["shard"], rows["index"], strict=True)])


def encode(
    clips: Dataset, encoder: Callable[[Image], Floats], name: str
) -> Iterator[EncodingProgress]:
    """Compute an encoder's outputs for the shards of a data set that lack them (notebook 03).

    Parameters
    ----------
    clips : Dataset
        All clips of their shards are done, whatever their split.
    encoder : callable
        From up to 32 images, shape (n, 631, 631), to outputs, shape (n, ...).
    name : str
        Of the encoder, different for each that gives other numbers.

    Yields
    ------
    EncodingProgress
        Whenever all shards up to one are done.

    Raises
    ------
    LilDataError
        If a shard is missing.
    """
    folder = clips.folder / FOLDER / name
    remove_leftovers(folder)

    def write(group: dict[Path, Any]) -> None:
        # Short tracks share a batch: networks are slow with few clips at a time.
        images = np.concatenate(list(group.values()))
        starts = range(0, len(images), BATCH_SIZE)
        parts = [encoder(images[at : at + BATCH_SIZE]) for at in starts]
        ends = np.cumsum([len(of_shard) for of_shard in group.values()])
        for path, outputs in zip(group, np.split(np.concatenate(parts), ends[:-1]), strict=True):
            with written_beside(path) as beside:
                np.save(beside, outputs)

    shards = list(dict.fromkeys(clips.clips["shard"]))
    files: dict[str, Path] = {}
    group: dict[Path, Any] = {}
    for shard in shards:
        try:
            images = np.load(clips.folder / shard, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise LilDataError(
                f"{clips.folder / shard} can't be read ({error}): "
                "run the same `lildata prepare` again"
            ) from None
        path = folder / f"{hashlib.blake2b(images.data, digest_size=12).hexdigest()}.npy"
        files[shard] = path
        if not path.is_file():
            group[path] = images
        if sum(map(len, group.values())) >= BATCH_SIZE or (group and shard == shards[-1]):
            write(group)
            group = {}
        if not group:
            yield EncodingProgress(len(files), len(shards), files)


def encoded(clips: Dataset, files: dict[str, Path]) -> EncodedDataset:
    """Read a selection of clips as what `encode` wrote (notebook 03)."""
    return EncodedDataset(**{f.name: getattr(clips, f.name) for f in fields(Dataset)}, files=files)
