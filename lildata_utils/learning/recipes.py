"""The recipes, by name: every network that `lildata train` can train, and how."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from lildata_utils.backend import keras, tf
from lildata_utils.learning.augmentation import augment
from lildata_utils.learning.recipe import Recipe, adam
from lildata_utils.networks.fused import fuse
from lildata_utils.networks.inputs import as_input
from lildata_utils.networks.lil_data import build_lil_data
from lildata_utils.networks.listener import build_listener
from lildata_utils.networks.lstm import build_lstm
from lildata_utils.networks.resnet import build_resnet50
from lildata_utils.networks.settings import RANDOM, ListenerSettings
from lildata_utils.networks.softmax import build_softmax
from lildata_utils.sound.spectrogram import Image

# Of the listener.
SMOOTHING = 0.1
WEIGHT_DECAY = 0.02
AVERAGING = 0.99


def genre_measure(network: Any, images: Any, labels: Any, training: bool) -> dict[str, Any]:
    """Loss and accuracy of a network that tells genres apart (notebook 02).

    Parameters
    ----------
    network : keras.Model
        From network input to probabilities; or the learning part of such a network.
    images : tf.Tensor of uint8, shape (clips, 631, 631)
        Spectrograms; or, for a learning part, what the frozen part makes of them (float32).
    labels : tf.Tensor of int64, shape (clips,)
        Positions in the data set's genres.
    training : bool
        Whether dropout drops.

    Returns
    -------
    dict of str to tf.Tensor of float32, shape (clips,)
        ``loss``, the cross-entropy in nats, and ``accuracy``, 1 where the likeliest genre is right.
    """
    inputs = as_input(network, images) if images.dtype == tf.uint8 else images
    probabilities = network(inputs, training=training)
    right = tf.equal(tf.argmax(probabilities, axis=1), labels)
    return {
        "loss": keras.losses.sparse_categorical_crossentropy(labels, probabilities),
        "accuracy": tf.cast(right, tf.float32),
    }


def listening_measure(network: Any, images: Any, labels: Any, training: bool) -> dict[str, Any]:
    """Loss and accuracy of a listener (notebook 07).

    As `genre_measure`; in training the labels may be those of two clips that were mixed, as
    `augmentation.mix` gives them, and every genre gets a little of the truth (label smoothing,
    Szegedy et al. 2016, arXiv:1512.00567): nothing is ever certain.
    """
    if not training:
        return genre_measure(network, images, labels, training)
    first, second, own = labels
    probabilities = network(images, training=True)
    genres = probabilities.shape[1]
    own = own[:, None]
    truth = own * tf.one_hot(first, genres) + (1 - own) * tf.one_hot(second, genres)
    truth = (1 - SMOOTHING) * truth + SMOOTHING / genres
    right = tf.equal(tf.argmax(probabilities, axis=1), first)
    return {
        "loss": keras.losses.categorical_crossentropy(truth, probabilities),
        "accuracy": tf.cast(right, tf.float32),
    }


def averaging_adam(rate: Any, settings: ListenerSettings) -> Any:
    """Make AdamW (arXiv:1711.05101) that keeps a running mean of the weights (notebook 07)."""
    decay = WEIGHT_DECAY if settings.start == RANDOM else settings.decay
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=decay, use_ema=True, ema_momentum=AVERAGING
    )
    # What only scales and shifts has nothing to unlearn.
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer


def warm_cosine(learning_rate: float, steps: int) -> Any:
    """Rise for a tenth of the steps, then fall as half a cosine (arXiv:1608.03983; notebook 07)."""
    warm = max(1, steps // 10)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm), warmup_target=learning_rate, warmup_steps=warm
    )


def frame_measure(network: Any, images: Any, labels: Any, training: bool) -> dict[str, Any]:
    """Loss of a network that draws frames, whatever their genre (notebook 05).

    See `SpectrogramLSTM.losses_of`.
    """
    return {"loss": network.losses_of(images, training)}


def _build_lstm(n_genres: int, settings: Any, seed: int) -> Any:
    # It learns what it is given, of whichever genre.
    return build_lstm(settings, seed)


def _adapt_lstm(model: Any, batches: Iterable[Image]) -> None:
    if model.basis is not None:
        model.basis.adapt(batches)


SOFTMAX = Recipe("softmax", build_softmax, genre_measure, learning_rate=1e-6)
LIL_DATA = Recipe("cnn", build_lil_data, genre_measure, fuse=fuse)
RESNET50 = Recipe("resnet50", build_resnet50, genre_measure, fuse=fuse)
LISTENER = Recipe(
    "listener",
    build_listener,
    listening_measure,
    learning_rate=2e-3,
    epochs=60,
    fuse=fuse,
    optimizer=averaging_adam,
    schedule=warm_cosine,
    augment=augment,
)
LSTM = Recipe(
    "lstm",
    _build_lstm,
    frame_measure,
    # Of 0.001, 0.003 and 0.01 the one that learned two clips best in 240 steps.
    learning_rate=3e-3,
    # Gradients through 630 steps can be huge for a moment (Pascanu et al. 2013).
    optimizer=partial(adam, clip_norm=1.0),
    adapt=_adapt_lstm,
    xla=True,
)
RECIPES = {recipe.name: recipe for recipe in (SOFTMAX, LIL_DATA, RESNET50, LISTENER, LSTM)}
