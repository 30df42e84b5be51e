"""What stands in front of every network: from stored pictures to its input."""

from typing import Any

from lildata_utils.backend import keras, tf
from lildata_utils.errors import LilDataError
from lildata_utils.networks.settings import SIDES, WHOLE_SIDE
from lildata_utils.sound.spectrogram import CAFFE_MEAN, CAFFE_MEANS


def tensor_input(images: Any) -> Any:
    """Do in TensorFlow what `spectrogram.network_input` does in numpy (notebook 02).

    In the compiled step this costs nothing, and the data set stays in memory as bytes: uint8, shape
    (clips, 631, 631), becomes float32, shape (clips, 631, 631, 1).
    """
    return (tf.cast(images, tf.float32) - CAFFE_MEAN)[..., None]


def as_input(model: Any, images: Any) -> Any:
    """Turn stored pictures into what a network takes; some do that themselves (notebook 07).

    uint8, shape (clips, 631, 631), becomes float32, of the same shape or as `tensor_input`.
    """
    own = len(model.input_shape) == 3
    return tf.cast(images, tf.float32) if own else tensor_input(images)


def shrunk(spectrogram: Any, side: int) -> Any:
    """Add a layer that averages spectrograms down to squares of `side` pixels (notebook 03).

    At 631, the whole side, no layer is added.
    """
    if side not in SIDES:
        raise LilDataError(f"side must be {SIDES}, got {side}")
    if side == WHOLE_SIDE:
        return spectrogram
    return keras.layers.Resizing(side, side, antialias=True, name="shrunk")(spectrogram)


def three_channels(spectrogram: Any) -> Any:
    """Do with layers what Keras' `preprocess_input` of ResNet-50 does (notebook 03).

    Network input, shape (clips, rows, columns, 1), becomes three equal channels, each less
    ImageNet's mean of blue, green or red.
    """
    equal = keras.layers.Concatenate(name="channels")([spectrogram] * 3)
    offsets = [CAFFE_MEAN - mean for mean in CAFFE_MEANS]
    return keras.layers.Rescaling(1.0, offset=offsets, name="preprocess")(equal)


def check_genres(n_genres: int) -> None:
    """Refuse fewer than two genres (notebook 02)."""
    if n_genres < 2:
        raise LilDataError(f"a classifier needs at least 2 genres, got {n_genres}")
