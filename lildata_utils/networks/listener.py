"""The listener: a small residual network on mel bands that hears genres (notebook 07)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.backend import keras
from lildata_utils.errors import LilDataError
from lildata_utils.files import LISTENER_RUN, check_zip
from lildata_utils.networks.inputs import check_genres
from lildata_utils.networks.settings import CRATE, RANDOM, ListenerSettings
from lildata_utils.sound.spectrogram import N_BINS, N_FFT, N_FRAMES, SAMPLE_RATE, STEP_DB

N_BANDS = 96
# Frames are averaged by fours: 32 ms, a sixteenth of a beat at 120 BPM is 31 ms.
POOLED_FRAMES = 4
FRAMES = N_FRAMES // POOLED_FRAMES
# The floor of a stored picture, 80 dB below its peak, as power.
FLOOR = 1e-8
DB_PER_NEPER = 10 / np.log(10)
# Batch normalisation averages over some 1 / (1 - momentum) steps; an epoch may have only 20.
MOMENTUM = 0.9
# The layers that learn a user's genres by what the others hear.
NAMING = ("as_picture", "heard_norm", "heard", "dropout", "genre")


def build_listener(
    n_genres: int, settings: ListenerSettings = ListenerSettings(), seed: int = 0
) -> Any:
    """Build the listener: mel bands, residual blocks, pooling over time (notebook 07).

    In front stands what does not learn: from decibels to power, 96 mel bands (Slaney's, of equal
    area, as librosa's), frames averaged by fours, logarithm. Each band is then normalised by its
    own mean and deviation. Behind them and behind every block (He et al. 2016, arXiv:1512.03385)
    features are averaged over frequency, then their mean, deviation and maximum over time decide
    (Kong et al. 2020, arXiv:1912.10211): where in the clip something sounds makes no difference.

    Started from another's weights, all but the last two layers stay as they are: it learns only to
    name genres by what a network hears that learned to hear elsewhere.

    Returns
    -------
    keras.Model
        From stored pictures, shape (clips, 631, 631), 0 to 255, to probabilities, shape
        (clips, n_genres). Every layer is Keras' own.
    """
    check_genres(n_genres)
    seeds = iter(np.random.default_rng(seed).integers(2**31, size=100).tolist())

    def convolved(x: Any, filters: int, side: int, name: str, strides: int = 1) -> Any:
        first = keras.initializers.HeNormal(next(seeds))
        x = keras.layers.Conv2D(
            filters,
            side,
            strides,
            padding="same",
            use_bias=False,
            kernel_initializer=first,
            name=name,
        )(x)
        return keras.layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(x)

    picture = keras.Input((N_BINS, N_FRAMES), name="picture")
    x = _mel_bands(picture)
    x = keras.layers.Reshape((FRAMES, 1, N_BANDS), name="by_band")(x)
    x = keras.layers.BatchNormalization(momentum=MOMENTUM, name="band_norm")(x)
    summed_up = _over_time(x, settings.pooling, "bands")
    x = keras.layers.Permute((3, 1, 2), name="bands_by_frames")(x)
    x = convolved(x, settings.filters[0], 5, "stem", 2)
    x = keras.layers.Activation("relu", name="stem_relu")(x)
    summed_up += _over_time(x, settings.pooling, "stem")
    for number, filters in enumerate(settings.filters[1:], 1):
        name = f"block{number}"
        x = keras.layers.MaxPooling2D(2, name=f"{name}_pool")(x)
        y = convolved(x, filters, 3, f"{name}_first")
        y = keras.layers.Activation("relu", name=f"{name}_first_relu")(y)
        y = convolved(y, filters, 3, f"{name}_second")
        y = keras.layers.Add(name=f"{name}_sum")([convolved(x, filters, 1, f"{name}_skip"), y])
        x = keras.layers.Activation("relu", name=f"{name}_relu")(y)
        summed_up += _over_time(x, settings.pooling, name)
    x = keras.layers.Concatenate(name="summed_up")(summed_up)
    # Features of all kinds and sizes: each is normalised, as before a logistic regression.
    x = keras.layers.Reshape((1, 1, x.shape[1]), name="as_picture")(x)
    x = keras.layers.BatchNormalization(momentum=MOMENTUM, name="heard_norm")(x)
    x = keras.layers.Reshape((x.shape[3],), name="heard")(x)
    x = keras.layers.Dropout(settings.dropout, seed=next(seeds), name="dropout")(x)
    genre = keras.layers.Dense(
        n_genres,
        activation="softmax",
        kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
        name="genre",
    )(x)
    model = keras.Model(picture, genre, name="listener")
    if settings.start != RANDOM:
        crate = settings.start == CRATE
        _start_from(model, LISTENER_RUN if crate else Path(settings.start))
    return model


def _start_from(model: Any, folder: Path) -> None:
    """Take over all weights of a run's network but those that name its genres, to be kept."""
    path = folder / "model.keras"
    try:
        check_zip(path)
        there = keras.saving.load_model(path, compile=False, safe_mode=True)
        for layer in model.layers:
            if layer.name != "genre" and layer.weights:
                layer.set_weights(there.get_layer(layer.name).get_weights())
    except Exception as error:  # Keras raises whatever its parts raise on a broken file
        reason = str(error).strip().partition("\n")[0]
        raise LilDataError(
            f"{folder} can't start a listener ({reason}): expected the run of one with the same "
            f"filters; or start from {RANDOM} weights"
        ) from None
    for layer in model.layers:
        layer.trainable = layer.name in NAMING


def _over_time(picture: Any, pooling: Sequence[str], name: str) -> list[Any]:
    """Add layers that average over frequency, if it is still there, and sum up over time."""
    x = picture
    if name != "bands":
        rows = picture.shape[1]
        x = keras.layers.AveragePooling2D((rows, 1), name=f"{name}_over_frequency")(x)
    sums = {"mean": keras.layers.GlobalAveragePooling2D(name=f"{name}_mean")(x)}
    if "deviation" in pooling:
        squares = keras.layers.Multiply(name=f"{name}_squares")([x, x])
        square = keras.layers.GlobalAveragePooling2D(name=f"{name}_mean_square")(squares)
        variance = keras.ops.relu(square - sums["mean"] * sums["mean"])
        sums["deviation"] = keras.ops.sqrt(variance + 1e-4)
    if "most" in pooling:
        sums["most"] = keras.layers.GlobalMaxPooling2D(name=f"{name}_most")(x)
    return [sums[kind] for kind in pooling]


def _mel_bands(picture: Any) -> Any:
    """Add the layers that make mel bands in dB, shape (clips, 157, 96), of stored pictures."""
    from librosa.filters import mel

    filters = mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_BANDS).T
    rescaling, step = keras.layers.Rescaling, STEP_DB / DB_PER_NEPER
    x = rescaling(step, -255 * step, trainable=False, name="nepers")(picture)
    x = keras.layers.Activation("exponential", trainable=False, name="power")(x)
    x = keras.layers.Permute((2, 1), trainable=False, name="frames_by_bins")(x)
    x = keras.layers.AveragePooling1D(POOLED_FRAMES, trainable=False, name="frames")(x)
    bands = keras.layers.Dense(N_BANDS, use_bias=False, trainable=False, name="mel")
    x = keras.ops.log(bands(x) + FLOOR)
    # Each band's weights sum to 1: no band is louder for being wide.
    bands.set_weights([filters / filters.sum(axis=0)])
    return rescaling(DB_PER_NEPER, trainable=False, name="decibels")(x)
