"""Outputs of the frozen part of a network, computed once and kept on disk.

Layers that do not learn give the same outputs in every epoch of every run. `split` cuts a network
after them, `extract` computes what they make of a data set, and `Features` reads that in place of
the pictures. The files lie in the data set's folder, in ``features``, named after the weights and
the pictures that they were computed from: they can't be out of date, and a killed extraction goes
on where it was.
"""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lildata_utils.backend import deterministic, keras, tf
from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.files import remove_leftovers, written_beside
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES

FOLDER = "features"
BATCH_SIZE = 32
VERSION = 1


class Progress(NamedTuple):
    """How far an extraction is.

    Attributes
    ----------
    done, shards : int
        How many shards are done, of how many.
    files : dict of str to Path
        Where the outputs of those are.
    """

    done: int
    shards: int
    files: dict[str, Path]


@dataclass(frozen=True)
class Features(Dataset):
    """A data set whose clips are a frozen network's outputs instead of pictures.

    Attributes
    ----------
    files : dict of str to Path
        Where the outputs of each shard's clips are.
    """

    files: dict[str, Path]

    def images(self, positions: ArrayLike | None = None) -> Any:
        """Read outputs, float32, shape (n, ...); see `Dataset.images`."""
        rows = self.clips if positions is None else self.clips.iloc[np.asarray(positions)]
        shards = {name: np.load(self.files[name], mmap_mode="r") for name in set(rows["shard"])}
        return np.stack([shards[s][i] for s, i in zip(rows["shard"], rows["index"], strict=True)])


def split(model: Any) -> tuple[Any | None, Any]:
    """Cut a network after the layers that do not learn.

    Parameters
    ----------
    model : keras.Model
        Its first layers may have ``trainable = False``; the output of the last of them is all that
        the others use.

    Returns
    -------
    frozen : keras.Model or None
        From the model's input to the cut; None if the first layer learns.
    learning : keras.Model
        From the cut to the model's output; on the same layers.

    Examples
    --------
    >>> picture = keras.Input((4, 4, 1))
    >>> pooled = keras.layers.GlobalAveragePooling2D(name="pool", trainable=False)(picture)
    >>> frozen, learning = split(keras.Model(picture, keras.layers.Dense(2)(pooled)))
    >>> frozen.output.shape, learning.output.shape
    ((None, 1), (None, 2))
    """
    layers = [x for x in model.layers if not isinstance(x, keras.layers.InputLayer)]
    still = list(itertools.takewhile(lambda layer: not layer.trainable, layers))
    if not still:
        return None, model
    cut = still[-1].output
    return keras.Model(model.inputs[0], cut), keras.Model(cut, model.outputs[0])


def extract(
    frozen: Any, twin: Any, preprocess: Callable[[Any], Any], clips: Dataset
) -> Iterator[Progress]:
    """Compute a frozen network's outputs for the shards of a data set that lack them.

    Parameters
    ----------
    frozen : keras.Model
        From network input to features; from `split`.
    twin : keras.Model
        Computes the same, faster.
    preprocess : callable
        Makes network input of a tensor of pictures.
    clips : Dataset
        All clips of their shards are done, whatever their split.

    Yields
    ------
    Progress
        Whenever all shards up to one are done.

    Raises
    ------
    LilDataError
        If a shard is missing.
    """
    folder = clips.folder / FOLDER / _digest_of_weights(frozen, twin)
    remove_leftovers(folder)

    @tf.function(
        input_signature=[tf.TensorSpec((None, N_BINS, N_FRAMES), tf.uint8)], autograph=False
    )
    def compute(images: Any) -> Any:
        return tf.cast(twin(preprocess(images), training=False), tf.float32)

    def write(group: dict[Path, Any]) -> None:
        # Short tracks share a batch: networks are slow with few clips at a time.
        images = np.concatenate(list(group.values()))
        with deterministic():
            parts = [
                compute(images[at : at + BATCH_SIZE]).numpy()
                for at in range(0, len(images), BATCH_SIZE)
            ]
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
            yield Progress(len(files), len(shards), files)


def of(clips: Dataset, files: dict[str, Path]) -> Features:
    """Read a selection of clips as the features that `extract` wrote."""
    return Features(**{f.name: getattr(clips, f.name) for f in fields(Dataset)}, files=files)


def _digest_of_weights(frozen: Any, twin: Any) -> str:
    """Name a folder after all that decides the features."""
    # Not the model's own config: Keras numbers models and tensors as they come.
    configs = [layer.get_config() for layer in frozen.layers[1:]]
    about = [VERSION, configs, sorted({layer.compute_dtype for layer in twin.layers})]
    digest = hashlib.blake2b(json.dumps(about, default=str).encode(), digest_size=12)
    for weight in frozen.weights:
        values: NDArray[np.float32] = weight.numpy()
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
