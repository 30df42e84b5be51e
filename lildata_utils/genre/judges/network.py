"""The first judge: dilated convolutions over time on log-spaced bands.

The first layer makes steps of 63 ms of those of 32 ms; further ones, which skip 1, 2, 4, 8 and 16
steps, see the whole clip. Nothing slides along frequency: a band is what it is. The painters'
networks slide over both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lildata_utils.backend import deterministic, keras
from lildata_utils.errors import LilDataError
from lildata_utils.genre.judges.features import BANDS, STEPS
from lildata_utils.sound.spectrogram import Floats

CHANNELS = 64
DILATIONS = (1, 2, 4, 8, 16)
BATCH = 64
# Of the running means: small collections give few steps.
MOMENTUM = 0.9
RATE = 2e-3
WEIGHT_DECAY = 1e-2
SMOOTHING = 0.1
# Of what is varied while it learns: bands up or down, the knots of a random equaliser (in 80 dB),
# the longest hidden stretch of time and of bands, and how pairs are mixed (as in mixup).
TUNING, KNOTS, EQUALISER, STRETCH, STRIPE, MIX = 2, 5, 0.05, 25, 8, 0.3


def build(genres: int) -> Any:
    """Build the network: from (clips, STEPS, BANDS), in [-1, 0], to probabilities (notebook 07)."""
    layers = keras.layers
    bands = keras.Input((STEPS, BANDS))
    x = layers.BatchNormalization(momentum=MOMENTUM)(bands)
    x = layers.Conv1D(CHANNELS, 5, strides=2, padding="same")(x)
    for dilation in DILATIONS:
        y = layers.Activation("relu")(layers.BatchNormalization(momentum=MOMENTUM)(x))
        y = layers.Conv1D(CHANNELS, 3, padding="same", dilation_rate=dilation, activation="relu")(y)
        y = layers.SpatialDropout1D(0.1)(y)
        x = layers.Add()([x, layers.Conv1D(CHANNELS, 1)(y)])
    x = layers.Activation("relu")(layers.BatchNormalization(momentum=MOMENTUM)(x))
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    x = layers.Dropout(0.4)(x)
    return keras.Model(bands, layers.Dense(genres, activation="softmax")(x))


@dataclass(frozen=True)
class Network:
    """A trained network: its weights, layer after layer (notebook 07)."""

    genres: int
    weights: tuple[Floats, ...]

    @classmethod
    def learn(
        cls, bands: NDArray[np.floating], labels: NDArray[np.int64], epochs: int, seed: int
    ) -> Iterator[Self | None]:
        """Train on examples, shape (clips, STEPS, BANDS), of every genre (notebook 07).

        Yields
        ------
        Network or None
            After each epoch; the network after the last one.
        """
        genres = int(labels.max()) + 1
        batches = max(1, len(labels) // BATCH)
        keras.utils.set_random_seed(seed)
        model, rng = build(genres), np.random.default_rng(seed)
        steps = epochs * batches
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, steps, warmup_target=RATE, warmup_steps=steps // 20 + 1
        )
        model.compile(
            keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, clipnorm=1.0),
            keras.losses.CategoricalCrossentropy(label_smoothing=SMOOTHING),
        )
        answers = np.eye(genres, dtype=np.float32)[labels]
        for epoch in range(1, epochs + 1):
            with deterministic():
                for part in np.array_split(rng.permutation(len(labels)), batches):
                    model.train_on_batch(*_mixed(_varied(bands[part], rng), answers[part], rng))
            yield None if epoch < epochs else cls(genres, tuple(model.get_weights()))

    @cached_property
    def model(self) -> Any:
        """The network, built and with its weights; a LilDataError if they don't fit."""
        model = build(self.genres)
        if [w.shape for w in self.weights] != [w.shape for w in model.weights] or not all(
            w.dtype == np.float32 and np.isfinite(w).all() for w in self.weights
        ):
            raise LilDataError(f"no weights of a network of judges for {self.genres} genres")
        model.set_weights(self.weights)
        return model

    def features(self, bands: NDArray[np.floating]) -> Floats:
        """Give what it decides by: means and maxima of its channels, (clips, 128) (notebook 08)."""
        decides = keras.Model(self.model.inputs, self.model.layers[-3].output)
        found: Floats = decides.predict(bands, batch_size=256, verbose=0)
        return found

    def probabilities(self, bands: NDArray[np.floating]) -> Floats:
        """Say how likely each genre is, shape (clips, genres) (notebook 07)."""
        if not len(bands):
            return np.empty((0, self.genres), np.float32)
        said: Floats = self.model.predict(bands, batch_size=256, verbose=0)
        return said


def _varied(bands: NDArray[np.floating], rng: np.random.Generator) -> Floats:
    """Begin elsewhere, tune and tilt a little, hide a stretch of time and a stripe of bands."""
    varied = bands.astype(np.float32)
    mean = varied.mean(axis=(1, 2))
    places = np.linspace(0, KNOTS - 1, BANDS)
    for clip, grey in zip(varied, mean, strict=True):
        tuned = np.clip(np.arange(BANDS) + rng.integers(-TUNING, TUNING + 1), 0, BANDS - 1)
        clip[:] = np.roll(clip, rng.integers(STEPS), axis=0)[:, tuned]
        clip += np.interp(places, np.arange(KNOTS), rng.normal(0, EQUALISER, KNOTS))
        at, wide = rng.integers(STEPS), rng.integers(STRETCH + 1)
        clip[at : at + wide] = grey
        at, wide = rng.integers(BANDS), rng.integers(STRIPE + 1)
        clip[:, at : at + wide] = grey
    return varied


def _mixed(bands: Floats, answers: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Mix each clip, and its answer, with another one."""
    share = rng.beta(MIX, MIX, (len(bands), 1)).astype(np.float32)
    other = rng.permutation(len(bands))
    return (
        share[..., None] * bands + (1 - share[..., None]) * bands[other],
        share * answers + (1 - share) * answers[other],
    )
