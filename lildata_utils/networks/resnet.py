"""ResNet-50 on spectrograms (notebook 03): He et al., arXiv:1512.03385, as it comes with Keras.

The paper gave it the spectrogram three times, as red, green and blue. Which layers learn is an
option: all of them, those from some stage on, or only the new last layer. What does not learn is
computed once (see `frozen`).
"""

from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.backend import keras
from lildata_utils.networks import pretrained
from lildata_utils.networks.inputs import check_genres, shrunk, three_channels
from lildata_utils.networks.settings import IMAGENET, RANDOM, ResNet50Settings
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


def build_resnet50(
    n_genres: int, settings: ResNet50Settings = ResNet50Settings(), seed: int = 0
) -> Any:
    """Build ResNet-50 with a new last layer for genres (notebook 03).

    After the mean over all places the features are standardised clip by clip (Ba et al.,
    arXiv:1607.06450): with random weights they may be of any size, and a softmax layer wants them
    around 1. With three channels the picture goes through Keras' own `preprocess_input`, as the
    paper did; with one, the first convolution's weights are the sums over the three. Layers before
    the first part that learns stay as they are, with their averages of batch normalisation. The
    model has the inputs and outputs of `build_lil_data`, and Keras' names of layers; `seed` is that
    of random weights.

    Raises
    ------
    LilDataError
        If the weights can't be had.
    """
    check_genres(n_genres)
    spectrogram = keras.Input((N_BINS, N_FRAMES, 1), name="spectrogram")
    x = shrunk(spectrogram, settings.side)
    if settings.channels == 3:
        x = three_channels(x)
    base = keras.applications.ResNet50(include_top=False, weights=None, input_tensor=x)
    _take_weights(base, settings, seed)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(base.output)
    x = keras.layers.LayerNormalization(name="standardised")(x)
    genre = keras.layers.Dense(
        n_genres, activation="softmax", kernel_initializer="zeros", name="genre"
    )(x)
    model = keras.Model(spectrogram, genre, name="resnet50")
    cut = CUTS[settings.learn]
    learns = cut is None
    for layer in model.layers:
        layer.trainable = learns
        learns |= layer.name == cut
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = settings.momentum
    return model


def choose_weights(weights: str | None) -> str:
    """Say which weights a training is to start from, so that its run can name them (notebook 03).

    None stands for ImageNet's if they are here or can be fetched, else for random ones, with a
    UserWarning; anything else for itself, once it is known to be usable.

    Raises
    ------
    LilDataError
        If a file is missing, broken, or of another network.
    """
    if weights == RANDOM:
        return weights
    base = keras.applications.ResNet50(include_top=False, weights=None)
    words = pretrained.load_weights(base, _named(weights))
    if weights is None:
        return IMAGENET if words == "ImageNet" else RANDOM
    return weights


def _named(weights: str | None) -> Path | str | None:
    return weights if weights in (None, RANDOM, IMAGENET) else Path(weights)


def _take_weights(base: Any, settings: ResNet50Settings, seed: int) -> None:
    """Give the network its weights; with one channel, the first convolution's are summed."""
    source = base
    if settings.channels == 1:
        source = keras.applications.ResNet50(
            include_top=False, weights=None, input_shape=(None, None, 3)
        )
    pretrained.load_weights(source, _named(settings.weights), seed)
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
