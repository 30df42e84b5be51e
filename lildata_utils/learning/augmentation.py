"""What a listener hears while it learns: the same music through other rooms, desks and machines.

Every change works on mel bands in dB, shape (clips, 157, 96), in TensorFlow, and draws all chance
from a seed, so that a run resumes exactly. Notebook 07 shows each.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lildata_utils.backend import tf
from lildata_utils.networks.settings import CHANGES, ListenerSettings

STRETCH = 0.08  # share by which a clip is played faster or slower
LEVEL_DB = 6.0
EQUALISER_DB = 6.0
CONTRAST = 0.15  # share by which differences to the clip's mean grow or shrink
# Masks (Park et al. 2019, arXiv:1904.08779): how many, and how long at most.
TIME_MASKS, MASKED_FRAMES = 2, 24
BAND_MASKS, MASKED_BANDS = 2, 12
SHIFT_BANDS = 2
# Noise and band limits come to a share of the clips.
NOISY, LIMITED = 0.3, 0.3
NOISE_DB = -55.0, -20.0
QUIET_DB = -80.0
MIXUP = 0.3  # of the beta distribution

Change = Callable[[Any, Any], Any]


def roll(bands: Any, seed: Any) -> Any:
    """Begin anywhere in the clip, and go on at its start (notebook 07)."""
    clips, frames = tf.shape(bands)[0], tf.shape(bands)[1]
    first = tf.random.stateless_uniform((clips, 1), seed, 0, frames, tf.int32)
    return tf.gather(bands, (first + tf.range(frames)) % frames, axis=1, batch_dims=1)


def stretch(bands: Any, seed: Any) -> Any:
    """Play a little faster or slower; what lacks at the end comes from the start (notebook 07)."""
    clips, frames = tf.shape(bands)[0], tf.shape(bands)[1]
    rate = 1 + _uniform(seed, 0, (clips, 1), -STRETCH, STRETCH)
    place = tf.cast(rate * tf.range(tf.cast(frames, tf.float32)), tf.int32)
    return tf.gather(bands, place % frames, axis=1, batch_dims=1)


def shift(bands: Any, seed: Any) -> Any:
    """Play higher or lower by some bands (notebook 07)."""
    clips, most = tf.shape(bands)[0], bands.shape[2]
    by = _uniform(seed, 0, (clips, 1), -SHIFT_BANDS, SHIFT_BANDS + 1)
    place = tf.cast(tf.floor(by), tf.int32) + tf.range(most)[None]
    turned = tf.gather(
        tf.transpose(bands, (0, 2, 1)), tf.clip_by_value(place, 0, most - 1), axis=1, batch_dims=1
    )
    return tf.transpose(turned, (0, 2, 1))


def equalise(bands: Any, seed: Any) -> Any:
    """Turn level, tilt and two slow waves over frequency up or down (notebook 07)."""
    clips, count = tf.shape(bands)[0], bands.shape[2]
    place = np.linspace(-1, 1, count, dtype=np.float32)
    shapes = np.stack([place, np.sin(np.pi * place), np.cos(np.pi * place)])
    by = _uniform(seed, 0, (clips, 3), -EQUALISER_DB, EQUALISER_DB)
    level = _uniform(seed, 1, (clips, 1), -LEVEL_DB, LEVEL_DB)
    return bands + (level + by @ shapes)[:, None]


def press(bands: Any, seed: Any) -> Any:
    """Compress or expand: differences to the clip's mean shrink or grow (notebook 07)."""
    mean = tf.reduce_mean(bands, axis=(1, 2), keepdims=True)
    by = 1 + _uniform(seed, 0, (tf.shape(bands)[0], 1, 1), -CONTRAST, CONTRAST)
    return mean + by * (bands - mean)


def add_noise(bands: Any, seed: Any) -> Any:
    """Lay coloured noise under some of the clips (notebook 07)."""
    clips, count = tf.shape(bands)[0], bands.shape[2]
    level = _uniform(seed, 0, (clips, 1, 1), *NOISE_DB)
    tilt = _uniform(seed, 1, (clips, 1, 1), -15.0, 5.0)
    noise = level + tilt * np.linspace(0, 1, count, dtype=np.float32)
    neper = np.float32(np.log(10) / 10)
    louder = tf.maximum(bands, noise)
    summed = louder + tf.math.log1p(tf.exp(-neper * tf.abs(bands - noise))) / neper
    return tf.where(_some(seed, 2, clips, NOISY), summed, bands)


def limit(bands: Any, seed: Any) -> Any:
    """Take away the lowest and highest bands of some clips, as codecs do (notebook 07)."""
    clips, count = tf.shape(bands)[0], bands.shape[2]
    low = _uniform(seed, 0, (clips, 1, 1), 0, count * 0.08)
    high = _uniform(seed, 1, (clips, 1, 1), count * 0.6, count)
    place = tf.range(tf.cast(count, tf.float32))
    gone = _some(seed, 2, clips, LIMITED) & ((place < low) | (place > high))
    return tf.where(gone, QUIET_DB, bands)


def mask(bands: Any, seed: Any) -> Any:
    """Hide some stretches of time and some of frequency (notebook 07)."""
    mean = tf.reduce_mean(bands, axis=(1, 2), keepdims=True)
    hidden = tf.zeros_like(bands, tf.bool)
    kinds = ((1, TIME_MASKS, MASKED_FRAMES), (2, BAND_MASKS, MASKED_BANDS))
    for axis, count, longest in kinds:
        place = tf.range(tf.cast(tf.shape(bands)[axis], tf.float32))
        place = place[:, None] if axis == 1 else place
        for number in range(count):
            key = 10 * axis + 2 * number
            shape = (tf.shape(bands)[0], 1, 1)
            length = _uniform(seed, key, shape, 0, longest)
            first = _uniform(seed, key + 1, shape, -longest / 2, tf.reduce_max(place))
            hidden |= (place >= first) & (place < first + length)
    return tf.where(hidden, mean, bands)


_CHANGES: dict[str, Change] = {
    "roll": roll,
    "stretch": stretch,
    "shift": shift,
    "equaliser": equalise,
    "contrast": press,
    "noise": add_noise,
    "limits": limit,
    "masks": mask,
}


def mix(bands: Any, labels: Any, seed: Any) -> tuple[Any, Any]:
    """Mix each clip with another one, and so its answer (arXiv:1710.09412; notebook 07).

    Returns
    -------
    bands : tf.Tensor of float32, shape (clips, 157, 96)
    labels : tuple of tf.Tensor
        Of the clips, of the others, and the clips' own share, shape (clips,) each.
    """
    clips = tf.shape(bands)[0]
    pair = [
        tf.random.stateless_gamma((clips,), tf.random.fold_in(seed, key), MIXUP) for key in (0, 1)
    ]
    own = pair[0] / (pair[0] + pair[1] + 1e-9)
    own = tf.maximum(own, 1 - own)
    others = tf.argsort(_uniform(seed, 2, (clips,), 0, 1))
    weight = own[:, None, None]
    mixed = weight * bands + (1 - weight) * tf.gather(bands, others)
    return mixed, (labels, tf.gather(labels, others), own)


def augment(bands: Any, labels: Any, seed: Any, settings: ListenerSettings) -> tuple[Any, Any]:
    """Do the changes that the settings name, each with chance of its own (notebook 07).

    What a network that does not learn has made of the bands, shape (clips, features), stays as it
    is. The labels are then as `mix` gives them, mixed or not.
    """
    if len(bands.shape) == 2:
        return bands, (labels, labels, tf.ones(tf.shape(labels)[:1]))
    for number, name in enumerate(CHANGES):
        own = tf.random.fold_in(seed, number)
        if name == "mixup" and name in settings.changes:
            return mix(bands, labels, own)
        if name in settings.changes:
            bands = _CHANGES[name](bands, own)
    return bands, (labels, labels, tf.ones(tf.shape(labels)[:1]))


def _uniform(seed: Any, key: int, shape: Any, least: Any, most: Any) -> Any:
    drawn = tf.random.stateless_uniform(shape, tf.random.fold_in(seed, key))
    return least + (most - least) * drawn


def _some(seed: Any, key: int, clips: Any, share: float) -> Any:
    return _uniform(seed, key, (clips, 1, 1), 0.0, 1.0) < share
