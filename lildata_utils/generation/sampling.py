"""Drawing lots: one code of many, as likely as a network says, or nearly so (notebook 08)."""

from typing import Any

import numpy as np

from lildata_utils.backend import tf

NEVER = np.float32(-1e9)


def restricted(logits: Any, top_k: Any, top_p: Any) -> Any:
    """Rule out what is unlikely; shape (..., codes) stays (notebook 08).

    Parameters
    ----------
    logits : tf.Tensor of float32, shape (..., codes)
    top_k : int
        So many codes stay, the likeliest; 0 for all.
    top_p : float
        As many stay as have this probability together (Holtzman et al. 2019, arXiv:1904.09751); 1
        for all. The likeliest always stays.
    """
    codes = tf.shape(logits)[-1]
    ordered = tf.sort(logits, direction="DESCENDING")
    chances = tf.nn.softmax(ordered)
    # What comes before a code in this order has less than top_p: it still belongs to them.
    stays = tf.cumsum(chances, axis=-1, exclusive=True) < top_p
    most = tf.where(tf.equal(top_k, 0), codes, tf.minimum(top_k, codes))
    stays &= tf.range(codes) < most
    stays |= tf.range(codes) < 1
    least = tf.reduce_min(tf.where(stays, ordered, -NEVER), axis=-1, keepdims=True)
    return tf.where(logits >= least, logits, NEVER)


def drawn(logits: Any, temperature: Any, seed: Any) -> Any:
    """Draw codes, int32, shape (...); a temperature of 0 takes the likeliest (notebook 08).

    By Gumbel's trick: the largest of logits with noise is a draw. `seed`, shape (2,), is all chance
    that is in it.
    """
    uniform = tf.random.stateless_uniform(tf.shape(logits), seed, minval=1e-7)
    noise = -tf.math.log(-tf.math.log(uniform))
    return tf.argmax(logits + temperature * noise, axis=-1, output_type=tf.int32)


def guided(logits: Any, guidance: Any) -> Any:
    """Mix what a network says with and without a genre (notebook 08).

    The first half of the batch knows the genre, the second does not; 1 takes the first as it is,
    more exaggerates what the genre changes (Ho & Salimans 2022, arXiv:2207.12598).
    """
    with_genre, without = tf.split(logits, 2, axis=0)
    return without + guidance * (with_genre - without)
