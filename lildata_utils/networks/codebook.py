"""Finite scalar quantisation: a codebook that nobody has to learn (notebook 08).

A few bounded numbers are rounded to a few levels each; every combination is a code (Mentzer et al.
2023, arXiv:2309.15505). No code can die: rounding is all there is.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lildata_utils.backend import tf

# So that the outermost levels can be reached.
MARGIN = 1e-3


def bounded(numbers: Any, levels: Sequence[int]) -> Any:
    """Squeeze numbers so that rounding gives one of `levels` whole numbers each (notebook 08).

    Shape (..., len(levels)) stays. Of 5 levels: -2 to 2; of 8: -4 to 3; 0 stays 0.
    """
    half = (np.array(levels, np.float32) - 1) * (1 + MARGIN) / 2
    offset = np.where(np.array(levels) % 2 == 0, np.float32(0.5), np.float32(0))
    return tf.tanh(numbers + np.arctanh(offset / half).astype(np.float32)) * half - offset


def straight_through(numbers: Any) -> Any:
    """Round, and let the gradient pass as if nothing had happened (notebook 08).

    Bengio et al. 2013, arXiv:1308.3432.
    """
    return numbers + tf.stop_gradient(tf.round(numbers) - numbers)


def scaled(numbers: Any, levels: Sequence[int]) -> Any:
    """Bring rounded numbers to [-1, 1], as a decoder wants them (notebook 08)."""
    return numbers / (np.array(levels) // 2).astype(np.float32)


def to_codes(numbers: Any, levels: Sequence[int]) -> Any:
    """Count rounded numbers, shape (..., len(levels)), as codes, int32, shape (...) (notebook 08).

    Examples
    --------
    >>> to_codes(np.array([[-2.0, -1.0], [2.0, 1.0]], np.float32), (5, 3)).numpy().tolist()
    [0, 14]
    """
    digits = tf.cast(tf.round(numbers), tf.int32) + np.array(levels, np.int32) // 2
    return tf.reduce_sum(digits * _places(levels), axis=-1)


def from_codes(codes: Any, levels: Sequence[int]) -> Any:
    """Undo `to_codes`: float32, shape (..., len(levels)) (notebook 08)."""
    sizes = np.array(levels, np.int32)
    digits = tf.cast(codes, tf.int32)[..., None] // _places(levels) % sizes
    return tf.cast(digits - sizes // 2, tf.float32)


def _places(levels: Sequence[int]) -> Any:
    """Give what each digit counts: 1, then the levels before it multiplied."""
    return np.cumprod([1, *levels[:-1]]).astype(np.int32)
