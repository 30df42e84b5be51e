"""The three equations of the paper (its Methods). They take arrays or tensors and give tensors.

Gatys, Ecker & Bethge (arXiv:1508.06576; CVPR 2016). Notebook 04 writes them by hand.
"""

from collections.abc import Sequence
from typing import Any

from lildata_utils.backend import tf


def gram_matrix(features: Any) -> Any:
    """Sum, over all places, the products of every two channels (notebook 04).

    ``G[k, k'] = sum over i, j of a[i, j, k] a[i, j, k']``. Where something is no longer matters,
    only what occurs together (Gatys et al., arXiv:1508.06576, equation 3). Features of shape (bins,
    frames, channels) give a symmetric matrix, shape (channels, channels), in their own type.

    Examples
    --------
    >>> gram_matrix([[[1.0, 2.0], [3.0, 0.0]]]).numpy().tolist()
    [[10.0, 2.0], [2.0, 4.0]]
    """
    features = tf.convert_to_tensor(features)
    return _products(tf.reshape(features, (-1, features.shape[-1])))


@tf.custom_gradient
def _products(places: Any) -> Any:
    # TensorFlow would not know that both factors are the same, and multiply twice on the way back.
    return (
        tf.matmul(places, places, transpose_a=True),
        lambda upstream: tf.matmul(places, upstream + tf.transpose(upstream)),
    )


def content_cost(content_features: Any, features: Any) -> Any:
    """Compute the paper's first equation: ``1/2 || a(C) - a(G) ||^2`` (notebook 04).

    Both are a layer's features, shape (bins, frames, channels), for the content and the picture.

    Examples
    --------
    >>> float(content_cost([[[1.0, 2.0]]], [[[4.0, 2.0]]]))
    4.5
    """
    return 0.5 * tf.reduce_sum(tf.square(tf.subtract(features, content_features)))


def style_cost(
    style_grams: Sequence[Any],
    grams: Sequence[Any],
    shapes: Sequence[Any],
    weights: Sequence[float],
) -> Any:
    """Compute the paper's second equation, a weighted sum over layers (notebook 04).

    ``sum over l of lambda / (2 n_h n_w n_c)^2 sum over k, k' of (G(S) - G(G))^2``.

    Parameters
    ----------
    style_grams, grams : sequence of array_like or tf.Tensor, shape (channels, channels)
        Gram matrices of the style and of the picture, one a layer.
    shapes : sequence of (int, int, int)
        Of the features they were made of: n_h (bins), n_w (frames), n_c (channels).
    weights : sequence of float
        The lambda of each layer.

    Returns
    -------
    tf.Tensor, shape ()

    Examples
    --------
    >>> float(style_cost([[[3.0]]], [[[1.0]]], [(1, 2, 1)], [0.5]))  # 0.5 / 4^2 * 2^2
    0.125
    """
    total = 0.0
    for style_gram, gram, shape, weight in zip(style_grams, grams, shapes, weights, strict=True):
        difference = tf.subtract(gram, style_gram)
        size = tf.cast(tf.reduce_prod(shape), difference.dtype)
        total += weight / (2 * size) ** 2 * tf.reduce_sum(tf.square(difference))
    return total


def total_cost(content: Any, style: Any, alpha: Any, beta: Any) -> Any:
    """Compute the paper's third equation: ``alpha J_content + beta J_style`` (notebook 04).

    Examples
    --------
    >>> total_cost(2.0, 3.0, alpha=50.0, beta=500.0)
    1600.0
    """
    return alpha * content + beta * style
