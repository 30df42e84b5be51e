"""A critic that tells drawn bands from real ones, patch by patch (notebook 08).

What is uncertain a squared or absolute error draws as its mean: a blur. The critic sees patches of
a quarter of a second (Isola et al. 2017, arXiv:1611.07004), and no blur passes.
"""

from typing import Any

import numpy as np

from lildata_utils.backend import keras, tf
from lildata_utils.sound.bands import BANDS

FOLD = 4
WIDTHS = 32, 64, 96


class Critic(keras.Model):
    """From bands in [-1, 1], shape (clips, columns, 192), to a number a patch (notebook 08)."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(name="critic")
        seeds = np.random.default_rng(seed).integers(2**31, size=4).tolist()

        def convolution(width: int, side: int, stride: int) -> Any:
            first = keras.initializers.HeNormal(seeds.pop())
            return keras.layers.Conv2D(
                width, side, stride, padding="same", kernel_initializer=first
            )

        first, second, third = WIDTHS
        self.parts = [convolution(first, 3, 1), convolution(second, 4, 2), convolution(third, 4, 2)]
        self.verdict = convolution(1, 3, 1)
        self.build((None, None, BANDS))

    def build(self, shape: Any) -> None:
        """Make the weights."""
        channels = FOLD**2 + 1
        for part in (*self.parts, self.verdict):
            part.build((None, None, None, channels))
            channels = part.filters
        self.built = True

    def call(self, pictures: Any) -> tuple[Any, list[Any]]:
        """Judge patches, shape (clips, columns / 16, 12, 1); also give what was seen on the way."""
        x = tf.nn.space_to_depth(pictures[..., None], FOLD)
        # Where on the axis of frequency a patch lies: it is no matter of taste there.
        height = tf.linspace(-1.0, 1.0, BANDS // FOLD)[None, None, :, None]
        x = tf.concat([x, tf.broadcast_to(height, tf.shape(x[..., :1]))], axis=-1)
        seen = []
        for part in self.parts:
            x = tf.nn.leaky_relu(part(x))
            seen.append(x)
        return self.verdict(x), seen
