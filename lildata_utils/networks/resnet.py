"""ResNet-50 on spectrograms (notebook 03): He et al., arXiv:1512.03385, as it comes with Keras.

The paper gave it the spectrogram three times, as red, green and blue. Which layers learn is an
option: all of them, those from some stage on, or only the new last layer. What does not learn is
computed once (see `features`).
"""

from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.backend import keras
from lildata_utils.errors import LilDataError
from lildata_utils.learning.training import Network
from lildata_utils.networks import pretrained
from lildata_utils.networks.classifier import shrunk
from lildata_utils.networks.twins import fast
from lildata_utils.sound.spectrogram import CAFFE_MEAN, CAFFE_MEANS, N_BINS, N_FRAMES

# The last layer that does not learn, by the first stage that does.
CUTS = {
    "all": None,
    "conv2": "pool1_pool",
    "conv3": "conv2_block3_out",
    "conv4": "conv3_block4_out",
    "conv5": "conv4_block6_out",
    "head": "pool",
}
SIDE = 224
MOMENTUM = 0.99


def build_resnet50(
    n_genres: int,
    side: int = SIDE,
    channels: int = 3,
    learn: str = "all",
    weights: str = pretrained.RANDOM,
    momentum: float = MOMENTUM,
    seed: int = 0,
) -> Any:
    """Build ResNet-50 with a new last layer for genres.

    After the mean over all places the features are standardised clip by clip (Ba et al.,
    arXiv:1607.06450): with random weights they may be of any size, and a softmax layer wants them
    around 1.

    Parameters
    ----------
    n_genres : int
        At least 2.
    side : int
        The spectrogram is shrunk to a square of so many pixels; 631 leaves it as it is.
    channels : {3, 1}
        Three equal channels through Keras' own `preprocess_input`, as the paper did; or one, and
        a first convolution whose weights are the sums over the three.
    learn : {"all", "conv2", "conv3", "conv4", "conv5", "head"}
        The first part that learns; "head" is the last layer alone. The layers before it stay as
        they are, with their averages of batch normalisation.
    weights : str
        ``"random"``, ``"imagenet"``, or the path of a file; see `pretrained.load_weights`.
    momentum : float
        Of the moving averages of batch normalisation: what is left of the old average after a step.
        Keras' is 0.99.
    seed : int
        Of random weights.

    Returns
    -------
    keras.Model
        From network input, shape (clips, 631, 631, 1), to probabilities, shape (clips, n_genres).
        The layers of ResNet-50 have Keras' names.

    Raises
    ------
    LilDataError
        If an option is out of range, or the weights can't be had.

    Examples
    --------
    >>> model = build_resnet50(8, side=64, learn="head")
    >>> sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    20488
    """
    if n_genres < 2:
        raise LilDataError(f"a classifier needs at least 2 genres, got {n_genres}")
    if channels not in (1, 3):
        raise LilDataError(f"ResNet-50 is given 3 equal channels or 1, got {channels}")
    if learn not in CUTS:
        raise LilDataError(f"learn must be one of {', '.join(CUTS)}, got {learn!r}")
    if not 0 <= momentum < 1:
        raise LilDataError(f"momentum must be at least 0 and below 1, got {momentum}")
    spectrogram = keras.Input((N_BINS, N_FRAMES, 1), name="spectrogram")
    x = shrunk(spectrogram, side)
    if channels == 3:
        x = three_channels(x)
    base = keras.applications.ResNet50(include_top=False, weights=None, input_tensor=x)
    _take_weights(base, weights, channels, seed)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(base.output)
    x = keras.layers.LayerNormalization(name="standardised")(x)
    genre = keras.layers.Dense(
        n_genres, activation="softmax", kernel_initializer="zeros", name="genre"
    )(x)
    model = keras.Model(spectrogram, genre, name="resnet50")
    cut = CUTS[learn]
    learns = cut is None
    for layer in model.layers:
        layer.trainable = learns
        learns |= layer.name == cut
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = momentum
    return model


def three_channels(spectrogram: Any) -> Any:
    """Do with layers what Keras' `preprocess_input` of ResNet-50 does with three equal channels.

    Parameters
    ----------
    spectrogram : keras.KerasTensor or tf.Tensor, shape (clips, rows, columns, 1)
        Network input: grey levels less their mean.

    Returns
    -------
    of the same kind, shape (clips, rows, columns, 3)
        Each channel less ImageNet's mean of blue, green and red.
    """
    equal = keras.layers.Concatenate(name="channels")([spectrogram] * 3)
    offsets = [CAFFE_MEAN - mean for mean in CAFFE_MEANS]
    return keras.layers.Rescaling(1.0, offset=offsets, name="preprocess")(equal)


def choose_weights(weights: str | None) -> str:
    """Say which weights a training is to start from, so that its run can name them.

    Parameters
    ----------
    weights : str or None
        As for `build_resnet50`. None is ImageNet's if they are here or can be fetched, or else
        random ones.

    Returns
    -------
    str
        ``"imagenet"``, ``"random"`` or the path.

    Raises
    ------
    LilDataError
        If the file is missing, broken, or of another network.

    Warns
    -----
    UserWarning
        If ImageNet's weights can't be had.
    """
    if weights == pretrained.RANDOM:
        return weights
    base = keras.applications.ResNet50(include_top=False, weights=None)
    words = pretrained.load_weights(base, _named(weights))
    if weights is None:
        return pretrained.IMAGENET if words == "ImageNet" else pretrained.RANDOM
    return weights


def _named(weights: str | None) -> Path | str | None:
    return weights if weights in (None, pretrained.RANDOM, pretrained.IMAGENET) else Path(weights)


def _take_weights(base: Any, weights: str, channels: int, seed: int) -> None:
    """Give the network its weights; with one channel, the first convolution's are summed."""
    source = base
    if channels == 1:
        source = keras.applications.ResNet50(
            include_top=False, weights=None, input_shape=(None, None, 3)
        )
    pretrained.load_weights(source, _named(weights), seed)
    if source is base:
        return
    values = {weight.path: weight.numpy() for weight in source.weights}
    kernel, bias = (f"conv1_conv/{name}" for name in ("kernel", "bias"))
    # Each channel has its own mean taken off; the one channel has the mean of the three.
    offsets = np.array([CAFFE_MEAN - mean for mean in CAFFE_MEANS], np.float32)
    values[bias] = values[bias] + np.einsum("hwco,c->o", values[kernel], offsets)
    values[kernel] = values[kernel].sum(axis=2, keepdims=True)
    for weight in base.weights:
        weight.assign(values[weight.path])


RESNET50 = Network(
    "resnet50",
    build_resnet50,
    {
        "side": SIDE,
        "channels": 3,
        "learn": "all",
        "weights": pretrained.RANDOM,
        "momentum": MOMENTUM,
    },
    twin=fast,
)
