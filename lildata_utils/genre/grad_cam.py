"""Grad-CAM: where in a spectrogram a network found its reasons, drawn and made audible.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization" (arXiv:1610.02391), for the networks of notebooks 03 and 07.
"""

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lildata_utils.backend import keras, tf
from lildata_utils.errors import LilDataError
from lildata_utils.networks.inputs import as_input
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES, Floats, Image, istft, stft

BATCH_SIZE = 8

# What of a map is heard: nothing below the first value, all above the second. A map as it is would
# be a bad mute: at a tenth of its peak a sound is only 20 dB down.
SILENT_BELOW, WHOLE_FROM = 0.25, 0.75


def grad_cam(model: Any, images: Image, labels: ArrayLike, layer: str | None = None) -> Floats:
    """Show where a network sees evidence for a genre (notebook 03).

    ``relu(sum over k of w_k a_ijk)``, with ``a`` the features of a layer and ``w_k`` the mean over
    all places of the derivative of the genre's score to channel k (arXiv:1610.02391, equations 1
    and 2). The score is what goes into the softmax. A probability's derivative would mix in the
    evidence for all other genres, and vanish where the network is sure.

    The mean over the places is exact where the network takes a mean itself, as ResNet does behind
    its last block, and the listener for half of its features. Behind Lil Data's last convolution
    stand weights that know the place, and the mean forgets them: of the places where a good feature
    is, the map can't tell which one counted.

    Parameters
    ----------
    model : keras.Model
        From network input, shape (clips, 631, 631, 1), or like the listener from stored pictures to
        probabilities; flat, with a dense softmax layer at its end.
    images : ndarray of uint8, shape (clips, 631, 631)
        Spectrograms.
    labels : array_like of int, shape (clips,) or ()
        For which genre, a clip each or for all: positions in the model's outputs.
    layer : str, optional
        Whose features; the last ones that are a picture and not pooled, if not given: ``conv4`` of
        Lil Data, ``conv5_block3_out`` of ResNet-50, ``block3_relu`` of the listener.

    Returns
    -------
    ndarray of float32, shape (clips, 631, 631)
        In [0, 1], with 1 at each map's own peak, interpolated between the centres of the layer's
        cells; all 0 where nothing speaks for the genre.
    """
    layer = _last_picture(model) if layer is None else layer
    n_genres = model.output_shape[-1]
    every_label = np.broadcast_to(np.asarray(labels, np.int64), len(images))
    if len(images) and not 0 <= every_label.min() <= every_label.max() < n_genres:
        raise LilDataError(f"labels must be from 0 to {n_genres - 1}, got {labels!r}")
    function = _compiled(model, layer)
    starts = range(0, len(images), BATCH_SIZE)
    batches = [slice(start, start + BATCH_SIZE) for start in starts]
    coarse = [function(images[batch], every_label[batch]).numpy() for batch in batches]
    if not coarse:
        return np.empty((0, N_BINS, N_FRAMES), np.float32)
    cams = _enlarged(np.concatenate(coarse), model.get_layer(layer))
    peaks = cams.max(axis=(1, 2), keepdims=True)
    cams /= np.where(peaks > 0, peaks, 1)
    return cams


def audible(waveform: ArrayLike, cam: ArrayLike) -> tuple[Floats, Floats]:
    """Make a map audible: the part of a clip that it points to, and the rest (notebook 03).

    Both keep the clip's own phases. A point is left as it is from three quarters of the map's peak
    on, silent below one quarter, and turned down in a straight line between.

    Parameters
    ----------
    waveform : array_like, shape (samples,)
        The clip, mono at 22 050 Hz.
    cam : array_like, shape (631, 1 + samples // 175)
        In [0, 1], as `grad_cam` gives it.

    Returns
    -------
    reason, rest : ndarray of float32, shape (samples,)
        They sum to the clip.
    """
    spectrum = stft(waveform)
    map_ = np.asarray(cam, np.float32)
    if map_.shape != spectrum.shape:
        raise LilDataError(
            f"the map has the shape {map_.shape}: expected that of the clip's spectrogram, "
            f"{spectrum.shape}"
        )
    mask = np.clip((map_ - SILENT_BELOW) / (WHOLE_FROM - SILENT_BELOW), 0, 1)
    reason, rest = istft(np.stack([mask * spectrum, (1 - mask) * spectrum]))
    return reason, rest


def _is_picture(layer: Any) -> bool:
    """Tell whether a layer gives channels in rows and columns, more than one of each."""
    return len(layer.output.shape) == 4 and 1 not in layer.output.shape[1:3]


def _pools(layer: Any) -> bool:
    return hasattr(layer, "pool_size")


def _last_picture(model: Any) -> str:
    """Name the last layer that gives a picture and neither pools nor is the input."""
    names: list[str] = [
        layer.name
        for layer in model.layers
        if _is_picture(layer)
        and not _pools(layer)
        and not isinstance(layer, keras.layers.InputLayer)
    ]
    if not names:
        raise LilDataError(f"{model.name} has no convolution whose features could be drawn")
    return names[-1]


def _enlarged(coarse: Floats, layer: Any) -> Floats:
    """Interpolate maps of a layer's cells, shape (clips, rows, columns), to (clips, 631, 631)."""
    before, layers = _layers_up_to(layer)
    by_bin, by_frame = (
        np.stack([np.interp(places, centres, one) for one in np.eye(len(centres))])
        for places, centres in zip(_places(before), _centres(layers), strict=True)
    )
    cams: Floats = np.einsum("nij,ib,jf->nbf", coarse, by_bin, by_frame, optimize=True)
    return cams.astype(np.float32)


def _layers_up_to(layer: Any) -> tuple[list[Any], list[Any]]:
    """Give what leads to a layer: before there is a picture with channels, and from then on."""
    chain: list[Any] = []
    while not isinstance(layer, keras.layers.InputLayer):
        chain.insert(0, layer)
        inputs = layer.input
        # Branches that are added to each other agree on where their cells are.
        first = inputs[0] if isinstance(inputs, list) else inputs
        layer = first._keras_history.operation
    start = next(number for number, layer in enumerate(chain) if _is_picture(layer))
    return chain[:start], chain[start:]


def _places(layers: list[Any]) -> list[NDArray[np.float64]]:
    """Find on which rows and columns of the first picture with channels bins and frames lie.

    The listener makes mel bands of bins, each centred on what its weights weigh most, and averages
    neighbouring frames; its rows are narrow at the bottom and wide at the top.
    """
    bins, frames = np.arange(N_BINS, dtype=float), np.arange(N_FRAMES, dtype=float)
    for layer in layers:
        if isinstance(layer, keras.layers.Dense):
            kernel = layer.kernel.numpy()
            centres = np.arange(N_BINS) @ kernel / kernel.sum(axis=0)
            bins = np.interp(bins, centres, np.arange(len(centres)))
        elif _pools(layer):
            (size,) = layer.pool_size
            frames = (frames - (size - 1) / 2) / size
    return [bins, frames]


def _centres(layers: list[Any]) -> list[NDArray[np.float64]]:
    """Find on which rows and columns of the first picture the cells of the last one are centred.

    Spreading the cells evenly would be wrong: Lil Data's poolings drop what does not fill a square,
    so that its nine cells end at 576 of the 631 bins and frames. That is 0.4 s and 900 Hz at the
    end.
    """
    first_centre, step = np.zeros(2), np.ones(2)
    for layer in layers:
        if isinstance(layer, keras.layers.Resizing):
            scale = np.divide(layer.input.shape[1:3], layer.output.shape[1:3])
            first_centre += step * (scale - 1) / 2
            step = step * scale
        elif isinstance(layer, keras.layers.ZeroPadding2D):
            first_centre -= step * np.array(layer.padding)[:, 0]
        elif hasattr(layer, "strides"):
            size = np.array(layer.pool_size if _pools(layer) else layer.kernel_size)
            stride, padded = np.array(layer.strides), 0
            if layer.padding == "same":
                sides, outputs = (np.array(t.shape[1:3]) for t in (layer.input, layer.output))
                padded = np.maximum((outputs - 1) * stride + size - sides, 0) // 2
            first_centre += step * ((size - 1) / 2 - padded)
            step = step * stride
    return [
        start + by * np.arange(cells)
        for start, by, cells in zip(first_centre, step, layers[-1].output.shape[1:3], strict=True)
    ]


_FUNCTIONS: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def _compiled(model: Any, name: str) -> Any:
    """Compile a model's map once for each layer that is asked for."""
    functions = _FUNCTIONS.setdefault(model, {})
    if name not in functions:
        if name not in [layer.name for layer in model.layers if _is_picture(layer)]:
            raise LilDataError(f"{model.name} has no layer {name!r} that gives a picture")
        head = model.layers[-1]
        if not isinstance(head, keras.layers.Dense):
            raise LilDataError(
                f"{model.name} ends in {head.name!r}, which is no dense layer: expected a "
                "classifier whose scores go into its last layer's softmax"
            )
        looks = keras.Model(model.inputs[0], [model.get_layer(name).output, head.input])

        @tf.function(
            input_signature=[
                tf.TensorSpec((None, N_BINS, N_FRAMES), tf.uint8),
                tf.TensorSpec((None,), tf.int64),
            ],
            autograph=False,
        )
        def maps(images: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                pictures = as_input(looks, images)
                # Not for its own sake: without it nothing is recorded where weights are frozen.
                tape.watch(pictures)
                features, last = looks(pictures, training=False)
                scores = tf.cast(last, tf.float32) @ head.kernel + head.bias
                chosen = tf.gather(scores, labels, axis=1, batch_dims=1)
            slopes = tf.cast(tape.gradient(chosen, features), tf.float32)
            weights = tf.reduce_mean(slopes, axis=(1, 2), keepdims=True)
            return tf.nn.relu(tf.reduce_sum(weights * tf.cast(features, tf.float32), axis=-1))

        functions[name] = maps
    return functions[name]
