"""A network says how likely each genre is (notebook 02)."""

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lildata_utils.backend import tf
from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.networks.fused import fuse
from lildata_utils.networks.inputs import as_input
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES, Image

_FUNCTIONS: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def predict(model: Any, images: Image | Dataset, batch_size: int = 32) -> NDArray[np.float32]:
    """Let a network say how likely each genre is (notebook 02).

    Parameters
    ----------
    model : keras.Model
        From network input to probabilities: built by `networks`, or loaded from a run.
    images : ndarray of uint8, shape (clips, 631, 631), or Dataset
        Spectrograms.
    batch_size : int
        Clips at a time.

    Returns
    -------
    ndarray of float32, shape (clips, genres)
        Probabilities; each row sums to 1.

    Raises
    ------
    LilDataError
        If they are no numbers.
    """
    batches: Iterable[Image]
    if isinstance(images, Dataset):
        batches = (pictures for pictures, _ in images.batches(batch_size))
    else:
        batches = (images[at : at + batch_size] for at in range(0, len(images), batch_size))
    function = _compiled(model)
    parts = [function(batch).numpy() for batch in batches]
    if not all(np.isfinite(part).all() for part in parts):
        raise LilDataError(
            "the network answers with NaN (its training has diverged): train it again, with a "
            "smaller learning rate"
        )
    return np.concatenate(parts) if parts else np.empty((0, model.output_shape[-1]), np.float32)


def _compiled(model: Any) -> Any:
    """Compile a model once: a slider that asks again must not wait for it again."""
    if model not in _FUNCTIONS:
        twin = fuse(model)  # holds the model's layers, not the model: that can be freed

        @tf.function(
            input_signature=[tf.TensorSpec((None, N_BINS, N_FRAMES), tf.uint8)], autograph=False
        )
        def probabilities(images: Any) -> Any:
            return twin(as_input(twin, images), training=False)

        _FUNCTIONS[model] = probabilities
    return _FUNCTIONS[model]
