"""Fused networks: on the same variables as a plain one, and the same numbers in less time.

What is saved is always a plain float32 Keras model; training and prediction go through its fused
twin, which rounds to bfloat16 where the processor multiplies that natively. The weights, their
updates and everything that decides (the dense layers, the loss) stay in float32.
"""

import itertools
from typing import Any

from lildata_utils.backend import keras, tf
from lildata_utils.machine import has_bfloat16

# Layers without weights that may compute in the type of what they are given.
PASSING = (
    keras.layers.Activation,
    keras.layers.Add,
    keras.layers.MaxPooling2D,
    keras.layers.ZeroPadding2D,
)


def fuse(model: Any, dtype: str | None = None) -> Any:
    """Make a model on the same variables that computes the same in less time (notebook 03).

    Every convolution with ReLU that a max-pool follows becomes a `PooledFirst`; in a network with
    batch normalisation every convolution becomes a `RoundedConvolution` and every normalisation a
    `FusedNormalisation`. They compute in `dtype`, "float32" or "mixed_bfloat16", which the
    processor decides if it is not given. All other layers, and the weights, stay in float32.
    """
    if dtype is None:
        dtype = "mixed_bfloat16" if has_bfloat16() else "float32"
    pairs = {
        conv.name: pool
        for conv, pool in itertools.pairwise(model.layers)
        if isinstance(conv, keras.layers.Conv2D)
        and conv.activation is keras.activations.relu
        and isinstance(pool, keras.layers.MaxPooling2D)
    }
    normalised = any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)
    if not pairs and not normalised:
        return keras.Model(model.inputs[0], model.outputs[0])
    pooled = {pool.name for pool in pairs.values()}

    def twin(layer: Any) -> Any:
        if layer.name in pairs:
            return PooledFirst(layer, pairs[layer.name], dtype)
        if layer.name in pooled:
            return keras.layers.Identity(name=layer.name)
        if normalised and type(layer) is keras.layers.Conv2D:
            return RoundedConvolution(layer, dtype)
        if isinstance(layer, keras.layers.BatchNormalization):
            return FusedNormalisation(layer, dtype)
        if normalised and isinstance(layer, PASSING):
            return type(layer).from_config(layer.get_config() | {"dtype": dtype})
        return layer

    made = keras.models.clone_model(model, clone_function=twin)
    made.name = f"fused_{model.name}"
    return made


class PooledFirst(keras.layers.Layer):
    """A convolution with ReLU and the max-pool after it, the pooling done first (notebook 02).

    The largest of some numbers stays the largest when a bias is added to all of them and when the
    negative ones become 0, so ``max(relu(x + bias)) = relu(max(x) + bias)``. After the pooling,
    bias and ReLU have a sixteenth of the numbers to go through. The convolution's weights are used,
    not copied.
    """

    def __init__(self, conv: Any, pool: Any, dtype: str) -> None:
        super().__init__(name=conv.name, dtype=dtype)
        self.conv = conv
        self.pool = pool

    def call(self, x: Any) -> Any:
        """Compute the layer's output, shape (clips, bins // 4, frames // 4, filters) for 4x4."""
        conv, pool = self.conv, self.pool
        x = keras.ops.conv(x, keras.ops.cast(conv.kernel, x.dtype), conv.strides, conv.padding)
        x = keras.ops.max_pool(x, pool.pool_size, pool.strides, pool.padding)
        return keras.ops.relu(x + keras.ops.cast(conv.bias, x.dtype))


class RoundedConvolution(keras.layers.Layer):
    """A convolution that computes in a type of its own, on the same weights (notebook 03)."""

    def __init__(self, conv: Any, dtype: str) -> None:
        super().__init__(name=conv.name, dtype=dtype)
        self.conv = conv

    def call(self, x: Any) -> Any:
        """Compute the layer's output, shape (clips, rows, columns, filters)."""
        conv = self.conv
        x = keras.ops.conv(x, keras.ops.cast(conv.kernel, x.dtype), conv.strides, conv.padding)
        if conv.use_bias:
            x = x + keras.ops.cast(conv.bias, x.dtype)
        return conv.activation(x)


class FusedNormalisation(keras.layers.Layer):
    """Batch normalisation (Ioffe & Szegedy, arXiv:1502.03167) in one operation (notebook 03).

    Keras' own goes through the numbers once for each mean, difference, product and sum, and
    backwards again: half of the time of a residual network. Means and variances are float32 here as
    there; the moving averages are kept in the layer's own variables.
    """

    def __init__(self, normalisation: Any, dtype: str) -> None:
        super().__init__(name=normalisation.name, dtype=dtype)
        self.normalisation = normalisation

    def call(self, x: Any, training: bool = False, mask: Any = None) -> Any:
        """Normalise `x`, shape (clips, rows, columns, filters).

        By the batch's statistics where the layer learns, or else by the moving averages.
        """
        layer = self.normalisation
        scale, shift = layer.gamma.value, layer.beta.value
        moving = layer.moving_mean.value, layer.moving_variance.value
        if not (training and layer.trainable):
            return tf.compat.v1.nn.fused_batch_norm(
                x, scale, shift, *moving, epsilon=layer.epsilon, is_training=False
            )[0]
        x, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            x, scale, shift, epsilon=layer.epsilon, is_training=True
        )
        # The operation divides by n - 1 in the variance that it reports, Keras by n.
        places = tf.cast(tf.size(x) // tf.shape(x)[-1], tf.float32)
        for average, now in (
            (layer.moving_mean, mean),
            (layer.moving_variance, variance * (places - 1) / places),
        ):
            average.assign(average * layer.momentum + now * (1 - layer.momentum))
        return x
