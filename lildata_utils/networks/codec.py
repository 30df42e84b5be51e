"""An autoencoder with a codebook: music in bands becomes a few codes a step, and music again.

Every 127 ms are a step. Bands are channels, and all convolutions run over time: what is low and
what is high never share weights, and all is one matrix product after another. Notebook 08 looks at
the codes.
"""

from typing import Any

import numpy as np

from lildata_utils.backend import keras, tf
from lildata_utils.networks import codebook
from lildata_utils.networks.settings import CodecSettings
from lildata_utils.sound.bands import BANDS

# Columns a step: the encoder takes four at once, then halves once; the decoder doubles three times.
STEP_COLUMNS = 8
# A column's 0 to 255 as -1 to 1.
HALF = 127.5


class Codec(keras.Model):
    """Encoder, codebook and decoder (notebook 08).

    Pictures are bands as `bands.to_bands` draws them, of 8 columns a step.
    """

    def __init__(self, settings: CodecSettings = CodecSettings(), seed: int = 0) -> None:
        super().__init__(name="codec")
        self.settings = settings
        self.levels = settings.levels
        self.seeds = iter(np.random.default_rng(seed).integers(2**31, size=200).tolist())
        narrow, middle, wide = settings.widths
        sizes = settings.tokens * len(settings.levels)
        self.encoder = keras.Sequential(
            [
                keras.Input((None, BANDS)),
                _Folded(4),
                self._dense(middle),
                self._block(middle),
                _Folded(2),
                self._dense(wide),
                *(self._block(wide) for _ in range(settings.blocks)),
                self._dense(sizes),
            ],
            name="encoder",
        )
        self.decoder = keras.Sequential(
            [
                keras.Input((None, sizes)),
                self._dense(wide),
                *(self._block(wide) for _ in range(settings.blocks)),
                self._dense(2 * middle),
                _Unfolded(2),
                self._block(middle),
                self._block(middle),
                self._dense(2 * narrow),
                _Unfolded(2),
                self._block(narrow),
                self._dense(2 * BANDS),
                _Unfolded(2),
            ],
            name="decoder",
        )
        self.built = True

    def _dense(self, units: int) -> Any:
        first = keras.initializers.GlorotUniform(next(self.seeds))
        return keras.layers.Dense(units, kernel_initializer=first)

    def _block(self, width: int) -> Any:
        return _Block(width, next(self.seeds))

    def encode(self, pictures: Any) -> Any:
        """Make codes, int32, shape (clips, steps, tokens), of pictures in [0, 255]."""
        return codebook.to_codes(self.numbers(pictures), self.levels)

    def numbers(self, pictures: Any) -> Any:
        """Make bounded numbers, not yet rounded, shape (clips, steps, tokens, digits)."""
        found = self.encoder(tf.cast(pictures, tf.float32) / HALF - 1)
        steps = tf.shape(found)[1]
        shape = (-1, steps, self.settings.tokens, len(self.levels))
        return codebook.bounded(tf.reshape(found, shape), self.levels)

    def decode(self, codes: Any, tokens: int | None = None) -> Any:
        """Draw pictures in [0, 255], shape (clips, columns, 192), of the first codes of each step.

        Of all codes unless `tokens` says how many.
        """
        numbers = codebook.from_codes(codes, self.levels)
        seen = np.arange(self.settings.tokens) < (tokens or self.settings.tokens)
        drawn = self.draw(numbers * seen.astype(np.float32)[:, None])
        return tf.clip_by_value((drawn + 1) * HALF, 0, 255)

    def draw(self, numbers: Any) -> Any:
        """Draw pictures, about in [-1, 1], of rounded numbers."""
        numbers = codebook.scaled(numbers, self.levels)
        shape = (-1, tf.shape(numbers)[1], self.settings.tokens * len(self.levels))
        return self.decoder(tf.reshape(numbers, shape))


class _Folded(keras.layers.Layer):
    """So many columns become one with so many times the channels."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns

    def call(self, x: Any) -> Any:
        shape = tf.shape(x)
        channels = x.shape[-1] * self.columns
        return tf.reshape(x, (shape[0], shape[1] // self.columns, channels))

    def compute_output_shape(self, shape: Any) -> Any:
        columns = shape[1] and shape[1] // self.columns
        return (shape[0], columns, shape[2] * self.columns)


class _Unfolded(keras.layers.Layer):
    """The way back."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns

    def call(self, x: Any) -> Any:
        shape = tf.shape(x)
        channels = x.shape[-1] // self.columns
        return tf.reshape(x, (shape[0], shape[1] * self.columns, channels))

    def compute_output_shape(self, shape: Any) -> Any:
        columns = shape[1] and shape[1] * self.columns
        return (shape[0], columns, shape[2] // self.columns)


class _Block(keras.layers.Layer):
    """A residual block: what is normalised is convolved over three columns, then mixed."""

    def __init__(self, width: int, seed: int) -> None:
        super().__init__()
        first, second = np.random.default_rng(seed).integers(2**31, size=2).tolist()
        self.norm = keras.layers.LayerNormalization()
        self.over_time = keras.layers.Conv1D(
            width, 3, padding="same", kernel_initializer=keras.initializers.HeNormal(first)
        )
        self.mix = keras.layers.Dense(
            width, kernel_initializer=keras.initializers.VarianceScaling(0.2, seed=second)
        )

    def build(self, shape: Any) -> None:
        for layer in (self.norm, self.over_time, self.mix):
            layer.build(shape)
        self.built = True

    def call(self, x: Any) -> Any:
        return x + self.mix(tf.nn.relu(self.over_time(self.norm(x))))
