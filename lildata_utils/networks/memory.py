"""What a composer remembers of the steps before: by attention, or by LSTMs (notebook 08).

Both look at whole sequences at once, to learn, and at one step after another, to write; the numbers
are the same.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lildata_utils.backend import keras, tf
from lildata_utils.networks.lstm import lstm_cell
from lildata_utils.networks.settings import ComposerSettings

# Of rotary positions (Su et al. 2021, arXiv:2104.09864): the slowest pair turns once in so many
# steps, about.
SLOWEST = 1000.0
SMALLEST = 1e-6


def dense(units: int, inputs: int, seeds: Iterator[int], scale: float = 1.0) -> Any:
    """Make a layer without bias (notebook 08)."""
    first = keras.initializers.VarianceScaling(scale, "fan_in", seed=next(seeds))
    layer = keras.layers.Dense(units, use_bias=False, kernel_initializer=first)
    layer.build((None, inputs))
    return layer


def normalised(x: Any) -> Any:
    """Bring the root mean square of the last axis to 1 (arXiv:1910.07467; notebook 08)."""
    return x * tf.math.rsqrt(tf.reduce_mean(x * x, axis=-1, keepdims=True) + SMALLEST)


def rotated(x: Any, times: Any) -> Any:
    """Turn pairs of channels by angles that grow with time (notebook 08).

    What two steps make of each other then depends on how far apart they are, and on nothing else.

    Parameters
    ----------
    x : tf.Tensor, shape (clips, steps, heads, channels)
    times : tf.Tensor of int32, shape (clips, steps)
    """
    half = x.shape[-1] // 2
    speeds = SLOWEST ** (-np.arange(half, dtype=np.float32) / half)
    angles = tf.cast(times, tf.float32)[..., None, None] * speeds
    cos, sin = tf.cos(angles), tf.sin(angles)
    first, second = x[..., :half], x[..., half:]
    return tf.concat([first * cos - second * sin, first * sin + second * cos], axis=-1)


class Attention(keras.layers.Layer):
    """A stack of causal attention and small networks (Vaswani et al. 2017; notebook 08)."""

    def __init__(self, settings: ComposerSettings, seeds: Iterator[int]) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        small = 1 / (2 * settings.layers)
        self.looks = [dense(3 * width, width, seeds) for _ in range(settings.layers)]
        self.takes = [dense(width, width, seeds, small) for _ in range(settings.layers)]
        self.thinks = [dense(4 * width, width, seeds, 2.0) for _ in range(settings.layers)]
        self.says = [dense(width, 4 * width, seeds, small) for _ in range(settings.layers)]
        self.drop = keras.layers.Dropout(settings.dropout, seed=next(seeds))
        self.built = True

    def call(self, x: Any, times: Any, training: bool = False) -> Any:
        """Look at whole sequences, shape (clips, steps, width); each step at those before it."""
        steps = tf.range(tf.shape(x)[1])
        apart = steps[:, None] - steps[None, :]
        visible = (apart >= 0) & (apart < self.settings.context)
        for layer in range(self.settings.layers):
            query, key, value = self._heads(x, layer, times)
            x = self._rest(x, layer, attend(query, key, value, visible)[0], training)
        return x

    def _heads(self, x: Any, layer: int, times: Any) -> tuple[Any, Any, Any]:
        shape = tf.shape(x)
        size = self.settings.width // self.settings.heads
        every = tf.reshape(
            self.looks[layer](normalised(x)), (shape[0], shape[1], 3, self.settings.heads, size)
        )
        query, key, value = tf.unstack(every, axis=2)
        return rotated(query, times), rotated(key, times), value

    def _rest(self, x: Any, layer: int, seen: Any, training: bool) -> Any:
        x += self.drop(self.takes[layer](seen), training=training)
        thought = tf.nn.relu(self.thinks[layer](normalised(x)))
        return x + self.drop(self.says[layer](thought), training=training)

    def silence(self, clips: Any) -> Any:
        """Remember nothing: keys and values of each layer, and how many are known."""
        size = self.settings.width // self.settings.heads
        shape = (clips, self.settings.context, self.settings.heads, size)
        empty = tf.zeros(shape)
        return tuple((empty, empty) for _ in range(self.settings.layers)), tf.constant(0)

    def advance(self, x: Any, times: Any, memory: Any) -> tuple[Any, Any]:
        """Look at one step, shape (clips, width), with all that is remembered."""
        kept, known = memory
        place = known % self.settings.context
        here = tf.one_hot(place, self.settings.context)[None, :, None, None]
        visible = tf.range(self.settings.context)[None] <= known
        x, after = x[:, None], []
        for layer, (keys, values) in enumerate(kept):
            query, key, value = self._heads(x, layer, times[:, None])
            # The oldest step makes place for the new one.
            keys, values = keys + here * (key - keys), values + here * (value - values)
            x = self._rest(x, layer, attend(query, keys, values, visible)[0], False)
            after.append((keys, values))
        return x[:, 0], (tuple(after), known + 1)


def attend(query: Any, key: Any, value: Any, visible: Any) -> tuple[Any, Any]:
    """Take from each visible step as much as it fits (notebook 08).

    Parameters
    ----------
    query, key, value : tf.Tensor, shape (clips, steps, heads, channels)
    visible : tf.Tensor of bool, shape (steps of the query, steps of the key)

    Returns
    -------
    seen : tf.Tensor, shape (clips, steps, heads * channels)
    shares : tf.Tensor, shape (clips, heads, steps of the query, steps of the key)
        They sum to 1 over the last axis.
    """
    size = query.shape[-1]
    fit = tf.einsum("bqhc,bkhc->bhqk", query, key) * np.float32(size**-0.5)
    shares = tf.nn.softmax(tf.where(visible, fit, np.float32(-1e9)))
    seen = tf.einsum("bhqk,bkhc->bqhc", shares, value)
    shape = tf.shape(seen)
    return tf.reshape(seen, (shape[0], shape[1], query.shape[2] * size)), shares


class Recurrence(keras.layers.Layer):
    """A stack of LSTMs: the same task without attention (notebook 08)."""

    def __init__(self, settings: ComposerSettings, seeds: Iterator[int]) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        self.gates = [dense(4 * width, 2 * width, seeds) for _ in range(settings.layers)]
        self.drop = keras.layers.Dropout(settings.dropout, seed=next(seeds))
        self.built = True

    def call(self, x: Any, times: Any, training: bool = False) -> Any:
        """Hear whole sequences, shape (clips, steps, width); `times` make no difference."""
        steps = tf.shape(x)[1]
        rows = tf.transpose(self.drop(x, training=training), (1, 0, 2))
        heard = tf.TensorArray(tf.float32, steps, element_shape=(None, self.settings.width))

        def step(number: Any, memory: Any, heard: Any) -> Any:
            out, memory = self.advance(rows[number], None, memory)
            return number + 1, memory, heard.write(number, out)

        *_, heard = tf.while_loop(
            lambda number, *_: number < steps,
            step,
            (0, self.silence(tf.shape(x)[0]), heard),
            maximum_iterations=steps,
        )
        return self.drop(tf.transpose(heard.stack(), (1, 0, 2)), training=training)

    def silence(self, clips: Any) -> Any:
        """Remember nothing: (hidden, cell) a layer."""
        zeros = tf.zeros((clips, self.settings.width))
        return tuple((zeros, zeros) for _ in self.gates)

    def advance(self, x: Any, times: Any, memory: Any) -> tuple[Any, Any]:
        """Hear one step, shape (clips, width)."""
        after = []
        for gates, (hidden, cell) in zip(self.gates, memory, strict=True):
            # The forget gate begins open (Gers et al. 2000).
            opened = np.repeat(np.array([0, 1, 0, 0], np.float32), self.settings.width)
            hidden, cell = lstm_cell(gates(tf.concat([x, hidden], axis=-1)) + opened, cell)
            after.append((hidden, cell))
            x += hidden
        return x, tuple(after)


MEMORIES: dict[str, Any] = {"transformer": Attention, "lstm": Recurrence}
